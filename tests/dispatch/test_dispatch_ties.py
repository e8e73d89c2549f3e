"""Ties among what costs a driver the same, no prices posted: by lot, and spread for the grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from builders import stay_bounds, with_slot_bounds
from hubwise.dispatch import at_random, spread
from hubwise.dispatch.spreading import REGRET
from hubwise.domain import Tariff
from hubwise.drivers import best_response, felt_tariff, schedule_cost
from hubwise.ledger import sum_by_hub

seeds = st.integers(0, 2**32 - 1)


def passive(small_situation, make_problem_of, seed: int, **kind):
    """A problem of cars that cannot discharge, some of whom take no part, and its reference tariff.

    Some value surplus energy, at times at just what it costs in some slot.
    """
    rng = np.random.default_rng(seed)
    situation = small_situation(seed, sessions=int(rng.integers(2, 7)), **kind)
    fleet, price = situation.fleet.one_way(), situation.market.reference_price
    fleet = fleet.with_participating(rng.random(len(fleet)) < 0.8)
    worth = rng.choice([0.0, price.min() / 0.95, price.max()], len(fleet), p=[0.6, 0.2, 0.2])
    fleet = replace(fleet, surplus_value=worth)
    problem = make_problem_of(replace(situation, fleet=fleet))
    charge = np.tile(price, (len(situation.hubs), 1))
    return problem, Tariff(charge, np.zeros_like(charge))


def head_span(problem, schedule) -> float:
    """Peak-valley difference of the linear head, without solar [kW]."""
    hubs = len(problem.situation.hubs)
    drawn = sum_by_hub(hubs, problem.fleet.hub, schedule.charge_kw) + problem.others_kw
    return float(np.ptp(problem.limits.head(drawn)))


def regrets(problem, tariff, schedule) -> np.ndarray:
    felt, horizon = felt_tariff(problem.fleet, tariff, problem.terms), problem.situation.horizon
    return schedule_cost(*felt, schedule, horizon) - best_response(*felt, horizon)[1]


@given(seeds, seeds, st.booleans())
@settings(max_examples=60)
def test_lots_cost_what_is_least(small_situation, make_problem_of, seed, lot, bounded) -> None:
    """A schedule drawn by lot costs each driver its best response, to 1e-9: two-way cars, too."""
    rng = np.random.default_rng(seed)
    situation = small_situation(seed, sessions=int(rng.integers(1, 20)))
    slots = situation.horizon.slots
    if bounded:
        situation = replace(situation, fleet=with_slot_bounds(situation.fleet, slots, rng))
    shape = (len(situation.hubs), slots)
    charge = np.round(rng.uniform(0.1, 0.4, shape), 1)
    tariff, problem = Tariff(charge, np.round(0.7 * charge, 2)), make_problem_of(situation)
    assert np.abs(regrets(problem, tariff, at_random(problem, tariff, lot))).max() <= 1e-9


@given(seeds, seeds)
@settings(max_examples=20)
def test_one_seed_is_one_schedule(small_situation, make_problem_of, seed, lot) -> None:
    """The same seed draws the same schedules, to the bit."""
    problem, tariff = passive(small_situation, make_problem_of, seed)
    for way in (at_random, spread):
        one, other = (way(problem, tariff, lot) for _ in range(2))
        np.testing.assert_array_equal(one.charge_kw, other.charge_kw)


def test_lots_fall_everywhere(small_situation, make_problem_of) -> None:
    """Over many seeds a car that may charge in any of its slots charges in each of them."""
    situation = small_situation(3, sessions=1)
    flat = replace(situation.market, reference_price=np.full(situation.horizon.slots, 0.4))
    problem = make_problem_of(replace(situation, market=flat, fleet=situation.fleet.one_way()))
    tariff = Tariff(np.full((2, situation.horizon.slots), 0.4), np.zeros((2, 24)))
    fleet, lots = problem.fleet, [at_random(problem, tariff, k).charge_kw for k in range(60)]
    stay = slice(int(fleet.arrival_slot[0]), int(fleet.departure_slot[0]))
    assert (np.mean(lots, axis=0)[0, stay] > 0.0).all()


@given(seeds)
@settings(max_examples=25)
def test_spread_is_least(small_situation, make_problem_of, seed) -> None:
    """The difference at the head is what another program, written apart, says is the least."""
    problem, tariff = passive(small_situation, make_problem_of, seed)
    found = spread(problem, tariff, 0)
    assert regrets(problem, tariff, found).max(initial=0.0) <= REGRET + 1e-8
    assert head_span(problem, found) == pytest.approx(least_span(problem, tariff), abs=1e-4)


@given(seeds)
@settings(max_examples=25)
def test_spread_beats_lots(small_situation, make_problem_of, seed) -> None:
    """No lot of twenty is kinder to the grid than what is spread for it."""
    problem, tariff = passive(small_situation, make_problem_of, seed)
    lots = [head_span(problem, at_random(problem, tariff, k)) for k in range(20)]
    assert head_span(problem, spread(problem, tariff, 0)) <= min(lots) + 1e-4


def test_groups_only_gain(small_situation, make_problem_of, monkeypatch) -> None:
    """Levelled group by group a fleet is no worse than drawn, and nearly as flat as at once."""
    whole, grouped, drawn = [], [], []
    for seed in range(8):
        problem, tariff = passive(small_situation, make_problem_of, seed)
        whole.append(head_span(problem, spread(problem, tariff, seed)))
        with monkeypatch.context() as patched:
            patched.setattr("hubwise.dispatch.spreading.GROUP", 15)
            grouped.append(head_span(problem, spread(problem, tariff, seed)))
        drawn.append(head_span(problem, at_random(problem, tariff, seed)))
    assert (np.array(whole) <= np.array(grouped) + 1e-4).all()
    assert (np.array(grouped) <= np.array(drawn) + 1e-4).all()
    assert np.sum(grouped) < np.sum(drawn) - 1.0


def least_span(problem, tariff) -> float:
    """The least difference of the head over all cheapest schedules, by a program of its own."""
    fleet, horizon = problem.fleet, problem.situation.horizon
    hours, slots, size = horizon.slot_hours, horizon.slots, len(problem.fleet)
    felt = felt_tariff(fleet, tariff, problem.terms)
    least = best_response(*felt, horizon)[1]
    width = size * slots + 2  # powers [kW], then peak and valley
    most, rows, ends = np.zeros(width), [], []
    for i in range(size):
        first, last = int(fleet.arrival_slot[i]), int(fleet.departure_slot[i])
        power, _, low, high = stay_bounds(fleet, i, hours)
        own = i * slots
        most[own + first : own + last] = power
        for t in range(last - first):
            row = np.zeros(width)
            row[own + first : own + first + t + 1] = hours * fleet.charge_efficiency[i]
            rows += [row, -row]
            ends += [high[t] - fleet.arrival_kwh[i], fleet.arrival_kwh[i] - low[t]]
        paid = np.zeros(width)
        worth = fleet.surplus_value[i] * fleet.charge_efficiency[i]
        paid[own : own + slots] = hours * (felt[1].charge_price[felt[0].lists[i]] - worth)
        rows.append(paid)
        surplus = fleet.surplus_value[i] * (fleet.arrival_kwh[i] - fleet.required_kwh[i])
        ends.append(least[i] + surplus + 1e-9)
    base = problem.limits.head(problem.others_kw)
    for t in range(slots):
        row = np.zeros(width)
        row[[i * slots + t for i in range(size)]] = problem.limits.coefficient[0, fleet.hub, t]
        above, below = row.copy(), -row
        above[-2], below[-1] = -1.0, 1.0
        rows += [above, below]
        ends += [-base[t], base[t]]
    cost = np.zeros(width)
    cost[-2], cost[-1] = 1.0, -1.0
    bounds = [*((0.0, kw) for kw in most[:-2]), (None, None), (None, None)]
    return float(linprog(cost, A_ub=np.array(rows), b_ub=np.array(ends), bounds=bounds).fun)
