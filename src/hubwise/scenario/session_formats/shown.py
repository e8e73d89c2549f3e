"""A table in any language: what its columns mean shows in what they hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise, permutations

from hubwise.scenario.session_formats.form import SessionFormat
from hubwise.scenario.sniffing import Sheet, decimal_mark, is_empty, number
from hubwise.scenario.stamps import date_order, stamp

# So many rows are looked at.
_LOOKED_AT = 500
# Meters' readings and the energy between them are rounded to this [kWh], [Wh] to a thousand times.
_ROUNDING = 0.11

Figures = list[float | None]


def shown(sheet: Sheet) -> SessionFormat | None:
    """The format that a table's cells show, or nothing where they leave a choice.

    Two columns hold moments, the one never after the other: arrival and departure. One column is
    in kWh or Wh, or one of several is what a meter's readings, larger and side by side, differ by:
    the energy.
    """
    stay, energy = _stay(sheet), _energy(sheet)
    if stay is None or energy is None:
        return None
    arrival, departure = stay
    return SessionFormat(
        name=f"a table known by what it holds: {arrival!r} is taken for the arrival, "
        f"{departure!r} for the departure, {energy!r} for the energy",
        known_by=((arrival,), (departure,), (energy,)),
        columns={"arrival": (arrival,), "departure": (departure,), "delivered_kwh": (energy,)},
    )


def _stay(sheet: Sheet) -> tuple[str, str] | None:
    columns = {name: _moments(_cells(sheet, name)) for name in sheet.header if name}
    moments = {name: found for name, found in columns.items() if found}
    if len(moments) != 2:
        return None
    for first, last in permutations(moments):
        pairs = zip(moments[first], moments[last], strict=True)
        both = [(begin, end) for begin, end in pairs if begin and end]
        if all(begin <= end for begin, end in both) and any(a < b for a, b in both):
            return first, last
    return None


def _moments(cells: Sequence[str]) -> list[datetime | None]:
    """What cells that are empty or dates with a time of day mean; nothing where others are."""
    there = [cell for cell in cells if not is_empty(cell)]
    if not there or not all(re.search(r"\d:\d\d", cell) for cell in there):
        return []
    order = date_order(there, "")
    try:
        found = [None if is_empty(cell) else stamp(cell, order) for cell in cells]
    except (ValueError, OverflowError):
        return []
    return [one if one is None or one.tzinfo else one.replace(tzinfo=UTC) for one in found]


def _energy(sheet: Sheet) -> str | None:
    united = {
        name: _figures(_cells(sheet, name), sheet.delimiter)
        for name in sheet.header
        if re.search(r"(?<![a-z])k?wh(?![a-z])", name.casefold())
        and not re.search(r"/\s*k?wh|(?:per|pro|je|par|por|al)[\s_]+k?wh", name.casefold())
    }
    known = [name for name, figures in united.items() if figures]
    if len(known) < 2:
        return known[0] if known else None
    between = [
        name
        for name in known
        if any(
            name not in (first, last)
            and first in known
            and last in known
            and _differ_by(united[first], united[last], united[name])
            for first, last in pairwise(sheet.header)
        )
    ]
    return between[0] if len(between) == 1 else None


def _figures(cells: Sequence[str], delimiter: str) -> Figures:
    """What cells say in figures, empty ones nothing; an empty list where one says neither."""
    mark = decimal_mark(cells, delimiter)
    try:
        found = [number(cell, mark) for cell in cells]
    except ValueError:
        return []
    return found if any(one is not None for one in found) else []


def _differ_by(first: Figures, last: Figures, energy: Figures) -> bool:
    """Whether readings differ by a third column in every row, by something, and are above it."""
    rows = [
        (begin, end, between)
        for begin, end, between in zip(first, last, energy, strict=True)
        if begin is not None and end is not None and between is not None
    ]
    scale = 1000.0 if any(abs(between) > 1000.0 for _, _, between in rows) else 1.0
    near = all(abs(end - begin - between) <= _ROUNDING * scale for begin, end, between in rows)
    read, used = (sum(row[k] for row in rows) for k in (0, 2))
    return near and _ROUNDING * scale < used < read


def _cells(sheet: Sheet, name: str) -> list[str]:
    return sheet.column(name)[:_LOOKED_AT]
