"""The uncoordinated day, against which promises are measured: made once, and carried."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.dispatch.limits import Limits, feeder_limits
from hubwise.domain import Schedule, Situation, StationSchedule
from hubwise.domain.arrays import Array
from hubwise.drivers import uncoordinated
from hubwise.grid import FeederState, power_flow
from hubwise.ledger import hub_flows, solar_that_pays, solar_within_limits


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
        The most that a plan's peak-valley difference may be, what has been so far included [kW];
        ``inf`` where nothing is promised.
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
    within = solar_within_limits(hubs, situation.fleet, schedule)
    return StationSchedule(idle, idle, energy, solar_that_pays(situation, draw, *within))


def make_baseline(situation: Situation) -> Baseline:
    """The uncoordinated day of a situation."""
    schedule, hubs = uncoordinated(situation.fleet, situation.horizon), situation.hubs
    stations = at_rest(situation, schedule)
    draw = hub_flows(len(hubs), situation.fleet, schedule, stations).net_kw
    state = power_flow(situation.feeder, hubs.bus, draw)
    limits = feeder_limits(situation.feeder, hubs.bus, draw)
    span = promised_span_kw(situation, limits.head(draw))
    return Baseline(schedule, stations, draw, state, limits, span)


def promised_span_kw(situation: Situation, head_kw: Array) -> float:
    """The most that the peak-valley difference may be over the day; ``inf`` without promise [kW].

    What the past alone has missed of the promise nobody can mend: at least the past's own is left.

    Parameters
    ----------
    situation
        Its promise, and what the uncoordinated day has been so far.
    head_kw
        Power at the feeder head in what is left of the uncoordinated day; shape (slots,) [kW].
    """
    promise = situation.promises.peak_valley
    if not np.isfinite(promise):
        return np.inf
    past = situation.so_far
    return max(promise * past.baseline_span_kw(head_kw), past.head_span_kw)
