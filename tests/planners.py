"""A planner of a site of plain settings, at a clock that stands."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from hubwise.live.planning import Planner
from hubwise.live.settings import Planning

T0 = datetime(2026, 3, 2, 10, tzinfo=UTC)


class Minute:
    """A clock that stands a minute after the first slot's begin."""

    speed = 1.0

    def now(self) -> datetime:
        """When."""
        return T0 + timedelta(minutes=1)

    async def sleep(self, _: float) -> None:
        """Let others go on."""
        await asyncio.sleep(0)


def planner_of(books, decide, stored, troubles, batteries=None) -> Planner:
    """Of a site of plain settings."""
    site = SimpleNamespace(
        planning=Planning(), zone=ZoneInfo("UTC"), currency="EUR", batteries=batteries or {},
        market=None, demand={},
    )  # fmt: skip
    return Planner(
        books, site, Minute(), decide=decide, stored=stored, gives_back=lambda _: True,
        most_kw=lambda *_: 11.0, troubles=troubles,
    )  # fmt: skip
