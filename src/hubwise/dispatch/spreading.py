"""Ties broken for the grid alone: of what costs every driver the same, the flattest head.

No prices are posted, no station runs and nobody earns by it: what a grid could get from drivers
who shift their charging at a fixed tariff, if somebody chose for all of them. A linear program in
what is charged in each slot; large fleets are levelled group by group, each as all others stand.
"""

from __future__ import annotations

import numpy as np

from hubwise.dispatch.problem import Problem
from hubwise.dispatch.program import Program
from hubwise.dispatch.stays import Stays, energies, stays_of
from hubwise.dispatch.ties import at_random
from hubwise.domain import Schedule, Tariff
from hubwise.domain.arrays import Array, Index
from hubwise.drivers import best_response, felt_tariff, schedule_of

# Slots of stays that one program holds: some seconds.
GROUP = 20_000
# How much above its least cost a driver's schedule may be [currency].
REGRET = 5e-10
# What a kW of solar power that is used counts against a kW of difference: enough to use it.
USED = 1e-7


def spread(problem: Problem, tariff: Tariff, seed: int) -> Schedule:
    """Participants' cheapest schedules with the least peak-valley difference at the feeder head.

    The head is linear, as the problem's limits have it, and the past is counted. Solar power may be
    left unused, stations stand still. Fleets of more than `GROUP` slots of stays begin at ties
    broken at random and are levelled group by group: no worse than that, and not proven least.

    Parameters
    ----------
    problem
        Participants, none of whom can discharge, and the feeder.
    tariff
        Prices that they answer to.
    seed
        Of the start, and of who stands in which group.

    Raises
    ------
    UnsolvedError
        If HiGHS ends without a solution.
    """
    stays, start = stays_of(problem), at_random(problem, tariff, seed)
    charged, _ = energies(stays, start, problem.situation.horizon.slot_hours)
    most = _most_cost(problem, tariff, stays)
    for rows in _groups(stays, seed):
        if not len(rows):
            continue
        charged[rows] = 0.0
        charged[rows] = _levelled(problem, tariff, stays, rows, charged, most)
    change = np.zeros(start.charge_kw.shape)
    change[stays.session, stays.slot] = charged
    return schedule_of(stays.units, change, problem.situation.horizon)


def _groups(stays: Stays, seed: int) -> list[Index]:
    """Rows of the sessions that are levelled together, every session in one group."""
    count = max(-(-len(stays.session) // GROUP), 1)
    order = np.random.default_rng(seed).permutation(len(stays.first))
    return [np.flatnonzero(np.isin(stays.session, part)) for part in np.array_split(order, count)]


def _most_cost(problem: Problem, tariff: Tariff, stays: Stays) -> Array:
    """What may be paid for charging, the worth of what is charged taken off; (sessions,)."""
    fleet, felt = felt_tariff(problem.fleet, tariff, problem.terms)
    least = best_response(fleet, felt, problem.situation.horizon)[1]
    gained = fleet.required_kwh - stays.units.start
    most: Array = least - fleet.surplus_value * gained + REGRET
    return most


def _levelled(
    problem: Problem, tariff: Tariff, stays: Stays, rows: Index, charged: Array, most: Array
) -> Array:
    """What the sessions of ``rows`` charge in each slot as all others do ``charged`` [kWh]."""
    program = Program()
    into = program.columns(len(rows), 0.0, stays.up[rows])
    _keep_stays(program, stays, rows, into)
    fleet, felt = felt_tariff(problem.fleet, tariff, problem.terms)
    session, slot = stays.session[rows], stays.slot[rows]
    price = felt.charge_price[fleet.lists[session], slot] / fleet.charge_efficiency[session]
    whose, row = np.unique(session, return_inverse=True)
    cost = program.rows(len(whose), -np.inf, most[whose])
    program.put(cost[row], into, price - fleet.surplus_value[session])
    _level(program, problem, stays, rows, into, charged)
    return program.linear().values[into]


def _keep_stays(program: Program, stays: Stays, rows: Index, into: Index) -> None:
    """Energy at the end of each stay, and before it where more than that is asked."""
    low, high = (end - stays.units.start[stays.session] for end in (stays.floor, stays.top))
    last = np.zeros(len(stays.session), bool)
    last[stays.last] = True
    # Energy only rises: what may be held at the end may be held before.
    tight = (low > 0.0) | (high < high[stays.last][stays.session])
    for k in np.flatnonzero((last | tight)[rows]):
        until = np.arange(k - (rows[k] - stays.first[stays.session[rows[k]]]), k + 1)
        row = program.rows(1, low[rows[k]], max(high[rows[k]], low[rows[k]]))
        program.put(row, into[until], 1.0)


def _level(
    program: Program, problem: Problem, stays: Stays, rows: Index, into: Index, charged: Array
) -> None:
    """Peak and valley of the head; their difference is what is made small."""
    situation, limits, hours = (
        problem.situation,
        problem.limits,
        problem.situation.horizon.slot_hours,
    )
    hubs, past = situation.hubs, situation.so_far
    session, slot = stays.session, stays.slot
    per_kwh = 1.0 / (stays.units.charge_eff[session] * hours)
    drawn = problem.others_kw.copy()
    np.add.at(drawn, (stays.units.hub[session], slot), charged * per_kwh)
    peak = program.columns(1, past.head_peak_kw, np.inf)
    valley = program.columns(1, -np.inf, past.head_valley_kw)
    program.earn(peak, -1.0)
    program.earn(valley, 1.0)
    head, slope = limits.head(drawn), limits.coefficient[0]
    hub, when = np.nonzero(hubs.solar_kw > 0.0)
    used = program.columns(len(hub), 0.0, hubs.solar_kw[hub, when])
    program.earn(used, USED)
    for most_of, low, high in ((peak, -np.inf, -head), (valley, -head, np.inf)):
        ends = program.rows(len(head), low, high)
        program.put(ends, np.broadcast_to(most_of, ends.shape), -1.0)
        mine = slope[stays.units.hub[session[rows]], slot[rows]] * per_kwh[rows]
        program.put(ends[slot[rows]], into, mine)
        program.put(ends[when], used, -slope[hub, when])
    sold = program.rows(hubs.solar_kw.shape, -np.inf, drawn + hubs.most_export_kw[:, None])
    program.put(sold[hub, when], used, 1.0)
    program.put(sold[stays.units.hub[session[rows]], slot[rows]], into, -per_kwh[rows])
