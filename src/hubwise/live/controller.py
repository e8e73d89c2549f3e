"""Control: when cars come and go, and each quarter, every session gets its share as a set-point."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from hubwise.domain.devices import BatteryPlace
from hubwise.domain.events import Event, TransactionSaid
from hubwise.live.clocks import QUARTER, is_set
from hubwise.live.connection import Connection
from hubwise.live.control import LEAST_KW, shares
from hubwise.live.fold import Books, Session
from hubwise.live.peaks import higher
from hubwise.live.planning import Planner
from hubwise.live.ports import (
    Chargers,
    Clock,
    Followed,
    Known,
    Meter,
    People,
    SetPoint,
    StationBattery,
)
from hubwise.live.settings import Settings
from hubwise.live.tended import Tended
from hubwise.live.troubles import BATTERY, CONTROL, METER, Troubles, first_line

PAUSE_SECONDS = 0.25
METER_SECONDS = 2.0
# A station battery that is told nothing for so long rests; it is told again twice as often [s].
RESTS_SECONDS = 120
# A connection's room that changes by less is shared anew at the next occasion [kW].
DEAD_KW = 0.1
ALIVE = timedelta(seconds=30)
# A station battery that said nothing so often in a row is lost.
SILENT = 15
# Set-points under way at once: more would make answers to meter values wait.
AT_ONCE = 200
# How long what is registered is waited for; then what was known before holds [s].
KNOWN_SECONDS = 2.0
# How often a large hub is shared anew: each time may mean a set-point for everybody.
SETPOINTS_A_SECOND = 200
logger = logging.getLogger(__name__)


class Controller:
    """Applies the safe rule.

    Parameters
    ----------
    books, settings, people, clock, troubles
        What the site knows, ports, and where it is told that control fails.
    """

    def __init__(
        self,
        books: Books,
        settings: Settings,
        people: People,
        clock: Clock,
        troubles: Troubles,
    ) -> None:
        """Nothing happens yet."""
        self.chargers: Chargers | None = None
        self.planner: Planner | None = None
        self._books, self._settings, self._people, self._clock = books, settings, people, clock
        self._troubles = troubles
        self._known: dict[str, Known] = {}
        self._changed: set[str] = set()
        self._asked: set[tuple[str, int]] = set()
        self._last_kw: dict[tuple[str, int, str], float] = {}
        self._turn = -1
        self._shared_at: dict[str, datetime] = {}
        self._later: set[str] = set()
        self._seen = clock.now()
        self._room_kw: dict[str, float] = {}
        self.connections = {
            hub: Connection(kw, hub in settings.meters, _tended(settings.batteries.get(hub)))
            for hub, kw in settings.connection_kw.items()
        }
        self._allowed_kw: dict[str, float] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(AT_ONCE)

    def is_alive(self) -> bool:
        """Whether it has looked round within half a minute."""
        return self._clock.now() - self._seen < ALIVE * self._clock.speed

    def look(self, station: str) -> None:
        """Something changed at a station: its hub is shared anew."""
        self._changed.add(station)

    async def measure(self, hub: str, meter: Meter) -> None:
        """Ask a hub's meter until cancelled; it is told when it says nothing any more."""
        connection = self.connections[hub]
        while True:
            why = "it says nothing"
            try:
                connection.saw(await meter.reading())
            except OSError as error:
                why = first_line(error)
            if connection.is_lost(self._clock.now()):
                self._troubles.begin(METER, why, hub)
            else:
                self._troubles.end(METER, hub)
            self._look_at_room(hub)
            await self._clock.sleep(METER_SECONDS)

    async def tend(self, hub: str, battery: StationBattery) -> None:
        """Ask a hub's battery and have it follow the plan until cancelled; a lost one is told."""
        tended, silent = self.connections[hub].battery, 0
        assert tended is not None
        while True:
            try:
                await self._tend(hub, battery, tended)
                silent = 0
                self._troubles.end(BATTERY, hub)
            except OSError as error:
                tended.missed()
                silent += 1
                if silent >= SILENT:
                    self._troubles.begin(BATTERY, first_line(error), hub)
            self._look_at_room(hub)
            await self._clock.sleep(METER_SECONDS)

    async def _tend(self, hub: str, battery: StationBattery, tended: Tended) -> None:
        state, was_there = await battery.state(), tended.answers
        tended.saw(state)
        if not was_there and self.planner is not None:
            self.planner.ask(hub)
        kw, now = self._battery_kw(hub), self._clock.now()
        if kw != tended.told_kw or tended.is_due(now, RESTS_SECONDS / 2):
            tended.told_kw = max(tended.told_kw, kw)  # it may draw either until it has taken it up
            tended.told_kw = await battery.follow(kw, RESTS_SECONDS)
            tended.told_at = now

    def _look_at_room(self, hub: str) -> None:
        """The connection is shared anew where what it leaves to chargers has changed."""
        room_kw = self.connections[hub].room_kw
        if abs(room_kw - self._room_kw.get(hub, self.connections[hub].most_kw)) > DEAD_KW:
            self._later.add(hub)

    def _battery_kw(self, hub: str) -> float:
        """What the battery is to take by plan, after chargers; nothing where there is none [kW]."""
        planned = 0.0 if self.planner is None else self.planner.battery_at(hub, self._clock.now())
        return _whole_watts(min(planned, self.connections[hub].battery_room_kw))

    def ask(self, station: str, evse: int) -> None:
        """A car waits for a set-point."""
        self._asked.add((station, evse))
        self._changed.add(station)

    async def run(self) -> None:
        """Look round until cancelled; a failure is told and never stops control."""
        while True:
            self._seen = self._clock.now()
            try:
                await self._step()
            except Exception as error:
                logger.exception("control failed; the last set-points stand")
                self._troubles.begin(CONTROL, first_line(error))
            else:
                self._troubles.end(CONTROL)
            await self._clock.sleep(PAUSE_SECONDS)

    async def _step(self) -> None:
        turn = int(self._clock.now().timestamp() // QUARTER.total_seconds())
        changed, self._changed = self._changed, set()
        if turn != self._turn:
            self._forget()
            changed |= set(self._books.running)
        await self._learn(changed)
        known = changed & set(self._known)
        hubs = {self._known[station].hub for station in known}
        limited = {hub for hub in self.connections if self._is_limited_anew(hub)}
        for hub in sorted(hubs | self._later | limited):
            self._share(hub, at_once=turn != self._turn or hub in limited)
        due = hubs | limited | (set(self._settings.batteries) if turn != self._turn else set())
        for hub in sorted(due):
            if self.planner is not None:
                self.planner.ask(hub)
        self._turn = turn

    def allow(self, hub_kw: Mapping[str, float]) -> None:
        """What the feeder lets hubs draw; those that are not named, all that they carry [kW]."""
        self._allowed_kw = dict(hub_kw)

    def _is_limited_anew(self, hub: str) -> bool:
        """Whether the grid lets a hub draw more or less than it did at the last look."""
        place = self.connections[hub]
        said = self._books.limit_kw(hub, self._clock.now())
        place.feeder_kw = self._allowed_kw.get(hub, math.inf)
        before, place.limit_kw = place.limit_kw, min(said, place.feeder_kw)
        return abs(min(before, place.carries_kw) - place.most_kw) > DEAD_KW

    async def _learn(self, stations: set[str]) -> None:
        """What is registered of stations; where nobody says it, what was known before holds."""
        if not stations:
            return
        try:
            async with asyncio.timeout(KNOWN_SECONDS):
                found = await self._people.stations(stations)
        except Exception as error:
            logger.warning("the registry does not answer: %s", first_line(error))
            self._changed |= stations
            return
        self._known |= {each.station: each for each in found}

    def _forget(self) -> None:
        """Set-points of sessions that are over."""
        running = {(each.station, each.transaction) for each in self._books.present()}
        for key in [key for key in self._last_kw if (key[0], key[2]) not in running]:
            del self._last_kw[key]

    def _share(self, hub: str, *, at_once: bool) -> None:
        """Set-points for a hub; shared anew as often as so many set-points can be sent."""
        sessions = {each.session: each for each in self._sessions_of(hub)}
        most = {name: self._known[each.station].max_kw for name, each in sessions.items()}
        place = self.connections.get(hub, Connection(0.0))
        connection = self._room_kw[hub] = place.room_kw
        now = self._clock.now()
        pause = timedelta(seconds=len(sessions) / SETPOINTS_A_SECOND)
        if at_once or hub not in self._shared_at or now - self._shared_at[hub] >= pause:
            self._shared_at[hub] = now
            self._later.discard(hub)
            given = self._given(hub, most, connection, now)
        else:
            self._later.add(hub)
            given = self._meanwhile(sessions, most, connection)
        place.gave(now, sum(given.values()))
        place.asked_kw = self._asked_for(hub, most, place.left_kw, now)
        unlimited_kw = max(place.carries_kw - place.others_kw, 0.0)
        place.wanted_kw = self._asked_for(hub, most, unlimited_kw, now)
        self._send_all([self._point(sessions[name], kw) for name, kw in given.items()])
        waiting = [(station, evse) for station, evse in self._asked if station in self._known]
        for station, evse in waiting:
            if self._known[station].hub == hub:
                self._send_all([self._alone(station, evse, connection)])

    def _asked_for(
        self, hub: str, most: Mapping[str, float], left_kw: float, now: datetime
    ) -> float:
        """What chargers would be given beside a battery that takes nothing: as planned, and to
        those whom no plan knows their share of the connection [kW].
        """
        planned = self._planned(hub, most, now)
        others = [kw for name, kw in most.items() if name not in planned]
        left = min(sum(others), left_kw * len(others) / max(len(most), 1))
        return sum(max(kw, 0.0) for kw in planned.values()) + left

    def _planned(self, hub: str, most: Mapping[str, float], now: datetime) -> dict[str, float]:
        """What those whom the plan knows are to do, as chargers can follow it [kW]."""
        plan = {} if self.planner is None else self.planner.at(hub, now)
        return {name: _followable(plan[name], most[name]) for name in most if name in plan}

    def most_kw(self, hub: str, station: str) -> float | None:
        """The most that a hub's station draws, if it is known and of the hub [kW]."""
        known = self._known.get(station)
        return known.max_kw if known is not None and known.hub == hub else None

    def count(self, said: TransactionSaid, session: Session, kwh: float) -> None:
        """What a charger's meter shows in all, where there is none at its hub's connection."""
        known = self._known.get(session.station)
        place = self.connections.get(known.hub) if known is not None else None
        if place is None or place.metered or not is_set(said.at, said.received_at):
            return
        place.drawn.counted(session.session, said.at, kwh)
        if session.ended is not None:
            place.drawn.forget(session.session)

    async def note_peaks(self, hear: Callable[[Event], Awaitable[bool]]) -> None:
        """Have it kept what hubs drew at most, where that costs anything, until cancelled."""
        while True:
            now, zone = self._clock.now(), self._settings.zone
            over = {hub: place.drawn.over(now) for hub, place in self.connections.items()}
            try:
                for noted in higher(self._books.peaks, self._settings.demand, over, now, zone):
                    await hear(noted)
            except Exception as error:
                logger.warning("a peak is not kept: %s", first_line(error))
            await self._clock.sleep(METER_SECONDS * self._clock.speed)

    async def plan(self, planner: Planner) -> None:
        """Have hubs planned until cancelled; a new plan is shared out at the next look."""
        self.planner = planner

        def sessions(hub: str) -> list[tuple[Session, Known]]:
            return [(each, self._known[each.station]) for each in self._sessions_of(hub)]

        def connection(hub: str) -> Connection:
            return self.connections.get(hub, Connection(0.0))

        def done(hub: str) -> None:
            self._shared_at.pop(hub, None)
            self._later.add(hub)

        await planner.run(sessions, connection, done)

    def _given(
        self, hub: str, most: Mapping[str, float], connection_kw: float, now: datetime
    ) -> dict[str, float]:
        """As planned within the connection, what cars give back not counted on; the rest shared."""
        turn = int(now.timestamp() // QUARTER.total_seconds())
        planned = self._planned(hub, most, now)
        caps = {name: max(kw, 0.0) for name, kw in planned.items()}
        given = shares(caps, connection_kw, turn)
        given |= {name: kw for name, kw in planned.items() if kw < 0.0}
        others = {name: kw for name, kw in most.items() if name not in planned}
        left = connection_kw - sum(max(kw, 0.0) for kw in given.values())
        return given | shares(others, max(left, 0.0), turn)

    def _meanwhile(
        self, sessions: Mapping[str, Session], most: Mapping[str, float], connection_kw: float
    ) -> dict[str, float]:
        """Who came since then gets of what is left over; the others keep what they have."""
        had = {name: self._last_kw.get(self._key(each)) for name, each in sessions.items()}
        left = connection_kw - sum(max(kw, 0.0) for kw in had.values() if kw is not None)
        given = {name: kw for name, kw in had.items() if kw is not None}
        for name in [name for name, kw in had.items() if kw is None]:
            kw = min(most[name], max(left, 0.0))
            given[name] = kw if kw >= min(LEAST_KW, most[name]) else 0.0
            left -= given[name]
        return given

    def _send_all(self, points: Sequence[SetPoint]) -> None:
        """What differs from what was sent last, and what was asked for."""
        for point in points:
            key = (point.station, point.evse, point.transaction)
            asked = (point.station, point.evse) in self._asked
            if asked or self._last_kw.get(key) != point.most_kw:
                self._asked.discard((point.station, point.evse))
                self._last_kw[key] = point.most_kw
                self._send(key, point)

    def _key(self, session: Session) -> tuple[str, int, str]:
        return session.station, session.evse or 1, session.transaction

    def _sessions_of(self, hub: str) -> list[Session]:
        return [
            each
            for each in self._books.present()
            if each.station in self._known and self._known[each.station].hub == hub
            if each.started is not None
        ]

    def _point(self, session: Session, kw: float) -> SetPoint:
        return SetPoint(*self._key(session), _whole_watts(kw))

    def _alone(self, station: str, evse: int, connection_kw: float) -> SetPoint:
        """For a car whose transaction has not begun."""
        most = min(self._known[station].max_kw, connection_kw)
        return SetPoint(station, evse, "", _whole_watts(most))

    def _send(self, key: tuple[str, int, str], point: SetPoint) -> None:
        task = asyncio.create_task(self._sent_one(key, point))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _sent_one(self, key: tuple[str, int, str], point: SetPoint) -> None:
        assert self.chargers is not None
        async with self._room:
            said = await self.chargers.follow(point)
        if said is Followed.UNREACHABLE:
            self._last_kw.pop(key, None)  # once more when it is back


def _tended(place: BatteryPlace | None) -> Tended | None:
    return None if place is None else Tended(simulated=place.at is None)


def _followable(kw: float, most_kw: float) -> float:
    """A planned power that a charger can follow: nothing, or at least its least [kW]."""
    least = min(LEAST_KW, most_kw)
    if 0.5 * least <= abs(kw) < least:
        return least if kw > 0.0 else -least
    return 0.0 if abs(kw) < least else max(min(kw, most_kw), -most_kw)


def _whole_watts(kw: float) -> float:
    """Rounded towards nothing: together never above the connection [kW]."""
    return math.trunc(kw * 1_000 + math.copysign(1e-6, kw)) / 1_000
