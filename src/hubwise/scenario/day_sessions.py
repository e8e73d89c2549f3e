"""The stays of one day out of a table of charging sessions, moved to the day of the prices.

Times of sessions are read on the clock that hung on their wall and laid on the same time of the
price day's clock: a car that came at 08:15 comes at 08:15.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from math import ceil, floor
from typing import Any
from zoneinfo import ZoneInfo

from hubwise.domain import Horizon
from hubwise.scenario.clock import after_leap, exists
from hubwise.scenario.tables import Table

# What is done to sessions, as the end of a sentence.
_CAME_BEFORE = "arrived the day before; what charging at once had brought by then is taken off"
_STAYED_ON = "stated a departure past the end of the day; clipped there"
_LEAPT = "had a time that the clock leaps over; moved to the end of the leap"
_UNSTATED = "stated no departure after the arrival; the actual one is used"


@dataclass(frozen=True, slots=True)
class ImportedSession:
    """One session on the horizon; times in UTC.

    Parameters
    ----------
    session, driver, hub
        Identifiers.
    arrival, departure, actual_departure
        The stay as stated, within the horizon, and its actual end.
    energy_kwh
        Energy asked for, at the charger [kWh].
    """

    session: str
    driver: str
    hub: str
    arrival: datetime
    departure: datetime
    actual_departure: datetime
    energy_kwh: float


@dataclass(frozen=True, slots=True)
class Day:
    """Which day of sessions goes on which horizon of prices.

    Parameters
    ----------
    sessions_day
        The day whose sessions are taken, from the horizon's time of day on.
    sessions_zone
        Zone whose clock sessions are read on; without it, the clock they are written in.
    horizon
        The slots of the price day.
    charge_kw
        Power that a session which arrived the day before has charged at since [kW].
    """

    sessions_day: date
    sessions_zone: str | None
    horizon: Horizon
    charge_kw: float

    @property
    def begins(self) -> datetime:
        """The wall-clock time at which the day of sessions begins."""
        first = self.horizon.local_starts()[0]
        return datetime.combine(self.sessions_day, time(first.hour, first.minute))

    def wall(self, moment: datetime) -> datetime:
        """The wall-clock time of a session's moment."""
        if self.sessions_zone and moment.tzinfo:
            moment = moment.astimezone(ZoneInfo(self.sessions_zone))
        return moment.replace(tzinfo=None)

    def on_horizon(self, moment: datetime) -> datetime:
        """A session's moment at the same wall-clock time of the price day, in UTC.

        A time that the clock leaps over is the end of the leap; of one that comes twice, the first.
        """
        return after_leap(self._local(moment), self.horizon.zone)

    def leapt(self, moment: datetime) -> bool:
        """Whether the price day's clock leaps over a session's moment."""
        return not exists(self._local(moment), self.horizon.zone)

    def _local(self, moment: datetime) -> datetime:
        first = self.horizon.local_starts()[0].replace(tzinfo=None)
        return first + (self.wall(moment) - self.begins)


@dataclass(slots=True)
class Tally:
    """What became of the day's sessions: why some were skipped, and what was done to others."""

    skipped: Counter[str] = field(default_factory=Counter)
    noted: Counter[str] = field(default_factory=Counter)


def sessions_of_day(table: Table, day: Day) -> tuple[list[ImportedSession], Tally]:
    """The stays that overlap the day, and the tally of the others."""
    tally = Tally()
    stays = []
    seen: set[object] = set()
    for k in _rows_of_day(table, day):
        row = {column: table[column][k] for column in table.columns}
        key = row["session"] or tuple(row.values())
        reason = "there twice" if key in seen else _refusal(row, day)
        seen.add(key)
        stay = None if reason else _stay(row, f"s{k + 1:05d}", day, tally)
        if reason:
            tally.skipped[reason] += 1
        elif stay is not None:
            stays.append(stay)
    return stays, tally


def _rows_of_day(table: Table, day: Day) -> Iterator[int]:
    """Rows whose car came on the day, or had come before it and was still there."""
    begins, ends = day.begins, day.begins + timedelta(days=1)
    for k, (arrival, departure) in enumerate(
        zip(table["arrival"], table["departure"], strict=True)
    ):
        came = day.wall(arrival)
        if begins <= came < ends or came < begins < day.wall(departure):
            yield k


def _refusal(row: dict[str, Any], day: Day) -> str | None:
    """Why a row cannot be a session, if it cannot."""
    if not row["claimed"]:
        return "unclaimed, so that nobody said what was asked for"
    if row["energy_kwh"] <= 0:
        return "no energy asked for"
    if day.wall(row["departure"]) <= day.wall(row["arrival"]):
        return "departs before it arrives"
    return None


def _stay(row: dict[str, Any], name: str, day: Day, tally: Tally) -> ImportedSession | None:
    """The stay of a good row, or nothing, tallied, where the horizon leaves nothing of it."""
    horizon = day.horizon
    stated = row["stated_departure"]
    unstated = stated is None or day.wall(stated) <= day.wall(row["arrival"])
    planned = row["departure"] if unstated else stated
    arrival, departure, actual = map(day.on_horizon, (row["arrival"], planned, row["departure"]))
    hours_before = max((horizon.start_utc - arrival) / timedelta(hours=1), 0.0)
    stay = ImportedSession(
        session=row["session"] or name,
        driver=row["driver"] or row["session"] or name,
        hub=row["hub"],
        arrival=max(arrival, horizon.start_utc),
        departure=min(departure, horizon.end_utc),
        actual_departure=min(actual, horizon.end_utc),
        energy_kwh=row["energy_kwh"] - day.charge_kw * hours_before,
    )
    if reason := _leftover(stay, horizon):
        tally.skipped[reason] += 1
        return None
    tally.noted[_CAME_BEFORE] += hours_before > 0
    tally.noted[_STAYED_ON] += departure > horizon.end_utc
    tally.noted[_LEAPT] += day.leapt(row["arrival"]) or day.leapt(planned)
    tally.noted[_UNSTATED] += unstated
    return stay


def _leftover(stay: ImportedSession, horizon: Horizon) -> str | None:
    """Why the horizon leaves nothing of a stay, if it does not."""
    if stay.departure <= horizon.start_utc:
        return "was to leave before the day began"
    if stay.energy_kwh <= 0:
        return "full before the day began, charging since the day before"
    if whole_slots(stay, horizon) < 1 or stay.actual_departure <= stay.arrival:
        return "stayed less than a slot"
    return None


def whole_slots(stay: ImportedSession, horizon: Horizon) -> int:
    """How many whole slots a stay covers."""
    return floor(horizon.slot_of(stay.departure)) - ceil(horizon.slot_of(stay.arrival))


def each_car_once(stays: list[ImportedSession]) -> tuple[list[ImportedSession], int]:
    """Stays with a driver of its own for every car that is there at once; and how many changed.

    A card that is used for several cars has stays that overlap: each further car has a number
    behind the driver's name.
    """
    busy: dict[str, list[datetime]] = {}
    order = sorted(range(len(stays)), key=lambda k: stays[k].arrival)
    found, changed = list(stays), 0
    for k in order:
        stay = stays[k]
        until = busy.setdefault(stay.driver, [])
        car = next((j for j, end in enumerate(until) if end <= stay.arrival), len(until))
        until[car : car + 1] = [stay.departure]
        if car:
            found[k] = replace(stay, driver=f"{stay.driver} ({car + 1})")
            changed += 1
    return found, changed
