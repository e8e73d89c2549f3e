"""SMARD, the market data of Germany's regulator: a column for each bidding zone."""

from __future__ import annotations

from hubwise.scenario.price_formats._nouns import Asked, PriceFormat, Series, chosen
from hubwise.scenario.price_formats._tables import Cells, column, pieces, told
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import Document, Sheet

_STARTS, _ENDS = ("Datum von", "Start date"), ("Datum bis", "End date")
_OWN = ("Deutschland/Luxemburg", "Germany/Luxembourg")
_GERMAN = ("Europe/Berlin", "Europe/Busingen", "Europe/Luxembourg")


def _prices(sheet: Sheet) -> dict[str, str]:
    """The columns of prices by the bidding zones that they are of."""
    return {
        name.partition("[")[0].strip(): name for name in sheet.header if "/MWh]" in name
    }  # such as "Deutschland/Luxemburg [€/MWh] Berechnete Auflösungen"


def _recognises(document: Document) -> bool:
    sheet = document.sheet
    return sheet is not None and column(sheet, *_STARTS) is not None and bool(_prices(sheet))


def _read(document: Document, asked: Asked, reader: Reader) -> Series | None:
    assert document.sheet is not None
    sheet = document.sheet
    areas, start, end = _prices(sheet), column(sheet, *_STARTS), column(sheet, *_ENDS)
    assert start is not None
    own = next((area for area in areas if area in _OWN), "")
    usual = own if asked.zone in _GERMAN else ""
    one = chosen(list(areas), asked, "bidding zones", sheet.file, reader, usual)
    if one is None:
        return None
    ends = None if end is None else sheet.column(end)
    cells = Cells(sheet.column(start), sheet.column(areas[one]), ends, (start, areas[one]))
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
