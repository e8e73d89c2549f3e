"""The uncoordinated day, against which promises are measured: made once, and carried."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.dispatch.limits import Limits, feeder_limits
from hubwise.domain import Schedule, Situation, StationSchedule
from hubwise.domain.arrays import Array
from hubwise.drivers import uncoordinated
from hubwise.grid import FeederState, power_flow
from hubwise.ledger import hub_flows, solar_that_pays


@dataclass(frozen=True, slots=True)
class Baseline:
    """The day on which everybody plugs in and charges at once, and what it makes of promises.

    It depends on batteries and stays, not on prices or on who takes part.

    Parameters
    ----------
    schedule
        Of every session.
    stations
        Station batteries at rest, solar used as far as it pays.
    hub_kw
        Hub net draw; shape (hubs, slots) [kW].
    state
        The feeder under AC power flow.
    limits
        The feeder's limits, linearised there.
    span_kw
        The most that a plan's peak-valley difference may be [kW]; ``inf`` where nothing is
        promised.
    """

    schedule: Schedule
    stations: StationSchedule
    hub_kw: Array
    state: FeederState
    limits: Limits
    span_kw: float


def at_rest(situation: Situation, schedule: Schedule) -> StationSchedule:
    """Station batteries at rest, solar used as far as it pays."""
    hubs = situation.hubs
    idle = np.zeros_like(hubs.solar_kw)
    energy = np.repeat(hubs.battery_initial_kwh[:, None], situation.horizon.slots, axis=1)
    draw = hub_flows(
        len(hubs), situation.fleet, schedule, StationSchedule(idle, idle, energy, idle)
    ).net_kw
    return StationSchedule(idle, idle, energy, solar_that_pays(situation, draw))


def make_baseline(situation: Situation) -> Baseline:
    """The uncoordinated day of a situation."""
    schedule, hubs = uncoordinated(situation.fleet, situation.horizon), situation.hubs
    stations = at_rest(situation, schedule)
    draw = hub_flows(len(hubs), situation.fleet, schedule, stations).net_kw
    state = power_flow(situation.feeder, hubs.bus, draw)
    limits = feeder_limits(situation.feeder, hubs.bus, draw)
    promise = situation.promises.peak_valley
    span = promise * float(np.ptp(limits.head(draw))) if np.isfinite(promise) else np.inf
    return Baseline(schedule, stations, draw, state, limits, span)
