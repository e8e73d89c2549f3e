"""The search for prices, and for those who take part at them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hubwise.dispatch import Baseline, Dispatch, Problem, is_small
from hubwise.domain import Search, Situation, Status, Tariff
from hubwise.plan.participation import willing
from hubwise.plan.relaxed import ROUNDS, linear_problem, relaxed_problem
from hubwise.plan.strategies import reference_tariff
from hubwise.pricing import coarse_to_fine, search_in_steps, value_of
from hubwise.pricing.family import poorer_families
from hubwise.pricing.search import Method
from hubwise.pricing.search.alternating import alternate

Progress = Callable[[int, int, str], None]
"""Called with (done, total, what)."""

# Most searches for prices, each for those who would take part at the prices found before.
SEARCHES = 3


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search for prices found.

    Parameters
    ----------
    situation
        With those whom the prices were searched for.
    tariff, dispatch
        The prices and the answer to them, long dispatched.
    problem, relaxed
        The relaxed problem and its answer.
    evaluations
        Tariffs tried, in all searches.
    status
        How the search that found them ended.
    method
        Which method found them, where it is not the one asked for.
    """

    situation: Situation
    tariff: Tariff
    dispatch: Dispatch
    problem: Problem
    relaxed: Dispatch
    evaluations: int
    status: Status
    method: str = ""


def search_prices(
    situation: Situation,
    baseline: Baseline,
    search: Search,
    method: Method,
    begin: Tariff | None = None,
    progress: Progress | None = None,
) -> Searched:
    """Search for prices; where some would decline them, again for the others.

    Of all prices found, those are taken that are worth most with those who take part at them.

    Parameters
    ----------
    situation
        With those who are asked to take part.
    baseline
        The uncoordinated day.
    search, method
        How prices are searched for.
    begin
        A tariff to begin with.
    progress
        Called as the search goes on.
    """
    asked, spent = situation.fleet.participating, 0
    best: tuple[float, Searched] | None = None
    for _ in range(SEARCHES):
        last = _search(situation, baseline, search, method, begin, progress)
        begin, spent = last.tariff, spent + last.evaluations
        ready, participants = willing(situation, begin, asked), situation.fleet.participating
        left = participants & ready.fleet.participating
        if best is None and np.array_equal(left, participants):
            return last
        merit = _merit(ready, baseline, last)
        best = (merit, last) if best is None or merit > best[0] else best
        if np.array_equal(left, participants) or not left.any():
            break
        situation = replace(situation, fleet=situation.fleet.with_participating(left))
    assert best is not None
    return replace(best[1], evaluations=spent)


def _search(
    situation: Situation,
    baseline: Baseline,
    search: Search,
    method: Method,
    begin: Tariff | None,
    progress: Progress | None,
) -> Searched:
    """One search, for those who take part in ``situation``."""

    def tell(done: int, total: int) -> None:
        if progress:
            progress(done, total, "prices tried")

    problem, relaxed = relaxed_problem(situation, baseline)
    if search.method == "auto" and is_small(problem):
        return _small(situation, problem, relaxed, search, begin, tell)
    family, result = search_in_steps(
        method,
        problem,
        coarse_to_fine(situation),
        relaxed,
        evaluations=search.evaluations,
        seed=search.seed,
        begin=begin,
        progress=tell,
    )
    tariff, answer = family.tariff(result.prices), result.value.dispatch
    return Searched(situation, tariff, answer, problem, relaxed, result.evaluations, result.status)


def _merit(ready: Situation, baseline: Baseline, last: Searched) -> float:
    """What a tariff is worth with those who take part at it."""
    problem = linear_problem(ready, baseline, last.problem.limits)
    return value_of(problem, last.tariff, rounds=ROUNDS[0], warm=last.dispatch.warm().near()).merit


def _small(
    situation: Situation,
    problem: Problem,
    relaxed: Dispatch,
    search: Search,
    begin: Tariff | None,
    tell: Callable[[int, int], None],
) -> Searched:
    """The same on a small hub: turns of prices and answers, from poorer families to the last."""
    starts = [reference_tariff(situation)] + ([] if begin is None else [begin])
    spent, families = 0, poorer_families(situation)
    for family in families:
        result = alternate(
            problem, family, relaxed, starts,
            evaluations=search.evaluations,
            seed=search.seed if family is families[-1] else None,
            progress=tell,
        )  # fmt: skip
        spent += result.evaluations
        tariff = family.tariff(result.prices)
        starts.append(tariff)
    answer = result.value.dispatch
    return Searched(
        situation, tariff, answer, problem, relaxed, spent, result.status, "alternating"
    )
