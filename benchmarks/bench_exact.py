"""The exact method: how fast it closes, and how near the search for prices comes to its optimum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from statistics import mean, median
from time import process_time

from benchmarks.classes import instance
from benchmarks.figure import Figure
from hubwise.dispatch import Problem, dispatch
from hubwise.domain import Tariff
from hubwise.pricing import (
    Exact,
    Value,
    coarse_to_fine,
    exact,
    make_family,
    profit_bound,
    search_in_steps,
    value,
)
from hubwise.pricing.search import search_method

INSTANCES = 50
CLASSES = 8
EVALUATIONS = 80
# Seconds for one instance, and how near to its bound is closed.
SECONDS = 90.0
CLOSED = 1e-3
SETTLED_ROUNDS = 40
RELAXED_ROUNDS = 30
SLOW = ((10, "hourly", 150.0), (40, "hourly", 300.0))


@dataclass(frozen=True, slots=True)
class Trial:
    """One instance: what the exact method proves, and what ``auto`` posts.

    Parameters
    ----------
    best
        The exact method's answer.
    auto
        Merit of what ``auto`` posts, dispatched to the end [currency].
    any_tariff
        The bound on any tariff [currency].
    seconds
        CPU time of the exact method [s].
    """

    best: Exact
    auto: float
    any_tariff: float
    seconds: float


def bench(quick: bool) -> Iterator[Figure]:
    """Losses against the exact optimum; times; bounds that do not hold (none)."""
    trials = [tried(seed) for seed in range(3 if quick else INSTANCES)]
    closed = [trial for trial in trials if trial.best.status == "optimal"]
    said = (
        f"{len(trials)} random instances ({CLASSES} classes of ieee33's drivers, hourly prices, "
        f"one hub, both promises), {len(closed)} closed to {CLOSED:.1%} in {SECONDS:g} s; auto "
        f"with at most {EVALUATIONS} tariffs, its prices in ticks"
    )
    yield Figure("instances that the exact method closes", len(closed), "", said)
    loss = [100.0 * (1.0 - trial.auto / trial.best.profit) for trial in closed]
    free = f"{said}, the optimum's any numbers"
    name = "loss of auto against the exact optimum"
    yield Figure(f"{name}, mean", mean(loss), "%", free, ("at most", 0.5))
    yield Figure(f"{name}, worst", max(loss), "%", free, ("at most", 2.0))
    loss = [100.0 * (1.0 - trial.auto / trial.best.posted.merit) for trial in closed]
    ticks = f"{said}, the optimum's rounded to ticks in the best of 40 ways"
    name = "loss of auto against the exact prices in ticks"
    yield Figure(f"{name}, mean", mean(loss), "%", ticks)
    yield Figure(f"{name}, worst", max(loss), "%", ticks)
    below = sum(trial.any_tariff < trial.best.profit * (1.0 - 1e-9) for trial in trials)
    yield Figure("bounds on any tariff below an exact profit", below, "", said, ("at most", 0))
    spent = median(trial.seconds for trial in closed)
    yield Figure(f"exact method, {CLASSES} classes, hourly: median", spent, "s", f"CPU; {said}")
    for case in () if quick else SLOW:
        yield _timed(*case)


def _timed(classes: int, family: str, most: float) -> Figure:
    problem = instance(1, family, classes).classes
    best, spent = _exact(problem, _auto(problem).tariff, most)
    how = f"CPU of one instance, {best.status}, gap {best.gap:.2%}, begun at what auto finds"
    return Figure(f"exact method, {classes} classes, {family}", spent, "s", how)


@cache
def tried(seed: int) -> Trial:
    """One random instance."""
    problem = instance(seed, "hourly", CLASSES).classes
    auto = _auto(problem)
    best, spent = _exact(problem, auto.tariff, SECONDS)
    bound = profit_bound(problem, dispatch(problem, None, rounds=SETTLED_ROUNDS, flat=False))
    return Trial(best, auto.merit, bound, spent)


def _auto(problem: Problem) -> Value:
    """What ``auto`` posts, dispatched to the end."""
    relaxed = dispatch(problem, None, rounds=RELAXED_ROUNDS)
    family, found = search_in_steps(
        search_method("auto")[1],
        problem,
        coarse_to_fine(problem.scenario),
        relaxed,
        evaluations=EVALUATIONS,
        seed=1,
    )
    start = found.value.dispatch.multipliers
    return value(problem, family.tariff(found.prices), rounds=SETTLED_ROUNDS, start=start)


def _exact(problem: Problem, begin: Tariff, seconds: float) -> tuple[Exact, float]:
    family = make_family(problem.scenario)
    began = process_time()
    best = exact(problem, family, seconds=seconds, gap=CLOSED, start=family.posted(begin))
    return best, process_time() - began
