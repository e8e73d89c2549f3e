"""The feeder behind a site's hubs: looked at all the while, and hubs draw what it bears."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hubwise.live.connection import Connection
from hubwise.live.ports import Clock
from hubwise.live.troubles import FEEDER, Troubles, first_line

LOOK_SECONDS = 10.0
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MissedNow:
    """A limit that would be broken; without a power flow there are no figures.

    Parameters
    ----------
    kind, element
        What kind of limit, and where.
    value, limit
        What is found and allowed there: p.u., kW, or shares of a rating.
    base_alone
        Whether the load of others alone breaks it.
    """

    kind: str
    element: str
    value: float | None
    limit: float | None
    base_alone: bool


@dataclass(frozen=True, slots=True)
class FeederShape:
    """What does not change of a feeder.

    Parameters
    ----------
    buses, branches
        What they are called.
    ends
        Both ends of each branch, as places in ``buses``.
    source
        The bus at the head, as its place.
    hubs
        Where each of the site's hubs is, as its bus's place.
    band_pu
        Lowest and highest voltage allowed [p.u.].
    """

    buses: tuple[str, ...]
    branches: tuple[str, ...]
    ends: tuple[tuple[int, int], ...]
    source: int
    hubs: dict[str, int]
    band_pu: tuple[float, float]


@dataclass(frozen=True, slots=True)
class FeederStates:
    """The feeder at several times, under AC; NaN where no power flow is found.

    Parameters
    ----------
    at
        When.
    hub_kw
        By hub: what it draws at each of them [kW].
    head_kw, head_loading
        Power drawn at the head [kW], and of the transformer's limit.
    voltage_pu
        By time: of each bus, the lowest where phases are told apart [p.u.].
    loading
        By time: of each branch, of its limit, the highest where phases are told apart.
    """

    at: tuple[datetime, ...]
    hub_kw: dict[str, tuple[float, ...]]
    head_kw: tuple[float, ...]
    head_loading: tuple[float, ...]
    voltage_pu: tuple[tuple[float, ...], ...]
    loading: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class FeederSeen:
    """The feeder at a time.

    Parameters
    ----------
    at
        When.
    hub_kw
        What each of the site's hubs would draw [kW].
    head_kw, head_loading
        Power drawn at its head [kW], and of the transformer's rating.
    lowest_pu, lowest_bus
        The lowest voltage [p.u.], and where it is.
    heaviest, heaviest_branch
        The highest loading of a branch, of its ampacity, and which.
    missed
        Limits that would be broken.
    allowed_kw
        What the site's hubs may draw that draw too much for it, so that it holds [kW].
    holds
        Whether all limits hold once hubs draw no more than that.
    """

    at: datetime
    hub_kw: dict[str, float]
    head_kw: float
    head_loading: float
    lowest_pu: float
    lowest_bus: str
    heaviest: float
    heaviest_branch: str
    missed: tuple[MissedNow, ...]
    allowed_kw: dict[str, float]
    holds: bool


class Feeder(Protocol):
    """A network that can be looked at; beside what else runs, as a look takes a while."""

    @property
    def shape(self) -> FeederShape:
        """What does not change."""
        ...

    def states(self, at: Sequence[datetime], hub_kw: Mapping[str, Sequence[float]]) -> FeederStates:
        """How it stands at times at which hubs draw this much [kW]."""
        ...

    def look(self, at: datetime, hub_kw: Mapping[str, float]) -> FeederSeen:
        """How it stands where hubs draw this much [kW]."""
        ...


class FeederWatch:
    """Looks at the feeder all the while; where it would not hold, hubs draw no more than it bears.

    Parameters
    ----------
    feeder, clock, troubles
        What is looked at, when, and where it is told.
    connections
        By hub: what would flow through it.
    allow
        Told what the feeder lets hubs draw [kW].
    """

    def __init__(
        self,
        feeder: Feeder,
        clock: Clock,
        troubles: Troubles,
        connections: Mapping[str, Connection],
        allow: Callable[[Mapping[str, float]], None],
    ) -> None:
        """Nothing is seen yet."""
        self.seen: FeederSeen | None = None
        self.feeder = feeder
        self._clock, self._troubles = clock, troubles
        self._connections, self._allow = connections, allow

    async def run(self) -> None:
        """Look until cancelled. A look that fails is told; what hubs may draw stays as it was."""
        while True:
            try:
                await self.look()
            except Exception as error:
                logger.exception("the feeder was not looked at")
                self._troubles.begin(FEEDER, first_line(error))
            await self._clock.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """One look, beside what else runs."""
        wanted = {hub: place.unlimited_kw for hub, place in self._connections.items()}
        seen = await asyncio.to_thread(self.feeder.look, self._clock.now(), wanted)
        self.seen = seen
        self._allow(seen.allowed_kw)
        if seen.missed:
            self._troubles.begin(FEEDER, told(seen))
        else:
            self._troubles.end(FEEDER)


def told(seen: FeederSeen) -> str:
    """What the feeder would not bear, what hubs may draw, and whether that suffices."""
    elements = ", ".join(dict.fromkeys(each.element for each in seen.missed))
    hubs = ", ".join(f"{hub} {kw:.1f} kW" for hub, kw in sorted(seen.allowed_kw.items()))
    most = f"hubs draw at most: {hubs}" if hubs else "no hub can draw less"
    return f"{elements}; {most}" + ("" if seen.holds else "; that does not suffice")
