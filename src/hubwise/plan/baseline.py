"""The uncoordinated day, against which promises are measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.dispatch import Limits, feeder_limits
from hubwise.domain import Schedule, Situation, StationSchedule
from hubwise.drivers import uncoordinated
from hubwise.grid import FeederState, power_flow
from hubwise.ledger import hub_flows, solar_that_pays


@dataclass(frozen=True, slots=True)
class Baseline:
    """The uncoordinated day, and what it makes of the peak-valley promise.

    Parameters
    ----------
    state
        The feeder when everybody charges at once.
    limits
        The feeder's limits, linearised there.
    span_kw
        The most the peak-valley difference may be [kW]; ``inf`` where nothing is promised.
    """

    state: FeederState
    limits: Limits
    span_kw: float


def at_rest(situation: Situation, schedule: Schedule) -> StationSchedule:
    """Station batteries at rest, solar used as far as it pays."""
    hubs = situation.hubs
    idle = np.zeros_like(hubs.solar_kw)
    level = np.repeat(hubs.battery_initial_kwh[:, None], situation.horizon.slots, axis=1)
    draw = hub_flows(
        len(hubs), situation.fleet, schedule, StationSchedule(idle, idle, level, idle)
    ).net_kw
    return StationSchedule(idle, idle, level, solar_that_pays(situation, draw))


def make_baseline(situation: Situation) -> Baseline:
    """What the uncoordinated day of a scenario makes of its promises."""
    schedule, hubs = uncoordinated(situation.fleet, situation.horizon), situation.hubs
    stations = at_rest(situation, schedule)
    draw = hub_flows(len(hubs), situation.fleet, schedule, stations).net_kw
    state = power_flow(situation.feeder, hubs.bus, draw)
    limits = feeder_limits(situation.feeder, hubs.bus, draw)
    promise = situation.promises.peak_valley
    span = promise * float(np.ptp(limits.head(draw))) if np.isfinite(promise) else np.inf
    return Baseline(state, limits, span)
