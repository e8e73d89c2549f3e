"""Octopus Energy: unit rates from its API, as JSON or CSV, newest first, in pence per kWh."""

from __future__ import annotations

from dataclasses import replace

from hubwise.scenario.price_formats._nouns import Asked, Piece, PriceFormat, Series, chosen
from hubwise.scenario.price_formats._tables import Cells, column, has, pieces
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import Document

_WITH, _WITHOUT = "value_inc_vat", "value_exc_vat"


def _recognises(document: Document) -> bool:
    return any(has(document, "valid_from", "valid_to", price) for price in (_WITH, _WITHOUT))


def _read(document: Document, asked: Asked, reader: Reader) -> Series | None:
    assert document.sheet is not None
    sheet = document.sheet
    prices = [name for name in (_WITH, _WITHOUT) if column(sheet, name)]
    one = chosen(prices, asked, "prices", sheet.file, reader, prices[0])
    if one is None:
        return None
    means = column(sheet, "payment_method")
    paid = sheet.column(means) if means else [""] * len(sheet.rows)
    usual = "DIRECT_DEBIT" if "DIRECT_DEBIT" in paid else paid[0]
    keep = [k for k, how in enumerate(paid) if how in (usual, "")]
    cells = Cells(
        sheet.column(column(sheet, "valid_from") or ""),
        sheet.column(column(sheet, one) or ""),
        sheet.column(column(sheet, "valid_to") or ""),
        ("valid_from", one),
        scale=0.01,
    )
    found = [_until_further(piece, asked) for piece in pieces(sheet, cells, "Europe/London", keep)]
    vat = "without" if one == _WITHOUT else "with"
    notes = (f"Prices are Octopus's unit rates {vat} VAT ({one}), pence taken as hundredths.",)
    return Series(found, "kWh", "GBP", "UTC", notes=notes)


def _until_further(piece: Piece, asked: Asked) -> Piece:
    """A rate without an end holds until another is told."""
    if piece.start is None or piece.end is not None or piece.start.tzinfo is None:
        return piece
    return replace(piece, end=max(asked.ends, piece.start))


FORMAT = PriceFormat("Octopus", _recognises, _read)
