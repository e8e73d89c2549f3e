"""The rules that an operator has set itself: does the posted tariff keep each of them?

Written down afresh from what they say, one number for every place that could break one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from hubwise.audit.evidence import Evidence
from hubwise.audit.report import Check, Finding, judge, words, worst_of
from hubwise.domain import Cap
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.domain.plain import named, number, rows

PRICE = 1e-9  # currency/kWh
ADVICE = "post other prices, or change the scenario's rules"


def check_posting(evidence: Evidence, group: Index) -> Iterator[Check]:
    """Every rule that is set; ``group``: which slots share a price in the family."""
    situation, tariff = evidence.scenario.situation, evidence.tariff
    own, market, axes = situation.rules.own, situation.market, evidence.hubs_axes
    if not own.set_rules:
        return
    charge, discharge = tariff.charge_price, tariff.discharge_price
    cars = slots_with_cars(evidence)

    def rule(name: str, promise: str, excess: Array, what: str = "prices.charge_price") -> Check:
        found = worst_of(excess, axes, what)
        return judge(f"prices: {name}", promise, found, PRICE, advice=ADVICE)

    if own.cap is not Cap.STAY:
        counted = cars if own.cap is Cap.OCCUPIED or own.fills_empty else np.ones_like(cars)
        above = np.where(counted, charge - market.reference_price, -np.inf)
        yield rule("cap", "No charge price that counts is above the reference tariff", above)
    if own.charge_at_least_purchase:
        below = np.where(cars, market.purchase_price - charge, -np.inf)
        yield rule("purchase", "With cars there, charging costs at least the purchase price", below)
    if own.discharge_at_most_charge:
        promise = "No discharge price is above the charge price of its slot"
        yield rule("pumping", promise, discharge - charge, "prices.discharge_price")
    if np.isfinite(own.step_max):
        yield _steps(evidence, own.step_max)
    if own.keeps_order:
        shown = cars if own.fills_empty else np.ones_like(cars)
        promise = "Who charges in a slot of a higher purchase price pays no less"
        yield rule("order", promise, _out_of_order(charge, market.purchase_price, shown))
    if np.isfinite([own.levels_max, own.changes_max]).any():
        yield _counts(evidence)
    if own.fills_empty:
        yield _filled(evidence, group)


def check_rule_costs(evidence: Evidence) -> Iterator[Check]:
    """What rules cost follows from the profits without them; those rest on plans of their own."""
    said = evidence.folder.summary.get("rule_costs")
    if said is None:
        return
    profit, due = number(evidence.result["operator_profit"]), named(said)
    faults = [] if number(due["profit"]) == profit else [f"profit: {due['profit']!r}"]
    faults += [
        f"{line['rule']}: cost {line['cost']!r}"
        for line in rows(due["rules"])
        if not _follows(number(line["cost"]), number(line["profit_without"]) - profit)
    ]
    yield words(
        "summary: rule costs",
        "A rule costs what the profit without it is above the plan's, and never less than nothing",
        [f"summary.json, rule_costs, {fault}" for fault in faults],
        "make the plan again",
    )


def _follows(cost: float, above: float) -> bool:
    return cost >= 0.0 and abs(cost - above) <= PRICE * (1.0 + abs(above))


def slots_with_cars(evidence: Evidence) -> Flags:
    """Slots in which a car stays where these prices are on the sign; shape (hubs, slots).

    A sign that nobody ever sees counts in every slot.
    """
    present = np.zeros(evidence.tariff.charge_price.shape, dtype=bool)
    for hub, stay in zip(evidence.fleet.hub, evidence.stay, strict=True):
        present[hub] |= stay
    if not evidence.scenario.situation.rules.per_hub:
        present[:] = present.any(axis=0)
    present |= ~present.any(axis=1, keepdims=True)
    return present


def _steps(evidence: Evidence, most: float) -> Check:
    hub, slot = evidence.hubs_axes
    axes = [hub, (slot[0], slot[1][1:])]
    tariff = evidence.tariff
    prices = {"charge_price": tariff.charge_price, "discharge_price": tariff.discharge_price}
    return judge(
        "prices: steps",
        f"No price changes by more than {most:g} from one slot to the next",
        [
            worst_of(np.abs(np.diff(price, axis=1)) - most, axes, f"prices.{name}")
            for name, price in prices.items()
        ],
        PRICE,
        advice=ADVICE,
    )


def _out_of_order(charge: Array, purchase: Array, shown: Flags) -> Array:
    """By how much a slot costs less than a cheaper one; shape (hubs, slots)."""
    cheaper = purchase[:, None] > purchase[None, :] + 1e-12
    out = np.full(charge.shape, -np.inf)
    for hub, row in enumerate(charge):
        told = cheaper & shown[hub][:, None] & shown[hub][None, :]
        out[hub] = np.where(told, row[None, :] - row[:, None], -np.inf).max(axis=1)
    return out


def _counts(evidence: Evidence) -> Check:
    """How many prices and changes of prices there are on each sign, beyond what is allowed."""
    own, tariff = evidence.scenario.situation.rules.own, evidence.tariff
    findings = []
    names = evidence.scenario.situation.hubs.name
    for name, charge, discharge in zip(
        names, tariff.charge_price, tariff.discharge_price, strict=False
    ):
        posted = list(zip(charge.tolist(), discharge.tolist(), strict=True))
        changes = sum(now != before for before, now in pairwise(posted))
        kinds = {"charge_price": len(set(charge)), "discharge_price": len(set(discharge))}
        findings += [
            Finding(float(count - own.levels_max), f"levels of prices.{kind}, hub {name}")
            for kind, count in kinds.items()
        ]
        findings.append(Finding(float(changes - own.changes_max), f"changes of prices, hub {name}"))
    return judge(
        "prices: counts",
        f"At most {own.levels_max:g} prices of a kind and {own.changes_max:g} changes on a sign",
        findings,
        0.0,
        advice=ADVICE,
    )


def _filled(evidence: Evidence, group: Index) -> Check:
    """Groups without cars show what the nearest slot with cars does, the earlier of two."""
    tariff, cars = evidence.tariff, slots_with_cars(evidence)
    prices = {"charge_price": tariff.charge_price, "discharge_price": tariff.discharge_price}
    due = {name: price.copy() for name, price in prices.items()}
    for hub, row in enumerate(cars):
        for empty in set(group.tolist()) - set(group[row].tolist()):
            mine = np.flatnonzero(group == empty)
            near = min(np.flatnonzero(row), key=lambda t: (abs(mine - t).min(), t))
            for name, price in prices.items():
                due[name][hub, mine] = price[hub, near]
    return judge(
        "prices: filled",
        "Where no car stays, the sign shows what the nearest slot with cars does",
        [
            worst_of(np.abs(price - due[name]), evidence.hubs_axes, f"prices.{name}")
            for name, price in prices.items()
        ],
        PRICE,
        advice=ADVICE,
    )
