"""The books as tables: entries, documents, and their lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from hubwise.books.documents import Billed, Document, documents_of, in_words
from hubwise.books.invoices import text

ENTRIES = ("entry", "posted_at", "document", "session", "debit", "credit", "amount", "currency")
DOCUMENTS = (
    *("document", "kind", "posted_at", "session", "station", "driver", "started_at", "ended_at"),
    *("charged_kwh", "discharged_kwh", "paid", "earned", "net", "rounding", "currency"),
    *("price_list", "reason"),
)
LINES = (
    *("document", "session", "slot_start", "charged_kwh", "charge_price", "paid"),
    *("discharged_kwh", "discharge_price", "earned"),
)
Row = tuple[str, ...]


def ledger_tables(billed: Iterable[Billed]) -> dict[str, pl.DataFrame]:
    """``entries``, ``documents`` and ``lines``; quantities as decimal text, times in UTC.

    What takes a bill back has that bill's figures with the other sign; entries are never below 0,
    they go from the account that is debited to the one that is credited.
    """
    made = sorted(
        (each for one in billed for each in documents_of(one)), key=lambda each: each.posted_at
    )
    return {
        "entries": _table((*ENTRIES, "why"), [row for each in made for row in _entries(each)]),
        "documents": _table(DOCUMENTS, [_document(each) for each in made]),
        "lines": _table(LINES, [row for each in made for row in _lines(each)]),
    }


def _table(names: Sequence[str], rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _entries(made: Document) -> list[Row]:
    at, bill = in_words(made.posted_at), made.bill
    return [
        (
            *(f"{made.number}/{number}", at, made.number, bill.session),
            *(each.debit, each.credit, f"{each.amount:f}", bill.currency, each.why),
        )
        for number, each in enumerate(made.entries, start=1)
    ]


def _document(made: Document) -> Row:
    bill, billed, sign = made.bill, made.billed, made.sign
    return (
        *(made.number, made.kind.value, in_words(made.posted_at), bill.session, bill.station),
        *(bill.driver, in_words(billed.started_at), in_words(billed.ended_at)),
        *(text(sign * bill.charged_kwh), text(sign * bill.discharged_kwh)),
        *(f"{sign * bill.paid + 0:f}", f"{sign * bill.earned + 0:f}", f"{made.net + 0:f}"),
        *(text(sign * bill.rounding), bill.currency, bill.price_list, made.reason),
    )


def _lines(made: Document) -> list[Row]:
    sign = made.sign
    return [
        (
            *(made.number, made.bill.session, in_words(line.slot_start)),
            *(text(sign * line.charged_kwh), text(line.charge_price), text(sign * line.paid)),
            *(text(sign * line.discharged_kwh), text(line.discharge_price)),
            text(sign * line.earned),
        )
        for line in made.lines
    ]
