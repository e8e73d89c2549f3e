"""aWATTar: market prices from its API, as JSON or CSV, in milliseconds since 1970."""

from __future__ import annotations

from hubwise.scenario.price_formats._nouns import Asked, PriceFormat, Series
from hubwise.scenario.price_formats._tables import Cells, column, has, pieces, told
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import Document


def _recognises(document: Document) -> bool:
    return has(document, "start_timestamp", "marketprice")


def _read(document: Document, asked: Asked, reader: Reader) -> Series | None:
    del reader  # whatever is wrong stands in single cells
    assert document.sheet is not None
    sheet = document.sheet
    start, price = column(sheet, "start_timestamp") or "", column(sheet, "marketprice") or ""
    end, unit = column(sheet, "end_timestamp"), column(sheet, "unit")
    header = told(next((cell for cell in sheet.column(unit) if cell), "") if unit else price)
    ends = sheet.column(end) if end else None
    cells = Cells(sheet.column(start), sheet.column(price), ends, (start, price), header.scale)
    return Series(
        pieces(sheet, cells, asked.zone),
        header.unit or "MWh",
        header.currency or "EUR",
        "UTC",
        named=start,
    )


FORMAT = PriceFormat("aWATTar", _recognises, _read)
