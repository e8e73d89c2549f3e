"""One loop for every search method: propose prices, value them, learn, until the method stops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import numba

from hubwise.dispatch import Problem, WarmStart
from hubwise.domain import Status
from hubwise.domain.arrays import Array, Index
from hubwise.pricing.family import Family
from hubwise.pricing.levelling import level_prices
from hubwise.pricing.value import Value, rounds_to_judge, value_of


@dataclass(frozen=True, slots=True)
class Setting:
    """What a method may know before it starts.

    Parameters
    ----------
    family
        Which price vectors are lawful.
    first
        The price vector to begin with; shape (2, groups) [currency/kWh].
    evaluations
        Most price vectors to be tried.
    seed
        Of every random draw.
    base, cluster
        Where they are given, points are shifts: a point of shape (2, clusters) stands for the
        price vector ``base + point[:, cluster]``, and ``first`` is a point, too.
    problem
        What is priced; `run_search` puts it here.
    """

    family: Family
    first: Array
    evaluations: int
    seed: int
    base: Array | None = None
    cluster: Index | None = None
    problem: Problem | None = None

    def prices(self, point: Array) -> Array:
        """The price vector that a point stands for; shape (2, groups) [currency/kWh]."""
        if self.base is None or self.cluster is None:
            return point
        shifted: Array = self.base + point[:, self.cluster]
        return shifted


Valued = tuple[Array, Value]
"""A lawful price vector, and what it is worth."""


class Method(Protocol):
    """A search method: three functions on an immutable state of its own choosing.

    ``levelled`` says whether candidates are shifted to just keep the saving promise before they
    are valued (see `level_prices`), or valued as proposed.
    """

    @property
    def levelled(self) -> bool:
        """Whether the loop levels what is proposed."""

    def start(self, setting: Setting, first_merit: float) -> object:
        """The state before the first step."""

    def propose(self, state: Any) -> list[Array]:
        """Price vectors to value next; an empty list ends the search."""

    def learn(self, state: Any, prices: list[Array], merits: list[float]) -> object:
        """The state that knows what the proposals were worth."""


@runtime_checkable
class Watching(Protocol):
    """A method that learns from the answers themselves, not from their merits alone."""

    def watch(self, state: object, answers: Sequence[object]) -> object:
        """The state that has seen these answers; called before every ``propose``."""


class Judged(Protocol):
    """What a search must know of a price vector's worth."""

    @property
    def merit(self) -> float:
        """What the search maximises."""

    @property
    def broken_kw(self) -> float:
        """By how much shared limits are broken [kW]."""


Worth = TypeVar("Worth", bound=Judged)


@dataclass(frozen=True, slots=True)
class SearchResult(Generic[Worth]):
    """What a search found.

    Parameters
    ----------
    prices
        The best price vector; shape (2, groups) [currency/kWh].
    value
        What it is worth.
    evaluations
        Price vectors tried.
    history
        Best merit after each of them.
    status
        Whether the method came to rest, or its evaluations were used up.
    """

    prices: Array
    value: Worth
    evaluations: int
    history: tuple[float, ...]
    status: Status


def run_search(
    method: Method,
    problem: Problem,
    setting: Setting,
    warm: WarmStart,
    progress: Callable[[int, int], None] | None = None,
) -> SearchResult[Value]:
    """Run a method on one problem until it stops proposing or its evaluations are used up.

    ``warm`` is where every dispatch begins. Proposals of one step are valued side by side, one
    thread a core; the result does not depend on how many there are.
    """
    family, rounds = setting.family, rounds_to_judge(problem)

    def judge(prices: Array, levelled: bool) -> Valued:
        lawful = level_prices(problem, family, prices) if levelled else family.project(prices)
        return lawful, value_of(problem, family.tariff(lawful), rounds=rounds, warm=warm)

    return search_by(method, replace(setting, problem=problem), judge, progress)


def search_by(
    method: Method,
    setting: Setting,
    judge: Callable[[Array, bool], tuple[Array, Worth]],
    progress: Callable[[int, int], None] | None = None,
) -> SearchResult[Worth]:
    """Run a method, whatever it is that prices are judged by.

    ``judge`` is given a price vector and whether to level it, and tells the lawful one and what it
    is worth. Where the first point, levelled, breaks limits that it keeps as it is, nothing is
    levelled.
    """
    levelled = method.levelled

    def valued(point: Array) -> tuple[Array, Worth]:
        return judge(setting.prices(point), levelled)

    best_prices, best = valued(setting.first)
    if levelled and best.broken_kw > 0.0:
        # What levelling takes from drivers may be what kept them out of each other's way.
        levelled, at_first = False, (best_prices, best)
        best_prices, best = valued(setting.first)
        if best.merit <= at_first[1].merit:
            levelled, (best_prices, best) = True, at_first
    history = [best.merit]
    state = method.start(setting, best.merit)
    watching = isinstance(method, Watching)
    answers, status = [(best_prices, best)], Status.EVALUATIONS_SPENT
    with ThreadPoolExecutor(numba.get_num_threads()) as threads:
        while len(history) < setting.evaluations:
            if isinstance(method, Watching):
                state = method.watch(state, answers)
            answers = []
            proposals = method.propose(state)[: setting.evaluations - len(history)]
            if not proposals:
                status = Status.STILL
                break
            merits = []
            # One answer of a large fleet is large: all are kept only for a method that watches.
            for prices, worth in threads.map(valued, proposals):
                if worth.merit > best.merit:
                    best_prices, best = prices, worth
                history.append(best.merit)
                merits.append(worth.merit)
                answers += [(prices, worth)] if watching else []
            state = method.learn(state, proposals, merits)
            if progress:
                progress(len(history), setting.evaluations)
    return SearchResult(best_prices, best, len(history), tuple(history), status)
