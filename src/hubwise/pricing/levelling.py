"""Levelling: move all prices along one path until drivers pay what was promised.

Drivers' cost rises with every charge price and falls with every discharge price. On the path charge
prices rise together, and when none can rise further discharge prices fall together: one
root-finding brings any price vector to where the saving promise is just kept, and a search need
only look for the shape of the prices. Where an average cap or the rule against arbitrage bends the
path, cost may fall on a stretch of it; a point found still keeps the promise.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

from hubwise.dispatch import Problem
from hubwise.domain.arrays import Array
from hubwise.drivers import felt_response
from hubwise.pricing.family import Family
from hubwise.pricing.value import cost_ceiling

# Aim below the promise by this share, so that rounding of sums cannot break it.
CAUTION = 1e-7
# With so few decimals, and so few groups, prices are also moved one by one: at most so often.
COARSE, FEW_GROUPS, TOP_UPS = 2, 12, 8


def participants_pay(problem: Problem, family: Family, prices: Array) -> float:
    """Participants' net cost of their best responses at a lawful price vector [currency]."""
    fleet = problem.fleet
    schedule, cost = felt_response(
        fleet, family.tariff(prices), problem.situation.horizon, problem.terms, parallel=False
    )
    lump = problem.situation.terms.total("lump_to_driver", 0)[fleet.groups]
    surplus_kwh = schedule.energy_kwh[:, -1] - fleet.required_kwh
    return float((cost - lump).sum() + fleet.surplus_value @ surplus_kwh)


def level_prices(problem: Problem, family: Family, prices: Array) -> Array:
    """The lawful price vector nearest along the path at which the saving promise is just kept.

    Drivers pay at most what was promised, and but a tick of prices less. Without a saving promise,
    or with one that not even the dearest prices of the path break, the prices are only made lawful;
    where no point of the path keeps it, its cheapest end is returned.
    """
    ceiling = cost_ceiling(problem)
    if not np.isfinite(ceiling):
        return family.project(prices)
    aim = ceiling - CAUTION * abs(ceiling)

    def over(lawful: Array) -> float:
        return participants_pay(problem, family, lawful) - aim

    level = level_where(family, prices, over)
    return topped_up(family, level, over) if family.decimals <= COARSE else level


def topped_up(family: Family, prices: Array, over: Callable[[Array], float]) -> Array:
    """Prices with single charge prices a tick higher, as long as a promise stays kept.

    Where ticks are coarse, moving all prices together leaves much of a promise unused. ``over``
    tells by how much a lawful price vector breaks it.
    """
    slack = over(prices)
    for _ in range(TOP_UPS if slack < 0.0 else 0):
        dearer = tick_moves(family, prices, (1,), kinds=(0,))
        kept = [
            (excess, k)
            for k, lawful in enumerate(dearer)
            if slack < (excess := over(lawful)) <= 0.0
        ]
        if not kept:
            break
        slack, best = max(kept)
        prices = dearer[best]
    return prices


def tick_moves(
    family: Family, prices: Array, steps: tuple[int, ...], *, kinds: tuple[int, ...] = (0, 1)
) -> list[Array]:
    """Lawful price vectors with one price moved by so many ticks; none where prices are many."""
    if family.groups > FEW_GROUPS:
        return []
    found: dict[bytes, Array] = {}
    for step in steps:
        for kind in kinds:
            for group in range(family.groups):
                trial = prices.copy()
                trial[kind, group] += step * 10.0**-family.decimals
                lawful = family.project(trial)
                if not np.array_equal(lawful, prices):
                    found.setdefault(lawful.tobytes(), lawful)
    return list(found.values())


def level_where(family: Family, prices: Array, over: Callable[[Array], float]) -> Array:
    """The same for any promise: ``over`` tells by how much a lawful price vector breaks it."""
    rise, sink = _reach(family.high[0] - prices[0]), _reach(prices[1] - family.low[1])
    fall, lift = _reach(prices[0] - family.low[0]), _reach(family.high[1] - prices[1])
    tried = {}

    def along(way: float) -> Array:
        charge = min(max(way, -fall), rise)
        discharge = min(max(charge - way, -sink), lift)
        return family.project(prices + np.array([[charge], [discharge]]))

    def excess(way: float) -> float:
        tried[way] = over(along(way))
        return tried[way]

    here = excess(0.0)
    end = rise + sink if here < 0.0 else -fall - lift
    if here == 0.0 or excess(end) * here > 0.0:
        return along(end if here > 0.0 else 0.0)
    # Prices go in ticks, and so does the excess: take the side on which the promise is kept.
    xtol = 0.3 * 10.0**-family.decimals
    brentq(excess, min(0.0, end), max(0.0, end), xtol=xtol, maxiter=60, disp=False)
    return along(max(way for way, excess in tried.items() if excess <= 0.0))


def _reach(room: Array) -> float:
    """How far a shift can go before it has used up all room."""
    return max(float(room.max()), 0.0)
