"""Where to begin: the relaxed problem's marginal prices, as a tariff of the family in use."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hubwise.dispatch import Dispatch, Problem
from hubwise.pricing.family import Family
from hubwise.pricing.level import level
from hubwise.pricing.value import Value, value

Array = NDArray[np.float64]

# How far discharge prices are tried below what a discharged kWh is worth to the operator.
STEPS_BELOW = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)
ROUNDS = 5


def first_prices(problem: Problem, family: Family, relaxed: Dispatch) -> Array:
    """The best of a few price vectors near the relaxed problem's marginal prices.

    In every group of slots the charge price is the mean marginal price where vehicles charge in
    the relaxed schedule, the discharge price the same where they discharge, incentive included;
    one price a group then calls up too much, so discharge prices are also tried lower. Each is
    levelled to the saving promise and valued.

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
    marginal = relaxed.marginal_price.mean(axis=0)
    energy = np.stack(
        [relaxed.schedule.charge_kw.sum(axis=0), relaxed.schedule.discharge_kw.sum(axis=0)]
    )
    worth = family.vector(marginal, marginal + problem.scenario.market.incentive, energy)
    scale = float(np.abs(problem.scenario.market.purchase_price).mean()) or 1.0
    trials = [
        level(problem, family, worth - np.array([[0.0], [step * scale]])) for step in STEPS_BELOW
    ]

    def merit(prices: Array) -> float:
        trial: Value = value(
            problem, family.tariff(prices), rounds=ROUNDS, start=relaxed.multipliers
        )
        return trial.merit

    return max(trials, key=merit)
