"""Control: when cars come and go, and each quarter, every session gets its share as a set-point."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from hubwise.live.control import shares
from hubwise.live.fold import Books, Session
from hubwise.live.ports import Chargers, Clock, Followed, Known, People, SetPoint
from hubwise.live.settings import Settings

TURN = timedelta(minutes=15)
PAUSE_SECONDS = 0.25
ALIVE = timedelta(seconds=30)
# Set-points under way at once: more would make answers to meter values wait.
AT_ONCE = 200
logger = logging.getLogger(__name__)


class Controller:
    """Applies the safe rule.

    Parameters
    ----------
    books, settings, people, clock
        What the site knows, and ports.
    """

    def __init__(self, books: Books, settings: Settings, people: People, clock: Clock) -> None:
        """Nothing happens yet."""
        self.chargers: Chargers | None = None
        self._books, self._settings, self._people, self._clock = books, settings, people, clock
        self._known: dict[str, Known] = {}
        self._changed: set[str] = set()
        self._asked: set[tuple[str, int]] = set()
        self._last_kw: dict[tuple[str, int, str], float] = {}
        self._turn = -1
        self._seen = clock.now()
        self._under_way: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(AT_ONCE)

    def is_alive(self) -> bool:
        """Whether it has looked round within half a minute."""
        return self._clock.now() - self._seen < ALIVE * self._clock.speed

    def look(self, station: str) -> None:
        """Something changed at a station: its hub is shared anew."""
        self._changed.add(station)

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
            except Exception:
                logger.exception("control failed; the last set-points stand")
            await self._clock.sleep(PAUSE_SECONDS)

    async def _step(self) -> None:
        turn = int(self._clock.now().timestamp() // TURN.total_seconds())
        if turn != self._turn:
            self._forget()
        stations = set(self._books.running) if turn != self._turn else self._changed
        self._turn, self._changed = turn, set()
        hubs = set()
        for station in stations:
            self._known[station] = await self._people.station(station)
            hubs.add(self._known[station].hub)
        for hub in sorted(hubs):
            await self._share(hub)

    def _forget(self) -> None:
        """Set-points of sessions that are over."""
        running = {
            (each.station, each.transaction)
            for sessions in self._books.running.values()
            for each in sessions.values()
        }
        for key in [key for key in self._last_kw if (key[0], key[2]) not in running]:
            del self._last_kw[key]

    async def _share(self, hub: str) -> None:
        sessions = {each.session: each for each in self._sessions_of(hub)}
        most = {name: self._known[each.station].max_kw for name, each in sessions.items()}
        connection = self._settings.connection_kw.get(hub, 0.0)
        given = shares(most, connection, self._turn) if sessions else {}
        points = [self._point(sessions[name], kw) for name, kw in given.items()]
        named = {(point.station, point.evse) for point in points}
        for station, evse in self._asked - named:
            if station in self._known and self._known[station].hub == hub:
                points.append(self._alone(station, evse, connection))
        for point in points:
            key = (point.station, point.evse, point.transaction)
            asked = (point.station, point.evse) in self._asked
            if asked or self._last_kw.get(key) != point.most_kw:
                self._asked.discard((point.station, point.evse))
                self._last_kw[key] = point.most_kw
                self._send(key, point)

    def _sessions_of(self, hub: str) -> list[Session]:
        return [
            session
            for station, running in self._books.running.items()
            if station in self._known and self._known[station].hub == hub
            for session in running.values()
            if session.started is not None
        ]

    def _point(self, session: Session, kw: float) -> SetPoint:
        return SetPoint(session.station, session.evse or 1, session.transaction, round(kw, 3))

    def _alone(self, station: str, evse: int, connection_kw: float) -> SetPoint:
        """For a car whose transaction has not begun."""
        return SetPoint(
            station, evse, "", round(min(self._known[station].max_kw, connection_kw), 3)
        )

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
