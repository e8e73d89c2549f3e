"""Levelling: move all prices along one path until drivers pay what was promised.

Drivers' cost rises with every charge price and falls with every discharge price, so along a path
on which charge prices rise first and discharge prices fall after, it only ever rises: one
root-finding brings any price vector to where the saving promise is just kept, and a search need
only look for the shape of the prices.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from hubwise.dispatch import Problem
from hubwise.drivers import best_response
from hubwise.pricing.family import Family
from hubwise.pricing.value import cost_ceiling

Array = NDArray[np.float64]

# Aim below the promise by this share, so that rounding of posted prices cannot break it.
CAUTION = 2e-4


def participants_pay(problem: Problem, family: Family, prices: Array) -> float:
    """Participants' net cost of their best responses at a lawful price vector [currency]."""
    fleet = problem.fleet
    schedule, cost = best_response(
        fleet, family.tariff(prices), problem.scenario.horizon, parallel=False
    )
    surplus_kwh = schedule.energy_kwh[:, -1] - fleet.required_kwh
    return float(cost.sum() + fleet.surplus_value @ surplus_kwh)


def level(problem: Problem, family: Family, prices: Array) -> Array:
    """The lawful price vector nearest along the path at which the saving promise is just kept.

    Without a saving promise the prices are only made lawful; where no point of the path reaches
    the promise, its nearest end is returned.
    """
    aim = cost_ceiling(problem) * (1.0 - CAUTION)
    if not np.isfinite(aim):
        return family.project(prices)
    lawful = family.project(prices)
    # How far charge prices can rise and discharge prices fall, and the other way round.
    rise, sink = float(np.max(family.high[0] - lawful[0])), float(np.max(lawful[1] - family.low[1]))
    fall, lift = float(np.max(lawful[0] - family.low[0])), float(np.max(family.high[1] - lawful[1]))

    def along(way: float) -> Array:
        charge = min(max(way, -fall), rise)
        discharge = min(max(charge - way, -sink), lift)
        return family.project(prices + np.array([[charge], [discharge]]))

    def excess(way: float) -> float:
        return participants_pay(problem, family, along(way)) - aim

    here = excess(0.0)
    end = rise + sink if here < 0.0 else -fall - lift
    if here == 0.0 or excess(end) * here > 0.0:
        return along(0.0 if here == 0.0 else end)
    tick = 10.0**-family.decimals
    return along(brentq(excess, min(0.0, end), max(0.0, end), xtol=0.3 * tick, maxiter=60))
