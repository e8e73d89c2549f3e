"""In what prices are: what a user tells, what a file tells itself, and that these agree."""

from __future__ import annotations

from hubwise.scenario.price_files import Prices
from hubwise.scenario.reading import Reader

KWH_IN = {"kWh": 1.0, "MWh": 1000.0}


def check_told(
    file: str, where: str, told: dict[str, tuple[str | None, str | None]], name: str, reader: Reader
) -> None:
    """What a user tells is not another than what the file ``name`` tells itself."""
    for field, (own, others) in told.items():
        if own is not None and others is not None and own != others:
            wrong = f"is {own}, but {name} holds prices in {others}"
            reader.wrong(file, where, field, wrong, f"give {others}, or prices in {own}")


def unit_and_currency(
    found: Prices,
    unit: str | None,
    currency: str | None,
    name: str,
    reader: Reader,
    where: tuple[str, str],
) -> tuple[str, str] | None:
    """``kWh`` or ``MWh``, and the currency, of the file ``name``; nothing, noted, where unknown.

    ``where``: the file and the section in which the user tells ``unit`` and ``currency``.
    """
    told = {"unit": (unit, found.unit), "currency": (currency, found.currency)}
    check_told(*where, told, name, reader)
    unit, currency = unit or found.unit, currency or found.currency
    for field, said, right in (
        ("unit", unit, "give kWh or MWh"),
        ("currency", currency, "give three capitals such as EUR"),
    ):
        if said is None:
            wrong = f"is neither given nor told by a header such as price_eur_per_mwh in {name}"
            reader.wrong(*where, field, wrong, right)
    return None if unit is None or currency is None else (unit, currency)
