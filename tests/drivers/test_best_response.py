"""The driver's problem against HiGHS and against what must hold of any answer."""

from __future__ import annotations

from datetime import UTC, datetime

import highspy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import fleet_of
from hubwise.domain import Fleet, Horizon, Tariff
from hubwise.drivers import best_response, bounds, schedule_cost, uncoordinated

INFINITE = highspy.kHighsInf


def random_fleet(rng: np.random.Generator, size: int, slots: int) -> Fleet:
    """Sessions of every kind: one-way, below reserve, unreachable target, overfull, limited."""
    arrival = rng.integers(0, slots, size)
    departure = rng.integers(arrival + 1, slots + 1)
    capacity = rng.uniform(10.0, 80.0, size)
    share = rng.uniform(0.0, 1.0, (4, size))
    return fleet_of(
        size,
        slots,
        hub=rng.integers(0, 2, size),
        arrival_slot=arrival,
        departure_slot=departure,
        capacity_kwh=capacity,
        arrival_kwh=capacity * share[0],
        required_kwh=capacity * share[1],
        reserve_kwh=capacity * 0.5 * share[2],
        max_kwh=capacity * (0.5 + 0.5 * share[3]),
        charge_kw_max=rng.uniform(1.0, 22.0, size),
        discharge_kw_max=rng.choice([0.0, 7.0, 11.0], size),
        charge_efficiency=rng.uniform(0.8, 1.0, size),
        discharge_efficiency=rng.uniform(0.8, 1.0, size),
        wear_cost=rng.uniform(0.0, 0.4, size),
        discharge_limit_kwh=rng.choice([np.inf, 0.0, 5.0, 12.0], size),
        surplus_value=rng.choice([0.0, 0.3], size),
    )


def random_tariff(rng: np.random.Generator, slots: int, levels: int) -> Tariff:
    """Prices with ties (few levels), negative ones among them, and no same-slot arbitrage."""
    charge = rng.choice(rng.uniform(-0.2, 1.2, levels), (2, slots))
    wanted = rng.choice(rng.uniform(0.0, 1.5, levels), (2, slots))
    return Tariff(charge, np.minimum(wanted, np.where(charge > 0, charge, charge / 0.64)))


def highs_cost(fleet: Fleet, i: int, tariff: Tariff, horizon: Horizon) -> float:
    """The optimal cost of session ``i`` by a HiGHS linear program written from the model."""
    a, d, hours = int(fleet.arrival_slot[i]), int(fleet.departure_slot[i]), horizon.slot_hours
    n, h = d - a, int(fleet.hub[i])
    eta_in, eta_out = float(fleet.charge_efficiency[i]), float(fleet.discharge_efficiency[i])
    arrival, top = fleet.arrival_kwh[i], max(fleet.max_kwh[i], fleet.arrival_kwh[i])
    full_speed = arrival + eta_in * hours * fleet.charge_kw_max[i] * np.arange(1, n + 1)
    floor = np.minimum(fleet.reserve_kwh[i], full_speed)
    target = min(max(fleet.required_kwh[i], fleet.reserve_kwh[i]), top, full_speed[-1])
    floor[-1] = max(floor[-1], target)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    charge = [
        solver.addVariable(0, fleet.charge_kw_max[i], hours * tariff.charge_price[h, t])
        for t in range(a, d)
    ]
    drawn_cost = fleet.wear_cost[i] / eta_out
    discharge = [
        solver.addVariable(
            0, fleet.discharge_kw_max[i], hours * (drawn_cost - tariff.discharge_price[h, t])
        )
        for t in range(a, d)
    ]
    value = fleet.surplus_value[i]
    energy = [
        solver.addVariable(min(floor[k], top), top, -value if k == n - 1 else 0.0) for k in range(n)
    ]
    for k in range(n):
        step = eta_in * hours * charge[k] - hours / eta_out * discharge[k]
        before = energy[k - 1] if k else 0.0
        solver.addConstr(energy[k] - before - step == (0.0 if k else arrival))
    if np.isfinite(fleet.discharge_limit_kwh[i]):
        solver.addConstr(
            sum(hours / eta_out * p for p in discharge) <= fleet.discharge_limit_kwh[i]
        )
    solver.run()
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(solver.getInfo().objective_function_value + value * fleet.required_kwh[i])


def make(seed: int, size: int, slots: int, levels: int) -> tuple[Fleet, Tariff, Horizon]:
    rng = np.random.default_rng(seed)
    horizon = Horizon(datetime(2024, 1, 1, tzinfo=UTC), slots, 15)
    return random_fleet(rng, size, slots), random_tariff(rng, slots, levels), horizon


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 8))
@settings(max_examples=60, deadline=None)
def test_cost_equals_a_linear_program(seed: int, slots: int, levels: int) -> None:
    """The best response costs what HiGHS says is the least, to 1e-6, for sessions of any kind."""
    fleet, tariff, horizon = make(seed, 4, slots, levels)
    _, cost = best_response(fleet, tariff, horizon)
    for i in range(len(fleet)):
        assert cost[i] == pytest.approx(highs_cost(fleet, i, tariff, horizon), abs=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(1, 96), st.integers(1, 8))
@settings(max_examples=60, deadline=None)
def test_schedule_is_feasible_and_costs_what_it_says(seed: int, slots: int, levels: int) -> None:
    """Every limit of the session holds in every slot, and the cost is the schedule's own."""
    fleet, tariff, horizon = make(seed, 30, slots, levels)
    schedule, cost = best_response(fleet, tariff, horizon)
    limits = bounds(fleet, horizon.slot_hours)
    slot = np.arange(slots)
    away = (slot < fleet.arrival_slot[:, None]) | (slot >= fleet.departure_slot[:, None])
    assert not schedule.charge_kw[away].any()
    assert not schedule.discharge_kw[away].any()
    assert not ((schedule.charge_kw > 0) & (schedule.discharge_kw > 0)).any()
    assert (schedule.charge_kw <= fleet.charge_kw_max[:, None]).all()
    assert (schedule.discharge_kw <= fleet.discharge_kw_max[:, None]).all()
    step = 0.25 * (
        fleet.charge_efficiency[:, None] * schedule.charge_kw
        - schedule.discharge_kw / fleet.discharge_efficiency[:, None]
    )
    energy = fleet.arrival_kwh[:, None] + np.cumsum(step, axis=1)
    np.testing.assert_allclose(schedule.energy_kwh, energy, atol=1e-9)
    stay = (fleet.departure_slot - fleet.arrival_slot)[:, None]
    since = np.clip(slot + 1 - fleet.arrival_slot[:, None], 0, stay)
    floor = np.minimum(
        fleet.reserve_kwh[:, None], fleet.arrival_kwh[:, None] + limits.up[:, None] * since
    )
    assert (energy >= floor - 1e-9).all()
    assert (energy <= limits.top[:, None] + 1e-9).all()
    assert (energy[:, -1] >= limits.target - 1e-9).all()
    drawn = (0.25 * schedule.discharge_kw / fleet.discharge_efficiency[:, None]).sum(axis=1)
    assert (drawn <= fleet.discharge_limit_kwh + 1e-9).all()
    np.testing.assert_allclose(cost, schedule_cost(fleet, tariff, schedule, horizon), atol=1e-8)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_cost_is_concave_in_prices(seed: int) -> None:
    """Halfway between two tariffs no driver pays less than the mean of the two."""
    fleet, one, horizon = make(seed, 20, 48, 6)
    _, other, _ = make(seed + 1, 20, 48, 6)
    middle = Tariff(
        (one.charge_price + other.charge_price) / 2,
        (one.discharge_price + other.discharge_price) / 2,
    )
    costs = [best_response(fleet, tariff, horizon)[1] for tariff in (one, other, middle)]
    assert (costs[2] >= (costs[0] + costs[1]) / 2 - 1e-9).all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_never_dearer_than_plugging_in(seed: int) -> None:
    """Whoever may discharge freely or not at all never pays more than by charging at once."""
    fleet, tariff, horizon = make(seed, 30, 48, 6)
    _, cost = best_response(fleet, tariff, horizon)
    at_once = schedule_cost(fleet, tariff, uncoordinated(fleet, horizon), horizon)
    assert (cost <= at_once + 1e-9).all()


def test_uncoordinated_reaches_what_the_stay_allows() -> None:
    """Charging at once ends at the required energy, or at all that the stay allows."""
    fleet, _, horizon = make(5, 200, 48, 4)
    schedule = uncoordinated(fleet, horizon)
    target = np.maximum(bounds(fleet, 0.25).target, fleet.arrival_kwh)
    np.testing.assert_allclose(schedule.energy_kwh[:, -1], target, atol=1e-9)
    assert not schedule.discharge_kw.any()
