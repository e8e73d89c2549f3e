"""Shapes of a day: shares by hour of the local clock, laid over the slots."""

from __future__ import annotations

from hubwise.domain import Horizon
from hubwise.domain.arrays import Array
from hubwise.scenario.clock import by_hour
from hubwise.scenario.reading import Reader
from hubwise.scenario.rows import AmbientRow, ShapeRow
from hubwise.scenario.tables import Table, check_unique, read_table


def read_shape(name: str, horizon: Horizon | None, reader: Reader) -> Array | None:
    """The shares in file ``name`` in every slot; shape (slots,).

    Nothing without a horizon, or where the table has a mistake; it is noted.
    """
    return _by_hour(read_table(reader, name, ShapeRow), "share", horizon, reader)


def read_ambient(name: str, horizon: Horizon | None, reader: Reader) -> Array | None:
    """The temperatures in file ``name`` in every slot, as `read_shape`; shape (slots,) [°C]."""
    return _by_hour(read_table(reader, name, AmbientRow), "celsius", horizon, reader)


def _by_hour(
    table: Table | None, column: str, horizon: Horizon | None, reader: Reader
) -> Array | None:
    if table is None:
        return None
    check_unique(table, "hour", reader)
    if None in table["hour"] or None in table[column]:
        return None
    if min(table["hour"]) > 0:
        wrong = f"begins at hour {min(table['hour']):g}"
        reader.wrong(table.file, "", "hour", wrong, "begin at hour 0; a row holds until the next")
        return None
    return None if horizon is None else by_hour(horizon, table["hour"], table[column])
