"""From few prices to many: a search in steps for families with many groups of slots.

A search in dozens of prices at once needs more evaluations than a plan can wait for. The relaxed
problem's marginal prices say which groups of slots are alike; prices are first shifted together in
few clusters of such groups, then in more, at last each on its own. Every step begins at the best
prices of the one before, so more freedom hardly ever costs profit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from hubwise.dispatch import Dispatch, Problem
from hubwise.domain import Tariff, TariffFamily
from hubwise.domain.arrays import Array, Index
from hubwise.pricing.family import Family, make_family
from hubwise.pricing.first import first_prices
from hubwise.pricing.levelling import COARSE, level_prices, tick_moves
from hubwise.pricing.search.loop import Method, SearchResult, Setting, run_search
from hubwise.pricing.value import Value, best_of, reward, rounds_to_judge

# Numbers of clusters before every group is on its own.
CLUSTERS = (4, 8)
# A search of fewer tariffs than this begins at the best of fewer, too, and no program is asked for
# schedules that chargers can follow.
FEW = 100
# Rounds of moves by ticks, where these are coarse.
POLISHES = 3
# Rounds of dispatch in which the best of the steps are told apart.
LONG_ROUNDS = 40


@dataclass(frozen=True, slots=True)
class Step:
    """A family, and which of its groups of slots are shifted together; shape (groups,).

    Without clusters the search moves in the prices themselves.
    """

    family: Family
    cluster: Index | None

    def setting(self, tariff: Tariff, evaluations: int, seed: int) -> Setting:
        """The search of this step, begun at ``tariff``."""
        posted = self.family.posted(tariff)
        if self.cluster is None:
            return Setting(self.family, posted, evaluations, seed)
        first = np.zeros((2, int(self.cluster.max()) + 1))
        return Setting(self.family, first, evaluations, seed, posted, self.cluster)


def search_in_steps(
    method: Method,
    problem: Problem,
    families: Sequence[Family],
    relaxed: Dispatch,
    *,
    evaluations: int,
    seed: int,
    begin: Tariff | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Family, SearchResult[Value]]:
    """Search the last of ``families``; the coarser ones before it are steps on the way.

    Each step gets an equal share of the evaluations. Methods that value candidates as proposed
    (the published study's annealing) search the last family once, in all its prices.

    Parameters
    ----------
    method, problem
        As in `run_search`.
    families
        Tariff families, coarse to fine.
    relaxed
        The relaxed problem's answer: its marginal prices and multipliers.
    evaluations, seed
        As in `Setting`, for all steps together.
    begin
        A tariff to begin with, in place of the first prices.
    progress
        Called with (done, total).

    Returns
    -------
    Family
        The last family.
    SearchResult
        What was found in it.
    """
    if method.levelled:
        steps = [Step(family, np.arange(family.groups)) for family in families[:-1]]
        steps += [Step(families[-1], c) for c in _clusterings(families[-1], problem, relaxed)]
    else:
        steps = [Step(families[-1], None)]
    family, spent = steps[0].family, 0
    few = evaluations < FEW
    base = _first(problem, family, relaxed, few) if begin is None else family.posted(begin)
    history: tuple[float, ...] = ()
    tariffs = [family.tariff(base)]
    for done, step in enumerate(steps):
        if step.family is not family:
            so_far, family = family.tariff(base), step.family
            base = _begun(problem, family, relaxed, so_far, few)
        share = max((evaluations - spent) // (len(steps) - done), 1)
        setting = step.setting(family.tariff(base), share, seed)
        tell = _further(progress, spent, evaluations)
        found = run_search(method, problem, setting, relaxed.warm().near(), tell)
        base = found.prices
        tariffs.append(family.tariff(base))
        spent, history = spent + found.evaluations, history + found.history
    # Few rounds think too well of prices at which a promise can hardly be kept.
    lawful = [family.project(family.posted(tariff)) for tariff in tariffs]
    trials = list({prices.tobytes(): prices for prices in lawful}.values())
    prices, worth = best_of(problem, family, trials, rounds=LONG_ROUNDS, warm=relaxed.warm().near())
    if method.levelled and family.decimals <= COARSE:
        better, tried = _polished(problem, family, prices, relaxed)
        spent, trials = spent + tried, [prices, better]
        warm = relaxed.warm().near()
        prices, worth = best_of(problem, family, trials, rounds=LONG_ROUNDS, warm=warm)
    return family, replace(found, prices=prices, value=worth, evaluations=spent, history=history)


def _polished(
    problem: Problem, family: Family, prices: Array, relaxed: Dispatch
) -> tuple[Array, int]:
    """The best of prices moved by a tick, one at a time, as long as that helps; and tries.

    Where ticks are coarse, draws from a distribution seldom land on the best of them.
    """
    tried, warm, rounds = 0, relaxed.warm().near(), rounds_to_judge(problem)
    for _ in range(POLISHES):
        moved = tick_moves(family, prices, (-1, 1))
        levelled = [level_prices(problem, family, each) for each in moved]
        trials = list({each.tobytes(): each for each in (prices, *moved, *levelled)}.values())
        found, _ = best_of(problem, family, trials, rounds=rounds, warm=warm)
        tried += len(trials) - 1
        if np.array_equal(found, prices):
            break
        prices = found
    return prices, tried


def _first(problem: Problem, family: Family, relaxed: Dispatch, few: bool) -> Array:
    """Prices to begin with: near the marginal prices, or one for all where that is worth more.

    Where few cars share a weak feeder, prices that differ at all may send everybody into the same
    slots; at one price the dispatch chooses freely.
    """
    try:
        one = make_family(problem.situation, TariffFamily.FLAT, per_hub=False)
    except ValueError:  # no price is lawful all day
        return first_prices(problem, family, relaxed, few=few)
    if family.groups == one.groups:
        return first_prices(problem, family, relaxed, few=few)
    flat = one.tariff(first_prices(problem, one, relaxed, few=few))
    return _begun(problem, family, relaxed, flat, few)


def _begun(problem: Problem, family: Family, relaxed: Dispatch, so_far: Tariff, few: bool) -> Array:
    """Prices of a finer family to begin with: the best so far, or those near the marginal prices.

    Freedom lets prices follow the marginal prices, and that may be worth more than all that a
    search among few prices has found.
    """
    so_far_here = family.project(family.posted(so_far))
    trials = [so_far_here, first_prices(problem, family, relaxed, few=few)]
    rounds = rounds_to_judge(problem)
    return best_of(problem, family, trials, rounds=rounds, warm=relaxed.warm().near())[0]


def _further(
    progress: Callable[[int, int], None] | None, spent: int, total: int
) -> Callable[[int, int], None]:
    """Progress of one step as progress of the whole."""

    def tell(done: int, _: int) -> None:
        if progress:
            progress(spent + done, total)

    return tell


def _clusterings(family: Family, problem: Problem, relaxed: Dispatch) -> Iterator[Index]:
    """Cluster of each group of slots, coarse to fine; each shape (groups,)."""
    marginal = relaxed.marginal_price
    even = np.ones((2, *marginal.shape))
    worth = family.vector(marginal, marginal + reward(problem), even)
    coarser = [count for count in CLUSTERS if count < family.groups]
    if coarser:
        tree = linkage(worth.T, "ward")
        for count in coarser:
            yield np.unique(fcluster(tree, count, "maxclust"), return_inverse=True)[1]
    yield np.arange(family.groups)
