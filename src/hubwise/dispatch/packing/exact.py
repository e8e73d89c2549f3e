"""The same dispatch as one mixed-integer program: chargers are off, or hold their least.

Among all cheapest schedules of every driver, what is best for operator and feeder once slots below
a charger's least power and starts have a price. For hubs that are small enough: a program has two
switches for each slot of a stay and direction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.dispatch.linear import write_dispatch
from hubwise.dispatch.packing.runs import USED_KW
from hubwise.dispatch.problem import Problem
from hubwise.dispatch.program import Program, UnsolvedError
from hubwise.dispatch.stays import Stays, energies, stays_of
from hubwise.dispatch.ties import Held
from hubwise.domain import Schedule, Tariff
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.drivers import schedule_of

# Most slots of stays, both ways counted, for which the program is asked.
MOST_SLOTS = 1_500
# Nodes of its tree: a limit that is the same on every machine. A minute is cut, which none takes.
NODES, GAP, SECONDS = 1, 1e-4, 60.0
# Energies that differ by less are the same [kWh].
SAME = 1e-7


@dataclass(frozen=True, slots=True)
class Worth:
    """What is paid to be rid of something [currency].

    Parameters
    ----------
    weak
        A slot below the least power.
    start, above
        A start, and what one above what was asked counts beside.
    off_step
        A slot off the charger's steps.
    """

    weak: float
    start: float
    above: float = 0.0
    off_step: float = 0.0


@dataclass(frozen=True, slots=True)
class Followed:
    """What the program found.

    Parameters
    ----------
    schedule
        Of the participants, each at its least cost.
    gap
        By how much the best may be better, weak slots and starts at their worth [currency].
    """

    schedule: Schedule
    gap: float


def is_followable(problem: Problem) -> bool:
    """Whether the program is small enough."""
    fleet = problem.fleet
    if problem.situation.market.sells_above:
        return False
    slots = fleet.departure_slot - fleet.arrival_slot
    ways = (fleet.charge_kw_max > 0.0).astype(int) + (fleet.discharge_kw_max > 0.0)
    return int(slots @ ways) <= MOST_SLOTS


def follow_exactly(
    problem: Problem, tariff: Tariff, near: Schedule, worth: Worth
) -> Followed | None:
    """The participants' schedule that is best where chargers can follow; None where none is found.

    Parameters
    ----------
    problem, tariff
        What is dispatched, at which prices.
    near
        A zero-regret schedule to begin with, which devices and who limits fade keep to; (sessions,
        slots).
    worth
        What weak slots and starts count.
    """
    # Moving energy in time ages a battery otherwise, which no row can say; a device's own schedule
    # is its own.
    limited = np.isfinite(problem.fleet.fade_limit_per_year)
    held = Held(limited | ~problem.fleet.delegates, near)
    program, stays = Program(), stays_of(problem)
    columns = write_dispatch(program, problem, tariff, stays, held)
    before = energies(stays, near, problem.situation.horizon.slot_hours)
    free, on, begun = ~held.rows[stays.session], [], list[tuple[Index, Array]]()
    sides = zip((columns.into, columns.out), _sides(problem, stays), before, strict=True)
    for energy, side, was in sides:
        runs = np.where(free, was, 0.0)
        switches, start = _switched(program, stays, (energy, side, free), runs, worth)
        on.append(switches.on)
        begun.extend(start)
        begun.extend(_in_steps(program, switches, (energy, side, free), runs, worth))
        _limit_starts(program, switches, stays, problem.fleet.most_starts, worth)
    program.require((on[0], 1.0), (on[1], 1.0), high=1.0)
    columns_of, values = zip(*begun, strict=True)
    begin = np.concatenate(columns_of), np.concatenate(values)
    try:
        found = program.solve_near(begin, seconds=SECONDS, gap=GAP, nodes=NODES)
    except UnsolvedError:
        return None
    change = np.zeros(near.charge_kw.shape)
    change[stays.session, stays.slot] = found.values[columns.into] - found.values[columns.out]
    schedule = schedule_of(stays.units, change, problem.situation.horizon)
    return Followed(held.into(schedule), found.bound - found.objective)


@dataclass(frozen=True, slots=True)
class _Side:
    """What one direction can in each slot of a stay; each (session-slots,) [kWh in the battery].

    ``step`` is 0 where any energy goes, and ``used`` what a slot in use carries at least.
    """

    most: Array
    least: Array
    step: Array
    used: Array


@dataclass(frozen=True, slots=True)
class _Switches:
    """Columns of one direction, each (session-slots,): in use, below the least, begun."""

    on: Index
    weak: Index
    start: Index


_Way = tuple[Index, _Side, Flags]
"""Energies of one direction, what it can, and what is not held; each (session-slots,)."""


def _sides(problem: Problem, stays: Stays) -> tuple[_Side, _Side]:
    """What charging and discharging can in every slot of the stays."""
    fleet, horizon, i = problem.fleet, problem.situation.horizon, stays.session
    there = fleet.presence(horizon.slots)[i, stays.slot] * horizon.slot_hours
    # A slot in use counts as one that carries next to nothing only where starts are not limited.
    used = np.where(np.isfinite(fleet.most_starts), USED_KW, 0.0)[i]
    into, out = there * stays.units.charge_eff[i], there / stays.units.discharge_eff[i]
    return tuple(  # type: ignore[return-value]
        _Side(most, least[i] * gain, fleet.steps_kw[i] * gain, np.minimum(used * gain, most))
        for most, least, gain in (
            (stays.up, fleet.least_charge_kw, into),
            (stays.down, fleet.least_discharge_kw, out),
        )
    )


def _switched(
    program: Program, stays: Stays, way: _Way, was: Array, worth: Worth
) -> tuple[_Switches, list[tuple[Index, Array]]]:
    """Switches of one direction with their prices; and where they stand to begin with.

    What is held, its switches stay off.
    """
    energy, side, free = way
    least = np.maximum(side.least, side.used)
    on, weak = program.switches(len(energy)), program.switches(len(energy))
    ways = energy[free], on[free], weak[free]
    program.require((ways[0], 1.0), (ways[1], -side.most[free]), high=0.0)
    rest = (least - side.used)[free]
    program.require((ways[0], 1.0), (ways[1], -least[free]), (ways[2], rest), low=0.0)
    program.require((weak, 1.0), (on, -1.0), high=0.0)
    start = program.columns(len(energy), 0.0, 1.0)
    rows = program.require((start, 1.0), (on, -1.0), low=0.0)
    later = np.setdiff1d(np.arange(len(energy)), stays.first)
    program.put(rows[later], on[later - 1], 1.0)
    program.earn(weak, -worth.weak)
    program.earn(start, -worth.start)
    runs = was > SAME
    return _Switches(on, weak, start), [
        (on, runs.astype(float)),
        (weak, (runs & (was < least - SAME)).astype(float)),
    ]


def _in_steps(
    program: Program, switches: _Switches, way: _Way, was: Array, worth: Worth
) -> list[tuple[Index, Array]]:
    """Slots in use are full, in whole steps, or odd at a price; and how they are to begin with."""
    side, rows = way[1], np.flatnonzero(way[2] & (way[1].step > 0.0))
    if not len(rows):
        return []
    energy, on, was = way[0][rows], switches.on[rows], was[rows]
    most, least, step = side.most[rows], side.least[rows], side.step[rows]
    full, odd = program.switches(len(rows)), program.switches(len(rows))
    highest = np.floor(most / step + SAME)
    lowest = np.maximum(np.ceil(least / step - SAME), 1.0)
    steps = program.columns(len(rows), 0.0, highest, whole=True)
    rest = program.columns(len(rows), 0.0, most)
    program.require((energy, 1.0), (full, -most), (steps, -step), (rest, -1.0), low=0.0, high=0.0)
    program.require((on, 1.0), (full, -1.0), (odd, -1.0), low=0.0)
    program.require((steps, 1.0), (on, -highest), (full, highest), (odd, highest), high=0.0)
    program.require((steps, 1.0), (on, -lowest), (full, lowest), (odd, lowest), low=0.0)
    program.require((rest, 1.0), (odd, -most), high=0.0)
    program.earn(odd, -worth.off_step)
    runs, count = was > SAME, np.round(was / step)
    filled = runs & (was > most - SAME)
    whole = runs & ~filled & (np.abs(was - count * step) < SAME) & (count >= lowest)
    return [
        (full, filled.astype(float)),
        (odd, (runs & ~filled & ~whole).astype(float)),
        (steps, np.where(whole, count, 0.0)),
    ]


def _limit_starts(
    program: Program, switches: _Switches, stays: Stays, most: Array, worth: Worth
) -> None:
    """What starts above what was asked count; ``most``: shape (sessions,)."""
    limited = np.flatnonzero(np.isfinite(most))
    above = program.columns(len(limited), 0.0, np.inf)
    program.earn(above, -worth.above)
    rows = program.require((above, -1.0), high=most[limited])
    counted = np.isfinite(most)[stays.session]
    place = np.searchsorted(limited, stays.session[counted])
    program.put(rows[place], switches.start[counted], 1.0)
