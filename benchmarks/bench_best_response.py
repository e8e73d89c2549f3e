"""Best responses of 1,500 drivers against one HiGHS linear program a driver."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median

import highspy
import numpy as np

from benchmarks.figure import Figure, Target
from benchmarks.program import Programs, solver
from benchmarks.reference import ieee33, posted_tariff, random_tariff
from benchmarks.timing import in_turn, seconds
from hubwise.domain import Tariff
from hubwise.domain.arrays import Array, Index
from hubwise.drivers import best_response, contradicted, thresholds_of

SAMPLE_SEED = 1
TARGET: Target = ("at least", 300)


@dataclass(frozen=True, slots=True)
class Solved:
    """Seconds a driver to build a program and to solve it, and the costs found."""

    build: float
    solve: float
    cost: Array


def bench(quick: bool) -> Iterator[Figure]:
    """Ratio of times, one core each, and the largest difference in cost."""
    kinds = {"every-slot prices": random_tariff(ieee33()), "posted prices": posted_tariff()}
    for kind, tariff in kinds.items():
        yield from _compare(kind, tariff, sample=30 if quick else 150, repeats=3 if quick else 9)


def _compare(kind: str, tariff: Tariff, sample: int, repeats: int) -> Iterator[Figure]:
    fleet, horizon = ieee33().situation.fleet, ieee33().situation.horizon
    chosen = np.random.default_rng(SAMPLE_SEED).choice(len(fleet), sample, replace=False)
    respond = partial(best_response, fleet, tariff, horizon, parallel=False)
    as_it_comes: list[Solved] = []
    tuned: list[Solved] = []
    ours, _, _ = in_turn(
        respond,
        lambda: as_it_comes.append(_solve(chosen, tariff, presolve=True)),
        lambda: tuned.append(_solve(chosen, tariff, presolve=False)),
        repeats=repeats,
    )
    for words, solved, target in (
        ("programs", as_it_comes, TARGET),
        ("programs without presolve", tuned, None),
    ):
        build, solve = (median(getattr(one, part) for one in solved) for part in ("build", "solve"))
        how = (
            f"best_response of all {len(fleet):,} drivers x {horizon.slots} slots "
            f"({1e3 * ours:.2f} ms) against one HiGHS linear program a driver ({sample} drivers: "
            f"{1e3 * build:.2f} ms to build from arrays, {1e3 * solve:.2f} ms to solve; by solving "
            f"alone {len(fleet) * solve / ours:.0f} x); seconds of one core, in turn, medians of "
            f"{repeats}"
        )
        name = f"best response, {kind}: times faster than {words}"
        yield Figure(name, len(fleet) * (build + solve) / ours, "x", how, target)
    worst = np.abs(respond()[1][chosen] - as_it_comes[0].cost).max()
    name = f"best response, {kind}: largest difference in cost"
    how = f"against the optimal values of the same {sample} linear programs, every status optimal"
    yield Figure(name, float(worst), ieee33().situation.market.currency, how, ("at most", 1e-6))
    yield from _thresholds(kind, tariff, repeats)


def _thresholds(kind: str, tariff: Tariff, repeats: int) -> Iterator[Figure]:
    """How long it takes to explain schedules that are known, and slots that contradict it."""
    fleet, horizon = ieee33().situation.fleet, ieee33().situation.horizon
    schedule, _ = best_response(fleet, tariff, horizon, parallel=False)
    explain = partial(thresholds_of, fleet, tariff, horizon, schedule)
    explain()
    took = median(seconds(explain) for _ in range(repeats))
    found = explain()
    turns = int((found.may_charge | found.may_give_back).sum())
    slots = int((fleet.departure_slot - fleet.arrival_slot).sum())
    how = (
        f"thresholds_of all {len(fleet):,} drivers x {horizon.slots} slots, of their best "
        f"responses; {turns:,} of {slots:,} slots of stays are turns that may be taken otherwise; "
        f"seconds of one core, median of {repeats}"
    )
    yield Figure(f"thresholds, {kind}: time of all", 1e3 * took, "ms", how)
    wrong = int(np.abs(contradicted(fleet, tariff, horizon, found, schedule)).sum())
    how = "slots in which a best response does something else than its thresholds say"
    yield Figure(f"thresholds, {kind}: contradicted slots", wrong, "", how, ("at most", 0))


def _solve(chosen: Index, tariff: Tariff, *, presolve: bool) -> Solved:
    """Build and solve the programs of the chosen drivers one after the other."""
    situation = ieee33().situation
    programs = Programs.of(situation.fleet, situation.horizon)
    highs = solver(presolve=presolve)
    build = solve = 0.0
    cost = []
    for i in chosen.tolist():
        highs.clearSolver()
        build += seconds(partial(_pass, highs, programs, i, tariff))
        solve += seconds(highs.run)
        cost.append(programs.cost(i, highs))
    return Solved(build / len(chosen), solve / len(chosen), np.array(cost))


def _pass(highs: highspy.Highs, programs: Programs, i: int, tariff: Tariff) -> None:
    highs.passModel(programs.program(i, tariff))
