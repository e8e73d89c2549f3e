"""Where to begin: the relaxed problem's marginal prices, as a tariff of the family in use.

At the relaxed problem's marginal prices, incentive included, what is best for all is a best
response of every driver: an operator whose prices were free, and who had not to be paid, would post
them. Three things keep that from being a good tariff as it stands. Drivers would pay too little:
but each needs a fixed amount of energy, so shifting all prices alike moves money and hardly any
schedule. Prices that differ by a hair send everybody into the same slots: prices so near are made
one, among whose slots the dispatch then chooses freely. And slots that share a price have marginal
prices of their own: there a mean stands for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq

from hubwise.dispatch import Dispatch, Problem
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.ledger import sum_by_hub
from hubwise.pricing.family import Family
from hubwise.pricing.levelling import level_prices, participants_pay
from hubwise.pricing.value import best_of, cost_ceiling, reward, rounds_to_judge

# Shifts of all prices, as shares of the mean purchase price: between these the one is sought at
# which drivers pay what was promised; where no promise binds they are tried.
SHIFTS = (-0.5, 0.0, 0.1, 0.2, 0.3, 0.45, 0.7, 1.0, 1.5, 2.0)
# Where few are to be tried: every so many of them, then those beside the best.
STRIDE = 4
# Shapes that differ by how means are taken; those that follow make prices one that are near.
MEANS = 3
# Charge prices stay at their highest while discharge prices are shifted.
ONE_KIND = np.array([[0.0], [1.0]])
# A group of slots in which the relaxed schedule moves less than this share of the busiest group's
# energy is priced so that nobody uses it.
BUSY = 0.05
# Marginal prices of a hub that differ by less than this share of the mean purchase price are one.
HAIR = 0.005
# Posted prices are also tried with those made one that differ by less than these shares of it.
HAIRS = (0.1, 0.3)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Prices up to a shift.

    Parameters
    ----------
    worth
        What a kWh charged, and discharged, is worth in each group; shape (2, groups)
        [currency/kWh].
    rise
        How much each price rises with the shift; shape (2, 1). A cycle pays alike at any shift.
    drained
        Groups whose charge price gives way where no arbitrage leaves room for only one of the two
        prices; in the others the discharge price does. Shape (groups,).
    used
        Which prices are posted; the others are such that nobody uses them. Shape (2, groups).
    hair
        Charge prices of a hub that would lie within this of each other are one, the lowest of them
        [currency/kWh]. Where the highest lawful price of a slot is low its neighbours' give way:
        else all would charge in it alone.
    """

    worth: Array
    rise: Array
    drained: Flags
    used: Flags
    together: Index | None = None
    hair: float = 0.0

    def at(self, family: Family, shift: float) -> Array:
        """The lawful price vector at ``shift`` [currency/kWh]; shape (2, groups)."""
        shut = np.stack([family.high[0], family.low[1]])
        charge, discharge = np.where(self.used, self.worth + shift * self.rise, shut)
        intercept, slope = family.headroom[:, :, None]
        room = np.max((discharge - intercept) / slope, axis=0, initial=-np.inf)
        charge = np.where(self.drained, np.maximum(charge, room), charge)
        sets = self.together
        if self.hair:
            sets = _near(np.minimum(charge, family.high[0]), family, self.hair)
        if sets is not None:
            lowest = np.full(len(charge), np.inf)
            np.minimum.at(lowest, sets, np.minimum(charge, family.high[0]))
            charge = lowest[sets]
        return family.project(np.stack([charge, discharge]))


def first_prices(
    problem: Problem, family: Family, relaxed: Dispatch, *, few: bool = False
) -> Array:
    """The best of a few price vectors near the relaxed problem's marginal prices.

    Prices of a group are the means of its slots, weighted by the energy that vehicles charge and
    discharge in the relaxed schedule; the same, with groups that it hardly uses priced shut; and
    plain means, those that are nearly equal made equal. All are shifted to where participants pay
    what was promised, and valued.

    Parameters
    ----------
    problem, family
        What is priced.
    relaxed
        The relaxed problem's answer (`hubwise.dispatch.dispatch` without a tariff).
    few
        Whether fewer are tried: one mean, and all where the best with it breaks limits; every so
        many of the shifts, then those beside the best.

    Returns
    -------
    Array
        Shape (2, groups) [currency/kWh].
    """
    shapes = list(_shapes(problem, family, relaxed))
    if family.groups == 1:  # then they do not differ
        shapes = shapes[:1]
    rounds, warm = rounds_to_judge(problem), relaxed.warm().near()
    first = MEANS - 1 if few and len(shapes) > 1 else 0
    trying, others = shapes[first:], shapes[:first]
    runs, trials = list[list[Array]](), list[Array]()
    while True:
        these = [run for each in trying for run in _shifted(problem, family, each)]
        runs += these
        trials += [prices for run in these for prices in run[:: STRIDE if few else 1]]
        best, value = best_of(problem, family, trials, rounds=rounds, warm=warm)
        if not others or not value.broken_kw:
            break
        trying, others, trials = others, [], [best]
    if not few:
        return best
    beside = [near for run in runs for near in _beside(run, best)]
    return best_of(problem, family, [best, *beside], rounds=rounds, warm=warm)[0]


def _beside(run: list[Array], best: Array) -> list[Array]:
    """What a run holds around its ``best``; nothing where it is not of this run."""
    found = [k for k, prices in enumerate(run) if np.array_equal(prices, best)]
    if not found:
        return []
    return run[max(found[0] - STRIDE + 1, 0) : found[-1] + STRIDE]


def _scale(problem: Problem) -> float:
    return float(np.abs(problem.situation.market.purchase_price).mean()) or 1.0


def _shapes(problem: Problem, family: Family, relaxed: Dispatch) -> Iterator[_Shape]:
    """Weighted means, the same with little used groups shut, and tied means."""
    powers = (relaxed.schedule.charge_kw, relaxed.schedule.discharge_kw)
    hubs = len(problem.situation.hubs)
    energy = np.stack([sum_by_hub(hubs, problem.fleet.hub, power) for power in powers])
    marginal = relaxed.marginal_price
    incentive = np.broadcast_to(reward(problem), marginal.shape)
    moved = np.stack([family.sums(each) for each in energy])
    rise = np.array([[1.0], [_worth_of_a_cycle(problem)]])
    drained = moved[1] > moved[0]
    always = np.ones_like(moved, bool)
    worth = family.vector(marginal, marginal + incentive, energy)
    yield _Shape(worth, rise, drained, always)
    yield _Shape(worth, rise, drained, moved > BUSY * moved.max(axis=1, keepdims=True))
    mean, beside = family.vector(marginal, incentive, np.ones_like(energy))
    sets = _near(mean, family, HAIR * _scale(problem))
    tied = (np.bincount(sets, mean) / np.maximum(np.bincount(sets), 1))[sets]
    shape = _Shape(np.stack([tied, tied + beside]), rise, drained, always)
    yield shape
    for hair in HAIRS:
        yield replace(shape, hair=hair * _scale(problem))
        sets = _near(mean, family, hair * _scale(problem))
        tied = (np.bincount(sets, mean) / np.maximum(np.bincount(sets), 1))[sets]
        yield _Shape(np.stack([tied, tied + beside]), rise, drained, always, together=sets)


def _shifted(problem: Problem, family: Family, shape: _Shape) -> list[list[Array]]:
    """The shape where participants pay what was promised; runs of shifts, if that binds nothing."""
    shifts = _scale(problem) * np.array(SHIFTS)
    ceiling = cost_ceiling(problem)

    def excess(shift: float) -> float:
        return participants_pay(problem, family, shape.at(family, shift)) - ceiling

    over = np.array([excess(shift) for shift in shifts])
    if (over <= 0.0).all():
        dear = replace(shape, worth=np.stack([family.high[0], shape.worth[1]]), rise=ONE_KIND)
        return [[each.at(family, shift) for shift in shifts] for each in (shape, dear)]
    crossed = np.flatnonzero((over[:-1] <= 0.0) & (over[1:] > 0.0))
    if crossed.size:
        tick = 10.0**-family.decimals
        shift = brentq(excess, shifts[crossed[-1]], shifts[crossed[-1] + 1], xtol=0.3 * tick)
    else:
        shift = float(shifts[np.argmin(np.abs(over))])
    return [[level_prices(problem, family, shape.at(family, shift))]]


def _near(values: Array, family: Family, hair: float) -> Index:
    """Numbers of sets of a hub's groups whose values lie within ``hair``; shape (groups,)."""
    sets = np.zeros(len(values), np.int64)
    number = -1
    for groups in np.unique(family.group, axis=0):
        mine = np.unique(groups)
        begin = np.nan
        for k in mine[np.argsort(values[mine], kind="stable")]:
            if not values[k] - begin <= hair:
                begin, number = values[k], number + 1
            sets[k] = number
    return sets


def _worth_of_a_cycle(problem: Problem) -> float:
    """How much more a discharge price must rise than a charge price so that a cycle pays alike."""
    two_way = problem.fleet.discharge_kw_max > 0.0
    if not two_way.any():
        return 1.0
    both = problem.fleet.charge_efficiency * problem.fleet.discharge_efficiency
    return float(1.0 / both[two_way].mean())
