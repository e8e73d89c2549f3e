"""Wakes whoever listens for events."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Bell:
    """Rings when something happened.

    Parameters
    ----------
    listeners
        How many streams are open, by whose they are.
    is_over
        Whether it will ring no more.
    """

    listeners: Counter[str] = field(default_factory=Counter)
    is_over: bool = False
    _rung: asyncio.Event = field(default_factory=asyncio.Event)

    def ring(self) -> None:
        """Wake whoever waits."""
        self._rung.set()
        self._rung = asyncio.Event()

    def stop(self) -> None:
        """Ring for the last time: streams end."""
        self.is_over = True
        self.ring()

    @contextmanager
    def listening(self, who: str) -> Iterator[None]:
        """A stream of somebody's is open."""
        self.listeners[who] += 1
        try:
            yield
        finally:
            self.listeners[who] -= 1

    def mark(self) -> asyncio.Event:
        """What is set by the next ring: taken before one looks, no ring is missed."""
        return self._rung


async def rung(mark: asyncio.Event, seconds: float) -> bool:
    """Whether it rang within a time [s]."""
    try:
        await asyncio.wait_for(mark.wait(), seconds)
    except TimeoutError:
        return False
    return True
