"""Many simulated stations in one process, drawn by a seed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from hubwise.edge.simulated.habits import Habits
from hubwise.edge.simulated.link import Link
from hubwise.edge.simulated.station import Simulated

# What new hubs are built of: one in five still speaks 1.6.
PROTOCOLS = ("ocpp2.1", "ocpp2.0.1", "ocpp2.1", "ocpp1.6", "ocpp2.1")
# Between two words on how it goes [s].
TELLS_SECONDS = 60.0


@dataclass(slots=True)
class Simulation:
    """What became of a simulation.

    Parameters
    ----------
    seconds
        From each call to its answer [s].
    repeated
        Calls that had to be said again.
    delivered
        By station and transaction, energy that the meter showed: imported, exported [Wh].
    charged_by
        The same way, the default tariff that the station had when it began, if any.
    """

    seconds: list[float] = field(default_factory=list)
    repeated: int = 0
    delivered: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    charged_by: dict[tuple[str, str], str] = field(default_factory=dict)


def _nobody(_: Simulation) -> None:
    """Hear nothing."""


async def simulate(
    url: str,
    stations: Mapping[str, str],
    seed: int,
    habits: Habits,
    lasts: float | None,
    told: Callable[[Simulation], None] = _nobody,
) -> Simulation:
    """Simulate stations for a time, or until cancelled.

    Parameters
    ----------
    url
        Of the site.
    stations
        Their names and passwords.
    seed
        Of everything that is drawn.
    habits
        How they behave.
    lasts
        How long [s]; without end if none.
    told
        Hears each minute what became of it so far.
    """
    simulated = [
        _station(url, name, password, number, (seed, habits))
        for number, (name, password) in enumerate(stations.items())
    ]
    seconds = list[float]()
    for each in simulated:
        each.link.seconds = seconds.append

    async def tell() -> None:
        while True:
            await asyncio.sleep(TELLS_SECONDS)
            told(_so_far(simulated, seconds))

    with contextlib.suppress(TimeoutError, asyncio.CancelledError):
        async with asyncio.timeout(lasts):
            await asyncio.gather(tell(), *(_run(each) for each in simulated))
    return _so_far(simulated, seconds)


def _so_far(simulated: Sequence[Simulated], seconds: list[float]) -> Simulation:
    made = Simulation(seconds)
    for each in simulated:
        made.repeated += each.link.repeated
        made.delivered.update(((each.name, name), kwh) for name, kwh in each.delivered.items())
        made.charged_by.update(((each.name, name), it) for name, it in each.charged_by.items())
    return made


def _station(
    url: str, name: str, password: str, number: int, drawn: tuple[int, Habits]
) -> Simulated:
    seed, habits = drawn
    draw = Random(f"{seed}:{name}")
    protocol = PROTOCOLS[number % len(PROTOCOLS)]
    made = Simulated(name, protocol, draw, habits)
    made.join(Link(url, name, password, protocol, made.answer, draw))
    return made


async def _run(station: Simulated) -> None:
    link = asyncio.create_task(station.link.run())
    try:
        await station.run()
    finally:
        link.cancel()
        await asyncio.gather(link, return_exceptions=True)
