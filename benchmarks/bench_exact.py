"""The exact method: how fast it closes, and how near the search for prices comes to its optimum."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from statistics import mean, median
from time import process_time

from benchmarks.classes import instance
from benchmarks.figure import Figure
from hubwise.dispatch import Problem, dispatch
from hubwise.domain import Status, Tariff
from hubwise.pricing import (
    Exact,
    UnsolvedError,
    Value,
    coarse_to_fine,
    make_family,
    profit_bound,
    search_in_steps,
    solve_exact,
    value_of,
)
from hubwise.pricing.search import search_method

INSTANCES = 50
CLASSES = 40
EVALUATIONS = 80
# Seconds for one instance, and how near to its bound is closed.
SECONDS = 60.0
CLOSED = 5e-3
LONG_ROUNDS = 40
RELAXED_ROUNDS = 30
# Classes, gap and most seconds of further instances; fewer and larger classes are harder to meet.
FURTHER = ((10, 1e-3, 150.0), (40, 1e-3, 300.0))


@dataclass(frozen=True, slots=True)
class Trial:
    """One instance: what the exact method proves, and what ``auto`` posts.

    Parameters
    ----------
    best
        The exact method's answer; ``None`` where it found no tariff in time.
    auto
        Merit of what ``auto`` posts, dispatched to the end [currency].
    any_tariff
        The bound on any tariff [currency].
    seconds
        CPU time of the exact method [s].
    """

    best: Exact | None
    auto: float
    any_tariff: float
    seconds: float

    @property
    def bound(self) -> float:
        """The least bound known [currency]."""
        return min(self.any_tariff, self.best.bound) if self.best else self.any_tariff


def bench(quick: bool) -> Iterator[Figure]:
    """Losses against the exact optimum; times; bounds that do not hold (none)."""
    trials = [tried(seed) for seed in range(3 if quick else INSTANCES)]
    closed = [trial for trial in trials if trial.best and trial.best.status is Status.OPTIMAL]
    said = (
        f"{len(trials)} random instances ({CLASSES} classes of ieee33's drivers, hourly prices, "
        f"one hub, both promises), {len(closed)} closed to {CLOSED:.1%} in {SECONDS:g} s; auto "
        f"with at most {EVALUATIONS} tariffs"
    )
    yield Figure("instances that the exact method closes", len(closed), "", said)
    above = f"{said}; where it finds no tariff in time, the bound on any tariff stands for its own"
    loss = [100.0 * (1.0 - trial.auto / trial.bound) for trial in trials]
    name = "loss of auto against the exact method's bound"
    yield Figure(f"{name}, mean", mean(loss), "%", above, ("at most", 0.5))
    yield Figure(f"{name}, worst", max(loss), "%", above, ("at most", 2.0))
    found = [(trial.any_tariff, trial.best.profit) for trial in trials if trial.best]
    below = sum(bound < profit * (1.0 - 1e-9) for bound, profit in found)
    yield Figure("bounds on any tariff below an exact profit", below, "", said, ("at most", 0))
    spent = median(trial.seconds for trial in trials)
    yield Figure(f"exact method, {CLASSES} classes, to {CLOSED:.1%}", spent, "s", f"CPU; {said}")
    for case in () if quick else FURTHER:
        yield from _further(*case)


def _further(classes: int, gap: float, most: float) -> Iterator[Figure]:
    """One instance with other classes, closed further."""
    problem = instance(1, "hourly", classes).classes
    auto = _auto(problem)
    best, spent = _exact(problem, auto.tariff, most, gap)
    how = f"one instance, {best.status}, gap {best.gap:.2%}, begun at what auto finds"
    yield Figure(f"exact method, {classes} classes, to {gap:.1%}", spent, "s", f"CPU of {how}")
    loss = 100.0 * (1.0 - auto.merit / best.profit)
    yield Figure(f"loss of auto, {classes} classes", loss, "%", f"against the profit of {how}")


@cache
def tried(seed: int) -> Trial:
    """One random instance."""
    problem = instance(seed, "hourly", CLASSES).classes
    auto = _auto(problem)
    best: Exact | None = None
    spent = SECONDS
    with suppress(UnsolvedError):
        best, spent = _exact(problem, auto.tariff, SECONDS, CLOSED)
    bound = profit_bound(problem, dispatch(problem, None, rounds=LONG_ROUNDS, flat=False))
    return Trial(best, auto.merit, bound, spent)


def _auto(problem: Problem) -> Value:
    """What ``auto`` posts, dispatched to the end."""
    relaxed = dispatch(problem, None, rounds=RELAXED_ROUNDS)
    family, found = search_in_steps(
        search_method("auto")[1],
        problem,
        coarse_to_fine(problem.situation),
        relaxed,
        evaluations=EVALUATIONS,
        seed=1,
    )
    start = found.value.dispatch.warm().near()
    return value_of(problem, family.tariff(found.prices), rounds=LONG_ROUNDS, warm=start)


def _exact(problem: Problem, begin: Tariff, seconds: float, gap: float) -> tuple[Exact, float]:
    family = make_family(problem.situation)
    began = process_time()
    best = solve_exact(problem, family, seconds=seconds, gap=gap, start=family.posted(begin))
    return best, process_time() - began
