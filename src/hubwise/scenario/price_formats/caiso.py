"""CAISO's OASIS: locational marginal prices, day-ahead and real-time, in USD per MWh."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hubwise.domain.errors import listed
from hubwise.scenario.clock import in_utc
from hubwise.scenario.price_formats._nouns import Asked, Fault, Piece, PriceFormat, Series, chosen
from hubwise.scenario.price_formats._tables import Cells, column, has, pieces
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import Document, Sheet

_ZONE = "America/Los_Angeles"
_START, _END = "INTERVALSTARTTIME_GMT", "INTERVALENDTIME_GMT"
_PRICES = ("LMP", "LMP_PRC", "PRC", "MW", "VALUE", "PRICE")
_NODES = ("NODE", "NODE_ID", "NODE_ID_XML", "PNODE", "RESOURCE_NAME", "TAC_ZONE_NAME")


def _recognises(document: Document) -> bool:
    sheet = document.sheet
    return (
        sheet is not None
        and (has(document, _START) or has(document, "OPR_DT", "OPR_HR"))
        and column(sheet, *_PRICES) is not None
    )


def _read(document: Document, asked: Asked, reader: Reader) -> Series | None:
    assert document.sheet is not None
    sheet = document.sheet
    kind, node = column(sheet, "LMP_TYPE"), column(sheet, *_NODES)
    keep = list(range(len(sheet.rows)))
    if kind:  # losses, congestion and others stand in rows of their own
        kinds = sheet.column(kind)
        keep = [k for k, cell in enumerate(kinds) if cell == "LMP"]
        if not keep:
            there = listed(dict.fromkeys(kinds))
            wrong, right = f"has rows of {there}, not of LMP", "download it with its LMP"
            reader.wrong(sheet.file, "", kind, wrong, right)
            return None
    notes: tuple[str, ...] = ()
    if node:
        nodes = sheet.column(node)
        names = list(dict.fromkeys(nodes[k] for k in keep))
        one = chosen(names, asked, "nodes", sheet.file, reader)
        if one is None:
            return None
        keep, notes = [k for k in keep if nodes[k] == one], (f"Prices are those of {one}.",)
    found = _by_hour(sheet, keep) if column(sheet, _START) is None else _by_instant(sheet, keep)
    return Series(found, "MWh", "USD", "UTC", notes=notes)


def _by_instant(sheet: Sheet, keep: list[int]) -> list[Piece]:
    start, end, price = column(sheet, _START) or "", column(sheet, _END), column(sheet, *_PRICES)
    ends = sheet.column(end) if end else None
    cells = Cells(sheet.column(start), sheet.column(price or ""), ends, (start, price or ""))
    return pieces(sheet, cells, _ZONE, keep)


def _by_hour(sheet: Sheet, keep: list[int]) -> list[Piece]:
    """Hours are counted from midnight on, to 23 or 25 where the clock changes."""
    day, price = column(sheet, "OPR_DT") or "", column(sheet, *_PRICES) or ""
    hours, part = sheet.column(column(sheet, "OPR_HR") or ""), column(sheet, "OPR_INTERVAL")
    parts = sheet.column(part) if part else ["0"] * len(hours)
    cells = Cells(sheet.column(day), sheet.column(price), None, (day, price))
    most = max((_whole(parts[k]) for k in keep), default=0)
    rows = {f"row {sheet.rows[k]}": k for k in keep}
    return [
        _counted(piece, _whole(hours[k]), _whole(parts[k]), 60 // most if most in (4, 12) else 60)
        for piece in pieces(sheet, cells, _ZONE, keep)
        for k in (rows[piece.where],)
    ]


def _whole(cell: str) -> int:
    return int(cell) if cell.isdigit() else 0


def _counted(piece: Piece, hour: int, nth: int, step: int) -> Piece:
    if piece.start is None:
        return piece
    if not 1 <= hour <= 25:
        fault = Fault("OPR_HR", f"{hour} is not an hour of a day", "give 1 to 25")
        return replace(piece, start=None, fault=fault)
    midnight = in_utc(datetime.combine(piece.start.date(), datetime.min.time()), _ZONE)
    start = midnight + timedelta(hours=hour - 1, minutes=step * max(nth - 1, 0))
    return replace(piece, start=start.astimezone(UTC), end=start + timedelta(minutes=step))


FORMAT = PriceFormat("CAISO's OASIS", _recognises, _read)
