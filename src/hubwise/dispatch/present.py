"""Sessions that are here in every future: one unit for all, and the same one in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from itertools import pairwise

import numpy as np

from hubwise.domain import Fleet, SlotBounds, Taper
from hubwise.domain.arrays import Index, Names


def rows_of_sessions(
    fleets: Sequence[Fleet], present: Names | None
) -> tuple[list[Fleet], tuple[Index, ...]]:
    """Fleets without those that stand in an earlier one already, and every session's row."""
    if present is None or not len(present):
        ends = np.cumsum([0, *(len(fleet) for fleet in fleets)])
        return list(fleets), tuple(np.arange(a, b) for a, b in pairwise(ends))
    here = set(present.tolist())
    _check_present(fleets, present)
    place: dict[str, int] = {}
    kept, rows, count = [], [], 0
    for f, fleet in enumerate(fleets):
        names = fleet.session.tolist()
        fresh = np.array([name not in here or f == 0 for name in names], dtype=bool)
        row = np.empty(len(names), np.int64)
        row[fresh] = count + np.arange(int(fresh.sum()))
        place |= {
            name: int(r) for name, r in zip(names, row, strict=True) if f == 0 and name in here
        }
        row[~fresh] = [place[name] for name, new in zip(names, fresh, strict=True) if not new]
        kept.append(fleet.select(fresh))
        rows.append(row)
        count += int(fresh.sum())
    return kept, tuple(rows)


def _check_present(fleets: Sequence[Fleet], present: Names) -> None:
    """Refuse sessions that are present and not in every future, or not the same ones in all."""
    seen: list[Fleet] = []
    for f, fleet in enumerate(fleets, 1):
        row = {name: k for k, name in enumerate(fleet.session.tolist())}
        if missing := set(present.tolist()) - row.keys():
            raise ValueError(f"{min(missing)!r} is present, and not in future {f}")
        seen.append(fleet.select(np.array([row[name] for name in present.tolist()])))
        for k, name in enumerate(present.tolist()):
            if different := _differing(seen[0], seen[-1], k):
                raise ValueError(
                    f"{name!r} is present, and its {different} in future {f} is not that in future "
                    "1: give it the same in all"
                )


def _differing(one: Fleet, other: Fleet, row: int) -> str | None:
    """The first column of a session that is not the same in two fleets."""
    rows = [fleet.select(np.array([row])) for fleet in (one, other)]
    for name in (f.name for f in fields(Fleet) if f.name not in ("driver", "drivers")):
        if not _same(*(getattr(fleet, name) for fleet in rows)):
            return name
    return None


def _same(one: object, other: object) -> bool:
    """Whether two columns, of one array or of several, are equal or both not told."""
    if isinstance(one, SlotBounds | Taper) and isinstance(other, SlotBounds | Taper):
        parts = [(getattr(one, f.name), getattr(other, f.name)) for f in fields(one)]
        return all(np.array_equal(*pair) for pair in parts)
    return (one is None) == (other is None) and (
        one is None or np.array_equal(np.asarray(one), np.asarray(other))
    )
