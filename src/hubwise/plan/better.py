"""Where a plan is poor, and what would be better: told first, with the figure."""

from __future__ import annotations

from collections.abc import Sequence

from hubwise.record import Bounds, FeederFigures, Money, Ratios, WithoutPrices
from hubwise.record.advice import better_than


def better(
    money: Money,
    reference_margin: float,
    bounds: Bounds,
    best_without: WithoutPrices | None,
    currency: str,
) -> list[str]:
    """What would be better than these prices, in sentences, the plainest first.

    Parameters
    ----------
    money
        Of the plan.
    reference_margin
        What participants bring at the reference tariff, uncoordinated, without stations [currency].
    bounds
        How far the profit may be from the best.
    best_without
        What would be brought without prices, with the same promises and limits kept.
    currency
        In which amounts are told.
    """
    bound = bounds.family_bound if bounds.family_bound is not None else bounds.profit_bound
    return better_than(
        money.operator_profit,
        reference_margin,
        bound,
        best_without,
        currency,
        money.operator_profit_without_incentive,
    )


def best_of_keeping(
    found: Sequence[tuple[WithoutPrices, FeederFigures, Ratios]],
    plan: FeederFigures,
    peak_valley: float,
    saving: float,
) -> WithoutPrices | None:
    """The dearest of those that keep promises and break no limit that the plan keeps."""
    keeping = [
        one
        for one, feeder, ratios in found
        if (ratios.peak_valley_ratio or 0.0) <= peak_valley * (1 + 1e-9)
        and (ratios.participant_cost_ratio or 0.0) <= saving * (1 + 1e-9)
        and all(count <= plan.broken()[kind] for kind, count in feeder.broken().items())
    ]
    return max(keeping, key=lambda one: one.operator_profit, default=None)
