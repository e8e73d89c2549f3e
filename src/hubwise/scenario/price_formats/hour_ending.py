"""Hours named by their end, as American markets write them: ERCOT's, and others of that kind.

Hour 1 is 00:00-01:00 and hour 24 ends the day. Where the clock goes back, an hour that is flagged
(``DSTFlag``, ``Repeated Hour Flag``) or marked, as in ``02X``, is the second of its name.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from hubwise.scenario.price_formats._nouns import Asked, Fault, Piece, PriceFormat, Series, chosen
from hubwise.scenario.price_formats._tables import column, plain, price_fault, told
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import Document, Sheet, decimal_mark, number
from hubwise.scenario.stamps import date_order, stamp

_DAYS = ("Delivery Date", "DeliveryDate", "Oper Day", "Market Day", "Operating Day", "Date", "Day",
         "Local Date", "Trade Date")  # fmt: skip
_HOURS = ("Hour Ending", "HourEnding", "Hour_Ending", "HE", "Delivery Hour", "DeliveryHour",
          "Hour Ending (HE)", "Hour End", "Hr End", "HrEnd")  # fmt: skip
_PARTS = ("Delivery Interval", "DeliveryInterval")
_FLAGS = ("Repeated Hour Flag", "RepeatedHourFlag", "Repeated Hour", "DSTFlag", "DST Flag")
_POINTS = ("Settlement Point", "Settlement Point Name", "SettlementPointName", "SettlementPoint",
           "BusName", "Location", "Location Name", "Node", "Zone", "Hub")  # fmt: skip
_PRICES = ("Settlement Point Price", "SettlementPointPrice", "Locational Marginal Price", "LMP",
           "LBMP", "Price", "SPP")  # fmt: skip


def _price(sheet: Sheet) -> str | None:
    """The column of prices, whatever unit stands behind its name."""
    known = {plain(name) for name in _PRICES}
    bare = {plain(re.split(r"[(\[]", name)[0]): name for name in reversed(sheet.header)}
    named = next((bare[name] for name in map(plain, _PRICES) if name in bare), None)
    others = (
        name for name in sheet.header if plain(name).startswith(tuple(known)) or told(name).unit
    )
    return named or next(others, None)


def _recognises(document: Document) -> bool:
    sheet = document.sheet
    return (
        sheet is not None
        and column(sheet, *_DAYS) is not None
        and column(sheet, *_HOURS) is not None
        and _price(sheet) is not None
    )


def _read(document: Document, asked: Asked, reader: Reader) -> Series | None:
    assert document.sheet is not None
    sheet = document.sheet
    point, price = column(sheet, *_POINTS), _price(sheet) or ""
    keep, notes = _data(sheet), list[str]()
    if point:
        points = sheet.column(point)
        there = list(dict.fromkeys(points[k] for k in keep))
        one = chosen(there, asked, "points", sheet.file, reader)
        if one is None:
            return None
        keep = [k for k in keep if points[k] == one]
        notes.append(f"Prices are those of {one}.")
    ercot = plain(point or "").startswith("settlementpoint")
    notes.append("Hours are named by their end: hour 1 is 00:00 to 01:00.")
    header = told(price)
    return Series(
        _pieces(sheet, keep, asked.zone),
        header.unit or "MWh",
        header.currency or ("USD" if ercot or asked.zone.startswith("America/") else None),
        "America/Chicago" if ercot else None,
        notes=tuple(notes),
    )


def _data(sheet: Sheet) -> list[int]:
    """The rows but those without figures, which say what columns hold, and those cut short."""
    days = sheet.column(column(sheet, *_DAYS) or "")
    hours = sheet.column(column(sheet, *_HOURS) or "")
    rows = range(len(sheet.rows))
    return [k for k in rows if hours[k] and re.search(r"\d", days[k] + hours[k])]


def _pieces(sheet: Sheet, keep: list[int], zone: str) -> list[Piece]:
    days = sheet.column(column(sheet, *_DAYS) or "")
    hours = sheet.column(column(sheet, *_HOURS) or "")
    part, flag = column(sheet, *_PARTS), column(sheet, *_FLAGS)
    parts = sheet.column(part) if part else [""] * len(days)
    flags = sheet.column(flag) if flag else [""] * len(days)
    price = _price(sheet) or ""
    costs = sheet.column(price)
    order, mark = date_order(days, zone), decimal_mark(costs, sheet.delimiter)
    found = []
    for k in keep:
        later = {"Y": True, "N": False}.get(flags[k].upper()[:1]) if flag else None
        later = True if re.search(r"[Xx*]$", hours[k]) else later
        start, end, fault = _interval(days[k], hours[k], parts[k], order)
        value = _figure(costs[k], mark)
        fault = fault or (price_fault(costs[k], price) if value is None else None)
        found.append(Piece(f"row {sheet.rows[k]}", start, end, value, fault, later))
    return found


def _interval(
    day: str, hour: str, part: str, order: str
) -> tuple[datetime | None, datetime | None, Fault | None]:
    """What a day and the name of an hour in it mean; ``part`` is its quarter, from 1."""
    ends = re.fullmatch(r"(?:HE\s*)?(\d{1,2})(?::?00)?(?::00)?\s*[Xx*]?", hour)
    try:
        midnight = stamp(day, order).replace(hour=0, minute=0, second=0, tzinfo=None)
    except ValueError:
        return None, None, Fault("day", f"{day!r} is not a date", "write it as 2025-11-02")
    if ends is None or not 1 <= int(ends[1]) <= 24:
        fault = Fault("hour", f"{hour!r} is not the end of an hour", "give 01:00 to 24:00")
        return None, None, fault
    start, minutes = midnight + timedelta(hours=int(ends[1]) - 1), 60
    if part.isdigit():
        start, minutes = start + timedelta(minutes=15 * (int(part) - 1)), 15
    return start, start + timedelta(minutes=minutes), None


def _figure(cell: str, mark: str) -> float | None:
    try:
        return number(cell, mark)
    except ValueError:
        return None


FORMAT = PriceFormat("hours named by their end", _recognises, _read)
