"""Against the published study's way: annealing, with one linear program a driver an evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from statistics import median

import numpy as np

from benchmarks.bench_search import NEAR, runs_of
from benchmarks.figure import Figure
from benchmarks.program import Programs, optimum, solver
from benchmarks.race import SHARE, course
from benchmarks.reference import planned
from benchmarks.timing import in_turn, seconds
from hubwise.drivers import best_response
from hubwise.pricing import value

SAMPLE_SEED = 1
# Rounds of dispatch of one evaluation, as the search has them.
ROUNDS = 5


def bench(quick: bool) -> Iterator[Figure]:
    """Time of an evaluation, and of the whole search to the same quality."""
    sample, repeats = (40, 3) if quick else (150, 9)
    track = course()
    fleet, horizon = track.problem.fleet, track.problem.scenario.horizon
    tariff = planned(SHARE).tariff
    anew, again = _program_seconds(sample)
    start = track.relaxed.multipliers
    ours, answers = in_turn(
        partial(value, track.problem, tariff, rounds=ROUNDS, start=start),
        partial(best_response, fleet, tariff, horizon, parallel=False),
        repeats=repeats,
    )
    drivers = len(fleet)
    programs = (
        f"{drivers:,} participants of ieee33 at {SHARE:g} x one HiGHS linear program, built anew "
        f"and solved ({1e3 * anew:.2f} ms each, mean of {sample} drivers; kept and solved again at "
        f"other prices {1e3 * again:.2f} ms)"
    )
    one_core = f"seconds of one core, medians of {repeats}"
    how = f"{programs} against best_response ({1e3 * answers:.2f} ms for all); {one_core}"
    yield Figure("an evaluation, drivers' answers alone", drivers * anew / answers, "x", how)
    how = (
        f"{programs} against hubwise.pricing.value, which dispatches drivers and station batteries "
        f"together and adds up the account ({1e3 * ours:.0f} ms); {one_core}"
    )
    yield Figure("an evaluation, all that a plan does in one", drivers * anew / ours, "x", how)
    name = "an evaluation, all of it, against programs that are kept"
    yield Figure(name, drivers * again / ours, "x", how)
    yield _same_quality(drivers * anew, programs, quick)


def _program_seconds(sample: int) -> tuple[float, float]:
    """Seconds a driver for a program built anew, and for the same one at other prices again."""
    problem = course().problem
    programs = Programs.of(problem.fleet, problem.scenario.horizon)
    tariff = planned(SHARE).tariff
    other = course().family.tariff(course().starts["guided"])
    highs, kept = solver(presolve=False), solver(presolve=False)
    # From the last optimal basis the primal simplex is the faster one when only prices change.
    kept.setOptionValue("simplex_strategy", 4)
    chosen = np.random.default_rng(SAMPLE_SEED).choice(len(problem.fleet), sample, replace=False)
    anew, again = [], []
    for i in chosen.tolist():

        def build_and_solve(i: int = i) -> None:
            highs.clearSolver()
            highs.passModel(programs.program(i, tariff))
            highs.run()

        def solve_again(i: int = i) -> None:
            costs = programs.costs(i, tariff)
            kept.changeColsCost(len(costs), np.arange(len(costs), dtype=np.int32), costs)
            kept.run()

        anew.append(seconds(build_and_solve))
        kept.clearSolver()
        kept.passModel(programs.program(i, other))
        kept.run()
        again.append(seconds(solve_again))
        if abs(optimum(highs) - optimum(kept)) > 1e-6:
            raise RuntimeError("the two programs disagree")
    return float(np.mean(anew)), float(np.mean(again))


def _same_quality(evaluation: float, programs: str, quick: bool) -> Figure:
    """Seconds of the published way over ours, to within 0.5 % of the best found."""
    runs = runs_of(quick)
    best = max(float(run.merit[-1]) for field in runs.values() for run in field)
    tries: dict[tuple[str, str], float] = {}
    for (method, start, _), field in runs.items():
        reached = [run.reaches(best * (1 - NEAR)) or float("inf") for run in field]
        tries[method, start] = median(reached)
    theirs = tries["annealing", "blind"]
    ours = [
        course().seconds + run.seconds[(run.reaches(best * (1 - NEAR)) or len(run.seconds)) - 1]
        for (method, start, _), field in runs.items()
        if (method, start) == ("evolution", "guided")
        for run in field
    ]
    how = (
        f"annealing from the reference tariff needs {theirs:.0f} evaluations to within 0.5 % of "
        f"the best (`--only search`), each {programs}, on one core, nothing else counted; the "
        f"plan's search, with the prices it begins at, {median(ours):.1f} s of CPU"
    )
    ratio = theirs * evaluation / median(ours)
    return Figure("the whole search to the same quality", ratio, "x", how, ("at least", 500))
