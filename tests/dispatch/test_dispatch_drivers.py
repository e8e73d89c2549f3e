"""What the dispatch owes drivers: zero regret, and every limit of every session."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.dispatch import dispatch, pessimistic, undelegated
from hubwise.domain import Horizon, Tariff, Terms
from hubwise.drivers import best_response, least_at_departure, schedule_cost

seeds = st.integers(0, 2**32 - 1)


def tied_tariff(seed: int, situation, levels: int = 2) -> Tariff:
    """Few prices, so that drivers have ties; no arbitrage within a slot for anybody."""
    rng = np.random.default_rng(seed)
    shape = len(situation.hubs), situation.horizon.slots
    charge = rng.choice(np.round(rng.uniform(0.1, 0.9, levels), 2), shape)
    discharge = rng.choice(np.round(rng.uniform(0.0, 1.2, levels), 2), shape)
    return Tariff(charge, np.minimum(discharge, charge))


def regret(problem, tariff: Tariff, schedule) -> np.ndarray:
    """What each driver pays above its best response; shape (sessions,)."""
    horizon = problem.situation.horizon
    least = best_response(problem.fleet, tariff, horizon)[1]
    return schedule_cost(problem.fleet, tariff, schedule, horizon) - least


def assert_limits_hold(fleet, schedule, hours: float) -> None:
    """Every limit of every session, from the schedule's powers alone."""
    target = least_at_departure(fleet, Horizon(datetime(2024, 1, 1, tzinfo=UTC), 24, 30))
    up = hours * fleet.charge_efficiency * fleet.charge_kw_max
    top = np.maximum(fleet.max_kwh, fleet.arrival_kwh)
    slot = np.arange(schedule.charge_kw.shape[1])
    away = (slot < fleet.arrival_slot[:, None]) | (slot >= fleet.departure_slot[:, None])
    assert not schedule.charge_kw[away].any()
    assert not schedule.discharge_kw[away].any()
    assert not ((schedule.charge_kw > 0) & (schedule.discharge_kw > 0)).any()
    assert (schedule.charge_kw <= fleet.charge_kw_max[:, None]).all()
    assert (schedule.discharge_kw <= fleet.discharge_kw_max[:, None]).all()
    gained = hours * fleet.charge_efficiency[:, None] * schedule.charge_kw
    drawn = hours * schedule.discharge_kw / fleet.discharge_efficiency[:, None]
    energy = fleet.arrival_kwh[:, None] + np.cumsum(gained - drawn, axis=1)
    np.testing.assert_allclose(schedule.energy_kwh, energy, atol=1e-9)
    since = np.clip(slot + 1 - fleet.arrival_slot[:, None], 0, None)
    at_once = fleet.arrival_kwh[:, None] + up[:, None] * since
    assert (energy >= np.minimum(fleet.reserve_kwh[:, None], at_once) - 1e-9).all()
    assert (energy <= top[:, None] + 1e-9).all()
    assert (energy[:, -1] >= target - 1e-9).all()
    assert (drawn.sum(axis=1) <= fleet.discharge_limit_kwh + 1e-9).all()


@given(seeds, st.sampled_from([1, 3, 12]), st.sampled_from([np.inf, 0.5, 0.0]))
@settings(max_examples=40)
def test_no_driver_regrets(small_situation, make_problem_of, seed, rounds, span) -> None:
    """However few the rounds and hard the promise: cheapest for every driver, to 1e-6."""
    problem = make_problem_of(small_situation(seed, sessions=12), span)
    tariff = tied_tariff(seed, problem.situation)
    schedule = dispatch(problem, tariff, rounds=rounds).schedule
    assert regret(problem, tariff, schedule).max() <= 1e-6
    assert_limits_hold(problem.fleet, schedule, problem.situation.horizon.slot_hours)


@given(seeds)
@settings(max_examples=15)
def test_relaxed_schedules_keep_every_limit(small_situation, make_problem_of, seed) -> None:
    """Without a tariff nobody's limits are broken either, surplus of some worth to some."""
    situation = small_situation(seed, sessions=12)
    worth = np.random.default_rng(seed).choice([0.0, 0.4], 12)
    situation = replace(situation, fleet=replace(situation.fleet, surplus_value=worth))
    schedule = dispatch(make_problem_of(situation, 0.6), None, rounds=6).schedule
    assert_limits_hold(situation.fleet, schedule, situation.horizon.slot_hours)


@pytest.mark.parametrize("scale", [0.01, 1.0, 1000.0])
def test_no_regret_where_limits_cannot_hold(small_situation, make_problem_of, scale) -> None:
    """Limits that press for ever, in whatever currency, buy no regret."""
    situation = small_situation(3, sessions=12)
    dear = replace(situation.market, purchase_price=scale * situation.market.purchase_price)
    hubs = replace(situation.hubs, import_limit_kw=np.zeros(2), export_limit_kw=np.zeros(2))
    problem = make_problem_of(replace(situation, market=dear, hubs=hubs), 0.01)
    # Two prices nearly alike tempt most.
    charge = np.where(np.arange(24) % 2, 0.3, 0.300001) * np.ones((2, 1))
    tariff = Tariff(charge, np.zeros_like(charge))
    answer = dispatch(problem, tariff, rounds=300)
    assert answer.multipliers.imports.max() > 10.0 * np.abs(dear.purchase_price).max()
    assert regret(problem, tariff, answer.schedule).max() <= 1e-6


@given(seeds)
@settings(max_examples=25)
def test_other_ties_cost_drivers_the_same(small_situation, make_problem_of, seed) -> None:
    """Undelegated and pessimistic schedules are cheapest for every driver, too."""
    problem = make_problem_of(small_situation(seed, sessions=12))
    tariff = tied_tariff(seed, problem.situation)
    for choose in (undelegated, pessimistic):
        schedule = choose(problem, tariff)
        assert np.abs(regret(problem, tariff, schedule)).max() <= 1e-6
        assert_limits_hold(problem.fleet, schedule, problem.situation.horizon.slot_hours)


@given(seeds)
@settings(max_examples=25)
def test_undelegated_charges_as_early_as_anybody(small_situation, make_problem_of, seed) -> None:
    """One-way drivers on their own are never behind what the dispatch or spite would charge."""
    situation = small_situation(seed, sessions=12)
    one_way = replace(situation.fleet, discharge_kw_max=np.zeros(12))
    problem = make_problem_of(replace(situation, fleet=one_way))
    tariff = tied_tariff(seed, situation, levels=1)
    early = undelegated(problem, tariff).energy_kwh
    for other in (dispatch(problem, tariff, rounds=5).schedule, pessimistic(problem, tariff)):
        assert (early >= other.energy_kwh - 1e-9).all()


def test_identical_drivers_spread_out(small_situation, make_problem_of) -> None:
    """Ten alike at a flat tariff and price share the slots instead of starting together."""
    situation = small_situation(1, sessions=10, hubs=1, station=False)
    fleet = situation.fleet.select(np.zeros(10, int))
    fleet = replace(
        fleet,
        arrival_slot=np.zeros(10, int),
        departure_slot=np.full(10, 24),
        arrival_kwh=np.full(10, 10.0),
        required_kwh=np.full(10, 24.0),
        charge_kw_max=np.full(10, 7.0),
    )
    level = np.full(24, 0.4)
    market = replace(situation.market, purchase_price=level, feed_in_price=level)
    feeder = replace(situation.feeder, base_kw=np.full((2, 24), 10.0), base_kvar=np.zeros((2, 24)))
    problem = make_problem_of(replace(situation, fleet=fleet, market=market, feeder=feeder))
    tariff = Tariff(np.full((1, 24), 0.5), np.zeros((1, 24)))
    together = undelegated(problem, tariff).charge_kw.sum(axis=0)
    apart = dispatch(problem, tariff, rounds=20).schedule.charge_kw.sum(axis=0)
    assert together.max() == pytest.approx(70.0)
    assert apart.sum() == pytest.approx(together.sum())
    assert apart.max() <= 1.05 * apart.mean()


def test_wear_counts_where_a_cycle_is_a_tie(small_situation, make_problem_of) -> None:
    """A cycle that just pays the driver's wear costs the operator the wear: it is not called up.

    Spite calls it up.
    """
    situation = small_situation(0, sessions=1, hubs=1, slots=4, station=False)
    fleet = replace(
        situation.fleet,
        arrival_slot=np.array([0]),
        departure_slot=np.array([4]),
        arrival_kwh=np.array([20.0]),
        required_kwh=np.array([20.0]),
        reserve_kwh=np.array([5.0]),
        charge_efficiency=np.ones(1),
        discharge_efficiency=np.ones(1),
        discharge_kw_max=np.array([7.0]),
        wear_cost=np.array([0.25]),
        discharge_limit_kwh=np.array([np.inf]),
    )
    purchase = np.array([0.25, 0.25, 0.375, 0.375])  # a cycle saves 0.125 and wears 0.25 a kWh
    market = replace(
        situation.market,
        purchase_price=purchase,
        feed_in_price=purchase,
    )
    problem = make_problem_of(replace(situation, fleet=fleet, market=market, terms=Terms()))
    tariff = Tariff(np.full((1, 4), 0.5), np.full((1, 4), 0.75))
    assert dispatch(problem, tariff, rounds=10, flat=False).schedule.discharge_kw.sum() == 0.0
    assert pessimistic(problem, tariff).discharge_kw.sum() > 1.0


@given(seeds)
@settings(max_examples=20)
def test_spite_costs_the_operator_most(small_situation, make_problem_of, social_cost, seed) -> None:
    """With stations fixed and energy sold at the purchase price: pessimistic <= all others.

    What participants pay falls by what their wear rises, so the operator's profit is less social
    cost but for a constant.
    """
    problem = make_problem_of(small_situation(seed, sessions=12))
    tariff = tied_tariff(seed, problem.situation)
    answer = dispatch(problem, tariff, rounds=10)
    costs = [
        social_cost(problem, replace(answer, schedule=schedule))
        for schedule in (
            pessimistic(problem, tariff),
            answer.schedule,
            undelegated(problem, tariff),
        )
    ]
    assert costs[0] >= max(costs[1:]) - 1e-6
    assert costs[1] <= costs[2] + 0.02 * abs(costs[2]) + 0.02
