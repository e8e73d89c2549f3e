"""The most any tariff can bring the operator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.dispatch import (
    Dispatch,
    Problem,
    least_cost,
    places_of,
    prices_of_limits,
    social_cost_bound,
)
from hubwise.domain import Cap, Tariff
from hubwise.domain.arrays import Array, Flags
from hubwise.drivers import felt_response

# How hard the saving promise may press, from not at all to wholly.
PRESSES = np.linspace(0.0, 1.0, 21)
# A saving within this much of what is asked for is what is asked for [currency].
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class ProfitBound:
    """A bound on the profit of every tariff, and what each session has in it.

    Parameters
    ----------
    profit
        No tariff brings more [currency].
    out
        Whoever costs the operator more than this is worth more where it stays out; shape
        (sessions,) [currency]. Infinite for whoever takes part at every lawful tariff.
    """

    profit: float
    out: Array


def profit_bound(problem: Problem, relaxed: Dispatch) -> float:
    """No tariff of any family brings a higher profit than this [currency].

    What drivers pay, wear included, is at most what the saving promise leaves, what the price
    rules allow, and what leaves each the saving that it asks for; what the whole costs is at least
    `social_cost_bound`. Whoever some lawful tariff leaves less may stay out, and charges at once:
    of both, the better for the operator counts. The feeder is the linear one of ``problem``.

    Parameters
    ----------
    problem
        With all who are asked to take part as its participants, whoever would at some prices.
    relaxed
        A dispatch without a tariff, for the prices of the shared limits.
    """
    return bound_profit(problem, relaxed).profit


def bound_profit(problem: Problem, relaxed: Dispatch) -> ProfitBound:
    """The same, with what each session has in it.

    The saving promise is over all who take part: it presses on each by the same share, and every
    share gives a bound.
    """
    situation, fleet = problem.situation, problem.fleet
    hubs, terms, past = situation.hubs, situation.terms, situation.so_far
    price = prices_of_limits(problem, relaxed)
    least = least_cost(problem, price)
    fixed = float(hubs.lease_cost.sum() + hubs.running_cost.sum())
    rest = social_cost_bound(problem, relaxed) - float(least.sum()) + fixed
    # Lump sums come whatever is done: to drivers, who pay so much more then, and to the operator.
    lump = terms.total("lump_to_driver", 0) + terms.total("lump_to_operator", 0)
    most, (_, declines) = _most_paid(problem), most_felt(problem)
    outside = np.where(declines, _outside(problem, price), -np.inf)
    share, reference = situation.promises.saving, _reference_costs(problem)
    found = []
    for press in PRESSES if np.isfinite(share) else (0.0,):
        promised = press * share if press else 0.0
        paid = (1.0 - press) * most + promised * reference + lump[fleet.groups]
        before = promised * past.reference_cost - press * past.paid
        profit = before + float(np.maximum(paid - least, outside).sum()) - rest
        found.append(ProfitBound(profit, paid - outside))
    return min(found, key=lambda bound: bound.profit)


def most_felt(problem: Problem) -> tuple[Array, Flags]:
    """The most that each participant's cost, as it feels it, may be for it to take part.

    It would not save what it asks for against charging at once at the reference tariff else; the
    worth of energy above the required is taken off on both sides. And whether some tariff of the
    price rules costs it more: at the dearest charge and the lowest discharge prices. Both of shape
    (sessions,), the first [currency].
    """
    return _asked_for(problem), _dearest(problem) > _asked_for(problem) + ROUNDING


def _asked_for(problem: Problem) -> Array:
    fleet, mine = problem.fleet, problem.situation.fleet.participating
    surplus_kwh = problem.uncoordinated.energy_kwh[mine, -1] - fleet.required_kwh
    felt = _reference_costs(problem) - fleet.surplus_value * surplus_kwh
    lump = problem.situation.terms.total("lump_to_driver", 0)[fleet.groups]
    asked: Array = felt - fleet.minimum_saving + lump
    return asked


def _dearest(problem: Problem) -> Array:
    """The most that each participant's optimal cost is at a tariff of the price rules.

    It rises with every charge price and falls with every discharge price; (sessions,) [currency].
    """
    situation = problem.situation
    rules, shape = situation.rules, (len(situation.hubs), 1)
    most = rules.charge_price_max
    if rules.own.cap is Cap.OCCUPIED:  # in all slots that a stay can use
        most = np.minimum(most, situation.market.reference_price)
    charge, discharge = (np.tile(price, shape) for price in (most, rules.discharge_price_min))
    if situation.accepted is not None:
        charge = np.concatenate([charge, situation.accepted.charge_price])
        discharge = np.concatenate([discharge, situation.accepted.discharge_price])
    corner = Tariff(charge, discharge)
    _, cost = felt_response(problem.fleet, corner, situation.horizon, problem.terms)
    return cost


def _most_paid(problem: Problem) -> Array:
    """The most that each participant pays at a tariff of the price rules, less lump sums.

    What surplus energy may be worth is added back at its most. Nobody takes part who would not save
    what it asks for, but for what it gains in energy of some worth; what bounds make the battery
    give then, wears it. Shape (sessions,) [currency].
    """
    situation, fleet = problem.situation, problem.fleet
    mine = situation.fleet.participating
    full = np.maximum(fleet.max_kwh, fleet.arrival_kwh)
    surplus = fleet.surplus_value * np.maximum(full - fleet.required_kwh, 0.0)
    forced = problem.uncoordinated.discharge_kw[mine].sum(axis=1)
    worn = situation.horizon.slot_hours * fleet.wear_cost / fleet.discharge_efficiency * forced
    more_kwh = np.maximum(full - problem.uncoordinated.energy_kwh[mine, -1], 0.0)
    paid = _reference_costs(problem) + worn + fleet.surplus_value * more_kwh - fleet.minimum_saving
    lump = situation.terms.total("lump_to_driver", 0)[fleet.groups]
    most: Array = np.minimum(_dearest(problem) - lump + surplus, paid)
    return most


def _reference_costs(problem: Problem) -> Array:
    """What each participant pays uncoordinated, at the reference tariff; (sessions,) [currency]."""
    situation = problem.situation
    at_once = problem.uncoordinated.charge_kw[situation.fleet.participating]
    paid: Array = situation.horizon.slot_hours * (at_once @ situation.market.reference_price)
    return paid


def _outside(problem: Problem, price: Array) -> Array:
    """What each brings who stays out: its energy is bought, and paid, at the purchase price.

    At the prices of the shared limits it may cost more or less than that; shape (sessions,)
    [currency].
    """
    situation, mine = problem.situation, problem.situation.fleet.participating
    draw = problem.uncoordinated.charge_kw[mine] - problem.uncoordinated.discharge_kw[mine]
    apart = situation.market.purchase_price - price
    brings: Array = situation.horizon.slot_hours * (draw * apart[places_of(problem)]).sum(axis=1)
    return brings
