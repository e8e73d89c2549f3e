"""Statements of drivers: all that was posted for them in a month, or ever."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from hubwise.books.documents import Billed, Document, documents_of, in_words


@dataclass(frozen=True, slots=True)
class Invoice:
    """What a driver owes for the documents of a month; of all months, a statement.

    Parameters
    ----------
    site, zone
        Whose it is, and the clock of its months.
    driver
        The account.
    month
        Such as ``2026-03``; empty for all.
    currency
        ISO 4217 code.
    documents
        In the order in which they were posted.
    """

    site: str
    zone: ZoneInfo
    driver: str
    month: str
    currency: str
    documents: tuple[Document, ...]

    @property
    def number(self) -> str:
        """The same for ever: documents are only added to a month that is not over."""
        return f"{self.driver}/{self.month}" if self.month else self.driver

    @property
    def paid(self) -> Decimal:
        """For charging [currency]."""
        return sum((each.sign * each.bill.paid for each in self.documents), Decimal())

    @property
    def earned(self) -> Decimal:
        """For what was given back [currency]."""
        return sum((each.sign * each.bill.earned for each in self.documents), Decimal())

    @property
    def net(self) -> Decimal:
        """What is owed [currency]."""
        return self.paid - self.earned

    @property
    def charged_kwh(self) -> Decimal:
        """Charged [kWh]."""
        return sum((each.sign * each.bill.charged_kwh for each in self.documents), Decimal())

    @property
    def discharged_kwh(self) -> Decimal:
        """Given back [kWh]."""
        return sum((each.sign * each.bill.discharged_kwh for each in self.documents), Decimal())

    def to_dict(self) -> dict[str, object]:
        """In JSON's own types: quantities as decimal text, times in UTC."""
        return {
            "invoice": self.number,
            "site": self.site,
            "driver": self.driver,
            "month": self.month or None,
            "currency": self.currency,
            "charged_kwh": text(self.charged_kwh),
            "discharged_kwh": text(self.discharged_kwh),
            "paid": f"{self.paid:f}",
            "earned": f"{self.earned:f}",
            "net": f"{self.net:f}",
            "vat": None,
            "documents": [_document(each) for each in self.documents],
        }


def make_invoices(
    billed: Iterable[Billed],
    site: str,
    zone: ZoneInfo,
    *,
    driver: str | None = None,
    month: str | None = None,
    by_month: bool = True,
) -> list[Invoice]:
    """Invoices by driver and month, or statements by driver.

    Parameters
    ----------
    billed
        All stays.
    site, zone
        What the site is called; the clock of its months.
    driver, month
        Only these; the account, such as ``driver:ann``, and such as ``2026-03``.
    by_month
        One for each month; else one for all.
    """
    groups: dict[tuple[str, str, str], list[Document]] = {}
    for each in billed:
        if driver is not None and each.bill.driver != driver:
            continue
        for made in documents_of(each):
            when = made.posted_at.astimezone(zone).strftime("%Y-%m")
            if month is None or when == month:
                key = (made.bill.driver, when if by_month else month or "", made.bill.currency)
                groups.setdefault(key, []).append(made)
    return [
        Invoice(site, zone, whose, when, currency, tuple(_in_order(groups[whose, when, currency])))
        for whose, when, currency in sorted(groups)
    ]


def _in_order(made: Sequence[Document]) -> list[Document]:
    return sorted(made, key=lambda each: each.posted_at)


def text(number: Decimal) -> str:
    """A number without an exponent."""
    return f"{number.normalize():f}" if number else "0"


def _document(made: Document) -> dict[str, object]:
    billed, bill, sign = made.billed, made.bill, made.sign
    return {
        "document": made.number,
        "kind": made.kind.value,
        "posted_at": in_words(made.posted_at),
        "reason": made.reason or None,
        "session": bill.session,
        "station": bill.station,
        "started_at": in_words(billed.started_at),
        "ended_at": in_words(billed.ended_at),
        "charged_kwh": text(sign * bill.charged_kwh),
        "discharged_kwh": text(sign * bill.discharged_kwh),
        "paid": f"{sign * bill.paid + 0:f}",
        "earned": f"{sign * bill.earned + 0:f}",
        "net": f"{made.net + 0:f}",
        "rounding": text(sign * bill.rounding),
        "lines": [
            {
                "slot_start": in_words(line.slot_start),
                "charged_kwh": text(sign * line.charged_kwh),
                "charge_price": text(line.charge_price),
                "discharged_kwh": text(sign * line.discharged_kwh),
                "discharge_price": text(line.discharge_price),
            }
            for line in made.lines
        ],
    }
