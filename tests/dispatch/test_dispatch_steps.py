"""Steps and starts: what a charger can follow of a stay, at no cost to its driver."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import with_slot_bounds
from hubwise.dispatch import best_dispatch, dispatch_linear
from hubwise.dispatch.packing import (
    Worth,
    follow_exactly,
    left_of,
    pack,
    round_off,
    starts_of,
)
from hubwise.dispatch.packing.chargers import Side
from hubwise.dispatch.packing.one_stay import left_in
from hubwise.dispatch.packing.runs import Stay
from hubwise.dispatch.packing.steps import as_followed
from hubwise.domain import Tariff
from hubwise.drivers import batteries_of, felt_tariff, schedule_cost

seeds = st.integers(0, 2**32 - 1)
# Powers tried differ by this [kW]; energy at arrival [kWh].
GRID, START = 0.5, 10.0


def tiny_stay(rng, size):
    """A stay on a grid of powers, either way, between bounds that its own path keeps."""
    most, step = rng.choice([2.0, 2.5, 3.0]), rng.choice([0.0, 1.0])
    least, starts = rng.choice([0.0, 1.0]), rng.choice([1.0, 2.0, np.inf])
    lowest = -most if rng.random() < 0.5 else 0.0
    net = rng.choice(np.arange(lowest, most + 0.1, GRID), size) * (rng.random(size) < 0.8)
    path = START + net.cumsum()
    slack = rng.choice([0.0, 0.5, 1.0, 9.0], (2, size))
    floor, top = path - slack[0], path + slack[1]
    floor[-1] = path[-1]
    return Stay(
        charge=Side(np.full(size, most), least, step, starts),
        discharge=Side(np.full(size, -lowest), least, step, starts),
        charge_price=rng.choice([0.3, 0.5], size), discharge_price=rng.choice([0.2, 0.4], size),
        charged=net.clip(0.0), discharged=(-net).clip(0.0), floor=floor, top=top,
        into=1.0, out=1.0, start=START, limit=np.inf, surplus=0.0,
    )  # fmt: skip


def left_by_hand(side, tried):
    """Weak slots, starts above what is asked and slots off step of schedules; each (schedules,)."""
    on = tried > 0.0
    starts = (on & ~np.pad(on, ((0, 0), (1, 0)))[:, :-1]).sum(axis=1)
    off = np.zeros(len(tried))
    if side.step > 0.0:
        off = (on & (tried % side.step != 0.0) & (tried < side.most[0])).sum(axis=1)
    weak = (on & (tried < side.least)).sum(axis=1)
    return np.stack([weak, np.maximum(starts - side.starts, 0.0), off])


def least_left(stay):
    """The least that can be left, by trying every schedule of the same energy at each price.

    Bounds, powers and energies stand on a grid, and so do those that are tried.
    """
    most, back = stay.charge.most[0], stay.discharge.most[0]
    powers = np.arange(-back, most + 0.1, GRID)
    tried = np.array(list(product(powers, repeat=len(stay.floor))))
    for sign, price, was in (
        (1.0, stay.charge_price, stay.charged), (-1.0, stay.discharge_price, stay.discharged)
    ):  # fmt: skip
        for one in np.unique(price):
            same = price == one
            moved = (sign * tried[:, same]).clip(0.0).sum(axis=1)
            tried = tried[np.isclose(moved, was[same].sum())]
    path = START + tried.cumsum(axis=1)
    tried = tried[((path >= stay.floor - 1e-9) & (path <= stay.top + 1e-9)).all(axis=1)]
    left = left_by_hand(stay.charge, tried.clip(0.0))
    left = left + left_by_hand(stay.discharge, (-tried).clip(0.0))
    return min(map(tuple, left.T.tolist()))


@given(seeds, st.integers(3, 5))
@settings(max_examples=150, deadline=None)
def test_no_schedule_of_the_same_cost_leaves_less(seed, size) -> None:
    """Slots below the least first, then starts, then slots off step: as few as the best tried."""
    stay = tiny_stay(np.random.default_rng(seed), size)
    powers = as_followed(stay)
    assert left_in(stay, powers) <= least_left(stay)
    path = START + (powers[0] - powers[1]).cumsum()
    assert (path >= stay.floor - 1e-8).all()
    assert (path <= stay.top + 1e-8).all()
    assert (np.minimum(*powers) <= 0.0).all()
    for side, price, was, now in (
        (stay.charge, stay.charge_price, stay.charged, powers[0]),
        (stay.discharge, stay.discharge_price, stay.discharged, powers[1]),
    ):
        assert now.max() <= side.most[0] + 1e-9
        for one in np.unique(price):
            assert now[price == one].sum() == pytest.approx(was[price == one].sum(), abs=1e-9)


def stepped(small_situation, make_problem_of, seed, *, sessions=8, bounds=False):
    """A problem whose chargers know steps and starts, a tariff of few prices, and a dispatch."""
    rng = np.random.default_rng(seed)
    situation = small_situation(seed, sessions=sessions)
    fleet = situation.fleet
    if bounds:
        fleet = with_slot_bounds(fleet, situation.horizon.slots, rng)
    size = len(fleet)
    least = np.full(size, rng.choice([0.0, 1.38]))
    fleet = replace(
        fleet, charge_kw_min=least, discharge_kw_min=least,
        step_kw=rng.choice([0.0, 0.1, 0.23, 1.0], size),
        starts_max=rng.choice([1.0, 2.0, np.inf], size),
    )  # fmt: skip
    problem = make_problem_of(replace(situation, fleet=fleet))
    charge = rng.choice([0.3, 0.5, 0.8], (2, 4)).repeat(6, axis=1)
    tariff = Tariff(charge, 0.9 * charge)
    return problem, tariff, best_dispatch(problem, tariff, rounds=20)


def unfollowed(fleet, horizon, schedule):
    """Slots off step and starts above what is asked, session by session, counted by hand."""
    units, there = batteries_of(fleet, horizon), fleet.presence(horizon.slots)
    off, above = np.zeros(len(fleet), int), np.zeros(len(fleet), int)
    for power, most in (
        (schedule.charge_kw, units.charge_kw), (schedule.discharge_kw, units.discharge_kw)
    ):  # fmt: skip
        most = np.broadcast_to(most, power.shape)
        for i in range(len(fleet)):
            begun, on = 0, False
            for t in range(horizon.slots):
                kw, step = power[i, t], fleet.steps_kw[i] * there[i, t]
                begun += kw > 1e-6 and not on
                on = kw > 1e-6
                if on and step > 0.0 and kw < most[i, t] - 1e-6:
                    off[i] += abs(kw / step - round(kw / step)) * step > 1e-6
            above[i] += max(begun - fleet.most_starts[i], 0.0)
    return off, above


@given(seeds, st.booleans())
@settings(max_examples=30, deadline=None)
def test_steps_and_starts_cost_no_driver_anything(
    small_situation, make_problem_of, seed, bounds
) -> None:
    """Cost and energy stay to 1e-9, bounds are kept, and what is left is counted as it is."""
    problem, tariff, answer = stepped(small_situation, make_problem_of, seed, bounds=bounds)
    fleet, horizon = problem.fleet, problem.situation.horizon
    after = pack(problem, tariff, answer.schedule, answer.marginal_price)
    free = replace(problem, fleet=replace(fleet, step_kw=None, starts_max=None))
    plain = pack(free, tariff, answer.schedule, answer.marginal_price)
    felt = felt_tariff(fleet, tariff, problem.terms)
    cost = [schedule_cost(*felt, one, horizon) for one in (answer.schedule, after)]
    assert cost[1] == pytest.approx(cost[0], abs=1e-9)
    last = [one.energy_kwh[:, -1] for one in (answer.schedule, after)]
    assert last[1] == pytest.approx(last[0], abs=1e-9)
    units = batteries_of(fleet, horizon)
    assert (after.charge_kw <= units.charge_kw + 1e-9).all()
    assert (after.discharge_kw <= units.discharge_kw + 1e-9).all()
    assert (np.minimum(after.charge_kw, after.discharge_kw) == 0.0).all()
    for end, sign in ((units.least, -1.0), (units.most, 1.0)):
        past = [sign * (one.energy_kwh - end) for one in (answer.schedule, after)]
        assert (past[1] <= np.maximum(past[0].max(axis=1), 0.0)[:, None] + 1e-7).all()
    left = left_of(fleet, after, horizon)
    off, above = unfollowed(fleet, horizon, after)
    assert np.array_equal(left.off_step, off)
    assert np.array_equal(left.starts, above)
    before = left_of(fleet, plain, horizon)
    assert not before.less_than(left).any()


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_rounding_leaves_steps_and_starts_followed(small_situation, make_problem_of, seed) -> None:
    """Nobody has more left, whoever could be rounded has nothing, and costs are never less."""
    problem, tariff, answer = stepped(small_situation, make_problem_of, seed)
    fleet, horizon = problem.fleet, problem.situation.horizon
    before = pack(problem, tariff, answer.schedule, answer.marginal_price)
    after = round_off(problem, tariff, before, answer.marginal_price)
    had, has = (left_of(fleet, one, horizon) for one in (before, after))
    off, above = unfollowed(fleet, horizon, after)
    assert ((off == 0) & (above == 0))[~has.any].all()
    assert not had.less_than(has).any()
    felt = felt_tariff(fleet, tariff, problem.terms)
    old, new = (schedule_cost(*felt, one, horizon) for one in (before, after))
    assert (new >= old - 1e-6).all()
    assert (after.energy_kwh[:, -1] >= batteries_of(fleet, horizon).target - 1e-6).all()


@given(seeds)
@settings(max_examples=8, deadline=None)
def test_the_program_of_a_small_hub_counts_steps_and_starts(
    small_situation, make_problem_of, social_cost, seed
) -> None:
    """With steps and starts at their worth it is no worse than packing, and costs no driver."""
    problem, tariff, answer = stepped(small_situation, make_problem_of, seed, sessions=4)
    fleet, horizon = problem.fleet, problem.situation.horizon
    worth = Worth(weak=0.05, start=0.004, above=0.05, off_step=0.02)
    found = follow_exactly(problem, tariff, answer.schedule, worth)
    assert found is not None
    felt = felt_tariff(fleet, tariff, problem.terms)
    least, cost = (schedule_cost(*felt, one, horizon) for one in (answer.schedule, found.schedule))
    assert cost == pytest.approx(least, abs=1e-6)

    def total(schedule):
        done = dispatch_linear(problem, tariff, sessions=schedule)
        left = left_of(fleet, schedule, horizon)
        lost = worth.weak * left.weak.sum() + worth.above * left.starts.sum()
        lost += worth.off_step * left.off_step.sum() + worth.start * starts_of(schedule)
        return social_cost(problem, done) + lost

    exact = total(found.schedule)
    for other in (answer.schedule, pack(problem, tariff, answer.schedule, answer.marginal_price)):
        assert exact <= total(other) + found.gap + 0.02
