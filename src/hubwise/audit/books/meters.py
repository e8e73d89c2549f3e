"""What meters showed: the run of a register that can have been, and energy by slot, in fractions.

The rule (docs/operate.md): readings in the order of time; each goes on with the longest run that
it can go on with, or begins one, at most 16; the longest counts, and of two as long none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from hubwise.audit.books.forms import Said
from hubwise.audit.books.stays import Heard, believable

UNITS = {"Wh": Fraction(1, 1_000), "kWh": Fraction(1), "MWh": Fraction(1_000)}
RUNS = 16
HIGHEST = Fraction(10**9)
Moment = tuple[tuple[int, int, datetime], datetime]


@dataclass(frozen=True, slots=True)
class Shown:
    """A register as it was shown; no energy where it cannot be read or believed [kWh]."""

    moment: Moment
    at: datetime
    kwh: Fraction | None


def shown(heard: Heard, register: str) -> list[Shown]:
    """Every reading of a register at the outlet, by time."""
    found = {_shown(said, sample) for said in heard.messages for sample in said[register]}
    return sorted(found, key=lambda each: (each.at, each.moment[0], each.kwh or 0))


def _shown(said: Said, sample: Said) -> Shown:
    rank = ("started", "updated", "ended").index(said["phase"])
    number = -1 if said["seq_no"] is None else said["seq_no"]
    believed = not sample["phase"] and believable(sample["at"], said["received_at"])
    place = (rank, number, said["at"])
    return Shown((place, sample["at"]), sample["at"], _energy(sample) if believed else None)


def _energy(sample: Said) -> Fraction | None:
    if (sample["signed"] and not sample["value"]) or sample["unit"] not in UNITS:
        return None
    try:
        value = Decimal(sample["value"])
    except (InvalidOperation, ValueError):
        return None
    if not value.is_finite():
        return None
    if not value:
        return Fraction(0)
    size = value.adjusted() + sample["multiplier"]
    if abs(size) > 100:
        return None if size > 0 or value < 0 else Fraction(0)
    kwh = Fraction(value) * UNITS[sample["unit"]] * Fraction(10) ** sample["multiplier"]
    return kwh if 0 <= kwh <= HIGHEST else None


def can_follow(before: Shown, after: Shown, most_kw: Fraction) -> bool:
    """Whether a meter behind so much power can have gone from one reading to the other."""
    assert before.kwh is not None
    assert after.kwh is not None
    step = after.kwh - before.kwh
    if after.at - before.at > timedelta(days=60):
        return False
    seconds = Fraction((after.at - before.at) // timedelta(microseconds=1), 10**6)
    most = Fraction(11, 10) * most_kw * (seconds + 10) / 3_600 + Fraction(2, 100)
    return 0 <= step <= most


def run(found: Sequence[Shown], most_kw: Fraction) -> list[Shown]:
    """The run that counts."""
    runs: list[list[Shown]] = []
    for each in found:
        if each.kwh is None:
            continue
        best = -1
        for number, one in enumerate(runs):
            longer = best < 0 or len(one) > len(runs[best])
            if longer and can_follow(one[-1], each, most_kw):
                best = number
        if best >= 0:
            runs[best].append(each)
        else:
            runs = sorted([*runs, [each]], key=len, reverse=True)[:RUNS]
    runs.sort(key=len, reverse=True)
    alike = len(runs) > 1 and len(runs[0]) == len(runs[1])
    return [] if alike or not runs else runs[0]


def doubtful(found: Sequence[Shown], counted: Sequence[Shown]) -> bool:
    """Whether the first or the last that was shown of a register does not count."""
    moments = sorted({each.moment for each in found})
    ends = {*moments[:1], *moments[-1:]}
    return bool(ends - {each.moment for each in counted})


def slots(
    counted: Sequence[tuple[datetime, Fraction]], zone: ZoneInfo, minutes: int
) -> dict[datetime, Fraction]:
    """Energy by the beginning of its slot [kWh]; between two readings it flowed evenly."""
    energy: dict[datetime, Fraction] = {}
    for (since, low), (until, high) in pairwise(counted):
        if high == low:
            continue
        for start, begin, end in _cut(since, until, zone, minutes):
            share = Fraction(1)
            if until > since:
                share = Fraction((end - begin) / timedelta(microseconds=1)) / Fraction(
                    (until - since) / timedelta(microseconds=1)
                )
            energy[start] = energy.get(start, Fraction()) + share * (high - low)
    return energy


def _cut(
    since: datetime, until: datetime, zone: ZoneInfo, minutes: int
) -> Iterator[tuple[datetime, datetime, datetime]]:
    """A span by the slots of the site's clock: where each begins, and which part of it."""
    at = since
    while True:
        wall = at.astimezone(zone)
        midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        into = (wall.replace(tzinfo=None) - midnight) % timedelta(minutes=minutes)
        start = at - into
        end = min(start + timedelta(minutes=minutes), until)
        yield start, at, end
        if end >= until:
            return
        at = end
