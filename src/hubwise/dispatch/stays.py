"""Every slot of every stay as one long table: what programs are written from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.dispatch.problem import Problem
from hubwise.dispatch.units import session_units
from hubwise.domain.arrays import Array, Index
from hubwise.drivers import Batteries
from hubwise.drivers.kernel import fill_bounds


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
