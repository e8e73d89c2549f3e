"""Tapers and drivers: every schedule obeys the true curve, which is never dearer than its path."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.audit.program import best_response_costs
from hubwise.audit.stays import charging_at_once_kwh
from hubwise.audit.taper import charged_kwh
from hubwise.domain import Fleet, Schedule, Tariff
from hubwise.drivers import best_response, least_at_departure, uncoordinated
from hubwise.scenario.taper import ChargingClock
from tapers import by_small_steps, horizon_of, random_stays, true_cost

seeds = st.integers(0, 2**32 - 1)
SLOTS = 24


def over_kwh(fleet: Fleet, schedule: Schedule) -> float:
    """By how much a slot brings more than the curve could, at most."""
    horizon, worst = horizon_of(SLOTS), -np.inf
    there = horizon.slot_hours * fleet.presence(SLOTS)
    for i in np.flatnonzero(fleet.tapers).tolist():
        before = np.append(fleet.arrival_kwh[i], schedule.energy_kwh[i, :-1])
        most = charged_kwh(fleet, i, before, there[i]) - before
        put_in = horizon.slot_hours * fleet.charge_efficiency[i] * schedule.charge_kw[i]
        worst = max(worst, float((put_in - most).max()))
    return worst


def prices(rng: np.random.Generator) -> Tariff:
    """Prices by blocks of two hours, and discharging that pays in some."""
    charge = rng.uniform(0.05, 0.6, (1, SLOTS // 4)).repeat(4, axis=1)
    return Tariff(charge, charge * rng.uniform(0.0, 0.9, charge.shape))


@settings(max_examples=25)
@given(seeds)
def test_what_a_slot_brings_is_the_curves(seed) -> None:
    """The planner's clock, the audit's steps and the midpoint rule on the curve itself agree."""
    rng = np.random.default_rng(seed)
    fleet = random_stays(rng, 1, SLOTS, concave=bool(seed % 2), two_way=False)
    start, hours = np.array([rng.uniform(0.2, 1.0)]) * fleet.capacity_kwh, rng.uniform(0.02, 1.5)
    clock = ChargingClock.of(fleet)
    planned = clock.energy((clock.hours(start) + hours)[:, None])[0, 0]
    audited = charged_kwh(fleet, 0, start, np.array([hours]))[0]
    assert planned == pytest.approx(audited, abs=1e-9)
    assert planned == pytest.approx(by_small_steps(fleet, 0, start[0], hours), abs=1e-4)


@given(seeds)
def test_schedules_obey_the_curve(seed) -> None:
    """Best responses, charging at once, and any powers within the bounds: hunted at random."""
    rng = np.random.default_rng(seed)
    fleet = random_stays(rng, 12, SLOTS, concave=False, two_way=bool(seed % 2), curved=0.8)
    horizon = horizon_of(SLOTS)
    assert over_kwh(fleet, best_response(fleet, prices(rng), horizon)[0]) < 1e-9
    assert over_kwh(fleet, uncoordinated(fleet, horizon)) < 1e-9
    assert over_kwh(fleet, _anything(fleet, rng)) < 1e-9


def _anything(fleet: Fleet, rng: np.random.Generator) -> Schedule:
    """Powers drawn at random within bounds by slot, often the most; energy within its own."""
    horizon, shape = horizon_of(SLOTS), (len(fleet), SLOTS)
    there = fleet.presence(SLOTS)
    most = np.minimum(fleet.charge_kw_max[:, None], fleet.bounds.charge_kw) * there
    share = rng.choice([0.0, 0.5, 1.0], shape, p=[0.3, 0.2, 0.5])
    out = fleet.discharge_kw_max[:, None] * there * (share == 0.0) * rng.uniform(size=shape)
    highest = np.minimum(np.maximum(fleet.max_kwh, fleet.arrival_kwh), fleet.bounds.most_kwh[:, 0])
    now, charge, energy = fleet.arrival_kwh.copy(), np.zeros(shape), np.zeros(shape)
    for t in range(SLOTS):
        gains = horizon.slot_hours * fleet.charge_efficiency
        put_in = np.minimum(gains * share[:, t] * most[:, t], np.maximum(highest - now, 0.0))
        drawn = np.minimum(horizon.slot_hours / fleet.discharge_efficiency * out[:, t], now)
        charge[:, t], now = put_in / gains, now + put_in - drawn
        energy[:, t] = now
    return Schedule(charge, out, energy)


@given(seeds)
def test_charging_at_once_follows_the_curve_itself(seed) -> None:
    """Slot by slot as fast as the curve is until the target: no energy is left to the bounds."""
    rng = np.random.default_rng(seed)
    fleet = random_stays(rng, 8, SLOTS, concave=False, two_way=False)
    horizon = horizon_of(SLOTS)
    there = horizon.slot_hours * fleet.presence(SLOTS)
    target = np.minimum(np.maximum(fleet.required_kwh, fleet.reserve_kwh), fleet.max_kwh)
    found = uncoordinated(fleet, horizon).energy_kwh
    np.testing.assert_allclose(found, charging_at_once_kwh(fleet, horizon), atol=1e-9)
    for i in range(len(fleet)):
        now = float(fleet.arrival_kwh[i])
        for t in range(SLOTS):
            ahead = charged_kwh(fleet, i, np.array([now]), there[i, t : t + 1])[0]
            now = max(now, min(float(ahead), float(target[i])))
            assert found[i, t] == pytest.approx(now, abs=1e-8)


@given(seeds)
def test_answers_are_the_best_within_the_paths(seed) -> None:
    """Against a linear program of the audit's own on the same bounds (HiGHS)."""
    rng = np.random.default_rng(seed)
    fleet = random_stays(rng, 6, SLOTS, concave=False, two_way=bool(seed % 2))
    tariff, horizon = prices(rng), horizon_of(SLOTS)
    _, cost = best_response(fleet, tariff, horizon)
    np.testing.assert_allclose(cost, best_response_costs(fleet, tariff, horizon), atol=1e-6)


@given(seeds)
@settings(max_examples=10)
def test_the_true_curve_is_never_dearer_than_its_ceiling_path(seed) -> None:
    """A program on the concave curve itself costs no more."""
    rng = np.random.default_rng(seed)
    fleet = random_stays(rng, 4, SLOTS, concave=True, two_way=bool(seed % 2))
    tariff, horizon = prices(rng), horizon_of(SLOTS)
    _, cost = best_response(fleet, tariff, horizon)
    target = least_at_departure(fleet, horizon)
    for i in range(len(fleet)):
        least = true_cost(
            fleet, i, tariff.charge_price[0], tariff.discharge_price[0], horizon, target[i]
        )
        assert least <= cost[i] + 1e-5


@given(seeds)
def test_who_needs_nothing_above_the_knee_pays_what_it_would_without(seed) -> None:
    """All knees are at half the capacity or above; one-way cars that ask for less lose nothing."""
    rng = np.random.default_rng(seed)
    fleet = random_stays(rng, 12, SLOTS, concave=False, two_way=False)
    most = np.maximum(fleet.arrival_kwh, least_at_departure(fleet, horizon_of(SLOTS)))
    plain = fleet.select((most <= 0.5 * fleet.capacity_kwh) & (fleet.surplus_value == 0.0))
    tariff, horizon = prices(rng), horizon_of(SLOTS)
    _, cost = best_response(plain, tariff, horizon)
    _, free = best_response(replace(plain, bounds=None), tariff, horizon)
    np.testing.assert_allclose(cost, free, atol=1e-9)
