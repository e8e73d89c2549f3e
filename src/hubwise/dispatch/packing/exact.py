"""The same dispatch as one mixed-integer program: chargers are off, or hold their least.

Among all cheapest schedules of every driver, what is best for operator and feeder once slots below
a charger's least power and starts have a price. For hubs that are small enough: a program has two
switches for each slot of a stay and direction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.dispatch.linear import write_dispatch
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
NODES, GAP, SECONDS = 3, 1e-4, 60.0
# Energies that differ by less are the same [kWh].
SAME = 1e-7


@dataclass(frozen=True, slots=True)
class Worth:
    """What is paid to be rid of a slot below the least power, and of a start [currency]."""

    weak: float
    start: float


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
    fleet, hours = problem.fleet, problem.situation.horizon.slot_hours
    i = stays.session
    there = fleet.presence(problem.situation.horizon.slots)[i, stays.slot] * hours
    least_in = there * fleet.least_charge_kw[i] * stays.units.charge_eff[i]
    least_out = there * fleet.least_discharge_kw[i] / stays.units.discharge_eff[i]
    sides = (columns.into, stays.up, least_in), (columns.out, stays.down, least_out)
    before, on, begun = energies(stays, near, hours), [], list[tuple[Index, Array]]()
    free = ~held.rows[i]
    for side, was in zip(sides, before, strict=True):
        switch, start = _switched(program, stays, side, np.where(free, was, 0.0), worth, free)
        on.append(switch)
        begun.extend(start)
    program.require((on[0], 1.0), (on[1], 1.0), high=1.0)
    columns_of, values = zip(*begun, strict=True)
    begin = np.concatenate(columns_of), np.concatenate(values)
    try:
        found = program.solve(seconds=SECONDS, gap=GAP, nodes=NODES, begin=begin)
    except UnsolvedError:
        return None
    change = np.zeros(near.charge_kw.shape)
    change[stays.session, stays.slot] = found.values[columns.into] - found.values[columns.out]
    schedule = schedule_of(stays.units, change, problem.situation.horizon)
    return Followed(held.into(schedule), found.bound - found.objective)


def _switched(
    program: Program,
    stays: Stays,
    side: tuple[Index, Array, Array],
    was: Array,
    worth: Worth,
    free: Flags,
) -> tuple[Index, list[tuple[Index, Array]]]:
    """Switches of one direction with their prices; and where they stand to begin with.

    What is not ``free`` (session-slots,) is held, and its switches stay off.
    """
    energy, most, least = side
    on, weak = program.switches(len(energy)), program.switches(len(energy))
    ways = energy[free], on[free], weak[free]
    program.require((ways[0], 1.0), (ways[1], -most[free]), high=0.0)
    program.require((ways[0], 1.0), (ways[1], -least[free]), (ways[2], least[free]), low=0.0)
    program.require((weak, 1.0), (on, -1.0), high=0.0)
    start = program.columns(len(energy), 0.0, 1.0)
    rows = program.require((start, 1.0), (on, -1.0), low=0.0)
    later = np.setdiff1d(np.arange(len(energy)), stays.first)
    program.put(rows[later], on[later - 1], 1.0)
    program.earn(weak, -worth.weak)
    program.earn(start, -worth.start)
    runs = was > SAME
    return on, [(on, runs.astype(float)), (weak, (runs & (was < least - SAME)).astype(float))]
