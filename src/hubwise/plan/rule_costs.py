"""What each price rule costs: plans without one rule after the other, and without all."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hubwise.domain import Cap, Market, PriceRules, Scenario
from hubwise.plan.model import Plan
from hubwise.plan.planner import make_plan
from hubwise.plan.price_search import Progress

# Prices of so many decimals count as free.
FINE = 4
ALL = "all together"


@dataclass(frozen=True, slots=True)
class RuleCost:
    """A rule, and what was found to cost.

    Parameters
    ----------
    rule, set_to
        Its key in the scenario's rules, and what that says.
    profit_without
        The operator's profit of a plan without it, at least that with it [currency].
    cost
        How much more that is than with it [currency].
    """

    rule: str
    set_to: str
    profit_without: float
    cost: float


def rule_costs(
    scenario: Scenario, made: Plan, *, method: str | None = None, progress: Progress | None = None
) -> tuple[RuleCost, ...]:
    """What each rule of the operator's own costs, found by a plan without it; at last all together.

    What is lawful with a rule is lawful without it, so no rule brings anything: where the search
    finds less without it, or prices that miss a promise, the plan in hand counts.

    Parameters
    ----------
    scenario
        What ``made`` is a plan of.
    made
        The plan under all rules.
    method, progress
        As in `hubwise.plan.make_plan`.
    """
    market, profit = scenario.situation.market, made.result.money.operator_profit
    dropped = _without(scenario.situation.rules, market)
    found: list[RuleCost] = []
    for rule, (set_to, rules) in dropped.items():
        freer = scenario.having(rules=rules).without_family_bound()
        other = make_plan(
            freer, participation=made.participation, method=method, progress=progress
        ).result
        worse = bool(other.advice) and not made.result.advice
        most = profit if worse else max(profit, other.money.operator_profit)
        if rule == ALL:  # what is lawful without one is lawful without all
            most = max(most, *(cost.profit_without for cost in found))
        found.append(RuleCost(rule, set_to, most, most - profit))
    return tuple(found)


def _without(rules: PriceRules, market: Market) -> dict[str, tuple[str, PriceRules]]:
    """The rules without each that is set, by its key with what it says; at last without all."""
    said = {name: _worded(value) for name, value in rules.own.set_rules.items() if name != "cap"}
    if rules.own.cap is not Cap.STAY:
        said["cap"] = rules.own.cap.value
    if np.isfinite(rules.average_cap):
        said["average_cap"] = _worded(rules.average_cap)
    if rules.decimals < FINE:
        said["decimals"] = str(rules.decimals)
    dropped = {name: (text, _dropped(rules, name, market)) for name, text in said.items()}
    free = rules
    for name in said:
        free = _dropped(free, name, market)
    return {**dropped, ALL: ("", free)} if len(said) > 1 else dropped


def _worded(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


def _dropped(rules: PriceRules, name: str, market: Market) -> PriceRules:
    """The rules without the one of a key."""
    match name:
        case "cap":
            return _uncapped(rules, market)
        case "average_cap":
            return replace(rules, average_cap=np.inf)
        case "decimals":
            return replace(rules, decimals=FINE)
        case _:
            own = rules.own.without(name)
            return replace(rules, posting=own if own.set_rules else None)


def _uncapped(rules: PriceRules, market: Market) -> PriceRules:
    """The rules with the reference tariff as the cap of stays, and no more of slots."""
    most, reference = rules.charge_price_max, market.reference_price
    if np.array_equal(most, reference):  # "reference", not a number
        most = np.full_like(most, reference.max())
    return replace(rules, charge_price_max=most, posting=replace(rules.own, cap=Cap.STAY))
