"""Where a plan is poor, and what would be better: told first, with the figure."""

from __future__ import annotations

from collections.abc import Sequence

from hubwise.record import Bounds, FeederFigures, Money, Ratios, WithoutPrices

# A gap to the bound above this share is worth a word.
LARGE_GAP = 0.1
# Amounts nearer than this share of the larger are the same.
SAME = 1e-6


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
    profit, said = money.operator_profit, []
    if best_without is not None and _more(best_without.operator_profit, profit):
        said.append(
            "this hub is better left without posted prices: "
            f"`--strategy {best_without.strategy}` brings {best_without.operator_profit:,.2f} "
            f"{currency} and keeps the same promises, where these prices bring {profit:,.2f}"
        )
    if profit < 0.0:
        said.append(
            f"the operator loses {-profit:,.2f} {currency}: promise less, or allow wider price "
            "bounds or a freer tariff family"
        )
    elif _more(reference_margin, profit):
        said.append(
            f"the profit of {profit:,.2f} {currency} is below what participants bring at the "
            f"reference tariff without any of this ({reference_margin:,.2f}): what is promised, "
            "or what stations cost, takes more than prices bring"
        )
    gap = bounds.family_gap if bounds.family_gap is not None else bounds.gap
    if gap is not None and gap > LARGE_GAP:
        said.append(
            "whether better prices exist is not proven: no such tariff brings more than "
            f"{profit / (1.0 - gap):,.2f} {currency}, and these bring {gap:.0%} less; more "
            "evaluations, more boxes or a freer tariff family may tell"
        )
    return said


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


def _more(one: float, other: float) -> bool:
    return one > other + SAME * max(abs(one), abs(other), 1.0)
