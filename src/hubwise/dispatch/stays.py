"""Every slot of every stay as one long table: what programs are written from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.dispatch.problem import Problem
from hubwise.dispatch.units import session_units
from hubwise.domain import Schedule
from hubwise.domain.arrays import Array, Index
from hubwise.drivers import Batteries
from hubwise.drivers.runs import fill_bounds


@dataclass(frozen=True, slots=True)
class Stays:
    """Every slot of every stay, one after another; arrays of shape (session-slots,).

    Parameters
    ----------
    units
        The sessions.
    session, slot
        Whose stay, and when.
    first, last
        The first and the last row of every session; shape (sessions,).
    up, down, floor, top
        Most that is put in and drawn, least and most energy at the end [kWh].
    """

    units: Batteries
    session: Index
    slot: Index
    first: Index
    last: Index
    up: Array
    down: Array
    floor: Array
    top: Array


def energies(stays: Stays, schedule: Schedule, slot_hours: float) -> tuple[Array, Array]:
    """What a schedule puts into, and draws from, the battery; each (session-slots,) [kWh]."""
    units, here = stays.units, (stays.session, stays.slot)
    into = schedule.charge_kw[here] * slot_hours * units.charge_eff[stays.session]
    out = schedule.discharge_kw[here] * slot_hours / units.discharge_eff[stays.session]
    return into, out


def stays_of(problem: Problem) -> Stays:
    """The stays of a problem's participants."""
    units = session_units(problem.fleet, problem.situation.horizon, own=True)
    length = units.departure - units.arrival
    ends = np.cumsum(length)
    session = np.repeat(np.arange(len(length)), length)
    slot = np.arange(len(session)) - np.repeat(ends - length, length) + units.arrival[session]
    up, down, floor, top = np.empty((4, len(session)))
    for i, (begin, end) in enumerate(zip(ends - length, ends, strict=True)):
        n = end - begin
        before, most = np.empty(n), np.empty(n + 1)
        fill_bounds(
            units.up, units.down, units.least, units.most, i, units.arrival[i], units.start[i],
            up[begin:end], down[begin:end], before, most,
        )  # fmt: skip
        floor[begin:end] = np.append(before[1:], units.target[i])
        top[begin:end] = most[1:]
    return Stays(units, session, slot, ends - length, ends - 1, up, down, floor, top)
