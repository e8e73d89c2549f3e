"""Price series of others, their columns known by several names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from pydantic import BaseModel

from hubwise.scenario.errors import listed
from hubwise.scenario.reading import Reader
from hubwise.scenario.rows import PriceRow
from hubwise.scenario.tables import Table, check_cells, read_cells

_PRICE_NAMES = {"start": "start_utc", "timestamp": "start_utc", "time": "start_utc"}


def read_foreign_prices(reader: Reader, name: str) -> tuple[Table | None, str | None, str | None]:
    """The prices in file ``name``, and the unit and currency that its header tells.

    The price's column is the one whose name begins with ``price``; ``price_eur_per_mwh`` tells
    that it is in EUR per MWh.
    """
    raw = read_cells(reader, name)
    if raw is None:
        return None, None, None
    prices = [column for column in raw.columns if column.lower().startswith("price")]
    if len(prices) != 1:
        wrong = f"has {len(prices)} columns whose names begin with 'price'"
        right = f"it needs one; its columns are {listed(raw.columns)}"
        reader.wrong(name, "row 1", "price", wrong, right)
        return None, None, None
    names = {column: _PRICE_NAMES.get(column.lower(), column) for column in raw.columns}
    table = _checked(reader, raw, names | {prices[0]: "price"}, PriceRow)
    told = re.fullmatch(r"price(?:_([a-z]{3}))?(?:_per)?_([km])wh", prices[0].lower())
    if told is None:
        return table, None, None
    return table, {"k": "kWh", "m": "MWh"}[told[2]], told[1].upper() if told[1] else None


def _checked(
    reader: Reader, raw: Table, names: Mapping[str, str], model: type[BaseModel]
) -> Table | None:
    """The columns of ``model``; problems keep the names that the file itself uses."""
    known = {new: old for old, new in names.items() if new in model.model_fields}
    renamed = Table(raw.file, raw.rows, {new: raw.columns[old] for new, old in known.items()})
    before = len(reader.issues)
    table = check_cells(reader, renamed, model)
    reader.issues[before:] = [
        replace(issue, field=known.get(issue.field, issue.field))
        for issue in reader.issues[before:]
    ]
    return table
