"""The most any tariff can bring the operator."""

from __future__ import annotations

from hubwise.dispatch import Dispatch, Problem, social_cost_bound
from hubwise.pricing.value import cost_ceiling


def profit_bound(problem: Problem, relaxed: Dispatch) -> float:
    """No tariff of any family brings a higher profit than this [currency].

    What drivers pay, wear included, is at most what the saving promise leaves, and never above
    their uncoordinated cost (no driver may be worse off); what the whole costs is at least
    `social_cost_bound`. The feeder is the linear one of ``problem``.
    """
    hubs = problem.scenario.hubs
    most_paid = min(cost_ceiling(problem), cost_ceiling(problem, promise=1.0))
    fixed = float(hubs.lease_cost.sum() + hubs.running_cost.sum())
    return most_paid - social_cost_bound(problem, relaxed) - fixed
