"""What formats that are tables have in common: columns by name, rows as pieces, headers' units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hubwise.scenario.price_formats._nouns import Fault, Piece
from hubwise.scenario.sniffing import Document, Sheet, decimal_mark, is_empty, number
from hubwise.scenario.stamps import date_order, stamp

_WRITE_MOMENTS = (
    "write it as 2024-05-12 08:15 or, with its offset from UTC, 2024-05-12T08:15:00+02:00"
)
_SIGNS = {"€": "EUR", "£": "GBP", "$": "USD", "¥": "JPY"}
_CURRENCIES = (
    ("EUR", r"euro?s?"), ("GBP", r"gbp|pence|p(?=\s*/\s*kwh)"), ("USD", r"usd"),
    ("DKK", "dkk"), ("SEK", "sek"), ("NOK", "nok"), ("PLN", "pln|zł"), ("CHF", "chf"),
    ("CZK", "czk"), ("HUF", "huf"), ("RON", "ron"), ("BGN", "bgn"), ("AUD", "aud"),
    ("NZD", "nzd"), ("CAD", "cad"), ("JPY", "jpy|yen"), ("CNY", "cny|rmb"), ("INR", "inr"),
    ("ISK", "isk"), ("TRY", "try"), ("UAH", "uah"), ("RSD", "rsd"), ("MXN", "mxn"),
)  # fmt: skip
_HUNDREDTHS = re.compile(
    r"(?:(?<![a-z])|(?<=eur)|(?<=euro)|(?<=usd))"
    r"(?:e?cts?|cents?|centimes?|centesimi|c[eé]ntimos?|c€|cts?€|¢|pence|p|øre|öre|ore|snt|gr|c)"
    r"(?:\s*/\s*|[\s_]+(?:per|pro|je|par|por|al)[\s_]+|[\s_]+)kwh"
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a text such as a header tells of prices: unit, currency, and what to multiply by."""

    unit: str | None = None
    currency: str | None = None
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Cells:
    """The texts that rows are made of, and the columns' names, for problems.

    Parameters
    ----------
    starts, prices
        A text for each row.
    ends
        The same, or ``None`` where a price holds until the next.
    named
        Names of the columns of starts and prices.
    scale
        What prices are multiplied by.
    mark
        Decimal mark of prices where the source is known to have it; else it is found out.
    """

    starts: Sequence[str]
    prices: Sequence[str]
    ends: Sequence[str] | None = None
    named: tuple[str, str] = ("start", "price")
    scale: float = 1.0
    mark: str = ""


def has(document: Document, *columns: str) -> bool:
    """Whether a document is a table that has all of these columns, whatever their capitals."""
    if document.sheet is None:
        return False
    there = {plain(name) for name in document.sheet.header}
    return all(plain(column) in there for column in columns)


def column(sheet: Sheet, *names: str) -> str | None:
    """The table's own name of the first of these columns that it has."""
    there = {plain(name): name for name in reversed(sheet.header)}
    return next((there[plain(name)] for name in names if plain(name) in there), None)


def plain(name: str) -> str:
    """A column's name in small letters and figures alone."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def pieces(sheet: Sheet, cells: Cells, zone: str, keep: Sequence[int] | None = None) -> list[Piece]:
    """A piece for each row, or each of ``keep``; what cannot be read is the piece's fault.

    Rows without stamp and price, as stand below some tables, are passed over.
    """
    order = date_order(cells.starts, zone)
    mark = cells.mark or decimal_mark(cells.prices, sheet.delimiter)
    found = []
    for k in range(len(sheet.rows)) if keep is None else keep:
        first, cost = cells.starts[k], cells.prices[k]
        if is_empty(first) and is_empty(cost):
            continue
        price, amiss = _price(cost, mark, cells)
        start, unread = _moment(first, order, cells.named[0])
        last = cells.ends[k] if cells.ends else ""
        end, unended = (None, None) if is_empty(last) else _moment(last, order, cells.named[0])
        fault = unread or unended or amiss
        found.append(Piece(f"row {sheet.rows[k]}", start, end, price, fault))
    return found


def minutes_later(wall: datetime, minutes: int) -> datetime:
    """A clock's time some minutes on, offset and all kept."""
    return wall + timedelta(minutes=minutes)


def in_one(days: Sequence[str], times: Sequence[str]) -> list[str]:
    """Days and times of day as one text each; a workbook's days have a midnight of their own."""
    bare = [re.sub(r"[T ]00:00(?::00)?$", "", day) for day in days]
    return [f"{day} {time}".strip() for day, time in zip(bare, times, strict=True)]


def told(text: str) -> Told:
    """The unit and currency that a header or cell such as ``price_eur_per_mwh`` tells."""
    text = text.casefold()
    unit = re.search(r"([km])w_?h", text)
    hundredths = _HUNDREDTHS.search(text) is not None
    known = (
        (name, rf"(?<![a-z])(?:{letters})(?:cts?|cents?)?(?![a-z])")
        for name, letters in _CURRENCIES
    )
    currency = next((name for name, pattern in known if re.search(pattern, text)), None)
    currency = currency or next((_SIGNS[sign] for sign in text if sign in _SIGNS), None)
    scale = 0.01 if hundredths else 1.0
    return Told({"k": "kWh", "m": "MWh"}[unit[1]] if unit else None, currency, scale)


def price_fault(cell: str, field: str) -> Fault:
    """Why a cell is no price."""
    if not cell:
        return Fault(field, "is empty", "it has to be given")
    if cell.casefold().lstrip("+-") in ("inf", "infinity"):
        return Fault(field, f"{cell} is not a finite number", "give a finite number")
    return Fault(field, f"{cell!r} is not a number", "give a number such as 7.5")


def _price(cell: str, mark: str, cells: Cells) -> tuple[float | None, Fault | None]:
    try:
        value = number(cell, mark)
    except ValueError:
        value = None
    if value is None:
        return None, price_fault(cell, cells.named[1])
    return (value if cells.scale == 1.0 else round(value * cells.scale, 12)), None


def _moment(cell: str, order: str, field: str) -> tuple[datetime | None, Fault | None]:
    try:
        return stamp(cell, order), None
    except ValueError:
        return None, Fault(field, f"{cell!r} is not a date and time", _WRITE_MOMENTS)
