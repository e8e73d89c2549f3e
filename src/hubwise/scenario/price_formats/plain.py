"""Every other table: a column of moments and one of prices, known by what they are called."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from hubwise.domain.errors import closest, listed
from hubwise.scenario.price_formats._nouns import Asked, PriceFormat, Series, chosen
from hubwise.scenario.price_formats._tables import Cells, Told, column, in_one, pieces, plain, told
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import Document, Sheet, decimal_mark, is_empty, number
from hubwise.scenario.stamps import clock_told, date_order, stamp

_STARTS = (
    "start_utc", "start", "from", "begin", "timestamp", "datetime", "date_time", "time",
    "valid_from", "start_time", "starttime", "start_timestamp", "interval_start", "period_start",
    "starts_at", "delivery_start", "delivery_period", "mtu", "interval", "period",
    "datetime_beginning", "interval_begin", "begin_time", "datum_von", "von", "date_from",
    "readingdate", "time_stamp", "datetime_local", "local_time", "time_start", "hour_beginning",
    "zeitstempel", "unix_seconds", "hour",
)  # fmt: skip
_ENDS = (
    "end_utc", "end", "to", "until", "valid_to", "end_time", "endtime", "end_timestamp", "bis",
    "interval_end", "period_end", "ends_at", "delivery_end", "datum_bis", "time_end", "date_to",
)  # fmt: skip
_DATES, _TIMES = (
    ("date", "day", "datum", "delivery_date", "fecha", "data", "dato"),
    (
        "time",
        "hour",
        "uhrzeit",
        "start_time",
        "start",
        "von",
        "from",
        "anfang",
        "begin",
        "tijd",
        "heure",
        "hora",
        "ora",
        "klokkeslæt",
    ),
)
_TIME = r"\d{1,2}(?::\d{2}){0,2}(?:\s*[AaPp][Mm])?"
_BY_END = "Hours from 1 to 24 are named by their ends: hour 1 is 00:00 to 01:00."
_UNITED = r"/\s*[km]wh|(?:per|pro|je|par|por|al)[\s_]+[km]wh"
_PRICES = r"price|(?<![a-z])(?:spp|rrp)(?![a-z])|"
_PRICES += r"prijs|preis|prix|precio|prezzo|spot|lmp|lbmp|cena|(?<![a-z])pris(?![a-z])"
_VALUES = ("0", "value", "values", "wert", "waarde", "valeur", "valor", "valore")
_AREAS = (
    "area", "price_area", "bidding_zone", "biddingzone", "zone", "region", "country", "location",
    "node", "settlement_point", "map_code", "geo_name", "ptid",
)  # fmt: skip
_HOUR = r"(?:h|he|hr|hour|ending|stunde|std|uur|heure|hora|ora)?[\W_]*\d{1,3}(?::?\d\d)?[ab]?"
# So many columns that are named as hours, of a day that leaps over one.
_SIDE_BY_SIDE = 23
# With so many rows to a day, days are not what rows are told apart by.
_MANY_A_DAY = 12
_CURVES = ("curve_type", "curvetype", "curve")
_CLOCKS = r"[\s_]*[(\[]?(?:utc|gmt|cet/cest|cet|cest|local|lokal)[)\]]?$"


def _recognises(document: Document) -> bool:
    return document.sheet is not None


def _read(document: Document, asked: Asked, reader: Reader) -> Series | None:
    assert document.sheet is not None
    sheet = document.sheet
    if _hours_side_by_side(sheet, reader):
        return None
    start, price = _start(sheet), _price(sheet, asked, reader)
    if _are_values(sheet.header if start is None else [start]):
        right = "put a row above it that names the columns, such as start,price_eur_per_mwh"
        reader.issues.clear()
        reader.wrong(sheet.file, "row 1", "", "holds values, not names of columns", right)
        return None
    if start is None:
        _missing(sheet, "start_utc", reader)
    if start is None or price is None:
        return None
    header = _told(sheet, price)
    starts, end = sheet.column(start), _known(sheet, _ENDS)
    notes = list(_passed_over(sheet, (start, price, end, column(sheet, *_CURVES))))
    if (time := _clock(sheet)) is not None:
        times, by_end = _times(sheet.column(time))
        starts = in_one(starts, times)
        notes = [_BY_END] if by_end else []
    ends = None if end is None or _are_times(sheet, end) else sheet.column(end)
    if ends is None and all(" - " in cell for cell in starts[:3]):
        halves = [cell.partition(" - ") for cell in starts]
        starts, ends = [first for first, _, _ in halves], [last for _, _, last in halves]
    cells = Cells(starts, sheet.column(price), ends, (start, price), header.scale)
    keep = _kept(sheet, price, asked, reader)
    if keep is None or _days_alone(sheet, start, [starts[k] for k in keep], reader):
        return None
    curve = column(sheet, *_CURVES)
    return Series(
        pieces(sheet, cells, asked.zone, keep),
        header.unit,
        header.currency,
        clock_told(start),
        holds=curve is not None and set(sheet.column(curve)) == {"A03"},
        notes=tuple(notes),
        named=start,
    )


def _hours_side_by_side(sheet: Sheet, reader: Reader) -> bool:
    """Whether a row holds a whole day, its hours in columns; that is refused as such."""
    hours = [name for name in sheet.header if re.fullmatch(_HOUR, name.casefold())]
    if len(hours) < _SIDE_BY_SIDE:
        return False
    wrong = f"holds whole days in rows, their hours side by side from {hours[0]!r} to {hours[-1]!r}"
    reader.wrong(sheet.file, "row 1", "", wrong, "give a row an hour: its moment and its price")
    return True


def _days_alone(sheet: Sheet, start: str, starts: Sequence[str], reader: Reader) -> bool:
    """Whether rows are many a day and tell no time of day; that is refused as such."""
    most = Counter(cell for cell in starts if not is_empty(cell)).most_common(1)
    if not most or most[0][1] < _MANY_A_DAY or re.search(r"\d:\d\d|\d{8,}", most[0][0]):
        return False
    others = [name for name in sheet.header if name != start]
    wrong = f"tells days alone, {most[0][1]} rows for {most[0][0]}, and no times of day"
    right = f'call the column of them "time" or "hour ending"; there are {listed(others)}'
    reader.wrong(sheet.file, "row 1", start, wrong, right)
    return True


def _kept(sheet: Sheet, price: str, asked: Asked, reader: Reader) -> list[int] | None:
    """The rows of the area that is asked for, where a column tells several; else all."""
    area = column(sheet, *_AREAS)
    areas = sheet.column(area) if area else [""] * len(sheet.rows)
    names = list(dict.fromkeys(areas))
    if len(names) == 1:
        known = asked.prices_of in (None, price, *names)
        return (
            list(range(len(areas)))
            if known or chosen([price], asked, "columns of prices", sheet.file, reader)
            else None
        )
    one = chosen(names, asked, f"values of {area}", sheet.file, reader)
    return None if one is None else [k for k, name in enumerate(areas) if name == one]


def _start(sheet: Sheet) -> str | None:
    """The column of moments, or of days where the times of day stand beside them."""
    day = _known(sheet, _DATES)
    known = day if day and _clock(sheet) else _known(sheet, (*_STARTS, *_DATES))
    if known is not None:
        return known
    moments = [name for name in sheet.header if _are_moments(sheet.column(name)[:50])]
    return moments[0] if len(moments) == 1 else None


def _are_values(header: Sequence[str]) -> bool:
    """Whether a header names no columns but holds a moment or only figures."""
    for name in header:
        try:
            stamp(name)
        except (ValueError, OverflowError):
            continue
        return True
    return False


def _are_moments(cells: Sequence[str]) -> bool:
    """Whether cells of a column with a name that says nothing are dates with a time."""
    there = [cell for cell in cells if not is_empty(cell)]
    order = date_order(there, "")
    try:
        moments = [stamp(cell.partition(" - ")[0], order) for cell in there]
    except (ValueError, OverflowError):
        return False
    return len(moments) > 1 and len({moment.time() for moment in moments}) > 1


def _known(sheet: Sheet, names: Sequence[str]) -> str | None:
    bare = {plain(re.sub(_CLOCKS, "", name.casefold())): name for name in reversed(sheet.header)}
    exact = column(sheet, *names)
    return exact or next((bare[plain(name)] for name in names if plain(name) in bare), None)


def _clock(sheet: Sheet) -> str | None:
    """The column of times of day, where days stand in a column of their own."""
    time = _known(sheet, _TIMES)
    if time is None or _known(sheet, _DATES) in (None, time):
        return None
    return time if _are_times(sheet, time) else None


def _are_times(sheet: Sheet, name: str) -> bool:
    """Whether a column holds times of day."""
    return all(re.fullmatch(_TIME, cell) for cell in sheet.column(name)[:50])


def _times(cells: Sequence[str]) -> tuple[list[str], bool]:
    """Times of day; hours from 1 to 24 are named by their ends, which is the second result."""
    plain_hours = all(cell.isdigit() for cell in cells)
    by_end = plain_hours and "24" in cells and not {"0", "00"} & set(cells)
    if not plain_hours:
        return list(cells), False
    return [f"{int(cell) - by_end:02}:00" for cell in cells], by_end


def _price(sheet: Sheet, asked: Asked, reader: Reader) -> str | None:
    """The column of prices: the one that is asked for, or the only one that can be."""
    if asked.prices_of in sheet.header:
        return asked.prices_of
    begins = [name for name in sheet.header if name.casefold().startswith("price")]
    named = [name for name in sheet.header if re.search(_PRICES, name.casefold())]
    united = [name for name in sheet.header if re.search(_UNITED, name.casefold())]
    marginal = [name for name in sheet.header if plain(name).startswith(("lmp", "lbmp"))]
    for found in (begins, marginal, united, named):
        figures = [name for name in found if _has_figures(sheet, name)] or found[:1] * (
            found is begins
        )
        if len(figures) == 1:
            return figures[0]
        own = [name for name in figures if asked.currency and told(name).currency == asked.currency]
        if len(own) == 1 and asked.prices_of is None:
            return own[0]
        if figures:
            return chosen(figures, asked, "columns of prices", sheet.file, reader)
    if len(bare := [name for name in sheet.header if plain(name) in _VALUES]) == 1:
        return bare[0]
    _missing(sheet, "price", reader)
    return None


def _has_figures(sheet: Sheet, name: str) -> bool:
    """Whether more of a column's cells are figures than not."""
    cells = [cell for cell in sheet.column(name) if not is_empty(cell)]
    mark = decimal_mark(cells, sheet.delimiter)
    good = 0
    for cell in cells[:200]:
        try:
            number(cell, mark)
        except ValueError:
            continue
        good += 1
    return good > len(cells[:200]) / 2


def _told(sheet: Sheet, price: str) -> Told:
    """Unit and currency by the price's name, else by columns of these names."""
    header = told(price)
    unit, currency = (
        next((cell for cell in sheet.column(name) if cell), "") if name else ""
        for name in (column(sheet, "unit", "units"), column(sheet, "currency"))
    )
    beside = told(unit)
    scale = header.scale if header.scale != 1.0 else beside.scale
    plain_currency = currency if len(currency) == 3 and currency.isupper() else None
    return Told(
        header.unit or beside.unit, header.currency or plain_currency or beside.currency, scale
    )


def _missing(sheet: Sheet, name: str, reader: Reader) -> None:
    found = closest(name, sheet.header)
    right = (
        f"is it what {found!r} is meant to be?" if found else f"there are {listed(sheet.header)}"
    )
    if name == "price" and not found:
        right += "; tell with prices_of which of them it is"
    reader.wrong(sheet.file, "row 1", name, "is a missing column", right)


def _passed_over(sheet: Sheet, taken: Sequence[str | None]) -> tuple[str, ...]:
    """The columns of the table that say nothing here, as a note."""
    others = [name for name in sheet.header if name and name not in taken]
    return (f"Columns of the prices passed over: {listed(others)}.",) if others else ()


FORMAT = PriceFormat("a table of moments and prices", _recognises, _read)
