"""Against a public simulator: a day of ieee33's 1,500 cars in acnportal, by the same rule."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from statistics import median

import numpy as np

from benchmarks.figure import Figure
from benchmarks.race import SHARE, course
from benchmarks.reference import ieee33, planned
from benchmarks.timing import in_turn, seconds
from hubwise.drivers import best_response, uncoordinated
from hubwise.pricing import value_of

VOLTS = 208.0
ROUNDS = 5
DIFFERS = (
    "the same stays, energies and chargers and the same rule (plug in, charge at once); acnportal "
    "steps the day through objects, charges only, and knows no prices, feeder or station battery"
)


def bench(quick: bool) -> Iterator[Figure]:
    """acnportal 0.3.3 (Lee et al., ACN-Sim), which installs from PyPI; charging only."""
    try:
        from benchmarks.acn import Day
    except ModuleNotFoundError:
        how = "acnportal is not installed: pip install 'hubwise[bench]'"
        yield Figure("a public simulator's day of 1,500 cars", float("nan"), "s", how)
        return
    scenario = ieee33()
    fleet, horizon = scenario.situation.fleet, scenario.situation.horizon
    days = [Day.of(fleet, horizon, VOLTS) for _ in range(1 if quick else 3)]
    theirs = median(seconds(day.run) for day in days)
    ours = uncoordinated(fleet, horizon).charge_kw
    worst = float(np.abs(days[0].power_kw(horizon.slots) - ours).max())
    track, tariff = course(), planned(SHARE).tariff
    rule, answers, whole = in_turn(
        partial(uncoordinated, fleet, horizon),
        partial(best_response, fleet, tariff, horizon, parallel=False),
        partial(value_of, track.problem, tariff, rounds=ROUNDS, warm=track.relaxed.warm().near()),
        repeats=3 if quick else 9,
    )
    said = (
        f"acnportal's Simulator with UncontrolledCharging, building the day not counted; {DIFFERS}"
    )
    clock = "seconds of one core in one run"
    yield Figure("a public simulator's day of 1,500 cars", theirs, "s", f"{said}; {clock}")
    name = "a public simulator's day: largest difference in power from ours"
    yield Figure(name, worst, "kW", f"{said}; of every car in every slot", ("at most", 1e-6))
    pairs = (
        ("by the same rule", rule, "hubwise.drivers.uncoordinated"),
        ("every driver's cheapest two-way day", answers, "best_response at the posted prices"),
        (
            "a whole evaluation: dispatch, stations, account",
            whole,
            f"hubwise.pricing.value_of at {SHARE:g} in {ROUNDS} rounds",
        ),
    )
    for what, spent, call in pairs:
        how = f"{said}; against {call} ({1e3 * spent:.1f} ms); {clock}"
        yield Figure(f"times faster than a public simulator, {what}", theirs / spent, "x", how)
