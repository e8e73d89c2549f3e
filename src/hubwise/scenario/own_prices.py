"""A tariff of one's own: a table of prices, laid over the slots of every hub."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, time
from itertools import pairwise
from pathlib import Path

import numpy as np

from hubwise.domain import Horizon, Situation, Tariff
from hubwise.domain.arrays import Array, Index
from hubwise.domain.errors import ScenarioError, in_order, listed
from hubwise.scenario.clock import in_utc
from hubwise.scenario.market import clock_times
from hubwise.scenario.reading import Reader
from hubwise.scenario.rows import OwnPriceRow
from hubwise.scenario.tables import Table, check_known, read_table

# From so many rows on, most of them one step apart, a longer gap is a row that is missing.
MANY = 12
_TIMES = ("start", "start_utc", "hour")


def read_own_prices(file: str | Path, situation: Situation) -> Tariff:
    """The tariff in a table of ``charge`` and ``discharge`` prices.

    Rows hold from ``start`` (a time of day, or a date and time; on the site's clock without an
    offset), ``start_utc`` or ``hour`` until the next row's, times of day across midnight; at the
    ``hub`` named, or at all.

    Parameters
    ----------
    file
        CSV or Parquet; prices in the scenario's currency per kWh.
    situation
        Whose hubs and slots they are for.

    Raises
    ------
    ScenarioError
        With everything that is wrong with the table.
    """
    place = Path(file)
    reader = Reader(place.parent)
    table = read_table(reader, place.name, OwnPriceRow)
    tariff = None if table is None else _laid(table, situation, reader)
    if reader.issues or tariff is None:
        raise ScenarioError(in_order(reader.issues))
    return tariff


def _laid(table: Table, situation: Situation, reader: Reader) -> Tariff | None:
    """The prices in every slot at every hub; what is wrong is noted."""
    check_known(table, "hub", situation.hubs.name, reader)
    key = _time_column(table, reader)
    starts = (
        []
        if key is None
        else [_time_of(table, key, k, situation.horizon, reader) for k in range(len(table))]
    )
    if reader.issues or key is None:
        return None
    prices = np.zeros((2, len(situation.hubs), situation.horizon.slots))
    for h, hub in enumerate(situation.hubs.name):
        rows = {k for k, name in enumerate(table["hub"]) if name in (None, hub)}
        if not rows:
            wrong = f"hub {hub!r} has no rows"
            reader.wrong(table.file, "", "hub", wrong, "give some, or leave the column out")
            continue
        mine = {k: start for k, start in enumerate(starts) if k in rows and start is not None}
        row = _rows_in_force(table, key, mine, situation.horizon, reader)
        if row is not None:
            prices[:, h] = [np.array(table[kind])[row] for kind in ("charge", "discharge")]
    return Tariff(*prices)


def _time_column(table: Table, reader: Reader) -> str | None:
    """The one column that says when rows begin."""
    given = [key for key in _TIMES if any(value is not None for value in table[key])]
    if len(given) != 1:
        wrong = f"{listed(given)} are given" if given else "no time is given"
        reader.wrong(table.file, "row 1", "start", wrong, f"give one of {listed(_TIMES)}")
        return None
    for k, value in enumerate(table[given[0]]):
        if value is None:
            reader.wrong(table.file, table.where(k), given[0], "is empty", "it has to be given")
    return given[0]


def _rows_in_force(
    table: Table,
    key: str,
    starts: Mapping[int, datetime | float],
    horizon: Horizon,
    reader: Reader,
) -> Index | None:
    """The row of the table that holds in each slot; shape (slots,)."""
    daily = {isinstance(start, float) for start in starts.values()}
    if len(daily) > 1:
        reader.wrong(table.file, "", key, "mixes times of day and dates", "write all rows alike")
        return None
    begins = np.array([_hours(start) for start in starts.values()])
    order = np.argsort(begins, kind="stable")
    rows, begins = np.array(list(starts))[order], begins[order]
    if not _once(table, key, rows, begins, reader):
        return None
    slots = horizon.local_hours()
    if daily != {True}:
        slots = np.array([moment.timestamp() / 3600.0 for moment in horizon.starts_utc()])
    _check_slots(table, key, (rows, begins), slots, horizon, reader)
    place = np.searchsorted(begins, slots + 1e-9, side="right") - 1
    before = 24.0 if daily == {True} else np.inf
    age = slots - begins[place] + np.where(place < 0, before, 0.0)
    missing = age >= _longest(begins) - 1e-9
    if missing.any():
        first, last = horizon.local_start, horizon.end_utc
        wrong = f"has no row for {clock_times(horizon, missing)}"
        right = f"needed from {first:%Y-%m-%d %H:%M} to {last.astimezone(first.tzinfo):%d %H:%M}"
        reader.wrong(table.file, "", key, wrong, right)
        return None
    return rows[place]


def _longest(begins: Array) -> float:
    """How long a row may hold at most [h]: one step, where there are many and most keep it."""
    gaps = Counter(round(b - a, 6) for a, b in pairwise(begins.tolist()))
    step, often = gaps.most_common(1)[0] if gaps else (np.inf, 0)
    return step if len(begins) >= MANY and 2 * often > len(begins) else np.inf


def _once(table: Table, key: str, rows: Index, begins: Array, reader: Reader) -> bool:
    """Whether no two rows begin at once."""
    twice = np.flatnonzero(np.diff(begins) < 1e-9)
    for k in twice:
        wrong = f"begins when {table.where(int(rows[k]))} does"
        where = table.where(int(rows[k + 1]))
        reader.wrong(table.file, where, key, wrong, "give each time once for a hub")
    return not len(twice)


def _check_slots(
    table: Table,
    key: str,
    ordered: tuple[Index, Array],
    slots: Array,
    horizon: Horizon,
    reader: Reader,
) -> None:
    """Prices change with slots."""
    minutes = (ordered[1][:, None] - slots[None, :]) * 60.0
    inside = (minutes > 1e-6) & (minutes < horizon.slot_minutes - 1e-6)
    for k in np.flatnonzero(inside.any(axis=1)):
        wrong = f"begins within a slot of {horizon.slot_minutes} min"
        where = table.where(int(ordered[0][k]))
        reader.wrong(table.file, where, key, wrong, "let prices change with slots")


def _time_of(
    table: Table, key: str, k: int, horizon: Horizon, reader: Reader
) -> datetime | float | None:
    """When a row begins: a moment in UTC, or an hour of the day; nothing where it is neither."""
    value = table[key][k]
    if key == "hour":
        return float(value)
    if key == "start_utc":
        return in_utc(value, "UTC")
    try:
        clock = time.fromisoformat(value)
        return clock.hour + clock.minute / 60.0
    except ValueError:
        pass
    try:
        return in_utc(datetime.fromisoformat(value), horizon.zone)
    except ValueError:
        right = "write it as 07:30, or as 2025-05-14 07:30"
        wrong = f"{value!r} is no time of day and no date and time"
        reader.wrong(table.file, table.where(k), key, wrong, right)
        return None


def _hours(start: datetime | float) -> float:
    return start.timestamp() / 3600.0 if isinstance(start, datetime) else start
