"""Packing where drivers limit how fast their batteries fade."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hubwise.battery import fleet_ageing
from hubwise.domain import Search
from hubwise.plan import make_plan
from hubwise.scenario import load


def planned(limit, *, rounds=False, tariff=None):
    """The example, its chargers coarse, with limits on fade; shape (sessions,), or one for all."""
    scenario = load("example")
    fleet = scenario.situation.fleet
    fleet = replace(
        fleet,
        charge_kw_min=0.6 * fleet.charge_kw_max,
        discharge_kw_min=0.6 * fleet.discharge_kw_max,
    )
    limits = np.broadcast_to(limit, len(fleet)).copy()
    fleet = fleet.with_drivers(fade_limit_per_year=limits)
    search = Search(evaluations=5, boxes=0, seed=1, rounds_schedules=rounds)
    return make_plan(replace(scenario.having(fleet=fleet), search=search), tariff=tariff)


def unpacked(limit, *, tariff=None):
    """The same, as it was dispatched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hubwise.plan.bilevel.packed", lambda turn, **_: turn)
        return planned(limit, tariff=tariff)


def fade_per_year(plan):
    """What discharging takes from each battery in a year; shape (sessions,)."""
    situation = plan.scenario.situation
    horizon = situation.horizon
    found = fleet_ageing(situation.fleet, plan.schedule, horizon, situation.battery)
    return found.fade_v2g * 365.0 * 24.0 / (horizon.slots * horizon.slot_hours)


def weak(plan, rows):
    """Slots in which a charger of some sessions would have to do less than it can."""
    fleet, schedule = plan.scenario.situation.fleet, plan.schedule
    ways = (
        (schedule.charge_kw, fleet.least_charge_kw),
        (schedule.discharge_kw, fleet.least_discharge_kw),
    )
    found = [(power > 1e-6) & (power < least[:, None] - 1e-6) for power, least in ways]
    return int((found[0] | found[1])[rows].sum())


def test_fade_limits_hold_in_packed_schedules() -> None:
    """Where each limit is what the dispatch itself takes, packed and rounded schedules keep it."""
    before = unpacked(1e3)
    limit = 1.0001 * np.maximum(fade_per_year(before), 1e-9)
    free = planned(1e3, tariff=before.tariff)
    assert (fade_per_year(free) > limit).any()  # or nothing would have to be kept
    for rounds in (False, True):
        plan = planned(limit, rounds=rounds, tariff=before.tariff)
        assert (fade_per_year(plan) <= plan.scenario.situation.fleet.fade_limit_per_year).all()


def test_who_limits_fade_is_packed() -> None:
    """Who limits fade far above what is ever lost has schedules that its charger can follow."""
    before = unpacked(1e3)
    after = planned(1e3, tariff=before.tariff)
    rows = after.scenario.situation.fleet.participating
    assert (after.schedule.charge_kw[rows] > 0.0).any()
    assert weak(after, rows) < weak(before, rows)
