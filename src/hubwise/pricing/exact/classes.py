"""Driver classes: identical sessions merged into one, as large as they are together."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from hubwise.domain import Fleet, Situation
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
)
NAMES = ("session", "driver")


def merged(situation: Situation) -> Situation:
    """The situation with identical sessions merged into driver classes.

    A class of n identical drivers is one driver n times as large: its problem is homogeneous, and
    the average of cheapest schedules is a cheapest schedule. One thing is lost, at prices at which
    going in a circle costs a driver exactly nothing: two drivers of a class could then do the
    opposite of each other in one slot, and earn the operator an incentive on it; a class cannot.

    A class has the names of its first session.
    """
    first, number, count = _identical(situation.fleet)
    return replace(situation, fleet=_grown(situation.fleet.select(first), count))


def _identical(fleet: Fleet) -> tuple[Index, Index, Index]:
    """First session of each class, class of each session, and sessions in each class."""
    columns = [getattr(fleet, f.name) for f in fields(fleet) if f.name not in NAMES]
    kinds: dict[tuple[object, ...], int] = {}
    number = np.array(
        [kinds.setdefault(row, len(kinds)) for row in zip(*columns, strict=True)], np.int64
    )
    first = np.unique(number, return_index=True)[1]
    return first, number, np.bincount(number)


def _grown(fleet: Fleet, count: Index) -> Fleet:
    """The fleet with every session ``count`` times as large."""
    return replace(fleet, **{name: getattr(fleet, name) * count for name in SIZES})
