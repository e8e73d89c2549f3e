"""Bills: what every driver pays, earns and saves, one row a session."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hubwise.domain import Fleet, Horizon, Market, Schedule, Tariff, Terms
from hubwise.domain.arrays import Array, Names

# Less than this is rounding, and not credited [currency].
LEAST_CREDIT = 1e-7


@dataclass(frozen=True, slots=True)
class Bills:
    """Every session's bill, as columns of shape (sessions,), unrounded.

    Parameters
    ----------
    driver, session
        Identifiers.
    charged_kwh, discharged_kwh
        Energy measured at the charger (AC side) [kWh].
    paid, earned
        For charging, and from discharging [currency].
    wear
        What the energy drawn from the battery costs in battery life [currency].
    received
        Under terms, beside the price list [currency].
    credited
        By the operator, for a schedule that costs more than the driver's least [currency].
    net_cost
        ``paid - earned + wear - received - credited`` [currency].
    reference_cost
        What the same session pays uncoordinated at the reference tariff [currency].
    saving
        ``reference_cost - net_cost`` [currency].
    best_response_cost
        The driver's least cost at the billed prices, what energy above the required is worth
        taken off [currency].
    regret
        The driver's cost under the schedule, the same worth taken off, less
        ``best_response_cost`` [currency].
    """

    driver: Names
    session: Names
    charged_kwh: Array
    discharged_kwh: Array
    paid: Array
    earned: Array
    wear: Array
    net_cost: Array
    reference_cost: Array
    saving: Array
    best_response_cost: Array
    regret: Array
    received: Array
    credited: Array


def session_prices(fleet: Fleet, tariff: Tariff, market: Market) -> tuple[Array, Array]:
    """Charge and discharge price that every session is billed at, in every slot.

    Participating sessions are billed at the price list that they were offered; the others at the
    reference tariff, and discharging earns them nothing.

    Returns
    -------
    tuple
        Charge price and discharge price; each of shape (sessions, slots) [currency/kWh].
    """
    participants = fleet.participating[:, None]
    charge = np.where(participants, tariff.charge_price[fleet.lists], market.reference_price)
    discharge = np.where(participants, tariff.discharge_price[fleet.lists], 0.0)
    return charge, discharge


def make_bills(
    fleet: Fleet,
    tariff: Tariff,
    market: Market,
    horizon: Horizon,
    *,
    schedule: Schedule,
    uncoordinated: Schedule,
    best_response_cost: Array,
    terms: Terms | None = None,
) -> Bills:
    """Bill every session for its schedule.

    Parameters
    ----------
    fleet, tariff, market, horizon
        Who is billed, at which prices, over which slots.
    schedule
        What the sessions do.
    uncoordinated
        What they would do uncoordinated; gives the reference cost.
    best_response_cost
        Least cost of every session at the prices it is billed at; shape (sessions,) [currency].
        Those of non-participating sessions are not used: nobody schedules them, so their own cost
        stands in its place and their regret is zero.
    terms
        What participants receive beside the price list.
    """
    charge_price, discharge_price = session_prices(fleet, tariff, market)
    hours = horizon.slot_hours
    paid = hours * _row_sums(charge_price, schedule.charge_kw)
    earned = hours * _row_sums(discharge_price, schedule.discharge_kw)
    discharged = hours * schedule.discharge_kw.sum(axis=1)
    wear = fleet.wear_cost * discharged / fleet.discharge_efficiency
    received = _received(fleet, schedule, horizon, terms or Terms())
    net_cost = paid - earned + wear - received
    reference_cost = hours * (uncoordinated.charge_kw @ market.reference_price)
    surplus_kwh = schedule.energy_kwh[:, -1] - fleet.required_kwh
    felt_cost = net_cost - fleet.surplus_value * surplus_kwh
    least_cost = np.where(fleet.participating, best_response_cost, felt_cost)
    return Bills(
        driver=fleet.driver_name,
        session=fleet.session,
        charged_kwh=hours * schedule.charge_kw.sum(axis=1),
        discharged_kwh=discharged,
        paid=paid,
        earned=earned,
        wear=wear,
        net_cost=net_cost,
        reference_cost=reference_cost,
        saving=reference_cost - net_cost,
        best_response_cost=least_cost,
        regret=felt_cost - least_cost,
        received=received,
        credited=np.zeros(len(fleet)),
    )


def with_credits(bills: Bills) -> Bills:
    """The bills with every regret credited: what a schedule costs above its driver's least."""
    credited = np.where(bills.regret > LEAST_CREDIT, bills.regret, 0.0)
    return replace(
        bills,
        credited=bills.credited + credited,
        net_cost=bills.net_cost - credited,
        saving=bills.saving + credited,
        regret=bills.regret - credited,
    )


def _received(fleet: Fleet, schedule: Schedule, horizon: Horizon, terms: Terms) -> Array:
    """What every participant receives under terms; shape (sessions,) [currency]."""
    sums, group = terms.sums(horizon.slots), fleet.groups
    received = np.where(fleet.participating, terms.total("lump_to_driver", 0)[group], 0.0)
    if sums.felt:
        paid = _row_sums(sums.charge_to_driver[group], schedule.charge_kw)
        paid = paid + _row_sums(sums.discharge_to_driver[group], schedule.discharge_kw)
        received = received + np.where(fleet.participating, horizon.slot_hours * paid, 0.0)
    return received


def _row_sums(price: Array, power: Array) -> Array:
    sums: Array = np.einsum("st,st->s", price, power)
    return sums
