"""Where to begin: the relaxed problem's marginal prices, as a tariff of the family in use."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hubwise.dispatch import Dispatch, Problem
from hubwise.ledger import sum_by_hub
from hubwise.pricing.family import Family
from hubwise.pricing.level import level
from hubwise.pricing.value import Value, value

Array = NDArray[np.float64]

# Shifts of all prices that are tried, as shares of the mean purchase price.
SHIFTS = (0.0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.25, 0.3, 0.4)
ROUNDS = 5
# A group of slots in which the relaxed schedule moves less than this share of the busiest group's
# energy is priced so that nobody uses it.
BUSY = 0.05


def first_prices(problem: Problem, family: Family, relaxed: Dispatch) -> Array:
    """The best of a few price vectors near the relaxed problem's marginal prices.

    In every group of slots the charge price is the mean marginal price where vehicles charge in
    the relaxed schedule, the discharge price the same where they discharge, incentive included;
    groups that it does not use are priced shut.
    At these every driver would do what is best for all, and pay too little: shifting all prices
    up alike hardly changes what drivers do (each needs a fixed amount of energy) and moves money
    to the operator. Some shifts are tried, levelled to the saving promise, and valued.

    Parameters
    ----------
    problem, family
        What is priced.
    relaxed
        The relaxed problem's answer (`hubwise.dispatch.dispatch` without a tariff).

    Returns
    -------
    Array
        Shape (2, groups) [currency/kWh].
    """
    marginal, hubs = relaxed.marginal_price, len(problem.scenario.hubs)
    powers = (relaxed.schedule.charge_kw, relaxed.schedule.discharge_kw)
    energy = np.stack([sum_by_hub(hubs, problem.fleet.hub, power) for power in powers])
    worth = family.vector(marginal, marginal + problem.scenario.market.incentive, energy)
    moved = np.stack([family.sums(each) for each in energy])
    busy = moved > BUSY * moved.max(axis=1, keepdims=True)
    shut = np.stack([family.high[0], family.low[1]])
    scale = float(np.abs(problem.scenario.market.purchase_price).mean()) or 1.0
    shape = scale * np.array([[1.0], [_worth_of_a_cycle(problem)]])
    trials = [
        level(problem, family, np.where(busy, worth + shift * shape, shut)) for shift in SHIFTS
    ]

    def merit(prices: Array) -> float:
        trial: Value = value(
            problem, family.tariff(prices), rounds=ROUNDS, start=relaxed.multipliers
        )
        return trial.merit

    return max(trials, key=merit)


def _worth_of_a_cycle(problem: Problem) -> float:
    """How much more a discharge price must rise than a charge price so that a cycle pays alike."""
    two_way = problem.fleet.discharge_kw_max > 0.0
    if not two_way.any():
        return 1.0
    both = problem.fleet.charge_efficiency * problem.fleet.discharge_efficiency
    return float(1.0 / both[two_way].mean())
