"""The plan of a running site: decided anew each quarter and on events, in another process.

A late or failed decision stops nothing: the last one goes on for as long as it is good for, and
whoever it does not know, and everybody afterwards, is under the safe rule.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from hubwise.domain.events import PriceList, WishSaid
from hubwise.domain.modes import Mode
from hubwise.domain.why import Reason, Spoken, reason_at
from hubwise.live.clocks import quarter_of
from hubwise.live.coming import coming
from hubwise.live.connection import Connection
from hubwise.live.deciding import LATE, Decided
from hubwise.live.fold import Books, Session
from hubwise.live.following import at_market
from hubwise.live.outlook import (
    EFFICIENCY,
    SLOT,
    SLOTS,
    Outlook,
    Stay,
    Storage,
    Wanted,
    outlook_of,
)
from hubwise.live.ports import Clock, Known
from hubwise.live.settings import Settings
from hubwise.live.troubles import PLAN, Troubles, first_line
from hubwise.live.wanted import wanted_of

# A plan is followed for so long where none comes after it.
GOOD_FOR = timedelta(hours=1)
# A decision that takes longer is given up [s].
TOO_LONG = 30.0
# The first since a start may have all to compile, once on a machine [s].
FIRST_TOO_LONG = 300.0
# What changes is waited for so long before it is decided anew, so that much at once is one [s].
PAUSE_SECONDS = 1.0
# It is tried again where it fails, each time after twice as long, at most this [s].
LONGEST_PAUSE_SECONDS = 60.0
THEN = "then the safe rule; it is tried again"

Sessions = Callable[[str], Sequence[tuple[Session, Known]]]
Decide = Callable[[Outlook], Awaitable[Decided]]
"""A decision, made elsewhere."""
Metered = Callable[[Session], Awaitable[tuple[float, float]]]
"""Energy that a session has charged and given back so far, at the meter [kWh]."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a car does in a slot by plan [kW], at which prices [currency/kWh], and why."""

    session: str
    start: datetime
    kw: float
    charge_price: float
    discharge_price: float
    why: Spoken | None


@dataclass(frozen=True, slots=True)
class Stored:
    """What a station battery takes in a slot [kW], what is in it then [kWh], what energy costs."""

    start: datetime
    kw: float
    kwh: float
    purchase_price: float


@dataclass(frozen=True, slots=True)
class HubPlan:
    """What was decided for a hub, and what it rests on."""

    outlook: Outlook
    decided: Decided

    @property
    def starts_at(self) -> datetime:
        """From when on it holds."""
        return self.outlook.starts_at

    def at(self, now: datetime) -> dict[str, float]:
        """What each car does now; nothing once the plan is too old [kW]."""
        k = self._slot(now)
        return {} if k is None else {name: kw[k] for name, kw in self.decided.cars.items()}

    def battery_at(self, now: datetime) -> float:
        """What the station battery takes now; it rests once the plan is too old [kW]."""
        k = self._slot(now)
        return 0.0 if k is None or not self.decided.battery else self.decided.battery[k]

    def _slot(self, now: datetime) -> int | None:
        """Which of its slots is now, if it is good still."""
        within = timedelta(0) <= now - self.starts_at < GOOD_FOR
        return int((now - self.starts_at) / SLOT) if within else None

    def slots(self, slots: int, now: datetime, zone: ZoneInfo) -> Iterator[Planned]:
        """Every car's next slots, as long as it stays; times in words on the clock of a zone."""
        for stay in self.outlook.here:
            yield from self._slots_of(stay, slots, now, zone)

    def slots_of(self, session: str, now: datetime, zone: ZoneInfo) -> Iterator[Planned]:
        """The same of one car, to the end of its stay."""
        for stay in self.outlook.here:
            if stay.session == session:
                yield from self._slots_of(stay, SLOTS, now, zone)

    def _slots_of(self, stay: Stay, slots: int, now: datetime, zone: ZoneInfo) -> Iterator[Planned]:
        left = ceil((stay.wanted.departs_at - self.starts_at) / SLOT)
        for k in range(min(slots, left, SLOTS)):
            yield self._planned(stay, k, self._why(stay, k, now, zone))

    def hub_kw(self) -> tuple[float, ...]:
        """What cars and the station battery together draw in each slot [kW]."""
        parts = [*self.decided.cars.values(), self.decided.battery]
        present = [each for each in parts if each]
        return tuple(map(sum, zip(*present, strict=True))) if present else (0.0,) * SLOTS

    def battery_slots(self, slots: int) -> Iterator[Stored]:
        """The station battery's next slots."""
        decided = self.decided
        for k, (kw, kwh) in enumerate(zip(decided.battery, decided.battery_kwh, strict=True)):
            if k < slots:
                yield Stored(self.starts_at + k * SLOT, kw, kwh, self.outlook.purchase[k])

    def _planned(self, stay: Stay, k: int, why: Spoken | None) -> Planned:
        return Planned(
            session=stay.session,
            start=self.starts_at + k * SLOT,
            kw=self.decided.cars[stay.session][k],
            charge_price=self.outlook.charge[stay.prices][k],
            discharge_price=self.outlook.discharge[stay.prices][k],
            why=why,
        )

    def _why(self, stay: Stay, k: int, now: datetime, zone: ZoneInfo) -> Spoken | None:
        """What is told of a slot: of a plan that is too old, that nobody follows it."""
        found = reason_at(self.decided.why.get(stay.session, ()), k)
        if self._slot(now) is None:
            found = Reason(k, (stay.wanted.departs_at - self.starts_at) / SLOT, "safe_rule")
        if found is None:
            return None

        def clock(slot: float) -> datetime:
            return (self.starts_at + slot * SLOT).astimezone(zone)

        return Spoken.of(found, clock, self.outlook.currency)


def _why(error: Exception, patience: float) -> str:
    """Why there is no new plan, for people; ``patience``: how long a decision may take [s]."""
    if isinstance(error, TimeoutError):
        return f"nothing was decided within {patience:g} s: the machine is too slow, or too busy"
    return f"{type(error).__name__}: {first_line(error)}"


class Planner:
    """Plans hubs, one after the other.

    Parameters
    ----------
    books, settings, clock
        What the site knows.
    decide, stored
        See there.
    gives_back
        Whether a session's station and car are known to give energy back.
    most_kw
        The most that a hub's station draws, if it is known and of the hub [kW].
    troubles
        Told why a hub has no new plan, and when it has one again.
    """

    def __init__(
        self,
        books: Books,
        settings: Settings,
        clock: Clock,
        *,
        decide: Decide,
        stored: Metered,
        gives_back: Callable[[Session], bool],
        most_kw: Callable[[str, str], float | None],
        troubles: Troubles,
    ) -> None:
        """Nothing is planned yet."""
        self._books, self._settings, self._clock = books, settings, clock
        self._decide, self._stored, self._troubles = decide, stored, troubles
        self._gives_back, self._most_kw = gives_back, most_kw
        self._patience = FIRST_TOO_LONG
        self._expected: dict[str, tuple[datetime, tuple[Stay, ...]]] = {}
        self._due: dict[str, None] = {}
        self._wake = asyncio.Event()
        self._hubs: tuple[Sessions, Callable[[str], Connection]] | None = None
        self.plans: dict[str, HubPlan] = {}

    def ask(self, hub: str) -> None:
        """Something changed at a hub, or a slot begins."""
        self._due[hub] = None
        self._wake.set()

    def at(self, hub: str, now: datetime) -> dict[str, float]:
        """What cars of a hub do now by plan; who is not named is not planned [kW]."""
        plan = self.plans.get(hub)
        return {} if plan is None else plan.at(now)

    def battery_at(self, hub: str, now: datetime) -> float:
        """What a hub's station battery takes now by plan [kW]."""
        plan = self.plans.get(hub)
        return 0.0 if plan is None else plan.battery_at(now)

    async def run(
        self,
        sessions: Sessions,
        connection: Callable[[str], Connection],
        done: Callable[[str], None],
    ) -> None:
        """Plan what is asked for until cancelled.

        Parameters
        ----------
        sessions
            Of a hub, with what is registered of their stations.
        connection
            Of a hub.
        done
            Told which hub has a new plan.
        """
        pause = PAUSE_SECONDS
        self._hubs = sessions, connection
        while True:
            await self._wake.wait()
            await self._clock.sleep(pause)
            self._wake.clear()
            due, self._due = list(self._due), {}
            failed = [
                hub for hub in due if not await self._planned(hub, sessions, connection, done)
            ]
            pause = min(2.0 * pause, LONGEST_PAUSE_SECONDS) if failed else PAUSE_SECONDS
            for hub in failed:
                self.ask(hub)

    async def _planned(
        self,
        hub: str,
        sessions: Sessions,
        connection: Callable[[str], Connection],
        done: Callable[[str], None],
    ) -> bool:
        """Whether there is a new plan, or none is needed; else it is told why."""
        try:
            await self._plan(hub, sessions(hub), connection(hub))
        except Exception as error:
            why = _why(error, self._patience)
            self._troubles.begin(PLAN, f"{why}; the last plan goes on for an hour, {THEN}", hub)
            return False
        self._troubles.end(PLAN, hub)
        done(hub)
        return True

    async def _plan(
        self, hub: str, sessions: Sequence[tuple[Session, Known]], connection: Connection
    ) -> None:
        outlook = await self._outlook(hub, sessions, connection)
        if outlook is None:
            self.plans.pop(hub, None)
        elif outlook.elapsed < LATE:
            decided = await asyncio.wait_for(self._decide(outlook), self._patience)
            self._patience = TOO_LONG
            self.plans[hub] = HubPlan(outlook, decided)

    async def tried(self, hub: str, wish: WishSaid) -> HubPlan | None:
        """What would be decided if a driver said so; nobody follows it. None where nothing is.

        Raises
        ------
        TimeoutError
            Where it takes too long.
        """
        if self._hubs is None:
            return None
        sessions, connection = self._hubs
        outlook = await self._outlook(hub, sessions(hub), connection(hub), wish)
        if outlook is None or all(each.session != wish.session for each in outlook.here):
            return None
        outlook = replace(outlook, hub=f"{hub}|tried")
        return HubPlan(outlook, await asyncio.wait_for(self._decide(outlook), TOO_LONG))

    async def _outlook(
        self,
        hub: str,
        sessions: Sequence[tuple[Session, Known]],
        connection: Connection,
        tried: WishSaid | None = None,
    ) -> Outlook | None:
        """What is decided about; those of whom nothing is wanted keep their share of the room.

        ``tried``: a wish in place of the one that its driver said last.
        """
        now = self._clock.now()
        said = {each.session: each.wish for each, _ in sessions}
        said |= {tried.session: tried} if tried else {}
        wanted = {
            each.session: found
            for each, _ in sessions
            if (found := wanted_of(self._books, each, now, said[each.session]))
        }
        storage = self._storage(hub, connection)
        if not self._books.offered.own or not (wanted or storage):
            return None
        lists = [self._books.prices_at(now)]
        stays = []
        for session, known in sessions:
            if session.session in wanted:
                row = _row(lists, self._books.prices_at(session.plugged_in))
                stay = await self._stay(session, known, wanted[session.session], row)
                stays.append(_without_giving_back(stay, said[session.session]))
        battery = int(storage is not None)
        share = (len(stays) + battery) / (len(sessions) + battery)
        outlook = outlook_of(
            now, lists, [*stays, *self._coming(hub, now)], share * connection.left_of(math.inf),
            self._settings.planning, self._settings.zone, self._settings.currency, storage,
        )  # fmt: skip
        outlook = self._with_peak(outlook, hub, share, connection)
        limits = self._books.limits_ahead(hub, now, SLOTS)
        outlook = replace(outlook, hub=hub, allowed_kw=_allowed_kw(limits, share, connection))
        market = self._settings.market
        if market is None:
            return outlook
        return at_market(outlook, self._books.purchase, self._settings.zone, market)

    def _with_peak(
        self, outlook: Outlook, hub: str, share: float, connection: Connection
    ) -> Outlook:
        """What the highest quarter of an hour costs, and what may be drawn without raising it."""
        demand, zone = self._settings.demand.get(hub), self._settings.zone
        if demand is None:
            return outlook
        peak_kw = self._books.peaks.kw(hub, demand.period(outlook.now, zone))
        left_kw = share * max(peak_kw - connection.others_kw, 0.0)
        slots = [outlook.starts_at + k * SLOT for k in range(SLOTS)]
        (_, charge), *later = demand.charges_ahead(outlook.now, slots, zone)
        return replace(outlook, demand_charge=charge, peak_kw=left_kw, later_periods=tuple(later))

    def _coming(self, hub: str, now: datetime) -> tuple[Stay, ...]:
        """Who is expected; looked for once a slot."""
        slot = quarter_of(now)
        if self._expected.get(hub, (None, ()))[0] != slot:
            self._expected[hub] = slot, coming(self._books, now, lambda it: self._most_kw(hub, it))
        return tuple(each for each in self._expected[hub][1] if (each.arrives_at or now) > now)

    def _storage(self, hub: str, connection: Connection) -> Storage | None:
        """The station battery, as far as it answers."""
        tended, place = connection.battery, self._settings.batteries.get(hub)
        if tended is None or place is None or tended.last is None or not tended.answers:
            return None
        last = tended.last
        return Storage(
            energy_kwh=min(max(last.energy_kwh, 0.0), last.capacity_kwh),
            capacity_kwh=last.capacity_kwh,
            power_kw=min(last.charge_kw_max, last.discharge_kw_max),
            efficiency=place.efficiency,
            wear=place.wear,
        )

    async def _stay(self, session: Session, known: Known, wanted: Wanted, row: int) -> Stay:
        charged, discharged = await self._stored(session)
        both_ways = self._gives_back(session)
        return Stay(
            session=session.session,
            wanted=wanted,
            stored_kwh=stored_kwh(charged, discharged),
            charge_kw=min(known.max_kw, wanted.charge_kw),
            discharge_kw=min(known.max_kw, wanted.discharge_kw) if both_ways else 0.0,
            prices=row,
        )


def _without_giving_back(stay: Stay, wish: WishSaid | None) -> Stay:
    """A stay whose driver may not want the battery used."""
    never = wish is not None and wish.mode is Mode.ONLY_CHARGE
    return replace(stay, discharge_kw=0.0) if never else stay


def _allowed_kw(limits: Sequence[float], share: float, place: Connection) -> tuple[float, ...]:
    """What a share may draw where the grid limits the connection so, by slot [kW].

    What the feeder says has no end: it is taken to last.
    """
    most = [min(kw, place.feeder_kw) for kw in limits]
    if all(math.isinf(kw) for kw in most):
        return ()
    return tuple(math.inf if math.isinf(kw) else share * place.left_of(kw) for kw in most)


def stored_kwh(charged: float, discharged: float) -> float:
    """What a battery took in, of what was charged and given back at the meter [kWh]."""
    return charged * EFFICIENCY - discharged / EFFICIENCY


def _row(lists: list[PriceList], accepted: PriceList) -> int:
    """Where a list stands among those known; it is added where it does not."""
    if accepted not in lists:
        lists.append(accepted)
    return lists.index(accepted)
