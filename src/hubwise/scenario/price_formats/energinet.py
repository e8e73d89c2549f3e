"""Energinet's data service: spot prices of the Danish zones and their neighbours, CSV or JSON."""

from __future__ import annotations

from hubwise.scenario.price_formats._nouns import Asked, PriceFormat, Series, chosen
from hubwise.scenario.price_formats._tables import Cells, column, has, pieces
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import Document, Sheet, is_empty

_STARTS = ("HourUTC", "TimeUTC", "HourDK", "TimeDK")
_PRICES = {
    "EUR": ("SpotPriceEUR", "DayAheadPriceEUR"),
    "DKK": ("SpotPriceDKK", "DayAheadPriceDKK"),
}


def _columns(sheet: Sheet) -> dict[str, str]:
    """The columns of prices by currency, those that hold any."""
    there = {currency: column(sheet, *names) for currency, names in _PRICES.items()}
    return {
        currency: name
        for currency, name in there.items()
        if name is not None and not all(map(is_empty, sheet.column(name)))
    }


def _recognises(document: Document) -> bool:
    sheet = document.sheet
    return (
        sheet is not None
        and has(document, "PriceArea")
        and column(sheet, *_STARTS) is not None
        and any(column(sheet, *names) for names in _PRICES.values())
    )


def _read(document: Document, asked: Asked, reader: Reader) -> Series | None:
    assert document.sheet is not None
    sheet = document.sheet
    areas, prices = sheet.column(column(sheet, "PriceArea") or ""), _columns(sheet)
    one = chosen(list(dict.fromkeys(areas)), asked, "price areas", sheet.file, reader)
    if not prices:
        reader.wrong(sheet.file, "", "SpotPriceEUR", "is empty", "download it with its prices")
    if one is None or not prices:
        return None
    wanted = asked.currency or ""
    currency = wanted if wanted in prices else next(iter(prices))
    start, price = column(sheet, *_STARTS) or "", prices[currency]
    costs = sheet.column(price)  # thousands are never separated by commas
    mark = "," if any("," in cell for cell in costs) else "."
    cells = Cells(sheet.column(start), costs, None, (start, price), mark=mark)
    keep = [k for k, area in enumerate(areas) if area == one]
    note = f"Prices are those of {one} in {currency}, column {price}."
    zone = "UTC" if start.upper().endswith("UTC") else "Europe/Copenhagen"
    return Series(
        pieces(sheet, cells, asked.zone, keep), "MWh", currency, zone, notes=(note,), named=start
    )


FORMAT = PriceFormat("Energinet", _recognises, _read)
