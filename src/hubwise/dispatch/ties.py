"""What else drivers might do at the same cost: ties broken without, or against, the operator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hubwise.dispatch.problem import Problem
from hubwise.dispatch.units import TIE
from hubwise.domain import Schedule, Tariff
from hubwise.drivers import best_response, felt_tariff

# Weight of what a device draws at random: so small that it moves nobody by a billionth.
LOT = 1e-11


def undelegated(problem: Problem, tariff: Tariff) -> Schedule:
    """Each participant's own device breaks ties as early as possible.

    Later slots seem dearer to charge in, and worse paid to discharge in, by a weight too small to
    buy regret.
    """
    horizon = problem.situation.horizon
    late = TIE * np.arange(horizon.slots) / horizon.slots
    fleet, felt = felt_tariff(problem.fleet, tariff, problem.terms)
    nudged = Tariff(felt.charge_price + late, felt.discharge_price - late)
    return best_response(fleet, nudged, horizon)[0]


def at_random(problem: Problem, tariff: Tariff, seed: int) -> Schedule:
    """Each participant's own device breaks ties by lot: every slot of a tie is as likely.

    Slots are drawn for every session on its own, from one generator: the same seed gives the same
    schedule. The lot weighs so little that each schedule costs its driver what is least.
    """
    fleet, felt = felt_tariff(problem.fleet, tariff, problem.terms)
    horizon = problem.situation.horizon
    lot = LOT * np.random.default_rng(seed).random((len(fleet), horizon.slots))
    drawn = Tariff(felt.charge_price[fleet.lists] + lot, felt.discharge_price[fleet.lists] - lot)
    return best_response(fleet.offered(np.arange(len(fleet))), drawn, horizon)[0]


def pessimistic(problem: Problem, tariff: Tariff) -> Schedule:
    """Each participant breaks ties against the operator: buys what is dearest to supply.

    On a tie a driver's payments fall by what its wear rises and rise with the worth of surplus
    energy, so it also prefers more wear and less surplus. Exact for the operator's profit where
    feed-in and purchase price are equal; else the purchase price stands for both.
    """
    situation, terms = problem.situation, problem.terms
    purchase = situation.market.purchase_price
    # A list for every session, where groups differ: what is worst for the operator does, too.
    fleet, felt = felt_tariff(problem.fleet, tariff, terms)
    spiteful = replace(
        fleet,
        wear_cost=(1.0 - TIE) * fleet.wear_cost,
        surplus_value=(1.0 - TIE) * fleet.surplus_value,
    )
    if terms.rest == 1:
        charge, discharge = terms.charge[0], terms.discharge[0]
    else:
        spiteful = spiteful.offered(np.arange(len(fleet)))
        felt = Tariff(felt.charge_price[fleet.lists], felt.discharge_price[fleet.lists])
        charge, discharge = terms.charge[fleet.groups], terms.discharge[fleet.groups]
    nudged = Tariff(
        felt.charge_price - TIE * (purchase - charge),
        felt.discharge_price - TIE * (purchase + discharge),
    )
    return best_response(spiteful, nudged, situation.horizon)[0]
