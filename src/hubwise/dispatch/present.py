"""Sessions that are here in every future: one unit for all, and the same one in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from itertools import pairwise

import numpy as np

from hubwise.domain import Fleet, SlotBounds, Taper
from hubwise.domain.arrays import Array, Index, Names, among, standing
from hubwise.domain.fleets import joined


def rows_of_sessions(
    fleets: Sequence[Fleet], present: Names | None
) -> tuple[list[Fleet], tuple[Index, ...]]:
    """Fleets without those that stand in an earlier one already, and every session's row."""
    if present is None or not len(present):
        ends = np.cumsum([0, *(len(fleet) for fleet in fleets)])
        return list(fleets), tuple(np.arange(a, b) for a, b in pairwise(ends))
    _check_present(fleets, present)
    kept, rows, count = [], [], 0
    for f, fleet in enumerate(fleets):
        # The first future's sessions all stand first, each at its own place.
        fresh = np.ones(len(fleet), np.bool_) if f == 0 else ~among(fleet.session, present)
        row = np.empty(len(fleet), np.int64)
        row[fresh] = count + np.arange(int(fresh.sum()))
        row[~fresh] = standing(fleet.session[~fresh], fleets[0].session)
        kept.append(fleet if fresh.all() else fleet.select(fresh))
        rows.append(row)
        count += int(fresh.sum())
    return kept, tuple(rows)


def _check_present(fleets: Sequence[Fleet], present: Names) -> None:
    """Refuse sessions that are present and not in every future, or not the same ones in all."""
    first: Fleet | None = None
    for f, fleet in enumerate(fleets, 1):
        row = standing(present, fleet.session)
        if (row < 0).any():
            raise ValueError(
                f"{min(present[row < 0].tolist())!r} is present, and not in future {f}"
            )
        if len(fleets) == 1:
            return
        seen = fleet.select(row)
        first = first or seen
        if different := _differing(first, seen):
            name, k = different
            raise ValueError(
                f"{str(present[k])!r} is present, and its {name} in future {f} is not that in "
                "future 1: give it the same in all"
            )


def _differing(one: Fleet, other: Fleet) -> tuple[str, int] | None:
    """The first column in which two fleets of the same sessions differ, and the first row of it.

    What one of them does not tell of is what that means.
    """
    both, rows = joined([one, other]), np.arange(len(one))
    one, other = both.select(rows), both.select(len(one) + rows)
    for name in (f.name for f in fields(Fleet) if f.name not in ("driver", "drivers")):
        for mine, theirs in _arrays(getattr(one, name), getattr(other, name)):
            if mine is None or theirs is None or mine.shape[1:] != theirs.shape[1:]:
                return name, 0
            off = (mine != theirs) & ~((mine != mine) & (theirs != theirs))
            if off.any():
                return name, int(np.argmax(off.reshape(len(off), -1).any(axis=1)))
    return None


def _arrays(one: object, other: object) -> list[tuple[Array | None, Array | None]]:
    """Pairs of arrays of two columns; none where neither is told."""
    if one is None and other is None:
        return []
    if one is None or other is None:
        return [(None, None)]
    if isinstance(one, SlotBounds | Taper):
        return [
            (np.asarray(getattr(one, f.name)), np.asarray(getattr(other, f.name)))
            for f in fields(one)
        ]
    return [(np.asarray(one), np.asarray(other))]
