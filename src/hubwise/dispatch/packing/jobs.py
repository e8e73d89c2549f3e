"""Packing: schedules that chargers can follow, at no cost to anybody.

Chargers are off or charge with a least power, six amperes a phase. Among schedules that cost each
driver the same there are nearly always some that keep to it: one car after another in the place of
all at a trickle. What no whole number of slots carries stays as near as can be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.dispatch.packing import kernel
from hubwise.dispatch.packing.steps import in_steps
from hubwise.dispatch.problem import Problem
from hubwise.dispatch.stays import Stays, stays_of
from hubwise.domain import Schedule, Tariff
from hubwise.domain.arrays import Array, Flags
from hubwise.drivers import Batteries, felt_tariff, schedule_of
from hubwise.ledger import sum_by_hub

# The order of visits is drawn once.
SEED = 33
# By how much a hub's total had better be below what was dispatched where a kWh is as dear as in the
# mean, as a share of the highest power: what moves energy to where it is dear must be worth it.
DEAR, TINY = 10.0, 1e-12
# A circuit is not passed where it is passed by no more than this [kW].
PASSED = 1e-7


def pack(
    problem: Problem,
    tariff: Tariff,
    schedule: Schedule,
    marginal_price: Array,
    start: float = 2.0,
    *,
    only: Flags | None = None,
    towards: Schedule | None = None,
    line_kw: Array | None = None,
) -> Schedule:
    """The participants' schedule with the same energy at the same prices, in fewer, fuller slots.

    Parameters
    ----------
    problem
        Participants, with the least power of each charger.
    tariff
        Posted prices.
    schedule
        Of the participants; (sessions, slots).
    marginal_price
        What another kWh drawn at a hub costs the operator; (hubs, slots) [currency/kWh].
    start
        What a start counts against missing a hub's total by a charger's highest power, squared.
    only
        Sessions whose energy may move; default: all.
    towards
        Whose totals are aimed at; default: the schedule's own.
    line_kw
        What flows through circuits and phases (lines, slots), stations counted; by default what
        sessions draw [kW].

    Returns
    -------
    Schedule
        Costs every driver the same, and keeps each hub's totals of charging and discharging as
        near as can be. No circuit or phase is passed that was not, or by more than it was.
    """
    fleet = problem.fleet
    # A device's own schedule is its own.
    held = ~fleet.delegates
    if only is not None:
        held = held | ~only
    dear = DEAR * marginal_price / max(float(np.abs(marginal_price).mean()), TINY)
    task = _Task(schedule if towards is None else towards, held, dear, start)
    flows = drawn_line_kw(problem, schedule) if line_kw is None else line_kw
    soft = len(problem.lines) > 0
    packed = _packed(problem, tariff, schedule, task, flows, soft=soft)
    moved = flows + drawn_line_kw(problem, packed) - drawn_line_kw(problem, schedule)
    if soft and most_over(problem, moved) > max(most_over(problem, flows), 0.0) + PASSED:
        packed = _packed(problem, tariff, schedule, task, flows, soft=False)
        moved = flows + drawn_line_kw(problem, packed) - drawn_line_kw(problem, schedule)
    return in_steps(problem, tariff, packed, moved, held)


@dataclass(frozen=True, slots=True)
class _Task:
    """What packing aims at.

    Parameters
    ----------
    aim
        Whose totals are aimed at.
    held
        Whose energy may not move; shape (sessions,).
    dear
        By how much less a hub's total had better be, as a share of the highest power; (hubs,
        slots).
    start
        What a start counts.
    """

    aim: Schedule
    held: Flags
    dear: Array
    start: float


def most_over(problem: Problem, line_kw: Array) -> float:
    """By how much the worst circuit or phase is passed [kW]."""
    return float((np.abs(line_kw) - problem.lines.limit_kw[:, None]).max())


def _packed(
    problem: Problem, tariff: Tariff, schedule: Schedule, task: _Task, line_kw: Array, *, soft: bool
) -> Schedule:
    """Packed once; ``soft``: circuits and phases are left in the end, not on the way."""
    fleet, felt = felt_tariff(problem.fleet, tariff, problem.terms)
    horizon, lists, held = problem.situation.horizon, fleet.lists, task.held
    stays = stays_of(problem)
    units, (low, high) = stays.units, _energy_bounds(stays, schedule.charge_kw.shape)
    charge, discharge = schedule.charge_kw.copy(), schedule.discharge_kw.copy()
    energy, flows = schedule.energy_kwh.copy(), line_kw.copy()
    hours = horizon.slot_hours
    into, out = hours * fleet.charge_efficiency, -hours / fleet.discharge_efficiency
    up = (charge, task.aim.charge_kw, units.charge_kw, into)
    down = (discharge, task.aim.discharge_kw, units.discharge_kw, out)
    ways = (
        (up, discharge, 1.0, fleet.least_charge_kw, felt.charge_price),
        (down, charge, -1.0, fleet.least_discharge_kw, felt.discharge_price),
    )
    hubs, there = len(problem.situation.hubs), fleet.presence(horizon.slots)
    for (power, wanted, most, gain), other, sign, least, price in ways:
        blocked = (other > kernel.SAME) | held[:, None]
        cap = np.where(blocked, 0.0, np.broadcast_to(most, power.shape))
        jobs = _jobs(units, power, np.ascontiguousarray(cap), least, there, price[lists])
        total = sum_by_hub(hubs, fleet.hub, power)
        target = sum_by_hub(hubs, fleet.hub, wanted) - sign * task.dear * most.max(initial=0.0)
        order = np.random.default_rng(SEED).permutation(len(jobs.energy))
        room = kernel.Room(fleet.hub, gain, low, high)
        lines = _ways(problem, flows, sign, soft=soft)
        kernel.pack(jobs, room, lines, energy, power, total, target, order, task.start)
    change = charge * into[:, None] + discharge * out[:, None]
    return schedule_of(units, change, horizon)


def drawn_line_kw(problem: Problem, schedule: Schedule) -> Array:
    """What flows through circuits and phases, stations left out; (lines, slots) [kW]."""
    power = schedule.charge_kw - schedule.discharge_kw
    return problem.others_line_kw + problem.lines.loads(problem.fleet.spots, power)


def _ways(problem: Problem, line_kw: Array, sign: float, *, soft: bool) -> kernel.Ways:
    """Circuits and phases as the kernel sees them; ``line_kw`` is changed as it packs."""
    session, line, share = problem.lines.of_spots(problem.fleet.spots)
    begin = np.searchsorted(session, np.arange(len(problem.fleet) + 1))
    return kernel.Ways(line_kw, problem.lines.limit_kw, begin, line, share, sign, soft)


def _energy_bounds(stays: Stays, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Least and most energy at the end of each slot, none where nobody is; (sessions, slots)."""
    low, high = np.full(shape, -np.inf), np.full(shape, np.inf)
    low[stays.session, stays.slot], high[stays.session, stays.slot] = stays.floor, stays.top
    return low, high


def _jobs(
    units: Batteries, power: Array, cap: Array, least: Array, there: Array, price: Array
) -> kernel.Jobs:
    """What every session moves in each row of slots at one price."""
    slot = np.arange(power.shape[1])
    here = (slot >= units.arrival[:, None]) & (slot < units.departure[:, None]) & (cap > 0.0)
    session, when = np.nonzero(here)
    new = np.ones(len(session), bool)
    new[1:] = (np.diff(session) != 0) | (np.diff(when) != 1) | (np.diff(price[here]) != 0.0)
    begin = np.append(np.flatnonzero(new), len(session))
    moved = np.add.reduceat(power[session, when], begin[:-1]) if len(session) else np.zeros(0)
    keep = moved > kernel.SAME
    rows = np.repeat(keep, np.diff(begin))
    sizes = np.diff(begin)[keep]
    whose = session[begin[:-1]][keep]
    return kernel.Jobs(
        session=whose,
        energy=moved[keep],
        least=least[whose],
        begin=np.concatenate([[0], np.cumsum(sizes)]),
        slot=when[rows],
        cap=cap[session[rows], when[rows]],
        there=there[session[rows], when[rows]],
    )
