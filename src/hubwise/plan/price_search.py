"""The search for prices, and for those who take part at them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np

from hubwise.dispatch import (
    Baseline,
    Dispatch,
    Problem,
    best_dispatch,
    fits_program,
    is_small,
    least_cost,
    prices_of_limits,
)
from hubwise.dispatch.program import remembering
from hubwise.domain import Search, Situation, Status, Tariff
from hubwise.domain.arrays import Flags
from hubwise.plan.participation import willing
from hubwise.plan.relaxed import ROUNDS, linear_problem, relaxed_problem
from hubwise.plan.strategies import reference_tariff
from hubwise.pricing import (
    Family,
    SearchResult,
    Value,
    bound_profit,
    coarse_to_fine,
    most_felt,
    search_in_steps,
    value_of,
)
from hubwise.pricing.family import poorer_families
from hubwise.pricing.search import Method
from hubwise.pricing.search.alternating import alternate, rank
from hubwise.pricing.search.evolution import Evolution

Progress = Callable[[int, int, str], None]
"""Called with (done, total, what)."""

# Most searches for prices, each for those who would take part at the prices found before.
SEARCHES = 3
# Without so many of those who may decline, each by itself, a small hub looks for prices again,
# where so few are asked.
WITHOUT, FEW = 4, 10
# With more drivers than this, not every poorer family is searched on the way.
MANY = 30


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
        last = _search(situation, baseline, search, method, begin, progress, asked)
        if last.method:  # a small hub's search has asked each time who takes part
            return last
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
    asked: Flags,
) -> Searched:
    """One search, for those who take part in ``situation`` of all who are ``asked``."""

    def tell(done: int, total: int) -> None:
        if progress:
            progress(done, total, "prices tried")

    problem, relaxed = relaxed_problem(situation, baseline)
    if search.method == "auto" and is_small(problem):
        small = _Small(problem, relaxed, baseline, asked, search, tell)
        # Tiny programs are as quick from nothing, and lead to more places.
        with remembering() if len(problem.fleet) > FEW else nullcontext():
            return small.searched(begin)
    family, result = _in_steps(problem, relaxed, search, method, begin, tell)
    tariff, answer = family.tariff(result.prices), result.value.dispatch
    found = Searched(situation, tariff, answer, problem, relaxed, result.evaluations, result.status)
    if search.method != "auto" or not fits_program(problem):
        return found
    return _Small(problem, relaxed, baseline, asked, search, tell).refined(found, family)


def _in_steps(
    problem: Problem,
    relaxed: Dispatch,
    search: Search,
    method: Method,
    begin: Tariff | None,
    tell: Callable[[int, int], None],
) -> tuple[Family, SearchResult[Value]]:
    """The search in steps; where devices choose for some, also from prices good without them.

    Devices leap from one slot into another where two prices cross: a search that comes to rest
    early may rest in a poor place.
    """

    def searched(here: Problem, by: Method, start: Tariff | None) -> SearchResult[Value]:
        return search_in_steps(
            by, here, families, relaxed,
            evaluations=search.evaluations, seed=search.seed, begin=start, progress=tell,
        )[1]  # fmt: skip

    families = coarse_to_fine(problem.situation)
    family = families[-1]
    if problem.fleet.delegates.all():
        return family, searched(problem, method, begin)
    restless = replace(method, still=0.0) if isinstance(method, Evolution) else method
    without = searched(replace(problem, fleet=problem.fleet.delegated()), method, begin)
    starts = [begin, family.tariff(without.prices)]
    found = [searched(problem, restless, start) for start in starts]
    best = max(found, key=lambda result: result.value.merit)
    spent = sum(result.evaluations for result in (without, *found))
    return family, replace(best, evaluations=spent)


def _merit(ready: Situation, baseline: Baseline, last: Searched) -> float:
    """What a tariff is worth with those who take part at it."""
    problem = linear_problem(ready, baseline, last.problem.limits)
    return value_of(problem, last.tariff, rounds=ROUNDS[0], warm=last.dispatch.warm().near()).merit


@dataclass(frozen=True, slots=True)
class _Small:
    """The same on a small hub: turns of prices and answers.

    ``problem``, ``relaxed``: with those whom prices are sought for; ``asked``: who may take part.
    """

    problem: Problem
    relaxed: Dispatch
    baseline: Baseline
    asked: Flags
    search: Search
    tell: Callable[[int, int], None]

    def ask(self, tariff: Tariff) -> Problem:
        """The problem with those who take part at a tariff."""
        situation = self.problem.situation
        ready = willing(situation, tariff, self.asked)
        if ready is situation:
            return self.problem
        return linear_problem(ready, self.baseline, self.problem.limits)

    def searched(self, begin: Tariff | None) -> Searched:
        """From poorer families to the last; then without one or another who may decline."""
        situation, spent = self.problem.situation, 0
        starts = [reference_tariff(situation)] + ([] if begin is None else [begin])
        families = poorer_families(situation)
        many = len(self.problem.fleet) > MANY
        if many and len(families) > 3:
            families = (families[0], *families[-2:])
        for family in families:
            seed = None if many and family is not families[-1] else self.search.seed
            result = self.alternated(family, starts, seed)
            spent += result.evaluations
            tariff = family.tariff(result.prices)
            starts.append(tariff)
        for other in self._without_some():
            fewer = other.alternated(families[-1], starts[-1:], None)
            spent += fewer.evaluations
            if rank(fewer.value) > rank(result.value):
                result, tariff = fewer, families[-1].tariff(fewer.prices)
        return self._told(tariff, result, spent)

    def _told(self, tariff: Tariff, result: SearchResult[Value], spent: int) -> Searched:
        taking = self.ask(tariff)
        return Searched(
            taking.situation, tariff, result.value.dispatch, taking, self.relaxed, spent,
            result.status, "alternating",
        )  # fmt: skip

    def refined(self, found: Searched, family: Family) -> Searched:
        """A few turns from what another search has found."""
        starts = [found.tariff, reference_tariff(self.problem.situation)]
        with remembering():
            result = self.alternated(family, starts, None)
        tariff = family.tariff(result.prices)
        return self._told(tariff, result, found.evaluations + result.evaluations)

    def alternated(
        self, family: Family, starts: list[Tariff], seed: int | None
    ) -> SearchResult[Value]:
        """Turns of prices and answers within one family."""
        return alternate(
            self.problem, family, self.relaxed, starts,
            evaluations=self.search.evaluations, seed=seed, ask=self.ask, progress=self.tell,
        )  # fmt: skip

    def _without_some(self) -> Iterator[_Small]:
        """Without each of those who may decline, the one that brings least first.

        Whose saving takes more than it brings is better not won.
        """
        if len(self.problem.fleet) > FEW or not most_felt(self.problem)[1].any():
            return
        settled = best_dispatch(self.problem, None, rounds=ROUNDS[0], flat=False)
        bound = bound_profit(self.problem, settled)
        free = least_cost(self.problem, prices_of_limits(self.problem, settled))
        mine = np.flatnonzero(self.problem.situation.fleet.participating)
        first = np.argsort(bound.out - free, kind="stable")[:WITHOUT]
        for i in first[np.isfinite(bound.out[first])]:
            left = self.problem.situation.fleet.participating.copy()
            left[mine[i]] = False
            if left.any():
                fleet = self.problem.situation.fleet.with_participating(left)
                situation = replace(self.problem.situation, fleet=fleet)
                problem, relaxed = relaxed_problem(situation, self.baseline)
                yield replace(self, problem=problem, relaxed=relaxed)
