"""What price rules cost, on the command line and in a plan folder."""

from __future__ import annotations

from dataclasses import asdict

from hubwise.domain import Scenario, Strategy
from hubwise.plan import Plan
from hubwise.plan.price_search import Progress
from hubwise.plan.rule_costs import rule_costs
from hubwise.record import Appendix
from hubwise.scenario import Issue, ScenarioError


def costs_of(
    scenario: Scenario, made: Plan, method: str | None, progress: Progress | None
) -> Appendix:
    """What each price rule of a plan costs, as ``rule_costs`` of its summary.

    Raises
    ------
    ScenarioError
        If the plan posts no prices.
    """
    if made.strategy is not Strategy.HUBWISE:
        wrong = f"{made.strategy.value} posts no prices that rules could cost anything"
        right = f"leave --rule-costs out, or give --strategy {Strategy.HUBWISE.value}"
        raise ScenarioError([Issue("--strategy", "", "", wrong, right)])
    found = rule_costs(scenario, made, method=method, progress=progress)
    profit = made.result.money.operator_profit
    return Appendix("rule_costs", {"profit": profit, "rules": [asdict(cost) for cost in found]})
