"""Who takes part at posted prices: drivers who would save less than they ask for stay out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hubwise.dispatch import Baseline, make_problem
from hubwise.domain import Fleet, Horizon, Market, Situation, Tariff, Terms
from hubwise.domain.arrays import Array, Flags
from hubwise.drivers import Batteries, batteries_of, felt_response, uncoordinated
from hubwise.pricing import Family, coarse_to_fine, cost_ceiling, level_prices, participants_pay

# Most turns of asking who takes part and giving way to those who do.
AGREEING = 10
# A saving within this much of what is asked for is what is asked for [currency].
ROUNDING = 1e-9


def savings(
    fleet: Fleet, tariff: Tariff, market: Market, horizon: Horizon, terms: Terms | None = None
) -> Array:
    """What every session saves by its best response at posted prices; shape (sessions,) [currency].

    Measured against charging at once at the reference tariff, wear included; on both sides the
    worth of energy above the required is taken off. It does not depend on who else takes part:
    whatever the dispatch chooses is a best response. What ``terms`` give is part of the saving.
    """
    beside = terms or Terms()
    _, least = felt_response(fleet, tariff, horizon, beside.sums(horizon.slots))
    lump = beside.total("lump_to_driver", 0)[fleet.groups]
    saved: Array = reference_costs(fleet, market, horizon) - (least - lump)
    return saved


def reference_costs(fleet: Fleet, market: Market, horizon: Horizon) -> Array:
    """What charging at once at the reference tariff costs, as drivers feel it; shape (sessions,).

    The worth of energy above the required is taken off [currency].
    """
    at_once = uncoordinated(fleet, horizon)
    surplus_kwh = at_once.energy_kwh[:, -1] - fleet.required_kwh
    paid: Array = horizon.slot_hours * (at_once.charge_kw @ market.reference_price)
    return paid - fleet.surplus_value * surplus_kwh


def willing(situation: Situation, tariff: Tariff, asked: Flags) -> Situation:
    """The situation with those of whom were ``asked`` who save their minimum at ``tariff``.

    It depends on nothing but prices and batteries: at the same ones the same drivers take part,
    whoever did before.

    Parameters
    ----------
    situation, tariff
        What is given, and posted.
    asked
        Who is asked to take part; shape (sessions,).
    """
    fleet = situation.fleet
    saved = savings(fleet, tariff, situation.market, situation.horizon, situation.terms)
    fleet = fleet.with_participating(asked & (saved >= fleet.minimum_saving - ROUNDING))
    same = np.array_equal(fleet.participating, situation.fleet.participating)
    return situation if same else replace(situation, fleet=fleet)


def agreed(
    situation: Situation, tariff: Tariff, asked: Flags, baseline: Baseline
) -> tuple[Situation, Tariff]:
    """Who takes part, and a tariff at which what they are promised together is kept.

    Where some decline, the others may pay more than was promised; prices then give way, which
    brings drivers in and never drives one out.
    """
    for _ in range(AGREEING):
        ready = willing(situation, tariff, asked)
        if not (asked & ~ready.fleet.participating).any():
            break
        problem = make_problem(ready, baseline.limits, everybody=baseline.schedule)
        family = family_of_all(ready, asked)
        prices = family.posted(tariff)
        if participants_pay(problem, family, prices) <= cost_ceiling(problem):
            break
        tariff = family.tariff(level_prices(problem, family, prices))
    return willing(situation, tariff, asked), tariff


def family_of_all(situation: Situation, asked: Flags) -> Family:
    """The finest tariff family, lawful towards all who were asked."""
    everybody = situation.fleet.with_participating(asked)
    return coarse_to_fine(replace(situation, fleet=everybody))[-1]


def most_saving(situation: Situation, wear_cost: Array) -> Array:
    """At least what any tariff within the price rules lets a stay save; shape (sessions,).

    As if charging cost the lowest charge price of the stay all the time and discharging earned the
    highest discharge price; each slot still does only one of the two. Who asks for more than this
    is told that no lawful tariff can give it [currency].

    Parameters
    ----------
    situation
        Drivers and what they wish.
    wear_cost
        What a kWh drawn costs in battery life; shape (sessions,) [currency/kWh].
    """
    fleet, rules = replace(situation.fleet, wear_cost=wear_cost), situation.rules
    stays = list(zip(fleet.arrival_slot, fleet.departure_slot, strict=True))
    low = np.array([rules.charge_price_min[a:d].min() for a, d in stays])
    high = np.array([rules.discharge_price_max[a:d].max() for a, d in stays])
    # What terms give beside: the most of any slot, and once.
    terms, group = situation.terms.sums(situation.horizon.slots), fleet.groups
    lump = situation.terms.total("lump_to_driver", 0)[group]
    low = low - terms.charge_to_driver.max(axis=1)[group]
    high = high + terms.discharge_to_driver.max(axis=1)[group]
    # Per kWh into and out of the battery; energy above the required counts at what it is worth.
    stored = low / fleet.charge_efficiency - fleet.surplus_value
    drawn = fleet.discharge_efficiency * high - fleet.wear_cost - fleet.surplus_value
    batteries = batteries_of(fleet, situation.horizon)
    if fleet.inside_slots:  # of slots used in part, what they allow while the car is there
        share = fleet.presence(situation.horizon.slots)
        share = np.where(share > 0.0, share, 1.0)
        batteries = batteries._replace(up=batteries.up / share, down=batteries.down / share)
    cost = _least_cost(fleet, batteries, stored, drawn)
    at_arrival = fleet.surplus_value * (fleet.arrival_kwh - fleet.required_kwh)
    at_arrival = at_arrival + lump
    most: Array = reference_costs(fleet, situation.market, situation.horizon) - (cost - at_arrival)
    return most


def _least_cost(fleet: Fleet, batteries: Batteries, stored: Array, drawn: Array) -> Array:
    """Least cost where a kWh stored costs ``stored`` and a kWh drawn earns ``drawn``, all day.

    For each amount drawn the best amount stored is an end of its range; the cost is then linear
    between few amounts drawn, and all of them are tried. Shape (sessions,) [currency].
    """
    slots = fleet.ends - fleet.begins
    # Where bounds change over the stay, the widest.
    up, down = np.maximum(batteries.up.max(axis=1), 1e-12), batteries.down.max(axis=1)
    most_kwh = np.maximum(batteries.most.max(axis=1), fleet.arrival_kwh)
    lack, room = batteries.target - fleet.arrival_kwh, most_kwh - fleet.arrival_kwh
    per_slot = 1.0 / np.maximum(down, 1e-12)  # slots that a kWh drawn takes
    both = per_slot + 1.0 / up
    most = np.minimum(slots / per_slot, (slots - lack / up) / both)
    most = np.minimum(most, fleet.discharge_limit_kwh).clip(0.0)
    kinks = (np.zeros_like(lack), most, -lack, (slots - room / up) / both)
    costs = []
    for kink in kinks:
        out = kink.clip(0.0, most)
        least = np.maximum(lack + out, 0.0)
        free = np.minimum(room + out, up * (slots - out * per_slot))
        into = np.where(stored >= 0.0, least, np.maximum(free, least))
        costs.append(stored * into - drawn * out)
    cost: Array = np.min(costs, axis=0)
    return cost
