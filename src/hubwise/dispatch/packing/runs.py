"""A stay as runs of slots that are alike, and the cheapest way to fill them that a charger can.

In a run only the number of slots in use and the energy matter, not which slots they are: so a whole
stay is a mixed-integer program of some dozen columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.dispatch.packing.chargers import Side
from hubwise.dispatch.program import Program, UnsolvedError
from hubwise.domain.arrays import Array, Flags, Index

# Powers that differ by less are the same [kW].
SAME = 1e-9
# A program of one stay is given so many nodes, and mostly needs one.
NODES, GAP, SECONDS = 200, 1e-6, 60.0
# What a kW slot elsewhere than before counts, as a share of the dearest price.
ELSEWHERE = 1e-4


@dataclass(frozen=True, slots=True)
class Stay:
    """One stay, slot by slot; arrays of shape (slots of the stay,).

    Parameters
    ----------
    charge, discharge
        What the charger can, each way.
    charge_price, discharge_price
        What a kW for a slot costs the driver, and brings it, wear taken off [currency/kW].
    charged, discharged
        As it was scheduled [kW].
    floor, top
        Least and most energy at the end of each slot [kWh].
    into, out
        Energy put into, and drawn from, the battery by a kW for a slot [kWh/kW].
    start, limit
        Energy at arrival, and the most that may be drawn [kWh].
    surplus
        Worth of a kWh at the end [currency/kWh].
    """

    charge: Side
    discharge: Side
    charge_price: Array
    discharge_price: Array
    charged: Array
    discharged: Array
    floor: Array
    top: Array
    into: float
    out: float
    start: float
    limit: float
    surplus: float


@dataclass(frozen=True, slots=True)
class Filled:
    """What a side does in every run: slots in use, and kW slots in them; each (runs,)."""

    slots: Index
    energy: Array


@dataclass(frozen=True, slots=True)
class _Columns:
    """Columns of one side; each of shape (runs,)."""

    slots: Index
    energy: Index


def begins(stay: Stay) -> Index:
    """The first slot of every run, closed by the number of slots.

    Within a run prices and powers are the same, and a path that keeps floor and top at both ends
    keeps them inside.
    """
    size = len(stay.floor)
    new = np.zeros(size + 1, bool)
    new[0] = new[size] = True
    columns = (
        *(stay.charge_price, stay.discharge_price, stay.charge.most, stay.discharge.most),
        *(stay.charge.share(), stay.discharge.share()),
    )
    for column in columns:
        new[1:size] |= np.diff(column) != 0.0
    # Who has to charge, or to draw, at once does so in the first slot.
    new[1] |= not stay.floor[0] <= stay.start <= stay.top[0]
    for column, sign in ((stay.floor, 1.0), (stay.top, -1.0)):
        step = sign * np.diff(column)
        # A bound that tightens at the very end is one of the run's end alone.
        change = step != 0.0
        if size > 1:
            change[-1] = step[-1] < 0.0
        new[1:size] |= change
        new[2 : size + 1] |= change
    return np.flatnonzero(new)


def fill(stay: Stay) -> tuple[Filled, Filled] | None:
    """What charging and discharging do in every run at the least cost; None where nothing fits."""
    first = begins(stay)
    begin, length = first[:-1], np.diff(first)
    program = Program()
    ways = (
        (stay.charge, stay.charged, -stay.charge_price),
        (stay.discharge, stay.discharged, stay.discharge_price),
    )
    dearest = max(float(np.abs(price).max(initial=0.0)) for _, _, price in ways)
    sides = []
    for side, was, worth in ways:
        columns = _side(program, side, begin, length)
        program.earn(columns.energy, worth[begin])
        before = np.add.reduceat(was, begin)
        _prefer(program, columns, before, ELSEWHERE * dearest)
        sides.append(columns)
    _one_way(program, sides, length)
    _keep_energy(program, stay, sides, first)
    try:
        values = program.solve(seconds=SECONDS, gap=GAP, nodes=NODES).values
    except UnsolvedError:
        return None
    return tuple(  # type: ignore[return-value]
        Filled(np.round(values[side.slots]).astype(np.int64), values[side.energy]) for side in sides
    )


def _side(program: Program, side: Side, begin: Index, length: Index) -> _Columns:
    """Slots in use and their energy: nothing, or at least the least, in whole steps or in full."""
    there = side.share()[begin]
    most, least, step = side.most[begin], side.least * there, side.step * there
    fits = (most >= least - SAME) & (most > SAME)
    slots = program.columns(len(begin), 0.0, np.where(fits, length, 0.0), whole=True)
    energy = program.columns(len(begin), 0.0, most * length)
    program.require((energy, 1.0), (slots, -most), high=0.0)
    program.require((energy, 1.0), (slots, -least), low=0.0)
    if side.step > 0.0:
        full = program.columns(len(begin), 0.0, length, whole=True)
        highest = np.floor(most / step + SAME)
        steps = program.columns(len(begin), 0.0, length * highest, whole=True)
        lowest = np.ceil(least / step - SAME)
        program.require((energy, 1.0), (full, -most), (steps, -step), low=0.0, high=0.0)
        program.require((steps, 1.0), (slots, -highest), (full, highest), high=0.0)
        program.require((steps, 1.0), (slots, -lowest), (full, lowest), low=0.0)
        program.require((full, 1.0), (slots, -1.0), high=0.0)
    if np.isfinite(side.starts):
        _limit_starts(program, slots, length, side.starts)
    return _Columns(slots, energy)


def _limit_starts(program: Program, slots: Index, length: Index, most: float) -> None:
    """At most so many stretches: one a run in use, less those that join across its ends."""
    size = len(length)
    used, full, left, right = (program.switches(size) for _ in range(4))
    program.require((slots, 1.0), (used, -length), high=0.0)
    program.require((slots, 1.0), (used, -1.0), low=0.0)
    program.require((slots, 1.0), (full, -length), low=0.0)
    program.require((left, 1.0), (right, 1.0), (used, -1.0), (full, -1.0), high=0.0)
    joined = program.switches(max(size - 1, 0))
    program.require((joined, 1.0), (right[:-1], -1.0), high=0.0)
    program.require((joined, 1.0), (left[1:], -1.0), high=0.0)
    rows = program.rows(1, -np.inf, most)
    program.put(rows, used, 1.0)
    program.put(rows, joined, -1.0)


def _prefer(program: Program, side: _Columns, before: Array, price: float) -> None:
    """A small price on doing otherwise than before."""
    apart = program.columns(len(before), 0.0, np.inf)
    program.require((apart, 1.0), (side.energy, -1.0), low=-before)
    program.require((apart, 1.0), (side.energy, 1.0), low=before)
    program.earn(apart, -price)


def _one_way(program: Program, sides: list[_Columns], length: Index) -> None:
    """In a run something flows one way."""
    charging = program.switches(len(length))
    program.require((sides[0].slots, 1.0), (charging, -length), high=0.0)
    program.require((sides[1].slots, 1.0), (charging, length), high=length)


def _keep_energy(program: Program, stay: Stay, sides: list[_Columns], first: Index) -> None:
    """The battery's bounds at the end of every run, and the limit on what is drawn."""
    low, high = stay.floor[first[1:] - 1], stay.top[first[1:] - 1]
    energy = program.columns(len(low), low, np.maximum(high, low))
    before = np.zeros(len(low))
    before[0] = stay.start
    charge, discharge = sides[0].energy, sides[1].energy
    rows = program.require(
        (energy, 1.0), (charge, -stay.into), (discharge, stay.out), low=before, high=before
    )
    program.put(rows[1:], energy[:-1], -1.0)
    program.earn(energy[-1:], stay.surplus)
    if np.isfinite(stay.limit):
        row = program.rows(1, -np.inf, stay.limit)
        program.put(row, discharge, stay.out)


def laid_out(filled: Filled, first: Index, before: Array, side: Side) -> Array:
    """Powers of the stay's slots: each run's energy evenly in slots that were in use before, first.

    Parameters
    ----------
    filled
        What every run does.
    first
        The runs, as `begins` has them.
    before
        As it was scheduled; shape (slots of the stay,) [kW].
    side
        What the charger can.
    """
    power = np.zeros(len(before))
    for r, (n, energy) in enumerate(zip(filled.slots, filled.energy, strict=True)):
        if n > 0:
            used: Flags = before[first[r] : first[r + 1]] > SAME
            chosen = first[r] + np.argsort(~used, kind="stable")[:n]
            power[chosen] = min(energy / n, side.most[first[r]])
    return power
