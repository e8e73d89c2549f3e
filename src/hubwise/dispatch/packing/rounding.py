"""Rounding the rest away: whose charger cannot follow gets the cheapest schedule that it can.

That costs the driver a little above its least. The operator asked for it and credits it.
"""

from __future__ import annotations

import numpy as np

from hubwise.dispatch.packing.chargers import left_of
from hubwise.dispatch.packing.jobs import pack
from hubwise.dispatch.packing.one_stay import Felt, laid
from hubwise.dispatch.packing.runs import fill
from hubwise.dispatch.packing.steps import with_powers
from hubwise.dispatch.problem import Problem
from hubwise.dispatch.ties import Held
from hubwise.domain import Schedule, Tariff
from hubwise.domain.arrays import Array


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
    felt, horizon = Felt.of(problem, tariff), problem.situation.horizon
    # A device's own schedule is its own.
    left = np.flatnonzero(left_of(problem.fleet, schedule, horizon).any & problem.fleet.delegates)
    if not len(left):
        return schedule
    charge, discharge = schedule.charge_kw.copy(), schedule.discharge_kw.copy()
    done = np.zeros(len(problem.fleet), bool)
    for i in left.tolist():
        stay = felt.stay(schedule, i)
        filled = fill(stay)
        if filled is not None:
            charge[i, felt.slots(i)], discharge[i, felt.slots(i)] = laid(stay, filled)
            done[i] = True
    rounded = with_powers(problem, charge, discharge)
    packed = pack(problem, tariff, rounded, marginal_price, start, only=done, towards=schedule)
    # Packing keeps energies at each price, which may be of no other whole steps.
    worse = left_of(problem.fleet, rounded, horizon).less_than(
        left_of(problem.fleet, packed, horizon)
    )
    return Held(worse, rounded).into(packed) if worse.any() else packed
