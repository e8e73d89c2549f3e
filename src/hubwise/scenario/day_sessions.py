"""The stays of one day, or of several, out of a file of sessions, laid on the days of the prices.

Where sessions and prices are of the same day, a stamp is the moment that it is. Where they are of
different days, sessions are read on the clock that hung on their wall and laid on the same time of
the price day's clock: a car that came at 08:15 comes at 08:15.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from hubwise.domain import Horizon
from hubwise.scenario.clock import after_leap, exists
from hubwise.scenario.equipment import Equipment, Garage
from hubwise.scenario.foreign_sessions import ForeignStay

# What is done to sessions, as the end of a sentence.
_CAME_BEFORE = "arrived before the horizon; what charging at once had brought by then is taken off"
_STAYED_ON = (
    "stay past the end of the horizon; asked of it is what the rest of the stay could not bring"
)
_LEAPT = "had a time that the clock leaps over; moved to the end of the leap"
_UNSTATED = "stated no departure after the arrival; the actual one is used"
_RENAMED = "had an id that another stay has, too; the row is added to it"
_NO_TIME = "departs when it arrives"
_TWO_CARS = "overlap another of the same driver; taken as a second car"
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ImportedSession:
    """One session on the horizon; times in UTC.

    Parameters
    ----------
    session, driver, hub
        Identifiers.
    arrival, departure
        The stay as stated, within the horizon.
    stated_departure, actual_departure
        Its ends, also where they are past the horizon.
    energy_kwh
        Energy that it still asks for when the stay or the horizon begins, at the charger [kWh].
    later_kwh
        What the rest of the stay can bring after the horizon at full power, at the charger [kWh].
    equipment
        Its car and charger.
    """

    session: str
    driver: str
    hub: str
    arrival: datetime
    departure: datetime
    stated_departure: datetime
    actual_departure: datetime
    energy_kwh: float
    later_kwh: float
    equipment: Equipment


@dataclass(frozen=True, slots=True)
class Day:
    """Which day of sessions goes on which horizon of prices.

    Parameters
    ----------
    sessions_day
        The first day whose sessions are taken, from the horizon's time of day on.
    sessions_zone
        Zone whose clock sessions of another day are read on; without it, the clock that they are
        written in, or the site's where that is UTC, which hangs on no wall.
    horizon
        The slots of the price day.
    """

    sessions_day: date
    sessions_zone: str | None
    horizon: Horizon

    @property
    def begins(self) -> datetime:
        """The wall-clock time at which the day of sessions begins."""
        first = self.horizon.local_start
        return datetime.combine(self.sessions_day, time(first.hour, first.minute))

    @property
    def is_another(self) -> bool:
        """Whether sessions and prices are of different days."""
        return self.horizon.local_start.date() != self.sessions_day

    def on_horizon(self, moment: datetime, place: tzinfo | None = None) -> datetime:
        """A session's moment on the horizon, in UTC; ``place`` is the zone where its car stood.

        A time that the clock leaps over is the end of the leap; of one that comes twice, the first.
        """
        return after_leap(self._laid(moment, place), self.horizon.zone)

    def leapt(self, moment: datetime, place: tzinfo | None = None) -> bool:
        """Whether the price day's clock leaps over a session's moment."""
        return not exists(self._laid(moment, place), self.horizon.zone)

    def _laid(self, moment: datetime, place: tzinfo | None) -> datetime:
        if not self.is_another:
            return moment
        first = self.horizon.local_start.replace(tzinfo=None)
        return first + (self._wall(moment, place) - self.begins)

    def _wall(self, moment: datetime, place: tzinfo | None) -> datetime:
        """What the clock on the wall showed."""
        if moment.tzinfo is None:
            return moment
        told = ZoneInfo(self.sessions_zone) if self.sessions_zone else None
        site = ZoneInfo(self.horizon.zone)
        zone = next(each for each in (told, moment.tzinfo, place, site) if _hangs(each, site))
        return moment.astimezone(zone).replace(tzinfo=None)


def _hangs(zone: tzinfo | None, site: tzinfo) -> bool:
    """Whether clocks of a zone hang on walls; UTC's do not, unless it is the site's."""
    return zone is site or (zone is not None and zone.utcoffset(None) != timedelta(0))


@dataclass(slots=True)
class Tally:
    """What became of a file's rows: why some were left out, and what was done to others.

    Parameters
    ----------
    rows
        How many there are.
    elsewhere
        How many are of other days.
    wrong_elsewhere
        Those of other days, or of no day that can be told, in which something cannot be read.
    skipped
        Reasons why rows of the day were left out.
    noted
        What was done to others.
    """

    rows: int = 0
    elsewhere: int = 0
    wrong_elsewhere: list[ForeignStay] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    noted: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Picked:
    """What a day has of a file's rows.

    Parameters
    ----------
    stays
        The stays that are planned.
    sources
        The row of each of them.
    tally
        What became of all rows.
    """

    stays: tuple[ImportedSession, ...]
    sources: tuple[ForeignStay, ...]
    tally: Tally


def broken_rows(rows: Sequence[ForeignStay], day: Day) -> list[ForeignStay]:
    """The rows of the day in which something cannot be read."""
    return [row for row in rows if row.problems and _is_there(row, day, Tally())]


def sessions_of_day(rows: Sequence[ForeignStay], day: Day, garage: Garage) -> Picked:
    """The stays that overlap the day, and what became of the others."""
    tally = Tally(rows=len(rows))
    there = [row for row in rows if _is_there(row, day, tally)]
    taken = {row.takes_back for row in rows if row.credit}
    made: dict[str, tuple[ForeignStay, ImportedSession]] = {}
    seen: set[object] = set()
    for row in there:
        key = _key(row)
        reason = "there twice" if key in seen else _refusal(row, taken)
        stay = None if reason else _stay(row, day, garage, tally)
        if reason:
            tally.skipped[reason] += 1
        if stay is not None:
            seen.add(key)
            stay = _renamed(stay, row, made, tally)
            made[stay.session] = (row, stay)
    sources = tuple(row for row, _ in made.values())
    stays = _second_cars([stay for _, stay in made.values()], tally)
    return Picked(stays, sources, tally)


def _is_there(row: ForeignStay, day: Day, tally: Tally) -> bool:
    """Whether a row is of the day, as far as it can be read; the others are tallied."""
    start, end = day.horizon.start_utc, day.horizon.end_utc
    came, left = _on(row.arrival, row, day), _on(row.departure, row, day)
    if came is None:
        there = left is not None and start < left <= end
    elif left is None:
        there = came < end and not (row.problems and came < start)
    else:
        there = start <= came < end or came < start < left
    if came is None and not there and left is None:
        tally.skipped["its arrival is not told or cannot be read"] += 1
    elif not there:
        tally.elsewhere += 1
    if not there and row.problems:
        tally.wrong_elsewhere.append(row)
    return there


def _on(moment: datetime | None, row: ForeignStay, day: Day) -> datetime | None:
    return None if moment is None else day.on_horizon(moment, row.place)


def _key(row: ForeignStay) -> object:
    """What two rows of the same stay have in common."""
    if row.session is None:
        return replace(row, row=0)
    return row.session, row.station, row.connector, row.arrival


def _refusal(row: ForeignStay, taken: Collection[str | None]) -> str | None:
    """Why a row of the day cannot be a session, if it cannot."""
    if row.arrival is None:
        return "has no arrival"
    if row.departure is None:
        return "has not ended"
    if row.credit:
        return "takes another record back"
    if row.session is not None and row.session in taken:
        return "taken back by another record"
    if not row.claimed:
        return "unclaimed, so that nobody said what was asked for"
    if row.energy_kwh is None:
        return "no energy told"
    if row.energy_kwh <= 0:
        return "no energy asked for"
    return None


def _stay(row: ForeignStay, day: Day, garage: Garage, tally: Tally) -> ImportedSession | None:
    """The stay of a good row, or nothing, tallied, where nothing of it is left."""
    assert row.arrival is not None
    assert row.departure is not None
    assert row.energy_kwh is not None
    horizon, equipment = day.horizon, garage.equipment(row)
    arrival = day.on_horizon(row.arrival, row.place)
    actual = _after(arrival, row.departure, row, day)
    stated = actual if row.stated_departure is None else _on(row.stated_departure, row, day)
    unstated = row.stated_departure is None or stated is None or stated <= arrival
    planned = actual if unstated or stated is None else stated
    before, after = max(horizon.start_utc - arrival, 0 * _HOUR), planned - horizon.end_utc
    stay = ImportedSession(
        session=row.session or f"s{row.row:05d}",
        driver=row.driver or row.session or f"s{row.row:05d}",
        hub=garage.hub(row),
        arrival=max(arrival, horizon.start_utc),
        departure=min(planned, horizon.end_utc),
        stated_departure=planned,
        actual_departure=actual,
        energy_kwh=row.energy_kwh - equipment.charge_kw * (before / _HOUR),
        later_kwh=equipment.charge_kw * (max(after, 0 * _HOUR) / _HOUR),
        equipment=equipment,
    )
    if reason := _leftover(stay, arrival, horizon):
        tally.skipped[reason] += 1
        return None
    tally.noted[_CAME_BEFORE] += arrival < horizon.start_utc
    tally.noted[_STAYED_ON] += planned > horizon.end_utc
    ends = (row.arrival, row.stated_departure or row.departure)
    tally.noted[_LEAPT] += any(day.leapt(each, row.place) for each in ends)
    tally.noted[_UNSTATED] += unstated
    return stay


def _after(arrival: datetime, departure: datetime, row: ForeignStay, day: Day) -> datetime:
    """When a stay ended: where the clock showed that time twice, the second if need be."""
    found = day.on_horizon(departure, row.place)
    if found <= arrival and not isinstance(departure.tzinfo, timezone):
        return day.on_horizon(departure.replace(fold=1), row.place)
    return found


def _leftover(stay: ImportedSession, arrival: datetime, horizon: Horizon) -> str | None:
    """Why the horizon leaves nothing of a stay, if it does not."""
    if stay.actual_departure <= arrival:
        return _NO_TIME if stay.actual_departure == arrival else "departs before it arrives"
    if stay.departure <= horizon.start_utc:
        return "was to leave before the day began"
    if stay.energy_kwh <= 0:
        return "full before the day began, charging since the day before"
    if stay.actual_departure <= stay.arrival:
        return "left before the day began"
    return None


def _renamed(
    stay: ImportedSession, row: ForeignStay, made: Iterable[str], tally: Tally
) -> ImportedSession:
    """The stay under a name of its own: chargers may count their sessions each from 1 on."""
    if stay.session not in made:
        return stay
    tally.noted[_RENAMED] += 1
    return replace(stay, session=f"{stay.session}-row-{row.row}")


def _second_cars(stays: Sequence[ImportedSession], tally: Tally) -> tuple[ImportedSession, ...]:
    """The stays, each of one car at one place: who is at two at once drives two cars."""
    free: dict[str, list[datetime]] = {}
    named: dict[str, ImportedSession] = {}
    for stay in sorted(stays, key=lambda each: each.arrival):
        ends = free.setdefault(stay.driver, [])
        car = next((k for k, end in enumerate(ends) if end <= stay.arrival), len(ends))
        ends[car : car + 1] = [max(stay.departure, stay.actual_departure)]
        tally.noted[_TWO_CARS] += car > 0
        driver = f"{stay.driver} (car {car + 1})" if car else stay.driver
        named[stay.session] = replace(stay, driver=driver)
    return tuple(named[stay.session] for stay in stays)
