"""Series of prices in time: instants made of stamps, and prices laid over the slots.

Wherever a file's rows have no ends, a price holds for as long as rows are apart around it; so a
file may go over from hours to quarter-hours on any day, and a row that is left out stays a hole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from math import gcd
from zoneinfo import ZoneInfo

import numpy as np

from hubwise.domain import Horizon
from hubwise.domain.arrays import Array
from hubwise.scenario.price_formats import Fault, Piece, Series
from hubwise.scenario.stamps import ends_after, instants

STEPS = (5, 10, 15, 20, 30, 60)
_AROUND = 8  # rows to each side that tell how far rows are apart
_LONGEST_HOLD = timedelta(hours=24)  # a curve that leaves points out begins anew every day
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Interval:
    """A price between two instants in UTC; ``price`` is ``None`` where its cell has a fault."""

    where: str
    start: datetime
    end: datetime
    price: float | None
    fault: Fault | None = None

    def touches(self, start: datetime, end: datetime) -> bool:
        """Whether it holds at any time between two instants."""
        return self.start < end and self.end > start


@dataclass(frozen=True, slots=True)
class Timeline:
    """The prices of a file in order of time.

    Parameters
    ----------
    intervals
        None overlaps another.
    unplaced
        Rows whose time cannot be told, each with its fault.
    clashes
        Rows that contradict one before: its interval, and theirs.
    strays
        Starts that are off the steps of the rows around them, with that step [min].
    merged
        How many rows said again what another had said.
    held
        Intervals of points that were left out and hold the price before.
    repeated
        Clock times that come twice and that only the order of rows tells apart.
    """

    intervals: list[Interval]
    unplaced: list[Piece]
    clashes: list[tuple[Interval, Interval]]
    strays: list[tuple[Interval, int]]
    merged: int
    held: list[Interval]
    repeated: list[datetime]


def in_time(series: Series, zone: str, local_zone: str, *, hold: bool) -> Timeline:
    """The prices of a file in order of time.

    Parameters
    ----------
    series
        As its format reads it.
    zone
        Whose clock stamps without an offset are on.
    local_zone
        The site's, whose midnight ends a price that is held past the last row.
    hold
        Whether a price holds over points that are left out.
    """
    later = [piece.later for piece in series.pieces]
    starts, repeated = instants([piece.start for piece in series.pieces], zone, later)
    placed, unplaced = list[tuple[Interval, bool]](), list[Piece]()
    for piece, start in zip(series.pieces, starts, strict=True):
        found = _placed(piece, start, zone)
        if isinstance(found, Piece):
            unplaced += [found] if found.fault else []
        else:
            placed.append((found, piece.end is None))
    placed.sort(key=lambda one: one[0].start)
    once, clashes, merged = _once(placed)
    hold = hold or series.holds
    intervals, strays = _with_ends(once)
    intervals, crossed = _cut(intervals)
    held = _held(intervals, local_zone) if hold else []
    intervals = sorted([*intervals, *held], key=lambda one: one.start)
    return Timeline(
        intervals, unplaced, clashes + crossed, [] if hold else strays, merged, held, repeated
    )


def lay(intervals: Sequence[Interval], horizon: Horizon) -> tuple[Array, list[datetime], int]:
    """Prices over the slots, shape (slots,); where there are none, and in which steps [min].

    A slot that several prices hold in takes their mean over time; it is NaN where any of them is
    missing. The starts of the steps without price are the second result.
    """
    begins, ends = horizon.start_utc, horizon.end_utc
    near = [one for one in intervals if one.touches(begins, ends)]
    edges = [(edge - begins) // _MINUTE for one in near for edge in (one.start, one.end)]
    step = gcd(horizon.slot_minutes, *edges)
    fine = np.full(horizon.slots * horizon.slot_minutes // step, np.nan)
    there = np.zeros(fine.size, dtype=bool)
    for one in near:
        first, last = ((edge - begins) // _MINUTE // step for edge in (one.start, one.end))
        fine[max(first, 0) : last] = np.nan if one.price is None else one.price
        there[max(first, 0) : last] = True
    by_slot = fine.reshape(horizon.slots, -1)
    even = by_slot.min(axis=1) == by_slot.max(axis=1)
    laid = np.where(even, by_slot[:, 0], by_slot.mean(axis=1))
    missing = [begins + _MINUTE * step * int(k) for k in np.flatnonzero(~there)]
    return laid, missing, step


def rows_of(intervals: Sequence[Interval], horizon: Horizon) -> tuple[list[datetime], int]:
    """Starts of equal rows that hold each price on the horizon, and their length [min]."""
    near = [one for one in intervals if one.touches(horizon.start_utc, horizon.end_utc)]
    lengths = [(one.end - one.start) // _MINUTE for one in near]
    ties = [(b.start - a.start) // _MINUTE for a, b in pairwise(near)]
    step = gcd(60, *lengths, *ties)
    first = near[0].start
    past = (horizon.start_utc - first) // _MINUTE // step * step
    starts, moment = list[datetime](), first + _MINUTE * past
    while moment < horizon.end_utc:
        starts.append(moment)
        moment += _MINUTE * step
    return starts, step


def steps(starts: Sequence[datetime]) -> list[int]:
    """How far rows are apart at each row, by those around it [min]; an hour for a single row."""
    gaps = [(b - a) // _MINUTE for a, b in pairwise(starts)]
    found = []
    for k in range(len(starts)):
        after = _usual(tuple(gaps[k : k + _AROUND]))
        before = _usual(tuple(gaps[max(k - _AROUND, 0) : k]))
        own = gaps[k] if k < len(gaps) else None
        usual = [step for step in (before, after) if step is not None] or [60]
        around = gaps[max(k - _AROUND, 0) : k + _AROUND]
        meant = own is not None and own in usual and around.count(own) > 1
        found.append(own if meant and own is not None else min(usual))
    return found


@cache
def _usual(gaps: tuple[int, ...]) -> int | None:
    """The shortest of some gaps that comes at least twice, else the shortest."""
    often = [gap for gap, count in Counter(gaps).items() if count > 1]
    return min(often or gaps, default=None)


def _placed(piece: Piece, start: datetime | None, zone: str) -> Interval | Piece:
    """A piece between instants, or the piece with its fault where its time cannot be told.

    A piece without price at a time that the clock leaps over says nothing, and has no fault.
    """
    if piece.start is None:
        return piece
    if piece.start.second or piece.start.microsecond:
        wrong = f"{piece.start:%Y-%m-%d %H:%M:%S} is not on a whole minute"
        return replace(piece, fault=Fault("start", wrong, "start prices on whole minutes"))
    if start is None:
        if piece.price is None:
            return replace(piece, fault=None)
        wrong = f"{piece.start:%Y-%m-%d %H:%M} is not on the clock of {zone}, which leaps over it"
        right = "where the file keeps another clock, tell it with prices_zone, such as UTC"
        return replace(piece, fault=Fault("start", wrong, right))
    end = start
    if piece.end is not None:
        end = _end(start, piece.start, _open(piece.end), zone)
        if end == start:
            fault = Fault("end", f"{piece.end:%Y-%m-%d %H:%M} is not after its start", "mend it")
            return replace(piece, fault=fault)
    return Interval(piece.where, start, end, piece.price, piece.fault)


def _end(start: datetime, wall: datetime, end: datetime, zone: str) -> datetime:
    named = end.tzinfo.key if isinstance(end.tzinfo, ZoneInfo) else zone
    if end.tzinfo is None or isinstance(end.tzinfo, ZoneInfo):
        return ends_after(start, wall.replace(tzinfo=None), end.replace(tzinfo=None), named)
    return max(end.astimezone(UTC), start)


def _open(end: datetime) -> datetime:
    """The end of an interval that is written as its last second or minute, such as 00:59."""
    if end.second == 59:
        return end.replace(microsecond=0) + timedelta(seconds=1)
    return end + _MINUTE if end.minute % 5 == 4 and not end.second else end


def _once(
    placed: list[tuple[Interval, bool]],
) -> tuple[list[tuple[Interval, bool]], list[tuple[Interval, Interval]], int]:
    """Each start once; rows that contradict the first of it, and how many say the same again."""
    once, clashes, merged = list[tuple[Interval, bool]](), list[tuple[Interval, Interval]](), 0
    for one, endless in placed:
        before = once[-1][0] if once else None
        if before is None or before.start != one.start:
            once.append((one, endless))
        elif before.price is None or one.price is None or before.price == one.price:
            once[-1] = once[-1] if one.price is None else (one, endless)
            merged += 1
        else:
            clashes.append((before, one))
    return once, clashes, merged


def _with_ends(
    once: list[tuple[Interval, bool]],
) -> tuple[list[Interval], list[tuple[Interval, int]]]:
    """Intervals that end where they say, else after a step of the rows around; and the strays."""
    bare = [one for one, endless in once if endless]
    step = dict(zip((one.start for one in bare), steps([one.start for one in bare]), strict=True))
    phases = [_phase(one.start, step[one.start]) for one in bare]
    strays = [
        (one, step[one.start])
        for k, one in enumerate(bare)
        if step[one.start] not in STEPS
        or (
            phases[k] not in (*phases[max(k - 1, 0) : k], *phases[k + 1 : k + 2], *phases[: k == 0])
            and len(bare) > 2
        )
    ]
    ended = list[Interval]()
    for k, (one, endless) in enumerate(once):
        end = one.start + _MINUTE * min(step[one.start], 1440) if endless else one.end
        if endless and k + 1 < len(once):
            end = min(end, once[k + 1][0].start)
        ended.append(replace(one, end=end))
    return ended, strays


def _phase(start: datetime, step: int) -> tuple[int, float]:
    minute = 60 * start.hour + start.minute
    return step, minute % step + start.second / 60.0


def _cut(intervals: list[Interval]) -> tuple[list[Interval], list[tuple[Interval, Interval]]]:
    """Intervals of which none overlaps the next, and those that had another price there."""
    crossed = [(a, b) for a, b in pairwise(intervals) if a.end > b.start and a.price != b.price]
    nexts = [*(one.start for one in intervals), datetime.max.replace(tzinfo=UTC)][1:]
    cut = [replace(a, end=min(a.end, b)) for a, b in zip(intervals, nexts, strict=True)]
    return cut, crossed


def _held(intervals: list[Interval], zone: str) -> list[Interval]:
    """What fills the gaps between intervals, and after the last until midnight of its day."""
    held = []
    for a, b in pairwise(intervals):
        if a.end < b.start <= a.start + _LONGEST_HOLD:
            held.append(Interval(a.where, a.end, b.start, a.price, a.fault))
    if intervals:
        last, place = intervals[-1], ZoneInfo(zone)
        day = (last.end - _MINUTE).astimezone(place).date() + timedelta(days=1)
        midnight = datetime(day.year, day.month, day.day, tzinfo=place).astimezone(UTC)
        if last.end < midnight:
            held.append(Interval(last.where, last.end, midnight, last.price, last.fault))
    return held
