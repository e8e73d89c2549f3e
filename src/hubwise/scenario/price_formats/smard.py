"""SMARD, the market data of Germany's regulator: a column for each bidding zone."""

from __future__ import annotations

from hubwise.scenario.price_formats._nouns import Asked, PriceFormat, Series, chosen
from hubwise.scenario.price_formats._tables import Cells, column, in_one, pieces, told
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import Document, Sheet

_STARTS, _ENDS = ("Datum von", "Start date"), ("Datum bis", "End date")
_DATES, _TIMES = ("Datum", "Date"), ("Anfang", "Start", "Uhrzeit", "Time of day")  # until 2023
_OWN = ("Deutschland/Luxemburg", "Germany/Luxembourg")
_GERMAN = ("Europe/Berlin", "Europe/Busingen", "Europe/Luxembourg")


def _prices(sheet: Sheet) -> dict[str, str]:
    """The columns of prices by the bidding zones that they are of."""
    return {
        name.partition("[")[0].strip(): name for name in sheet.header if "/MWh]" in name
    }  # such as "Deutschland/Luxemburg [€/MWh] Berechnete Auflösungen"


def _in_two(sheet: Sheet) -> tuple[str, str] | None:
    """The columns of days and of times of day, in files that have no column of moments."""
    if column(sheet, *_STARTS) or not any(area in _OWN for area in _prices(sheet)):
        return None
    day, time = column(sheet, *_DATES), column(sheet, *_TIMES)
    return (day, time) if day and time else None


def _recognises(document: Document) -> bool:
    sheet = document.sheet
    if sheet is None or not _prices(sheet):
        return False
    return column(sheet, *_STARTS) is not None or _in_two(sheet) is not None


def _read(document: Document, asked: Asked, reader: Reader) -> Series | None:
    assert document.sheet is not None
    sheet = document.sheet
    areas, named, end = _prices(sheet), _in_two(sheet), column(sheet, *_ENDS)
    start = named[0] if named else column(sheet, *_STARTS) or ""
    starts = sheet.column(start)
    if named:
        starts = in_one(starts, sheet.column(named[1]))
    own = next((area for area in areas if area in _OWN), "")
    usual = own if asked.zone in _GERMAN else ""
    one = chosen(list(areas), asked, "bidding zones", sheet.file, reader, usual)
    if one is None:
        return None
    ends = None if end is None or named else sheet.column(end)
    cells = Cells(starts, sheet.column(areas[one]), ends, (start, areas[one]))
    notes = (f"Of {len(areas)} bidding zones the prices are those of {one}.",)
    return Series(
        pieces(sheet, cells, "Europe/Berlin"),
        "MWh",
        told(areas[one]).currency,
        "Europe/Berlin",
        notes=notes if len(areas) > 1 else (),
        named=start,
    )


FORMAT = PriceFormat("SMARD", _recognises, _read)
