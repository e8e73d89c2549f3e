"""Who does not delegate: own devices take one of their drivers' cheapest schedules, by a rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from builders import fleet_of, stay_bounds
from hubwise.dispatch import (
    by_devices,
    dispatch,
    dispatch_futures,
    dispatch_linear,
    undelegated,
)
from hubwise.dispatch.packing import pack
from hubwise.domain import Tariff
from hubwise.drivers import best_response, felt_tariff, schedule_cost

seeds = st.integers(0, 2**32 - 1)
shares = st.floats(0.0, 1.0)


def some_delegate(small_situation, make_problem_of, seed, *, random=False, promise=np.inf):
    """A problem some of whose participants do not delegate, and a tariff with ties."""
    rng = np.random.default_rng(seed)
    situation = small_situation(seed, sessions=int(rng.integers(2, 9)))
    fleet = situation.fleet
    fleet = replace(
        fleet,
        delegating=rng.random(len(fleet)) < 0.5,
        device_begins=rng.random(len(fleet)) if random else None,
    )
    price = np.tile(situation.market.purchase_price, (len(situation.hubs), 1))
    tariff = Tariff(price + 0.05, 0.7 * price)
    return make_problem_of(replace(situation, fleet=fleet), promise), tariff


def late_of(fleet, i, price, slots) -> np.ndarray:
    """How late each slot is for a device, written anew: slot by slot."""
    late = np.arange(slots, dtype=float)
    if fleet.device_begins is None:
        return late
    stay = range(int(fleet.arrival_slot[i]), int(fleet.departure_slot[i]))
    for t in stay:
        same = [s for s in stay if abs(price[s] - price[t]) < 1e-10]
        if same.index(t) < int(fleet.device_begins[i] * len(same)):
            late[t] += slots
    return late


@given(seeds, st.booleans())
@settings(max_examples=40)
def test_devices_take_what_they_say_among_the_cheapest(
    small_situation, make_problem_of, seed, random
) -> None:
    """No regret; and no cheapest schedule is earlier, by the device's own order (scipy's HiGHS)."""
    problem, tariff = some_delegate(small_situation, make_problem_of, seed, random=random)
    held = by_devices(problem, tariff)
    if held is None:
        assert problem.fleet.delegates.all()
        return
    assert np.array_equal(held.rows, ~problem.fleet.delegates)
    fleet, felt = felt_tariff(problem.fleet, tariff, problem.terms)
    horizon = problem.situation.horizon
    least = best_response(fleet, felt, horizon)[1]
    cost = schedule_cost(fleet, felt, held.schedule, horizon)
    assert np.abs(cost - least)[held.rows].max() <= 1e-6
    for i in np.flatnonzero(held.rows):
        row = fleet.lists[i]
        late = [
            late_of(fleet, i, price[row], horizon.slots)
            for price in (felt.charge_price, felt.discharge_price)
        ]
        did = held.schedule.charge_kw[i] @ late[0] + held.schedule.discharge_kw[i] @ late[1]
        assert did <= earliest(fleet, felt, horizon, i, least[i], late) + 1e-3


def earliest(fleet, felt, horizon, i, least, late) -> float:
    """The least lateness of a schedule of session ``i`` that costs what is least."""
    hours, when = horizon.slot_hours, slice(fleet.arrival_slot[i], fleet.departure_slot[i])
    up, down, low, high = stay_bounds(fleet, i, hours)
    row, worth, n = fleet.lists[i], fleet.surplus_value[i], len(up)
    # Columns: into and out of the battery in each slot [kWh], then nothing.
    into, out = hours * fleet.charge_efficiency[i], hours / fleet.discharge_efficiency[i]
    running = np.tril(np.ones((n, n)))
    energy = np.hstack([into * running, -out * running])
    paid = np.concatenate(
        [
            hours * felt.charge_price[row, when],
            -hours * felt.discharge_price[row, when] + fleet.wear_cost[i] * out,
        ]
    )
    cost = paid - worth * energy[-1]
    most = least + worth * (fleet.arrival_kwh[i] - fleet.required_kwh[i]) + 1e-9
    drawn = np.concatenate([np.zeros(n), np.full(n, out)])
    rows, ends = [energy, -energy, cost[None]], [high - fleet.arrival_kwh[i]]
    ends += [fleet.arrival_kwh[i] - low, [most]]
    if np.isfinite(fleet.discharge_limit_kwh[i]):
        rows, ends = [*rows, drawn[None]], [*ends, [fleet.discharge_limit_kwh[i]]]
    found = linprog(
        np.concatenate([each[when] for each in late]), np.vstack(rows), np.concatenate(ends),
        bounds=[(0.0, kw) for kw in np.concatenate([up, down])],
    )  # fmt: skip
    assert found.status == 0, found.message
    return float(found.fun)


@given(seeds, st.booleans())
@settings(max_examples=25)
def test_the_dispatch_holds_devices_to_their_own(
    small_situation, make_problem_of, seed, random
) -> None:
    """By rounds, onward from a dispatch, by one program, and packed: devices do what is theirs."""
    problem, tariff = some_delegate(
        small_situation, make_problem_of, seed, random=random, promise=0.9
    )
    held = by_devices(problem, tariff)
    rows = ~problem.fleet.delegates
    first = dispatch(problem, tariff, rounds=4)
    answers = [
        first,
        dispatch(problem, tariff, rounds=2, warm=first.warm()),
        dispatch_linear(problem, tariff),
        *dispatch_futures([problem, problem], [0.5, 0.5], tariff, rounds=3),
        *dispatch_futures(
            [problem, problem], [0.5, 0.5], tariff, rounds=3, present=problem.fleet.session[:1]
        ),
    ]
    packed = pack(problem, tariff, first.schedule, first.marginal_price)
    for schedule in [packed, *(answer.schedule for answer in answers)]:
        if held is not None:
            assert np.allclose(schedule.charge_kw[rows], held.schedule.charge_kw[rows], atol=1e-9)
            there = held.schedule.discharge_kw[rows]
            assert np.allclose(schedule.discharge_kw[rows], there, atol=1e-9)
    flows = [
        answer.hub_kw - problem.others_kw - answer.stations.charge_kw
        + answer.stations.discharge_kw + answer.stations.solar_kw
        for answer in answers
    ]  # fmt: skip
    for answer, flow in zip(answers, flows, strict=True):
        power = answer.schedule.charge_kw - answer.schedule.discharge_kw
        mine = np.zeros_like(flow)
        np.add.at(mine, problem.fleet.hub, power)
        assert np.allclose(mine, flow, atol=1e-6)


@given(seeds)
@settings(max_examples=25)
def test_nobody_delegating_early_is_the_undelegated_day(
    small_situation, make_problem_of, seed
) -> None:
    """Where no one delegates and devices are early, the dispatch is what `undelegated` says."""
    problem, tariff = some_delegate(small_situation, make_problem_of, seed)
    nobody = replace(problem.fleet, delegating=np.zeros(len(problem.fleet), bool))
    problem = replace(problem, fleet=nobody)
    due, found = undelegated(problem, tariff), dispatch(problem, tariff, rounds=3)
    assert np.array_equal(found.schedule.charge_kw, due.charge_kw)
    assert np.array_equal(found.schedule.discharge_kw, due.discharge_kw)


@given(seeds)
@settings(max_examples=15)
def test_who_delegates_more_costs_no_more(
    small_situation, make_problem_of, social_cost, seed
) -> None:
    """With more who delegate the exact dispatch costs no more: it could leave them as they were."""
    problem, tariff = some_delegate(small_situation, make_problem_of, seed)
    costs = []
    for count in range(len(problem.fleet) + 1):
        delegating = np.arange(len(problem.fleet)) < count
        here = replace(problem, fleet=replace(problem.fleet, delegating=delegating))
        costs.append(social_cost(here, dispatch_linear(here, tariff, flat=False)))
    assert max(np.diff(costs), default=0.0) <= 1e-6


@pytest.mark.parametrize("share", [0.0, 0.26, 0.5, 0.99])
def test_a_random_device_begins_at_its_moment(small_situation, make_problem_of, share) -> None:
    """One price all day: a car that needs three slots of eight takes them from its moment on."""
    situation = small_situation(0, sessions=1, hubs=1, slots=8, station=False)
    fleet = fleet_of(
        1, 8, arrival_kwh=10.0, required_kwh=13.0, reserve_kwh=0.0, max_kwh=40.0,
        charge_kw_max=2.0, charge_efficiency=1.0, discharge_kw_max=0.0,
        delegating=np.zeros(1, bool), device_begins=np.array([share]),
    )  # fmt: skip
    situation = replace(situation, fleet=fleet)
    flat = Tariff(np.full((1, 8), 0.3), np.zeros((1, 8)))
    held = by_devices(make_problem_of(situation), flat)
    begins = int(share * 8)
    due = sorted((begins + k) % 8 for k in range(3))
    assert np.flatnonzero(held.schedule.charge_kw[0]).tolist() == due
