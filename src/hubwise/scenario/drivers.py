"""A table of drivers: what each wishes for every stay, unless the session says otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic_core import PydanticCustomError

from hubwise.domain import Horizon
from hubwise.scenario.clock import after_leap
from hubwise.scenario.reading import Reader
from hubwise.scenario.rows import DriverRow, moment
from hubwise.scenario.sections import Sections
from hubwise.scenario.tables import Table, check_cells, check_known, check_unique, read_cells

WISHES = tuple(key for key in DriverRow.model_fields if key != "driver")


def read_drivers(sections: Sections, reader: Reader) -> Table | None:
    """The table of drivers, with what is wrong with it noted.

    A refused cell is told once: what inherits it is not told to be empty.
    """
    name = sections.said("drivers", "file", str)
    raw = None if name is None else read_cells(reader, name)
    table = None if raw is None else check_cells(reader, raw, DriverRow)
    if raw is None or table is None:
        return None
    check_unique(table, "driver", reader)
    refused = {
        (key, k): ""
        for key in raw.columns
        for k in range(len(raw))
        if key in table.columns and raw[key][k] is not None and table[key][k] is None
    }
    return replace(table, inherited={**raw.inherited, **refused})


def with_wishes(sessions: Table, drivers: Table, horizon: Horizon | None) -> Table:
    """A table of sessions as it stands, its empty cells filled with what their drivers wish."""
    names = sessions.columns.get("driver", [None] * len(sessions))
    place = {name: j for j, name in enumerate(drivers["driver"]) if name is not None}
    columns, inherited = dict(sessions.columns), dict(sessions.inherited)
    for key in WISHES:
        cells = list(columns.get(key, [None] * len(sessions)))
        for k in [k for k, cell in enumerate(cells) if cell is None and names[k] in place]:
            j = place[names[k]]
            wish, refused = drivers[key][j], (key, j) in drivers.inherited
            if wish is not None or refused:
                cells[k] = _departure(sessions, k, wish, horizon) if key == "departure" else wish
                inherited[key, k] = f"{drivers.file}, {drivers.where(j)}"
        if key in columns or any(column == key for column, _ in inherited):
            columns[key] = cells
    return replace(sessions, columns=columns, inherited=inherited)


def check_drivers_known(sessions: Table, drivers: Table, reader: Reader) -> None:
    """Every session's driver is in the table of drivers."""
    if None not in drivers["driver"]:
        check_known(sessions, "driver", drivers["driver"], reader)


def _departure(
    sessions: Table, k: int, clock: time | None, horizon: Horizon | None
) -> datetime | None:
    """When the clock on the wall next shows ``clock`` after the arrival; nothing without one."""
    arrivals = sessions.columns.get("arrival")
    if arrivals is None or clock is None:
        return None
    try:
        arrival = moment(arrivals[k])
    except PydanticCustomError:  # told of where the sessions are checked
        return None
    zone = horizon.zone if horizon else "UTC"
    local = arrival.astimezone(ZoneInfo(zone)) if arrival.tzinfo else arrival
    wall = local.replace(tzinfo=None)
    leaves = datetime.combine(wall.date(), clock)
    leaves += timedelta(days=leaves <= wall)
    return after_leap(leaves, zone).astimezone(ZoneInfo(zone))
