"""The most any tariff can bring the operator."""

from __future__ import annotations

import numpy as np

from hubwise.dispatch import Dispatch, Problem, social_cost_bound
from hubwise.domain import Tariff
from hubwise.drivers import felt_response
from hubwise.pricing.value import cost_ceiling, reference_cost


def profit_bound(problem: Problem, relaxed: Dispatch) -> float:
    """No tariff of any family brings a higher profit than this [currency].

    What drivers pay, wear included, is at most what the saving promise leaves, and what the price
    rules allow; what the whole costs is at least `social_cost_bound`. The feeder is the linear one
    of ``problem``.
    """
    hubs = problem.situation.hubs
    most_paid = min(cost_ceiling(problem), _dearest(problem))
    fixed = float(hubs.lease_cost.sum() + hubs.running_cost.sum())
    group, terms = problem.fleet.groups, problem.situation.terms
    # Lump sums come whatever is done: to drivers, who pay so much more then, and to the operator.
    lump = terms.total("lump_to_driver", 0) + terms.total("lump_to_operator", 0)
    return most_paid + float(lump[group].sum()) - social_cost_bound(problem, relaxed) - fixed


def _dearest(problem: Problem) -> float:
    """The most that participants pay at any tariff of the price rules [currency].

    A driver's optimal cost rises with every charge price and falls with every discharge price, so
    it is highest at the dearest charge and the lowest discharge prices; what surplus energy may be
    worth is added back at its most. No driver may pay more than uncoordinated, which a driver could
    still do, but for what it gains in energy of some worth; what bounds make the battery give then,
    wears it.
    """
    situation, fleet = problem.situation, problem.fleet
    rules, shape = situation.rules, (len(situation.hubs), 1)
    charge, discharge = (
        np.tile(price, shape) for price in (rules.charge_price_max, rules.discharge_price_min)
    )
    if situation.accepted is not None:
        charge = np.concatenate([charge, situation.accepted.charge_price])
        discharge = np.concatenate([discharge, situation.accepted.discharge_price])
    corner = Tariff(charge, discharge)
    _, cost = felt_response(fleet, corner, situation.horizon, problem.terms)
    cost = cost - situation.terms.total("lump_to_driver", 0)[fleet.groups]
    full, mine = np.maximum(fleet.max_kwh, fleet.arrival_kwh), situation.fleet.participating
    surplus = fleet.surplus_value * np.maximum(full - fleet.required_kwh, 0.0)
    forced = problem.uncoordinated.discharge_kw[mine].sum(axis=1)
    worn = situation.horizon.slot_hours * fleet.wear_cost / fleet.discharge_efficiency * forced
    more_kwh = np.maximum(full - problem.uncoordinated.energy_kwh[mine, -1], 0.0)
    more = worn + fleet.surplus_value * more_kwh
    return min(float((cost + surplus).sum()), reference_cost(problem) + float(more.sum()))
