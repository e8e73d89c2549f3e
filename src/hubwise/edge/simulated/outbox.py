"""What a station has to say, in order, over link and loss: kept until it is answered."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from random import Random

from hubwise.edge.simulated.habits import Habits
from hubwise.edge.simulated.link import Json, Link
from hubwise.edge.simulated.sayings import Saying

Made = Callable[[], Saying]
Answered = Callable[[Json], None]
# How long a station that loses its link for longer is away, in its own day [s].
AWAY_SECONDS = (600.0, 7_200.0)


class Outbox:
    """Messages of transactions: said one after the other, twice or in another order by a seed.

    Parameters
    ----------
    link, draw, habits
        Where they go, the station's randomness, and how it behaves.
    mixes
        Whether messages that wait may come in another order: they have numbers.
    """

    def __init__(self, link: Link, draw: Random, habits: Habits, *, mixes: bool) -> None:
        """Nothing waits."""
        self._link, self._draw, self._habits, self._mixes = link, draw, habits, mixes
        self._waiting: deque[tuple[Made, Answered | None]] = deque()
        self._more, self._done = asyncio.Event(), asyncio.Event()
        self._done.set()

    def put(self, made: Made, answered: Answered | None = None) -> None:
        """A message to be made when its turn comes, and who hears its answer."""
        self._waiting.append((made, answered))
        self._more.set()
        self._done.clear()

    async def empty(self) -> None:
        """Wait until everything is answered."""
        await self._done.wait()

    async def run(self) -> None:
        """Say what waits, until cancelled."""
        while True:
            await self._more.wait()
            while self._waiting:
                made, answered = self._next()
                saying = made()
                answer = await self._link.say(*saying)
                if answered is not None:
                    answered(answer)
                await self._go_wrong(saying)
            self._more.clear()
            self._done.set()

    def _next(self) -> tuple[Made, Answered | None]:
        mixed = self._mixes and len(self._waiting) > 1
        if mixed and self._draw.random() < self._habits.faults:
            self._waiting.rotate(-1)
            second = self._waiting.popleft()
            self._waiting.rotate(1)
            return second
        return self._waiting.popleft()

    async def _go_wrong(self, saying: Saying) -> None:
        if self._draw.random() < self._habits.faults:
            await self._link.say(*saying)
        if self._draw.random() < self._habits.faults / 10:
            long = self._draw.random() < 0.3
            away = self._draw.uniform(*AWAY_SECONDS) / self._habits.speed if long else 0.0
            await self._link.drop(away)
