"""The report's words: labels, glossary, published figures, and numbers as people read them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

DASH = EN = "\u2013"  # what stands for a missing number, and between two of them
MINUS = "\u2212"
SPACE = "\u00a0"  # no-break space, between a number and its unit
THIN = "\u202f"  # narrower, before a percent sign

STRATEGY_LABELS: Mapping[str, str] = {
    "uncoordinated": "Uncoordinated",
    "storage": "Station batteries alone",
    "passive": "Passive shifting, early",
    "passive-random": "Passive shifting, at random",
    "passive-spread": "Passive shifting, spread",
    "hubwise": "Hubwise",
}

STRATEGY_MEANINGS: Mapping[str, str] = {
    "uncoordinated": "Every driver plugs in and charges at once, at the reference tariff.",
    "storage": "Only the station batteries are scheduled; the drivers stay uncoordinated.",
    "passive": (
        "Drivers shift charging against the fixed reference tariff and never discharge; each "
        "device takes the first of the slots that cost it the same."
    ),
    "passive-random": (
        "The same tariff, cost and drivers; each device draws lots among the slots that cost it "
        "the same."
    ),
    "passive-spread": (
        "The same again, and among what costs each driver the same somebody picks for all of them "
        "what is flattest for the grid: no posted prices, no station, no profit sought."
    ),
    "hubwise": "The operator posts prices; participating drivers answer with their best response.",
}

OUTCOME_MEANINGS: Mapping[str, tuple[str, str]] = {
    "dispatched": (
        "Dispatched",
        "Hubwise picks, among the schedules that are all cheapest for each driver, "
        "the ones that are best for operator and feeder. This is the plan.",
    ),
    "undelegated": (
        "Undelegated",
        "The same prices, but each driver's own device picks among its cheapest schedules "
        "and starts as early as it may.",
    ),
    "pessimistic": (
        "Pessimistic",
        "The same prices, and every tie between equally cheap schedules is broken "
        "against the operator.",
    ),
}

GLOSSARY: tuple[tuple[str, str], ...] = (
    ("Slot", "One step of the horizon: 15 minutes unless the scenario says otherwise."),
    ("Horizon", "The slots that are planned, by default noon to noon, so a night is whole."),
    ("Feeder", "A distribution network below one substation transformer."),
    (
        "Feeder head",
        "Where the substation transformer feeds the network, and load is measured.",
    ),
    (
        "Hub",
        "A site at one bus: chargers, maybe a station battery and solar, one connection.",
    ),
    ("Session", "One stay of one vehicle at one hub."),
    ("Driver", "Who owns the vehicle, and chooses what is cheapest at the posted prices."),
    ("Operator", "Who prices and runs the hubs."),
    ("Participating", "A driver who lets Hubwise schedule the session. The others charge at once."),
    ("Charge price, discharge price", "What a driver pays, and is paid, per kWh at the charger."),
    (
        "Purchase price, feed-in price",
        "What the operator pays, and is paid, at the grid.",
    ),
    ("Reference tariff", "What an uncoordinated driver pays; the yardstick for every saving."),
    ("Wear cost", "What a kWh drawn from the battery costs the driver in battery life."),
    ("Reserve", "Energy that a driver never lets the battery go below while plugged in."),
    ("Required energy", "Energy that must be in the battery at departure."),
    ("Best response", "A schedule that is cheapest for the driver at the posted prices."),
    ("Regret", "A driver's cost under the dispatched schedule less that of the best response."),
    ("Peak-valley difference", "Highest less lowest active power at the feeder head."),
    ("Load factor", "Average power at the feeder head over its peak; 100 % is a flat day."),
    ("Participants' cost", "What participants pay, less what they are paid, plus battery wear."),
    (
        "Operator's profit",
        "Participants' payments, feed-in and incentives, less discharge payments, purchases, "
        "demand charges and stations.",
    ),
    (
        "Energy left",
        "What participants' cars and station batteries hold at the end beyond the uncoordinated "
        "day; less is negative. It is counted at a stated price: the lowest at which each could "
        "be filled, unless the scenario says otherwise.",
    ),
    (
        "Energy bought back",
        "Participants' cost once they have bought what they lack; or else the operator's profit "
        "once it has, so that they pay what the plan says. One or the other, never both.",
    ),
    ("Margin on others", "What the other drivers pay above the purchase price. Not in the profit."),
    (
        "Reference margin",
        "What the same participants would have brought at the reference tariff with no station "
        "battery. An operator who could not beat it would not bother.",
    ),
    ("Bound", "A profit that no tariff can exceed under the same promises and limits."),
    ("Gap", "How far the profit is below the bound, as a share of the bound."),
    (
        "Family of tariffs",
        "How often prices may change, and whether each hub posts its own. Where prices are few, a "
        "tighter bound holds for all tariffs of the family.",
    ),
    ("Shortfall", "Required energy that the length of a stay did not allow to be charged."),
    ("Transformer life", "Days of insulation life used over the horizon; one day a day is normal."),
)

PUBLISHED_CITATION = (
    "Gao, Hou, Diao, Sun, Xue, Journal of Jilin University (Engineering and Technology Edition) "
    f"53(4), 685{EN}692, 2023"
)


@dataclass(frozen=True, slots=True)
class Published:
    """A figure of the published study.

    Parameters
    ----------
    measure
        What is measured.
    key
        Name of our ratio, as in ``material.ratios``.
    value
        The published ratio.
    said
        How the study puts it.
    """

    measure: str
    key: str
    value: float
    said: str


PUBLISHED: tuple[Published, ...] = (
    Published("Peak-valley difference ÷ uncoordinated", "peak_valley", 0.70, f"nearly {MINUS}30 %"),
    Published(
        "Participants' cost ÷ theirs uncoordinated", "participant_cost", 0.56, f"{MINUS}44 %"
    ),
    Published("Operator's profit ÷ fleet's uncoordinated cost", "profit", 0.28, "about 28 %"),
)


def label(strategy: str) -> str:
    """A strategy's name as the page writes it."""
    return STRATEGY_LABELS.get(strategy, strategy)


def finite(value: object) -> float | None:
    """``value`` as a float, or None where it is missing, not a number, NaN or infinite."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def number(value: object, decimals: int = 0, unit: str = "") -> str:
    """A number with thousands separators and a true minus sign; a dash where there is none."""
    known = finite(value)
    if known is None:
        return DASH
    text = f"{known:,.{decimals}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    return text.replace("-", MINUS) + (_gap(unit) if unit else "")


def power(value: object, unit: str = "") -> str:
    """Power or energy: to a tenth below a hundred, whole above."""
    known = finite(value)
    return number(known, 1 if known is not None and abs(known) < 100.0 else 0, unit)


def money(value: object, unit: str = "") -> str:
    """An amount of money: to the cent below a thousand, whole above."""
    known = finite(value)
    return number(known, 2 if known is not None and abs(known) < 1000.0 else 0, unit)


def percent(share: object, decimals: int = 0) -> str:
    """A share (0.7) as a percentage (70 %)."""
    known = finite(share)
    return DASH if known is None else number(100.0 * known, decimals, "%")


def change(ratio: object, decimals: int = 0) -> str:
    """A ratio to the yardstick as a signed change: 0.66 is a fall by 34 %."""
    known = finite(ratio)
    if known is None:
        return DASH
    text = percent(known - 1.0, decimals)
    return text if text.startswith((MINUS, "0")) else f"+{text}"


def _gap(unit: str) -> str:
    return f"{THIN if unit == '%' else SPACE}{unit}"


def tiny(value: object, unit: str = "") -> str:
    """A number that is zero but for rounding, in one digit; larger ones as usual."""
    known = finite(value)
    if known is None or known == 0.0 or abs(known) >= 0.01:
        return number(known, 2 if known else 0, unit)
    return f"{known:.0e}".replace("-", MINUS) + (_gap(unit) if unit else "")


def span(low: float, high: float, decimals: int = 0, unit: str = "") -> str:
    """``low`` to ``high``, or one number where they read the same."""
    first, last = number(low, decimals), number(high, decimals)
    text = first if first == last else f"{first} to {last}"
    return text + (_gap(unit) if unit else "")
