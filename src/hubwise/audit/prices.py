"""Prices: is the posted tariff one that the rules allow?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hubwise.audit.conduct import Conduct
from hubwise.audit.evidence import Evidence
from hubwise.audit.felt import felt_prices
from hubwise.audit.posting import check_posting, slots_with_cars
from hubwise.audit.report import Check, agree, judge, worst_of
from hubwise.domain import Scenario
from hubwise.domain.arrays import Index

PRICE = 1e-9  # currency/kWh


def check_prices(evidence: Evidence, conduct: Conduct) -> Iterator[Check]:
    """The rules of a posted tariff, or that it is the reference tariff."""
    if conduct.posts_prices:
        yield _bounds(evidence)
        if np.isfinite(evidence.scenario.situation.rules.average_cap):
            yield _average(evidence)
        yield _family(evidence)
        yield _decimals(evidence)
        yield _arbitrage(evidence)
        yield from check_posting(evidence, price_groups(evidence.scenario))
    else:
        yield _reference(evidence)


def _bounds(evidence: Evidence) -> Check:
    rules, tariff, axes = evidence.scenario.situation.rules, evidence.tariff, evidence.hubs_axes
    sides = {
        "charge_price": (tariff.charge_price, rules.charge_price_min, rules.charge_price_max),
        "discharge_price": (
            tariff.discharge_price,
            rules.discharge_price_min,
            rules.discharge_price_max,
        ),
    }
    # What is filled from neighbours is theirs.
    shown = slots_with_cars(evidence) if rules.own.fills_empty else True
    return judge(
        "prices: bounds",
        "Every posted price is within the scenario's bounds",
        [
            worst_of(
                np.where(shown, np.maximum(price - high, low - price), 0.0), axes, f"prices.{name}"
            )
            for name, (price, low, high) in sides.items()
        ],
        PRICE,
        advice="post other prices, or widen the bounds in the scenario's rules",
    )


def _average(evidence: Evidence) -> Check:
    mean = evidence.tariff.charge_price.mean(axis=1)
    return judge(
        "prices: average cap",
        "No hub's charge price is on average above the cap",
        worst_of(
            mean - evidence.scenario.situation.rules.average_cap,
            evidence.hubs_axes[:1],
            "prices.charge_price",
        ),
        PRICE,
        advice="lower the charge prices, or raise the cap in the scenario's rules",
    )


def _family(evidence: Evidence) -> Check:
    rules, tariff = evidence.scenario.situation.rules, evidence.tariff
    group = price_groups(evidence.scenario)
    _, first = np.unique(group, return_index=True)
    leader = first[np.searchsorted(group[first], group)]
    hub = slice(None) if rules.per_hub else np.zeros(len(tariff.charge_price), dtype=np.int64)
    prices = {
        "prices.charge_price": tariff.charge_price,
        "prices.discharge_price": tariff.discharge_price,
    }
    return agree(
        "prices: family",
        f"Prices have the form of the family '{rules.family}', "
        f"{'hub by hub' if rules.per_hub else 'the same at all hubs'}",
        {name: (price, price[hub][:, leader]) for name, price in prices.items()},
        evidence.hubs_axes,
        PRICE,
        advice="prices must be the same in all slots of a block or hour, and at all hubs "
        "unless the rules say per_hub",
    )


def price_groups(scenario: Scenario) -> Index:
    """Which slots share a price; shape (slots,)."""
    rules, horizon = scenario.situation.rules, scenario.situation.horizon
    match rules.family:
        case "flat":
            return np.zeros(horizon.slots, dtype=np.int64)
        case "time-of-use":
            return rules.block
        case "hourly":
            return np.arange(horizon.slots) * horizon.slot_minutes // 60
        case _:
            return np.arange(horizon.slots)


def _decimals(evidence: Evidence) -> Check:
    decimals, tariff = evidence.scenario.situation.rules.decimals, evidence.tariff
    prices = {
        "prices.charge_price": tariff.charge_price,
        "prices.discharge_price": tariff.discharge_price,
    }
    return agree(
        "prices: decimals",
        f"Posted prices have at most {decimals} decimals",
        {name: (price, np.round(price, decimals)) for name, price in prices.items()},
        evidence.hubs_axes,
        PRICE,
        advice="round the prices before drivers answer them",
    )


def _reference(evidence: Evidence) -> Check:
    tariff, market = evidence.tariff, evidence.scenario.situation.market
    reference = np.broadcast_to(market.reference_price, tariff.charge_price.shape)
    return agree(
        "prices: reference tariff",
        "Nobody posts prices: everybody pays the reference tariff, discharging earns nothing",
        {
            "prices.charge_price": (tariff.charge_price, reference),
            "prices.discharge_price": (tariff.discharge_price, np.zeros_like(reference)),
        },
        evidence.hubs_axes,
        PRICE,
        advice="this strategy has no tariff of its own",
    )


def _arbitrage(evidence: Evidence) -> Check:
    """For every two-way participant, in every slot of its stay: r * gain * loss <= c + w * gain.

    At the prices of the list that it was offered, and what terms give beside.
    """
    fleet = evidence.fleet
    two_way = fleet.participating & (fleet.discharge_kw_max > 0)
    charge, discharge = felt_prices(evidence)
    round_trip = (fleet.charge_efficiency * fleet.discharge_efficiency)[:, None]
    wear = (fleet.wear_cost * fleet.charge_efficiency)[:, None]
    gained = np.where(evidence.stay, discharge * round_trip - charge - wear, -np.inf)
    return judge(
        "prices: no arbitrage",
        "Buying and selling in the same slot never pays",
        worst_of(
            gained[two_way],
            [("session", fleet.session[two_way].tolist()), *evidence.slots_axis],
            "prices for",
        ),
        PRICE,
        advice="lower the discharge price or raise the charge price of this slot",
    )
