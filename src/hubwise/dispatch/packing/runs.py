"""A stay as runs of slots that are alike, and the cheapest way to fill them that a charger can.

In a run only the number of slots in use and the energy matter, not which slots they are: so a whole
stay is a mixed-integer program of some dozen columns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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
# What is left counts, where cost stays: a slot below the least power, a start above what was asked,
# a slot off its steps; and a kW slot elsewhere than before, some thousands a stay at most.
WEAK, ABOVE, ODD, ELSEWHERE_FIT = 100.0, 10.0, 1.0, 1e-5
# A slot is in use where so much flows [kW].
USED_KW = 1e-3


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
    """What a side does in every run; each of shape (runs,).

    Parameters
    ----------
    slots, energy
        Slots in use, and kW slots in them.
    full, odd
        Of these slots: at the highest power, and at any power; the others are in whole steps.
    odd_energy
        The kW slots of the odd ones.
    left, right
        Whether use begins with the run's first slot, and ends with its last, for few starts.
    """

    slots: Index
    energy: Array
    full: Index
    odd: Index
    odd_energy: Array
    left: Flags
    right: Flags


@dataclass(frozen=True, slots=True)
class _Columns:
    """Columns of one side; each of shape (runs,).

    ``full``, ``odd``, ``odd_energy`` only in steps, and the last two where some may be off them;
    ``left``, ``right`` only where starts are limited.
    """

    slots: Index
    energy: Index
    full: Index | None = None
    odd: Index | None = None
    odd_energy: Index | None = None
    left: Index | None = None
    right: Index | None = None

    def filled(self, values: Array) -> Filled:
        """What the values of a program say."""
        size = len(self.slots)

        def counted(columns: Index | None) -> Index:
            if columns is None:
                return np.zeros(size, np.int64)
            return np.round(values[columns]).astype(np.int64)

        energy, free = values[self.energy], self.full is None
        rest = np.zeros(size) if self.odd_energy is None else values[self.odd_energy]
        return Filled(
            counted(self.slots), energy, counted(self.full),
            counted(self.slots if free else self.odd), energy if free else rest,
            counted(self.left) > 0, counted(self.right) > 0,
        )  # fmt: skip


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
    dearest = max(
        float(np.abs(price).max(initial=0.0)) for price in (stay.charge_price, stay.discharge_price)
    )
    return _solved(stay, ELSEWHERE * dearest, strict=True)


def fit(stay: Stay) -> tuple[Filled, Filled] | None:
    """The same energy at the same prices with the least left that the charger cannot follow.

    What is left: slots below the least power first, which would be off, then starts above what was
    asked, then slots off its steps. None where the program finds nothing.
    """
    return _solved(stay, ELSEWHERE_FIT, strict=False)


def _solved(stay: Stay, elsewhere: float, *, strict: bool) -> tuple[Filled, Filled] | None:
    """``strict``: nothing may be left, and it may cost more; else it costs the same."""
    first = begins(stay)
    begin, length = first[:-1], np.diff(first)
    program = Program()
    ways = (
        (stay.charge, stay.charged, -stay.charge_price),
        (stay.discharge, stay.discharged, stay.discharge_price),
    )
    sides = []
    for side, was, worth in ways:
        columns = _side(program, side, begin, length, strict=strict)
        before = np.add.reduceat(was, begin)
        if strict:
            program.earn(columns.energy, worth[begin])
        else:
            _keep_cost(program, columns.energy, worth[begin], before)
        _prefer(program, columns, before, elsewhere)
        sides.append(columns)
    _one_way(program, sides, length)
    _keep_energy(program, stay, sides, first, surplus=stay.surplus if strict else 0.0)
    try:
        values = program.solve(seconds=SECONDS, gap=GAP, nodes=NODES).values
    except UnsolvedError:
        return None
    charge, discharge = (columns.filled(values) for columns in sides)
    return charge, discharge


def _keep_cost(program: Program, energy: Index, worth: Array, before: Array) -> None:
    """As much as before at every price."""
    for price in np.unique(worth):
        same = worth == price
        total = before[same].sum()
        row = program.rows(1, total, total)
        program.put(row, energy[same], 1.0)


def _side(program: Program, side: Side, begin: Index, length: Index, *, strict: bool) -> _Columns:
    """Slots in use and their energy: nothing, or at least the least, in whole steps or in full.

    Not ``strict``: some slots may be less than the least, or off step, at their price.
    """
    there = side.share()[begin]
    most, least, step = side.most[begin], side.least * there, side.step * there
    size, fits = len(begin), most > SAME
    used = np.minimum(USED_KW, most)
    if strict:
        fits &= most >= least - SAME
    else:
        least = np.maximum(least, used)
    slots = program.columns(size, 0.0, np.where(fits, length, 0.0), whole=True)
    energy = program.columns(size, 0.0, most * length)
    program.require((energy, 1.0), (slots, -most), high=0.0)
    rows = program.require((energy, 1.0), (slots, -least), low=0.0)
    columns = _Columns(slots, energy)
    if side.step > 0.0:
        columns = _in_steps(program, columns, (most, least, step), length, strict=strict)
    if not strict:
        _allow_weak(program, columns, rows, (least, used), length)
    if np.isfinite(side.starts):
        left, right = _limit_starts(program, slots, length, side.starts, strict=strict)
        columns = replace(columns, left=left, right=right)
    return columns


def _in_steps(
    program: Program,
    columns: _Columns,
    powers: tuple[Array, Array, Array],
    length: Index,
    *,
    strict: bool,
) -> _Columns:
    """Slots in use are full, in whole steps or, where not ``strict``, odd; ``powers``: `_side`."""
    (most, least, step), size, slots = powers, len(length), columns.slots
    full = program.columns(size, 0.0, length, whole=True)
    odd = program.columns(size, 0.0, 0.0 if strict else length, whole=True)
    rest = program.columns(size, 0.0, 0.0 if strict else most * length)
    highest = np.floor(most / step + SAME)
    lowest = np.maximum(np.ceil(least / step - SAME), 1.0)
    steps = program.columns(size, 0.0, length * highest, whole=True)
    program.require(
        (columns.energy, 1.0), (full, -most), (steps, -step), (rest, -1.0), low=0.0, high=0.0
    )
    program.require((slots, 1.0), (full, -1.0), (odd, -1.0), low=0.0)
    for each, ends in ((highest, {"high": 0.0}), (lowest, {"low": 0.0})):
        program.require((steps, 1.0), (slots, -each), (full, each), (odd, each), **ends)
    program.require((rest, 1.0), (odd, -most), high=0.0)
    program.earn(odd, -ODD)
    return replace(columns, full=full, odd=odd, odd_energy=rest)


def _allow_weak(
    program: Program, columns: _Columns, rows: Index, powers: tuple[Array, Array], length: Index
) -> None:
    """Some slots may be less than the least, at their price; of those in steps only odd ones.

    ``powers``: the least power, and what a slot in use needs all the same [kW].
    """
    least, used = powers
    weak = program.columns(len(length), 0.0, length, whole=True)
    free = columns.slots if columns.odd is None else columns.odd
    program.put(rows, weak, least - used)
    program.require((weak, 1.0), (free, -1.0), high=0.0)
    if columns.odd is not None and columns.odd_energy is not None:
        program.require(
            (columns.odd_energy, 1.0), (columns.odd, -least), (weak, least - used), low=0.0
        )
    program.earn(weak, -WEAK)


def _limit_starts(
    program: Program, slots: Index, length: Index, most: float, *, strict: bool
) -> tuple[Index, Index]:
    """At most so many stretches: one a run in use, less those that join across its ends.

    Returns the switches of runs whose use begins with their first slot, and ends with their last.
    """
    size = len(length)
    used, full, left, right = (program.switches(size) for _ in range(4))
    program.require((slots, 1.0), (used, -length), high=0.0)
    program.require((slots, 1.0), (used, -1.0), low=0.0)
    program.require((slots, 1.0), (full, -length), low=0.0)
    program.require((left, 1.0), (right, 1.0), (used, -1.0), (full, -1.0), high=0.0)
    joined = program.switches(max(size - 1, 0))
    program.require((joined, 1.0), (right[:-1], -1.0), high=0.0)
    program.require((joined, 1.0), (left[1:], -1.0), high=0.0)
    above = program.columns(1, 0.0, 0.0 if strict else np.inf)
    program.earn(above, -ABOVE)
    rows = program.rows(1, -np.inf, most)
    program.put(rows, used, 1.0)
    program.put(rows, joined, -1.0)
    program.put(rows, above, -1.0)
    return left, right


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


def _keep_energy(
    program: Program, stay: Stay, sides: list[_Columns], first: Index, *, surplus: float
) -> None:
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
    program.earn(energy[-1:], surplus)
    if np.isfinite(stay.limit):
        row = program.rows(1, -np.inf, stay.limit)
        program.put(row, discharge, stay.out)


def laid_out(filled: Filled, first: Index, before: Array, side: Side) -> Array:
    """Powers of the stay's slots: each run's energy in slots that were in use before, first.

    Steps are shared as evenly as whole ones can be, and the highest powers go where they were
    highest. Where starts are limited a run's slots are next to each other, and to the next run's.

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
    power, share = np.zeros(len(before)), side.share()
    for r in np.flatnonzero(filled.slots > 0).tolist():
        was = before[first[r] : first[r + 1]]
        chosen = _chosen(filled, r, was, together=np.isfinite(side.starts))
        most, step = side.most[first[r]], side.step * share[first[r]]
        ranked = chosen[np.argsort(-was[chosen], kind="stable")]
        power[first[r] + ranked] = _powers(filled, r, most, step)
    return power


def _chosen(filled: Filled, r: int, was: Array, *, together: bool) -> Index:
    """The slots in use of run ``r``."""
    n, size = int(filled.slots[r]), len(was)
    if not together:
        used: Flags = was > SAME
        return np.sort(np.argsort(~used, kind="stable")[:n])
    begin = size - n if filled.right[r] else 0
    if not filled.left[r] and not filled.right[r]:
        begin = int(np.argmax(np.convolve(was, np.ones(n), "valid")))
    return begin + np.arange(n)


def _powers(filled: Filled, r: int, most: float, step: float) -> Array:
    """What flows in the slots in use of run ``r``, the highest first [kW]."""
    n, full, odd = int(filled.slots[r]), int(filled.full[r]), int(filled.odd[r])
    power, stepped = np.full(n, most), n - full - odd
    if odd:
        power[full + stepped :] = min(filled.odd_energy[r] / odd, most)
    if stepped:
        steps = round((filled.energy[r] - full * most - filled.odd_energy[r]) / step)
        each, more = divmod(steps, stepped)
        power[full : full + stepped] = step * (each + (np.arange(stepped) < more))
    return power
