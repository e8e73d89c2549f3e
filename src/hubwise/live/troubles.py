"""What a site stands on, and what is wrong with it just now: told at once, kept when it can be.

An alarm is an event, and events are kept in the database. When that is what is gone, the alarm
waits here, is shown from here, and is kept as soon as the database takes events again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from hubwise.domain.events import Alarmed, Event
from hubwise.live.ports import Clock

# What may stand. Docs tell of each what to do.
BOOKS = "the database takes nothing"
REACH = "stations are out of reach"
CONTROL = "control fails"
PLAN = "plan failed"
CLOCK = "the site's clock was set"
METER = "meter lost"
BATTERY = "battery lost"
FEEDER = "the feeder's limits"
HANDS = "another process took over"
# A clock that differs from the time that passed by more was set, or the machine slept [s].
STEP_SECONDS = 60.0
# How often one looks, and how long the database may take to say that it is there [s].
LOOK_SECONDS, ANSWER_SECONDS = 5.0, 5.0
# A car is at a station that nobody reaches for so long [s].
AWAY_SECONDS = 60.0


@dataclass(slots=True)
class Troubles:
    """What is wrong now, and alarms that wait to be kept.

    Parameters
    ----------
    clock
        The site's.
    standing
        By what it is, and of which hub: alarms whose cause has not ended.
    waiting
        Alarms that are not kept yet.
    """

    clock: Clock
    standing: dict[str, Alarmed] = field(default_factory=dict)
    waiting: list[Alarmed] = field(default_factory=list)

    def begin(self, what: str, detail: str, hub: str = "", *, anew: bool = False) -> None:
        """Something goes wrong; while it does, it is one alarm.

        With ``anew`` it is another one where what is told of it is another thing.
        """
        key, said = _key(what, hub), f"hub {hub}: {detail}" if hub else detail
        stands = self.standing.get(key)
        if stands is None or (anew and stands.detail != said):
            self.standing[key] = self.happened(what, said)

    def end(self, what: str, hub: str = "") -> None:
        """It goes on as it should."""
        self.standing.pop(_key(what, hub), None)

    def happened(self, what: str, detail: str) -> Alarmed:
        """Something that is over already."""
        now = self.clock.now()
        alarm = Alarmed(f"alarm|{what}|{now.isoformat()}", "", now, what, detail)
        self.waiting.append(alarm)
        return alarm

    async def keep(self, hear: Callable[[Event], Awaitable[bool]]) -> None:
        """Keep what waits, in order; raises where it cannot be kept."""
        while self.waiting:
            await hear(self.waiting[0])
            self.waiting.pop(0)


@dataclass(slots=True)
class Watch:
    """Looks at what a site stands on: its clock, its database, its stations.

    Parameters
    ----------
    troubles
        Where it is noted.
    clock
        The site's.
    check
        Asks the database for something; raises where it is gone.
    keep
        Keeps an event; raises where it is not durable.
    """

    troubles: Troubles
    clock: Clock
    check: Callable[[], Awaitable[object]]
    keep: Callable[[Event], Awaitable[bool]]
    _seen: tuple[datetime, float] | None = None
    _asking: asyncio.Task[None] | None = None
    _away: dict[str, float] = field(default_factory=dict)

    async def look(self, busy: list[str], is_connected: Callable[[str], bool]) -> None:
        """Look once; ``busy`` are the stations with cars."""
        self._look_at_clock()
        self._look_at_stations(busy, is_connected)
        await self._look_at_books()

    def _look_at_clock(self) -> None:
        now, passed = self.clock.now(), asyncio.get_running_loop().time()
        if self._seen is not None:
            began, before = self._seen
            off = (now - began).total_seconds() / self.clock.speed - (passed - before)
            if abs(off) > STEP_SECONDS:
                detail = f"by {off:+.0f} s, or the machine slept; slots are billed by stations'"
                self.troubles.happened(CLOCK, f"{detail} clocks, messages are dated by it")
        self._seen = (now, passed)

    def _look_at_stations(self, busy: list[str], is_connected: Callable[[str], bool]) -> None:
        now = asyncio.get_running_loop().time()
        lost = [station for station in busy if not is_connected(station)]
        self._away = {station: self._away.get(station, now) for station in lost}
        long = sorted(name for name, since in self._away.items() if now - since > AWAY_SECONDS)
        if long:
            named = ", ".join(long[:5]) + (", …" if len(long) > 5 else "")
            self.troubles.begin(REACH, f"{len(long)} of {len(busy)} with cars: {named}")
        else:
            self.troubles.end(REACH)

    async def _look_at_books(self) -> None:
        """A database that hangs is as gone as one that refuses: nobody waits for it here."""
        if self._asking is None:
            self._asking = asyncio.create_task(self._asked())
        await asyncio.wait((self._asking,), timeout=ANSWER_SECONDS)
        if not self._asking.done():
            self.troubles.begin(BOOKS, f"no answer within {ANSWER_SECONDS:g} s")
            return
        error = self._asking.exception()
        self._asking = None
        if error is None:
            self.troubles.end(BOOKS)
        else:
            self.troubles.begin(BOOKS, first_line(error))

    async def _asked(self) -> None:
        await self.check()
        await self.troubles.keep(self.keep)


def _key(what: str, hub: str) -> str:
    return f"{what}: {hub}" if hub else what


def first_line(error: BaseException) -> str:
    """What an error says, in a line."""
    return (str(error).splitlines() or [""])[0][:300] or type(error).__name__
