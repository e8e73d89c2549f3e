"""Rounding the rest away: whose charger cannot follow gets the cheapest schedule that it can.

That costs the driver a little above its least. The operator asked for it and credits it.
"""

from __future__ import annotations

import numpy as np

from hubwise.dispatch.packing.chargers import Side, unfollowed
from hubwise.dispatch.packing.jobs import pack
from hubwise.dispatch.packing.runs import Stay, begins, fill, laid_out
from hubwise.dispatch.problem import Problem
from hubwise.dispatch.stays import Stays, stays_of
from hubwise.domain import Schedule, Tariff
from hubwise.domain.arrays import Array
from hubwise.drivers import felt_tariff, schedule_of


def round_off(
    problem: Problem, tariff: Tariff, schedule: Schedule, marginal_price: Array, start: float = 2.0
) -> Schedule:
    """The participants' schedule with nothing left that a charger cannot follow, where that can be.

    Parameters are those of `hubwise.dispatch.pack`.

    Returns
    -------
    Schedule
        Of the sessions that could not be followed, each the cheapest for its driver that can;
        the others' as they were. Energy keeps all its bounds. What cannot be rounded stays.
    """
    stays = stays_of(problem)
    # A device's own schedule is its own.
    left = np.flatnonzero(unfollowed(problem.fleet, schedule) & problem.fleet.delegates)
    if not len(left):
        return schedule
    charge, discharge = schedule.charge_kw.copy(), schedule.discharge_kw.copy()
    done = np.zeros(len(problem.fleet), bool)
    for i in left.tolist():
        stay = _stay(problem, tariff, schedule, stays, i)
        filled = fill(stay)
        if filled is None:
            continue
        first, here = begins(stay), slice(*_ends(stays, i))
        charge[i, here] = laid_out(filled[0], first, stay.charged, stay.charge)
        discharge[i, here] = laid_out(filled[1], first, stay.discharged, stay.discharge)
        done[i] = True
    fleet, hours = problem.fleet, problem.situation.horizon.slot_hours
    change = hours * charge * fleet.charge_efficiency[:, None]
    change -= hours * discharge / fleet.discharge_efficiency[:, None]
    rounded = schedule_of(stays.units, change, problem.situation.horizon)
    return pack(problem, tariff, rounded, marginal_price, start, only=done, towards=schedule)


def _ends(stays: Stays, i: int) -> tuple[int, int]:
    return int(stays.units.arrival[i]), int(stays.units.departure[i])


def _stay(problem: Problem, tariff: Tariff, schedule: Schedule, stays: Stays, i: int) -> Stay:
    """One session's stay, as its driver feels it."""
    fleet, felt = felt_tariff(problem.fleet, tariff, problem.terms)
    hours, units = problem.situation.horizon.slot_hours, stays.units
    here, rows = slice(*_ends(stays, i)), slice(stays.first[i], stays.last[i] + 1)
    into = float(hours * units.charge_eff[i])
    out = float(hours / units.discharge_eff[i])
    row, one = fleet.lists[i], fleet.select(np.array([i]))
    there = one.presence(problem.situation.horizon.slots)[0, here]
    least, back = float(one.least_charge_kw[0]), float(one.least_discharge_kw[0])
    return Stay(
        charge=Side(_here(units.charge_kw[i], here), least, there=there),
        discharge=Side(_here(units.discharge_kw[i], here), back, there=there),
        charge_price=hours * felt.charge_price[row, here],
        discharge_price=hours * felt.discharge_price[row, here] - out * units.wear[i],
        charged=schedule.charge_kw[i, here],
        discharged=schedule.discharge_kw[i, here],
        floor=stays.floor[rows],
        top=stays.top[rows],
        into=into,
        out=out,
        start=float(units.start[i]),
        limit=float(units.limit[i]),
        surplus=float(units.surplus[i]),
    )


def _here(most: Array, here: slice) -> Array:
    """Highest power in the slots of a stay, where it is one for all as well."""
    size = here.stop - here.start
    power: Array = np.full(size, most[0]) if len(most) == 1 else most[here]
    return power
