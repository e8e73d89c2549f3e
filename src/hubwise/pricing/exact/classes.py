"""Driver classes: identical sessions merged into one, as large as they are together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, replace

import numpy as np

from hubwise.domain import Drivers, Fleet, Situation, SlotBounds, Taper
from hubwise.domain.arrays import Index

# What grows with the number of drivers in a class; everything else is theirs in common.
SIZES = (
    "capacity_kwh",
    "arrival_kwh",
    "required_kwh",
    "reserve_kwh",
    "max_kwh",
    "charge_kw_max",
    "discharge_kw_max",
    "discharge_limit_kwh",
    "minimum_saving",
)
NAMES = ("session", "driver")


def merged(situation: Situation) -> Situation:
    """The situation with identical sessions merged into driver classes.

    A class of n identical drivers is one driver n times as large: its problem is homogeneous, and
    the average of cheapest schedules is a cheapest schedule. One thing is lost, at prices at which
    going in a circle costs a driver exactly nothing: two drivers of a class could then do the
    opposite of each other in one slot, and earn the operator an incentive on it; a class cannot.

    A class has the names of its first session, and the platform chooses for all.
    """
    fleet = situation.fleet.delegated()
    first, _, count = _identical(fleet)
    return replace(situation, fleet=_grown(fleet.select(first), count))


def _identical(fleet: Fleet) -> tuple[Index, Index, Index]:
    """First session of each class, class of each session, and sessions in each class."""
    columns = [list(column) for name, column in _columns(fleet) if name not in NAMES]
    kinds: dict[tuple[object, ...], int] = {}
    number = np.array(
        [kinds.setdefault(row, len(kinds)) for row in zip(*columns, strict=True)], np.int64
    )
    first = np.unique(number, return_index=True)[1]
    return first, number, np.bincount(number)


def _columns(fleet: Fleet) -> Iterator[tuple[str, Iterable[object]]]:
    """Every column, bounds by slot as the bytes of their rows."""
    for name in (field.name for field in fields(Drivers) if field.name != "name"):
        yield name, getattr(fleet, name)
    for field in fields(fleet):
        column = getattr(fleet, field.name)
        if isinstance(column, Drivers | Taper):  # bounds say what tapers
            continue
        if isinstance(column, SlotBounds):
            for part in fields(column):
                yield part.name, [row.tobytes() for row in getattr(column, part.name)]
        elif column is not None:
            yield field.name, column


def _grown(fleet: Fleet, count: Index) -> Fleet:
    """The fleet with every session ``count`` times as large."""
    grown = replace(fleet, **{name: getattr(fleet, name) * count for name in SIZES})
    if fleet.bounds is None:
        return grown
    parts = {f.name: getattr(fleet.bounds, f.name) * count[:, None] for f in fields(SlotBounds)}
    return replace(grown, bounds=SlotBounds(**parts))
