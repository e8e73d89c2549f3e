"""Charges for a month's highest power, as tariffs tell them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hubwise.scenario.price_formats._nouns import Asked

MONTHS = 12
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# A day on which the clocks go back is longer than others.
_A_DAY = timedelta(hours=26)


def demand_notes(charges: Sequence[float], asked: Asked, unit: str = "per kW") -> list[str]:
    """What is said of charges of each month of the year [currency/kW]; nothing where all are 0."""
    if not any(charges):
        return []
    price = by_months(charges, unit)
    if asked.ends - asked.begins > _A_DAY:
        return [
            f"The rate's demand charge for the month's highest power ({price}) is taken as "
            "demand_charge, where the scenario gives none of its own."
        ]
    return [
        f"The rate has a demand charge for the month's highest power ({price}); a plan of one day "
        "does not carry it, and demand_charge is left at 0; one of several days does."
    ]


def windows_note(price: str) -> str:
    """What is said of a charge for the highest power within some hours."""
    return (
        f"The rate also charges for the month's highest power within some hours ({price}); a plan "
        "has one demand charge, over all hours, and does not carry this one: profit is too high "
        "by it."
    )


def by_months(charges: Sequence[float], unit: str = "per kW") -> str:
    """Charges of twelve months in words, such as ``11.66 per kW Nov-Apr, 19.99 per kW May-Oct``."""
    if len(set(charges)) == 1:
        return f"{charges[0]:g} {unit}"
    starts = [m for m in range(MONTHS) if charges[m] != charges[m - 1]]
    runs = []
    for begin, after in zip(starts, [*starts[1:], starts[0] + MONTHS], strict=True):
        last = _NAMES[(after - 1) % MONTHS]
        names = _NAMES[begin] if _NAMES[begin] == last else f"{_NAMES[begin]}-{last}"
        runs.append(f"{charges[begin]:g} {unit} {names}")
    return ", ".join(runs)
