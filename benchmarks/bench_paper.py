"""Against the published study's way: annealing, with one linear program a driver an evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

import highspy
import numpy as np

from benchmarks.bench_search import NEAR, runs_of
from benchmarks.figure import Figure
from benchmarks.program import Programs, optimum, solver
from benchmarks.race import SHARE, course
from benchmarks.reference import planned
from benchmarks.timing import in_turn, seconds
from hubwise.domain import Tariff
from hubwise.drivers import best_response
from hubwise.pricing import value_of

SAMPLE_SEED = 1
# Rounds of dispatch of one evaluation, as the search has them.
ROUNDS = 5
# How a driver's program is built and solved: as anybody would, and as fast as we could make it.
WAYS = (
    "by scipy.optimize.linprog",
    "built anew in HiGHS",
    "built anew in HiGHS without presolve",
    "kept in HiGHS, prices changed",
)


def bench(quick: bool) -> Iterator[Figure]:
    """Time of an evaluation, and of the whole search to the same quality."""
    sample, repeats = (40, 3) if quick else (150, 9)
    track = course()
    fleet, horizon = track.problem.fleet, track.problem.situation.horizon
    tariff = planned(SHARE).tariff
    start = track.relaxed.warm().near()
    ours, answers = in_turn(
        partial(value_of, track.problem, tariff, rounds=ROUNDS, warm=start),
        partial(best_response, fleet, tariff, horizon, parallel=False),
        repeats=repeats,
    )
    drivers = len(fleet)
    one_core = f"seconds of one core, medians of {repeats}"
    spent = _program_seconds(sample)
    for way, each in spent.items():
        programs = f"{drivers:,} participants of ieee33 at {SHARE:g} x one linear program {way}"
        programs += f" ({1e3 * each:.2f} ms each, mean of {sample} drivers)"
        how = f"{programs} against best_response ({1e3 * answers:.2f} ms for all); {one_core}"
        name = f"an evaluation, drivers' answers alone, {way}"
        yield Figure(name, drivers * each / answers, "x", how)
        how = (
            f"{programs} against hubwise.pricing.value_of, which dispatches drivers and station "
            f"batteries together and adds up the account ({1e3 * ours:.0f} ms); {one_core}"
        )
        yield Figure(
            f"an evaluation, all that a plan does in one, {way}", drivers * each / ours, "x", how
        )
    yield from _same_quality({way: drivers * each for way, each in spent.items()}, quick)


def _program_seconds(sample: int) -> dict[str, float]:
    """Mean seconds of one driver's program, by the way that it is built and solved."""
    problem = course().problem
    programs = Programs.of(problem.fleet, problem.situation.horizon)
    tariff = planned(SHARE).tariff
    other = course().family.tariff(course().starts["guided"])
    plain, lean, kept = solver(), solver(presolve=False), solver(presolve=False)
    # From the last optimal basis the primal simplex is the faster one when only prices change.
    kept.setOptionValue("simplex_strategy", 4)
    chosen = np.random.default_rng(SAMPLE_SEED).choice(len(problem.fleet), sample, replace=False)
    spent: dict[str, list[float]] = {way: [] for way in WAYS}
    for i in chosen.tolist():

        def solve(highs: highspy.Highs, given: Tariff, i: int = i) -> None:
            highs.clearSolver()
            highs.passModel(programs.program(i, given))
            highs.run()

        def solve_again(i: int = i) -> None:
            costs = programs.costs(i, tariff)
            kept.changeColsCost(len(costs), np.arange(len(costs), dtype=np.int32), costs)
            kept.run()

        found = programs.by_linprog(i, tariff)
        solve(kept, other)
        calls: tuple[Callable[[], object], ...] = (
            partial(programs.by_linprog, i, tariff),
            partial(solve, plain, tariff),
            partial(solve, lean, tariff),
            solve_again,
        )
        for way, call in zip(WAYS, calls, strict=True):
            spent[way].append(seconds(call))
        if max(abs(optimum(highs) - found) for highs in (plain, lean, kept)) > 1e-6:
            raise RuntimeError("the programs disagree")
    return {way: float(np.mean(each)) for way, each in spent.items()}


def _same_quality(evaluation: dict[str, float], quick: bool) -> Iterator[Figure]:
    """Seconds of the published way over ours, to within 0.5 % of the best found."""
    runs = runs_of(quick)
    best = max(float(run.merit[-1]) for field in runs.values() for run in field)
    tries: dict[tuple[str, str], float] = {}
    for (method, start, _), field in runs.items():
        reached = [run.reaches(best * (1 - NEAR)) or float("inf") for run in field]
        tries[method, start] = median(reached)
    theirs = tries["annealing", "blind"]
    ours = median(
        course().seconds + run.seconds[(run.reaches(best * (1 - NEAR)) or len(run.seconds)) - 1]
        for (method, start, _), field in runs.items()
        if (method, start) == ("evolution", "guided")
        for run in field
    )
    for way, each in evaluation.items():
        how = (
            f"annealing from the reference tariff needs {theirs:.0f} evaluations to within 0.5 % "
            f"of the best (`--only search`), each with a linear program a driver {way} "
            f"({each:.2f} s), on one core, nothing else counted; the plan's search, with the "
            f"prices it begins at, {ours:.1f} s of CPU"
        )
        name = f"the whole search to the same quality, {way}"
        yield Figure(name, theirs * each / ours, "x", how, ("at least", 500))
