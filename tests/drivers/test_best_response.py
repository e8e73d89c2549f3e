"""The driver's problem against HiGHS and against what must hold of any answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import highspy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import fleet_of, stay_bounds
from drawn_drivers import make
from hubwise.domain import Fleet, Horizon, Schedule, SlotBounds, Tariff, Term, Terms
from hubwise.drivers import (
    best_response,
    felt_response,
    least_at_departure,
    schedule_cost,
    uncoordinated,
)

INFINITE = highspy.kHighsInf


def highs_cost(fleet: Fleet, i: int, tariff: Tariff, horizon: Horizon) -> float:
    """The optimal cost of session ``i`` by a HiGHS linear program written from the model."""
    a, d, hours = int(fleet.arrival_slot[i]), int(fleet.departure_slot[i]), horizon.slot_hours
    n, h = d - a, int(fleet.lists[i])
    eta_in, eta_out = float(fleet.charge_efficiency[i]), float(fleet.discharge_efficiency[i])
    most_in, most_out, least, most = stay_bounds(fleet, i, hours)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    charge = [
        solver.addVariable(0, most_in[k], hours * tariff.charge_price[h, a + k]) for k in range(n)
    ]
    drawn_cost = fleet.wear_cost[i] / eta_out
    discharge = [
        solver.addVariable(0, most_out[k], hours * (drawn_cost - tariff.discharge_price[h, a + k]))
        for k in range(n)
    ]
    value = fleet.surplus_value[i]
    energy = [
        solver.addVariable(min(least[k], most[k]), most[k], -value if k == n - 1 else 0.0)
        for k in range(n)
    ]
    for k in range(n):
        step = eta_in * hours * charge[k] - hours / eta_out * discharge[k]
        before = energy[k - 1] if k else 0.0
        solver.addConstr(energy[k] - before - step == (0.0 if k else fleet.arrival_kwh[i]))
    if np.isfinite(fleet.discharge_limit_kwh[i]):
        solver.addConstr(
            sum(hours / eta_out * p for p in discharge) <= fleet.discharge_limit_kwh[i]
        )
    solver.run()
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(solver.getInfo().objective_function_value + value * fleet.required_kwh[i])


def assert_kept(fleet: Fleet, schedule: Schedule, hours: float) -> None:
    """Every bound of every stay holds in every slot, from the schedule's powers alone."""
    slot = np.arange(schedule.charge_kw.shape[1])
    away = (slot < fleet.arrival_slot[:, None]) | (slot >= fleet.departure_slot[:, None])
    assert not schedule.charge_kw[away].any()
    assert not schedule.discharge_kw[away].any()
    assert not ((schedule.charge_kw > 0) & (schedule.discharge_kw > 0)).any()
    step = hours * (
        fleet.charge_efficiency[:, None] * schedule.charge_kw
        - schedule.discharge_kw / fleet.discharge_efficiency[:, None]
    )
    energy = fleet.arrival_kwh[:, None] + np.cumsum(step, axis=1)
    np.testing.assert_allclose(schedule.energy_kwh, energy, atol=1e-9)
    for i in range(len(fleet)):
        stay = slice(int(fleet.arrival_slot[i]), int(fleet.departure_slot[i]))
        most_in, most_out, least, most = stay_bounds(fleet, i, hours)
        assert (schedule.charge_kw[i, stay] <= most_in + 1e-12).all()
        assert (schedule.discharge_kw[i, stay] <= most_out + 1e-12).all()
        assert (energy[i, stay] >= np.minimum(least, most) - 1e-9).all()
        assert (energy[i, stay] <= most + 1e-9).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 8), st.booleans())
@settings(max_examples=100, deadline=None)
def test_cost_equals_a_linear_program(seed: int, slots: int, levels: int, changing: bool) -> None:
    """The best response costs what HiGHS says is the least, to 1e-6, for sessions of any kind.

    Whether or not bounds change over the stay, and whatever list a session was offered.
    """
    fleet, tariff, horizon = make(seed, 4, slots, levels, changing=changing)
    _, cost = best_response(fleet, tariff, horizon)
    for i in range(len(fleet)):
        assert cost[i] == pytest.approx(highs_cost(fleet, i, tariff, horizon), abs=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(1, 96), st.integers(1, 8), st.booleans())
@settings(max_examples=80, deadline=None)
def test_schedule_is_feasible_and_costs_what_it_says(
    seed: int, slots: int, levels: int, changing: bool
) -> None:
    """Every limit of the session holds in every slot, and the cost is the schedule's own."""
    fleet, tariff, horizon = make(seed, 30, slots, levels, changing=changing)
    schedule, cost = best_response(fleet, tariff, horizon)
    assert_kept(fleet, schedule, horizon.slot_hours)
    drawn = (0.25 * schedule.discharge_kw / fleet.discharge_efficiency[:, None]).sum(axis=1)
    assert (drawn <= fleet.discharge_limit_kwh + 1e-9).all()
    np.testing.assert_allclose(cost, schedule_cost(fleet, tariff, schedule, horizon), atol=1e-8)


@given(st.integers(0, 2**32 - 1), st.integers(1, 96))
@settings(max_examples=60, deadline=None)
def test_charging_at_once_keeps_changing_bounds(seed: int, slots: int) -> None:
    """Uncoordinated charging obeys dimming and outages, and leaves with all that can be had.

    What must be held in a slot is held there, if full power from arrival on can reach it; it does
    not charge ahead for head-room that comes later.
    """
    fleet, _, horizon = make(seed, 30, slots, 3, changing=True)
    assert fleet.bounds is not None
    held = replace(fleet.bounds, most_kwh=np.full((30, slots), np.inf))
    fleet = replace(fleet, bounds=held)
    schedule = uncoordinated(fleet, horizon)
    stay = (np.arange(slots) >= fleet.arrival_slot[:, None]) & (
        np.arange(slots) < fleet.departure_slot[:, None]
    )
    most = np.minimum(fleet.charge_kw_max[:, None], held.charge_kw)
    assert (schedule.charge_kw <= np.where(stay, most, 0.0) + 1e-12).all()
    assert not schedule.discharge_kw.any()
    assert_kept(fleet, schedule, horizon.slot_hours)
    target = np.maximum(least_at_departure(fleet, horizon), fleet.arrival_kwh)
    np.testing.assert_array_less(target - 1e-9, schedule.energy_kwh[:, -1])


@given(st.integers(0, 2**32 - 1), st.integers(1, 48))
@settings(max_examples=60, deadline=None)
def test_charging_at_once_leaves_room_for_what_comes(seed: int, slots: int) -> None:
    """With a most and a least to be held, uncoordinated charging keeps both in every slot.

    It waits with what may not be held later, and begins in time with what has to be drawn.
    """
    fleet, _, horizon = make(seed, 30, slots, 3, changing=True)
    schedule = uncoordinated(fleet, horizon)
    assert_kept(fleet, schedule, horizon.slot_hours)
    target = least_at_departure(fleet, horizon)
    np.testing.assert_array_less(target - 1e-9, schedule.energy_kwh[:, -1])


def test_one_way_charging_waits_for_what_may_not_be_held() -> None:
    """A most of 25 kWh in the third hour holds a one-way car there; it goes on afterwards."""
    horizon = Horizon(datetime(2025, 5, 14, tzinfo=UTC), 5, 60)
    free = np.full((1, 5), np.inf)
    most = np.array([[np.inf, np.inf, 25.0, np.inf, np.inf]])
    fleet = fleet_of(
        1, 5, charge_efficiency=1.0, discharge_kw_max=0.0,
        bounds=SlotBounds(free, free, -free, most),
    )  # fmt: skip
    energy = uncoordinated(fleet, horizon).energy_kwh
    np.testing.assert_allclose(energy, [[25.0, 25.0, 25.0, 32.0, 39.0]])


def test_bounds_that_say_nothing_change_nothing() -> None:
    """Infinite bounds in every slot: the same costs, and the same uncoordinated day."""
    fleet, tariff, horizon = make(3, 40, 48, 5)
    free = np.full((40, 48), np.inf)
    said = replace(fleet, bounds=SlotBounds(free, free, -free, free))
    costs = [best_response(each, tariff, horizon)[1] for each in (fleet, said)]
    np.testing.assert_allclose(costs[1], costs[0], atol=1e-9)
    days = [uncoordinated(each, horizon).charge_kw for each in (fleet, said)]
    np.testing.assert_allclose(days[1], days[0], atol=1e-9)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_terms_are_prices_to_drivers(seed: int) -> None:
    """What terms give a driver for a kWh moves it as much as a price that is so much better."""
    fleet, tariff, horizon = make(seed, 20, 24, 4)
    rng = np.random.default_rng(seed)
    fleet = replace(fleet, group=rng.integers(0, 2, 20))
    bonus, feed = rng.uniform(0.0, 0.1, (2, 24)), rng.uniform(0.0, 0.05, (2, 24))
    term = Term.of("club", 2, 24, charge_to_driver=bonus, discharge_to_driver=feed)
    _, cost = felt_response(fleet, tariff, horizon, Terms((term,)).sums(24))
    for group in (0, 1):
        mine = fleet.select(fleet.group == group)
        better = Tariff(tariff.charge_price - bonus[group], tariff.discharge_price + feed[group])
        np.testing.assert_allclose(
            cost[fleet.group == group], best_response(mine, better, horizon)[1], atol=1e-9
        )


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
    target = np.maximum(least_at_departure(fleet, horizon), fleet.arrival_kwh)
    np.testing.assert_allclose(schedule.energy_kwh[:, -1], target, atol=1e-9)
    assert not schedule.discharge_kw.any()
