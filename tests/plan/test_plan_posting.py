"""Plans under rules of the operator's own, against all tariffs there are on a grid of prices."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from builders import scenario_of, small_situation
from hubwise.dispatch import EXACTLY, make_baseline, make_problem
from hubwise.domain import Cap, Posting, Search, Tariff
from hubwise.plan import make_plan
from hubwise.plan.participation import willing
from hubwise.plan.relaxed import relaxed_problem
from hubwise.plan.rule_costs import rule_costs
from hubwise.pricing import bound_family, broken_rules, make_family, value_of
from hubwise.scenario.arbitrage import check_tariff

RULES = {
    "order": Posting(keeps_order=True, discharge_at_most_charge=True),
    "steps": Posting(step_max=0.1, charge_at_least_purchase=True),
    "levels": Posting(levels_max=1.0, cap=Cap.STAY),
    "changes": Posting(changes_max=1.0, cap=Cap.OCCUPIED, fills_empty=True),
}


def ruled(posting, seed=4):
    """A small hub with few prices in tenths, under rules of its own."""
    situation = small_situation(seed, sessions=4, hubs=1, slots=16, levels=2, station=False)
    most = situation.rules.charge_price_max
    rules = replace(
        situation.rules,
        posting=posting,
        decimals=1,
        charge_price_max=most if posting.cap is Cap.SLOT else np.full(16, most.max()),
    )
    search = Search(evaluations=60, seed=1, boxes=200)
    return scenario_of(replace(situation, rules=rules), search=search)


def best_on_grid(scenario):
    """The most that any tariff brings that breaks no rule, each asked who takes part."""
    situation, found = scenario.situation, []
    baseline, family = make_baseline(situation), make_family(situation)
    charge = np.arange(np.floor(family.low[0].min() * 10), family.high[0].max() * 10 + 1) / 10.0
    discharge = np.array([0.0, 0.3, 0.6])
    asked = situation.fleet.participating
    for prices in product(*[charge] * family.groups, *[discharge] * family.groups):
        tariff = family.tariff(np.array(prices).reshape(2, -1))
        if broken_rules(situation, tariff):
            continue
        if check_tariff(tariff, situation.fleet, situation.hubs, situation.horizon):
            continue
        ready = willing(situation, tariff, asked)
        problem = make_problem(ready, baseline.limits, everybody=baseline.schedule)
        found.append(value_of(problem, tariff, rounds=EXACTLY).merit)
    return max(found)


@pytest.mark.parametrize("name", RULES)
def test_the_best_lawful_tariff_is_found_and_bounded(name) -> None:
    """No tariff on the grid brings more than the plan's, and none passes the family's bound."""
    scenario = ruled(RULES[name])
    best = best_on_grid(scenario)
    plan = make_plan(scenario)
    assert broken_rules(scenario.situation, plan.tariff) == ()
    profit = plan.result.money.operator_profit
    assert profit >= best - 0.02 * abs(best) - 1e-6
    situation = scenario.situation
    problem, relaxed = relaxed_problem(situation, make_baseline(situation))
    bound = bound_family(problem, make_family(situation), relaxed, boxes=200)
    assert bound.profit >= best - 1e-6 * (1.0 + abs(best))


def test_each_rule_has_a_cost_that_is_no_gain() -> None:
    """Plans without each rule, and without all, bring no less; what binds costs something."""
    scenario = ruled(Posting(levels_max=1.0, discharge_at_most_charge=True))
    costs = rule_costs(scenario, make_plan(scenario))
    by_rule = {cost.rule: cost for cost in costs}
    rules = ["discharge_at_most_charge", "levels_max", "cap", "decimals", "all together"]
    assert list(by_rule) == rules
    assert min(cost.cost for cost in costs) >= 0.0
    assert by_rule["all together"].cost == max(cost.cost for cost in costs) > 0.0


def test_a_given_tariff_that_is_held_is_posted_as_it_is() -> None:
    """Also where some decline it and the rest then pay more than was promised."""
    scenario = ruled(Posting())
    promised = replace(scenario.situation.promises, saving=0.3)
    scenario = scenario.having(promises=promised)
    dear = np.full((1, 16), scenario.situation.market.reference_price.max())
    tariff = Tariff(dear, np.zeros_like(dear))
    plan = make_plan(scenario, tariff=tariff, held=True)
    assert np.array_equal(plan.tariff.charge_price, dear)
    for cost, saved in zip(plan.bills.net_cost, plan.bills.reference_cost, strict=True):
        assert cost <= saved + 1e-9
