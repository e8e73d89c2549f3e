"""Statements of a month, from a plan of many days: each driver's, and the operator's.

Made from the folder alone. Every stay's bill of the month is in whole cents, as in the books, and
sums are sums of what is shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from hubwise.domain.plain import named, number, rows, text
from hubwise.ledger import Account, in_cents
from hubwise.record.days import DAYS
from hubwise.record.folder import SUMMARY
from hubwise.record.statement import AMOUNTS, Money, UnknownDriverError


@dataclass(frozen=True, slots=True)
class MonthStay:
    """What a stay comes to in a month.

    Parameters
    ----------
    session, hub
        Which, and where.
    arrival, departure
        Of the whole stay, on the site's clock.
    participating
        Whether it takes part.
    charged_kwh, discharged_kwh
        In the month, at the charger.
    money
        Of the month.
    """

    session: str
    hub: str
    arrival: datetime
    departure: datetime
    participating: bool
    charged_kwh: float
    discharged_kwh: float
    money: Money

    def to_dict(self) -> dict[str, object]:
        """In JSON's own types."""
        return {
            "session": self.session,
            "hub": self.hub,
            "arrival": self.arrival.isoformat(),
            "departure": self.departure.isoformat(),
            "participating": self.participating,
            "charged_kwh": self.charged_kwh,
            "discharged_kwh": self.discharged_kwh,
            **self.money.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class MonthStatement:
    """A driver's stays in a month."""

    driver: str
    month: str
    scenario: str
    currency: str
    stays: tuple[MonthStay, ...]

    @property
    def money(self) -> Money:
        """The sums of all stays."""
        return Money.summed(stay.money for stay in self.stays)

    @property
    def charged_kwh(self) -> float:
        """Energy into the car [kWh]."""
        return sum(stay.charged_kwh for stay in self.stays)

    @property
    def discharged_kwh(self) -> float:
        """Energy back to the grid [kWh]."""
        return sum(stay.discharged_kwh for stay in self.stays)

    def to_dict(self) -> dict[str, object]:
        """In JSON's own types; amounts of money are text."""
        return {
            "driver": self.driver,
            "month": self.month,
            "scenario": self.scenario,
            "currency": self.currency,
            "total": self.money.to_dict(),
            "sessions": [stay.to_dict() for stay in self.stays],
        }


@dataclass(frozen=True, slots=True)
class OperatorMonth:
    """The operator's month.

    Parameters
    ----------
    month, scenario, currency, days
        Which, of what, in what, and how many days of it are planned.
    lines
        The account's line items, to the smallest unit, each by itself.
    profit
        What they come to unrounded, rounded once.
    billed
        Posted bills: ``charging_revenue``, ``discharge_payments``, ``others_revenue``.
    statements
        Every driver's.
    figures
        Energies and powers, by name.
    """

    month: str
    scenario: str
    currency: str
    days: int
    lines: tuple[tuple[str, Decimal], ...]
    profit: Decimal
    billed: Mapping[str, Decimal]
    statements: tuple[MonthStatement, ...]
    figures: Mapping[str, float]

    def to_dict(self) -> dict[str, object]:
        """In JSON's own types; amounts of money are text."""
        return {
            "month": self.month,
            "scenario": self.scenario,
            "currency": self.currency,
            "days": self.days,
            "lines": {name: str(amount) for name, amount in self.lines},
            "profit": str(self.profit),
            "billed": {name: str(amount) for name, amount in self.billed.items()},
            "figures": dict(self.figures),
            "drivers": [made.to_dict() for made in self.statements],
        }


class UnknownMonthError(LookupError):
    """No such month is in the plan; ``known`` holds those that are."""

    def __init__(self, month: str, known: tuple[str, ...]) -> None:
        """Keep the month that was asked for, and the known ones."""
        self.month, self.known = month, known
        super().__init__(f"{month!r} is no month of this plan")


def month_statements(
    folder: Path, driver: str | None = None, month: str | None = None
) -> list[MonthStatement]:
    """Statements by month and driver, of one of each or of all, in the order of first stays.

    Raises
    ------
    UnknownDriverError, UnknownMonthError
        If the plan has no such driver, or no such month.
    """
    summary = _summary(folder)
    bills = pl.read_parquet(folder / "bills.parquet")
    _check_month(month, summary)
    if driver is not None and driver not in set(bills["driver"]):
        known = bills["driver"].unique(maintain_order=True).to_list()
        raise UnknownDriverError(driver, tuple(known))
    mine = bills.filter(
        pl.lit(True) if driver is None else pl.col("driver") == driver,
        pl.lit(True) if month is None else pl.col("month") == month,
    )
    stays = _stays(folder)
    currency, found = text(summary["currency"]), dict[tuple[str, str], list[MonthStay]]()
    for row in mine.iter_rows(named=True):
        stay = _stay(row, stays[row["session"]], currency)
        found.setdefault((row["month"], row["driver"]), []).append(stay)
    return [
        MonthStatement(name, of, text(summary["scenario"]), currency, tuple(own))
        for (of, name), own in found.items()
    ]


def operator_months(folder: Path, month: str | None = None) -> list[OperatorMonth]:
    """The operator's statement of a month, or of all.

    Raises
    ------
    UnknownMonthError
        If the plan has no such month.
    """
    summary = _summary(folder)
    _check_month(month, summary)
    made = month_statements(folder, month=month)
    return [
        _operator(row, summary, tuple(one for one in made if one.month == row["month"]))
        for row in rows(summary["months"])
        if month is None or row["month"] == month
    ]


def _operator(
    row: dict[str, object], summary: dict[str, object], made: tuple[MonthStatement, ...]
) -> OperatorMonth:
    account, currency = named(row["account"]), text(summary["currency"])
    terms = {str(name): number(worth) for name, worth in named(account["terms"]).items()}
    plain = {name: number(worth) for name, worth in account.items() if name != "terms"}
    lines = [it for it in Account(**plain, terms=terms).lines() if it[1]]
    amounts = in_cents((amount for _, amount in lines), currency)
    return OperatorMonth(
        month=text(row["month"]),
        scenario=text(summary["scenario"]),
        currency=currency,
        days=int(number(row["days"])),
        lines=tuple((name, cents) for (name, _), cents in zip(lines, amounts, strict=True)),
        profit=in_cents((number(row["profit"]),), currency)[0],
        billed={name: Decimal(text(worth)) for name, worth in named(row["billed"]).items()},
        statements=made,
        figures={
            name: number(row[name])
            for name in ("charged_kwh", "discharged_kwh", "imported_kwh", "highest_import_kw")
        },
    )


def _summary(folder: Path) -> dict[str, object]:
    return named(json.loads((folder / SUMMARY).read_text(encoding="utf-8")))


def _check_month(month: str | None, summary: dict[str, object]) -> None:
    known = tuple(text(row["month"]) for row in rows(summary["months"]))
    if month is not None and month not in known:
        raise UnknownMonthError(month, known)


def _stays(folder: Path) -> dict[str, tuple[str, datetime, datetime]]:
    """Hub, arrival and departure of every stay: it arrives on the first day that knows it."""
    found: dict[str, tuple[str, datetime, datetime]] = {}
    for place in sorted((folder / DAYS).iterdir()):
        said = named(json.loads((place / SUMMARY).read_text(encoding="utf-8")))
        zone = ZoneInfo(text(said["zone"]))
        columns = ["session", "hub", "arrival_utc", "departure_utc"]
        for name, hub, begins, ends in pl.read_parquet(
            place / "sessions.parquet", columns=columns
        ).iter_rows():
            arrival = found[name][1] if name in found else begins.astimezone(zone)
            found[name] = (hub, arrival, ends.astimezone(zone))
    return found


def _stay(row: dict[str, Any], place: tuple[str, datetime, datetime], currency: str) -> MonthStay:
    hub, arrival, departure = place
    return MonthStay(
        session=row["session"],
        hub=hub,
        arrival=arrival,
        departure=departure,
        participating=row["participating"],
        charged_kwh=row["charged_kwh"],
        discharged_kwh=row["discharged_kwh"],
        money=Money(*in_cents((row.get(name) or 0.0 for name in AMOUNTS), currency)),
    )
