"""Series of prices in time: laid over the slots, with gaps and double rows named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import gcd
from zoneinfo import ZoneInfo

import numpy as np

from hubwise.domain import Horizon
from hubwise.domain.arrays import Array
from hubwise.scenario.clock import in_utc
from hubwise.scenario.errors import listed
from hubwise.scenario.reading import Reader
from hubwise.scenario.tables import Table

_STEPS = (5, 10, 15, 20, 30, 60)


def read_series(table: Table, horizon: Horizon, reader: Reader) -> Array | None:
    """The prices of ``table`` in every slot, in its own unit; shape (slots,).

    A slot that covers several rows takes their mean, a row that covers several slots holds in each.
    Nothing where a price is missing: each one is noted.
    """
    prices = _by_moment(table, reader)
    step = _step(prices)
    if step not in _STEPS:
        wrong, right = f"rows are {step} min apart", f"give one row every {listed(_STEPS)} min"
        reader.wrong(table.file, "", "start_utc", wrong, right)
        return None
    _check_grid(table, step, reader)
    if None in table["start_utc"]:
        return None
    starts = _row_starts(horizon, step)
    needed = {moment for slot in starts for moment in slot}
    if missing := sorted(needed - prices.keys()):
        _note_gap(table.file, missing, step, prices.keys(), horizon, reader)
        return None
    values = np.array([np.mean([prices[moment] for moment in slot]) for slot in starts])
    return None if np.isnan(values).any() else values


def _row_starts(horizon: Horizon, step: int) -> list[list[datetime]]:
    """The starts of the rows that hold in each slot, each as often as its share of the slot."""
    pieces = range(0, horizon.slot_minutes, gcd(step, horizon.slot_minutes))
    return [
        [_floor(start + timedelta(minutes=minute), step) for minute in pieces]
        for start in horizon.starts_utc()
    ]


def rows_within(table: Table, horizon: Horizon) -> list[int]:
    """The rows whose price holds in some slot of the horizon."""
    moments = [in_utc(start, "UTC") for start in table["start_utc"]]
    before = horizon.start_utc - timedelta(minutes=_step(moments))
    return [k for k, moment in enumerate(moments) if before < moment < horizon.end_utc]


def _by_moment(table: Table, reader: Reader) -> dict[datetime, float]:
    """Prices by moment in UTC, NaN where the cell was refused; double rows are noted."""
    prices: dict[datetime, float] = {}
    first: dict[datetime, int] = {}
    for k, (start, price) in enumerate(zip(table["start_utc"], table["price"], strict=True)):
        if start is None:
            continue
        moment = in_utc(start, "UTC")
        if moment in prices:
            wrong = f"{_utc(moment)} is in {table.where(first[moment])} already"
            reader.wrong(table.file, table.where(k), "start_utc", wrong, "give each moment once")
        else:
            prices[moment], first[moment] = np.nan if price is None else price, k
    return prices


def _step(moments: Iterable[datetime]) -> int:
    """Minutes between rows, by what most of them keep; an hour for a single row."""
    gaps = Counter((b - a) // timedelta(minutes=1) for a, b in pairwise(sorted(moments)))
    return gaps.most_common(1)[0][0] if gaps else 60


def _check_grid(table: Table, step: int, reader: Reader) -> None:
    for k, start in enumerate(table["start_utc"]):
        if start is not None and _floor(in_utc(start, "UTC"), step) != in_utc(start, "UTC"):
            wrong = f"{_utc(in_utc(start, 'UTC'))} is off the others' steps of {step} min"
            right = f"start rows on whole steps of {step} min"
            reader.wrong(table.file, table.where(k), "start_utc", wrong, right)


def _note_gap(
    file: str,
    missing: list[datetime],
    step: int,
    there: Iterable[datetime],
    horizon: Horizon,
    reader: Reader,
) -> None:
    zone, runs = ZoneInfo(horizon.zone), list[tuple[datetime, datetime]]()
    for moment in missing:
        follows = runs and moment - runs[-1][1] == timedelta(minutes=step)
        runs.append((runs.pop()[0] if follows else moment, moment))
    named = listed(
        f"{_utc(a)} ({a.astimezone(zone):%Y-%m-%d %H:%M} local)"
        + (f" to {_utc(b)} ({b.astimezone(zone):%Y-%m-%d %H:%M} local)" if b > a else "")
        for a, b in runs
    )
    right = f"the horizon needs {_utc(horizon.start_utc)} to {_utc(horizon.end_utc)}"
    if first := min(there, default=None):
        right += f"; the table's prices start from {_utc(first)} to {_utc(max(there))}"
    reader.wrong(file, "", "start_utc", f"has no price for {named}", right)


def _floor(moment: datetime, step: int) -> datetime:
    """The last whole step, counted from midnight UTC, at or before ``moment``."""
    minutes = (moment.hour * 60 + moment.minute) // step * step
    return datetime(moment.year, moment.month, moment.day, tzinfo=UTC) + timedelta(minutes=minutes)


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M}Z"
