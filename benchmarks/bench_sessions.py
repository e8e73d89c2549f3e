"""Microseconds a session on one core, and how they grow with the number of sessions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from statistics import median

import numpy as np

from benchmarks.figure import Figure
from benchmarks.reference import ieee33, posted_tariff, random_tariff
from benchmarks.timing import in_turn, seconds
from hubwise.domain import Fleet, Tariff
from hubwise.drivers import best_response

SIZES = (1_500, 5_000, 20_000, 100_000, 300_000, 1_000_000)
# So many sessions are answered at a time: memory grows with the chunk, not with the fleet.
CHUNK = 5_000
FLEET_SEED = 2


def bench(quick: bool) -> Iterator[Figure]:
    """The public best response, schedules included, on one core."""
    scenario = ieee33()
    kinds = {
        "every-slot prices": random_tariff(scenario),
        "hourly prices": random_tariff(scenario, 60 // scenario.situation.horizon.slot_minutes),
        "posted time-of-use prices": posted_tariff(),
    }
    for kind, tariff in kinds.items():
        yield _session_time(kind, tariff, repeats=5 if quick else 25)
    sizes = [size for size in SIZES if not quick or size <= 100_000]
    yield _growth(kinds["every-slot prices"], sizes, repeats=3 if quick else 5)


def _session_time(kind: str, tariff: Tariff, repeats: int) -> Figure:
    situation = ieee33().situation
    horizon, fleet = situation.horizon, _whole_day(situation.fleet)
    own = partial(best_response, situation.fleet, tariff, horizon, parallel=False)
    whole = partial(best_response, fleet, tariff, horizon, parallel=False)
    spent = in_turn(own, whole, repeats=repeats)
    of_own, of_whole = (1e6 * each / len(fleet) for each in spent)
    how = (
        f"best_response(parallel=False) of the {len(fleet):,} sessions of ieee33, all made to stay "
        f"{horizon.slots} slots, schedules included; seconds of one core, median of {repeats} "
        f"(with their own stays {of_own:.2f} us)"
    )
    name = f"one session of {horizon.slots} slots on one core, {kind}"
    return Figure(name, of_whole, "us", how, ("at most", 10))


def _whole_day(fleet: Fleet) -> Fleet:
    """The same sessions, all staying the whole horizon."""
    first = np.zeros_like(fleet.arrival_slot)
    last = np.full_like(fleet.departure_slot, ieee33().situation.horizon.slots)
    return replace(fleet, arrival_slot=first, departure_slot=last)


def _growth(tariff: Tariff, sizes: list[int], repeats: int) -> Figure:
    turns = [[_answer(size, tariff) for size in sizes] for _ in range(repeats)]
    spent = [median(column) for column in zip(*turns, strict=True)]
    exponent = np.polyfit(np.log(sizes), np.log(spent), 1)[0]
    each = ", ".join(
        f"{size:,}: {1e6 * time / size:.2f}" for size, time in zip(sizes, spent, strict=True)
    )
    how = (
        "slope of log(seconds) over log(sessions), least squares; sessions drawn from those of "
        f"ieee33, answered {CHUNK:,} at a time; seconds of one core, medians of {repeats} turns "
        f"(us a session: {each})"
    )
    name = f"exponent of time from {sizes[0]:,} to {sizes[-1]:,} sessions"
    return Figure(name, float(exponent), "", how, ("at most", 1.05))


def _answer(size: int, tariff: Tariff) -> float:
    """Seconds to answer ``size`` sessions, chunk by chunk; drawing them is not counted."""
    situation, rng = ieee33().situation, np.random.default_rng(FLEET_SEED)
    spent = 0.0
    for done in range(0, size, CHUNK):
        drawn = rng.integers(len(situation.fleet), size=min(CHUNK, size - done))
        fleet = situation.fleet.select(drawn)
        spent += seconds(partial(best_response, fleet, tariff, situation.horizon, parallel=False))
    return spent
