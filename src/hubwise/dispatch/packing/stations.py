"""Station batteries that make up for what schedules of cars were changed by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hubwise.dispatch.problem import Problem
from hubwise.dispatch.program import Program
from hubwise.dispatch.solve import Dispatch
from hubwise.domain import Hubs, Schedule, StationSchedule
from hubwise.domain.arrays import Array, Index
from hubwise.ledger import sum_by_hub

# What a kW through a battery counts against a kW by which a hub's draw differs: little, so that
# batteries are used as before, and more than burning energy is worth.
USED = 0.1
SAME_KWH = 1e-9


def with_schedule(problem: Problem, dispatch: Dispatch, schedule: Schedule) -> Dispatch:
    """The dispatch with another schedule of its participants; stations keep the hubs' draw.

    As far as their power and energy allow: a linear program in what stations do.

    Raises
    ------
    UnsolvedError
        If HiGHS ends without a solution.
    """
    now, before = (one.charge_kw - one.discharge_kw for one in (schedule, dispatch.schedule))
    hubs = problem.situation.hubs
    off_kw = sum_by_hub(len(hubs), problem.fleet.hub, now - before)
    stations = _made_up(hubs, dispatch.stations, off_kw, problem.situation.horizon.slot_hours)
    net, was = (one.charge_kw - one.discharge_kw for one in (stations, dispatch.stations))
    hub_kw = dispatch.hub_kw + off_kw + net - was
    return replace(dispatch, schedule=schedule, stations=stations, hub_kw=hub_kw)


def _made_up(hubs: Hubs, stations: StationSchedule, off_kw: Array, hours: float) -> StationSchedule:
    """Stations whose draw is less by ``off_kw``, (hubs, slots), as nearly as can be."""
    with_battery = np.flatnonzero((hubs.battery_kwh > 0.0) & (np.abs(off_kw) > 0.0).any(axis=1))
    if not len(with_battery):
        return stations
    wanted = (stations.charge_kw - stations.discharge_kw - off_kw)[with_battery]
    change = _nearest(hubs, with_battery, wanted, hours)
    up, down = hubs.battery_charge_efficiency[:, None], hubs.battery_discharge_efficiency[:, None]
    charge, discharge = stations.charge_kw.copy(), stations.discharge_kw.copy()
    charge[with_battery] = np.maximum(change, 0.0)
    discharge[with_battery] = np.maximum(-change, 0.0)
    gained = hours * (charge * up - discharge / down)
    energy = hubs.battery_initial_kwh[:, None] + np.cumsum(gained, axis=1)
    most = np.maximum(hubs.battery_kwh, hubs.battery_initial_kwh)
    least = np.minimum(hubs.least_final_kwh, stations.energy_kwh[:, -1])
    within = (energy >= -SAME_KWH).all() and (energy <= most[:, None] + SAME_KWH).all()
    if not within or (energy[:, -1] < least - SAME_KWH).any():
        return stations
    return StationSchedule(charge, discharge, energy, stations.solar_kw)


def _nearest(hubs: Hubs, rows: Index, wanted: Array, hours: float) -> Array:
    """Net draws of batteries as near to ``wanted`` as can be; both (batteries, slots) [kW]."""
    program, power = Program(), hubs.battery_kw[rows][:, None]
    into, out = (program.columns(wanted.shape, 0.0, power) for _ in range(2))
    above, below = (program.columns(wanted.shape, 0.0, np.inf) for _ in range(2))
    program.require((into, 1.0), (out, -1.0), (above, -1.0), (below, 1.0), low=wanted, high=wanted)
    for used, cost in ((into, USED), (out, USED), (above, 1.0), (below, 1.0)):
        program.earn(used, -cost)
    up = hours * hubs.battery_charge_efficiency[rows]
    down = hours / hubs.battery_discharge_efficiency[rows]
    start, top = hubs.battery_initial_kwh[rows], hubs.battery_kwh[rows]
    energy = program.columns(wanted.shape, 0.0, np.maximum(top, start)[:, None])
    up, down = up[:, None], down[:, None]
    gained = ((into, -up), (out, down))
    first = tuple((part[:, :1], factor) for part, factor in gained)
    later = tuple((part[:, 1:], factor) for part, factor in gained)
    program.require((energy[:, :1], 1.0), *first, low=start[:, None], high=start[:, None])
    program.require((energy[:, 1:], 1.0), (energy[:, :-1], -1.0), *later, low=0.0, high=0.0)
    program.require((energy[:, -1], 1.0), low=np.minimum(hubs.least_final_kwh[rows], top))
    found = program.linear().values
    net: Array = found[into] - found[out]
    return net
