"""The monthly files of ENTSO-E's file library: tab-separated, in UTC, all areas in one."""

from __future__ import annotations

from datetime import timedelta

from hubwise.scenario.price_formats._nouns import Asked, Piece, PriceFormat, Series, chosen
from hubwise.scenario.price_formats._tables import Cells, column, has, pieces
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import Document

_PRICES = ("Price[Currency/MWh]", "Price")
_MINUTES = {"PT15M": 15, "PT30M": 30, "PT60M": 60, "PT1H": 60}


def _recognises(document: Document) -> bool:
    return has(document, "DateTime(UTC)", "ResolutionCode", "MapCode", "Currency")


def _read(document: Document, asked: Asked, reader: Reader) -> Series | None:
    assert document.sheet is not None
    sheet = document.sheet
    price, start = column(sheet, *_PRICES), column(sheet, "DateTime(UTC)")
    if price is None or start is None:
        reader.wrong(sheet.file, "row 1", "price", "is a missing column", "give the whole file")
        return None
    names = ("MapCode", "ResolutionCode", "Currency")
    areas, minutes, currencies = (sheet.column(column(sheet, name) or "") for name in names)
    one = chosen(list(dict.fromkeys(areas)), asked, "areas", sheet.file, reader)
    if one is None:
        return None
    sequence = column(sheet, "Sequence")
    auctions = sheet.column(sequence) if sequence else [""] * len(areas)
    keep = [
        k for k, area in enumerate(areas) if area == one and auctions[k] in ("", "1", "Sequence 1")
    ]
    cells = Cells(sheet.column(start), sheet.column(price), None, (start, price))
    length = {f"row {sheet.rows[k]}": _MINUTES.get(minutes[k]) for k in keep}
    found = [_ended(piece, length[piece.where]) for piece in pieces(sheet, cells, "UTC", keep)]
    currency = next((currencies[k] for k in keep), None)
    return Series(found, "MWh", currency, "UTC", notes=(f"Prices are those of {one}.",))


def _ended(piece: Piece, minutes: int | None) -> Piece:
    if piece.start is None or minutes is None:
        return piece
    end = piece.start + timedelta(minutes=minutes)
    return Piece(piece.where, piece.start, end, piece.price, piece.fault)


FORMAT = PriceFormat("ENTSO-E's file library", _recognises, _read)
