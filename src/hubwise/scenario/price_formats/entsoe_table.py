"""The table export of ENTSO-E's transparency platform, old and new, and of its file library."""

from __future__ import annotations

from hubwise.scenario.price_formats._nouns import Asked, PriceFormat, Series, chosen
from hubwise.scenario.price_formats._tables import Cells, column, pieces, told
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import Document, Sheet
from hubwise.scenario.stamps import clock_told

# What the day-ahead auction of all of Europe is called among an area's auctions.
_MAIN = ("Without Sequence", "Sequence 1", "1", "")


def _interval(sheet: Sheet) -> str | None:
    return next((name for name in sheet.header if name.upper().startswith("MTU")), None)


def _price(sheet: Sheet) -> str | None:
    return next((name for name in sheet.header if name.casefold().startswith("day-ahead p")), None)


def _recognises(document: Document) -> bool:
    sheet = document.sheet
    return sheet is not None and _interval(sheet) is not None and _price(sheet) is not None


def _read(document: Document, asked: Asked, reader: Reader) -> Series | None:
    assert document.sheet is not None
    sheet = document.sheet
    interval, price = _interval(sheet), _price(sheet)
    assert interval is not None
    assert price is not None
    keep, notes = list(range(len(sheet.rows))), list[str]()
    if area := column(sheet, "Area"):
        areas = sheet.column(area)
        one = chosen(list(dict.fromkeys(areas)), asked, "areas", sheet.file, reader)
        if one is None:
            return None
        keep = [k for k in keep if areas[k] == one]
    if sequence := column(sheet, "Sequence"):
        sequences = sheet.column(sequence)
        main = [k for k in keep if sequences[k] in _MAIN]
        if others := len(keep) - len(main):
            notes = [f"Prices of the first auction are taken; {others} rows of others are not."]
        keep = main
    halves = [cell.partition(" - ") for cell in sheet.column(interval)]
    cells = Cells(
        [first.strip() for first, _, _ in halves],
        sheet.column(price),
        [last.strip() for _, _, last in halves],
        (interval, price),
    )
    header = told(price)
    currencies = sheet.column("Currency") if "Currency" in sheet.header else []
    currency = next((cell for cell in currencies if len(cell) == 3), header.currency)
    return Series(
        pieces(sheet, cells, asked.zone, keep),
        header.unit or "MWh",
        currency,
        clock_told(interval),
        notes=tuple(notes),
        named=interval,
    )


FORMAT = PriceFormat("ENTSO-E's table", _recognises, _read)
