"""Rounding: nothing is left that a charger cannot follow, at the least that this costs a driver."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from builders import stay_bounds, with_slot_bounds
from hubwise.dispatch import best_dispatch
from hubwise.dispatch.packing import pack, round_off
from hubwise.domain import Tariff
from hubwise.drivers import felt_tariff, schedule_cost

seeds = st.integers(0, 2**32 - 1)


def packed(small_situation, make_problem_of, seed, *, least_kw, sessions=6, bounds=False):
    """A problem, a tariff with few prices, and a packed dispatch of it."""
    rng = np.random.default_rng(seed)
    situation = small_situation(seed, sessions=sessions)
    fleet = situation.fleet
    if bounds:
        fleet = with_slot_bounds(fleet, situation.horizon.slots, rng)
    least = np.full(len(fleet), least_kw)
    fleet = replace(fleet, charge_kw_min=least, discharge_kw_min=least)
    problem = make_problem_of(replace(situation, fleet=fleet))
    charge = rng.choice([0.3, 0.5, 0.8], (2, 4)).repeat(6, axis=1)
    tariff = Tariff(charge, 0.9 * charge)
    answer = best_dispatch(problem, tariff, rounds=20)
    schedule = pack(problem, tariff, answer.schedule, answer.marginal_price)
    return problem, tariff, schedule, answer.marginal_price


def below(fleet, schedule):
    """Sessions with slots in which a charger would have to do less than it can."""
    found = np.zeros(len(fleet), bool)
    for power, least in (
        (schedule.charge_kw, fleet.least_charge_kw),
        (schedule.discharge_kw, fleet.least_discharge_kw),
    ):
        found |= ((power > 1e-6) & (power < least[:, None] - 1e-6)).any(axis=1)
    return found


def cheapest(problem, tariff, i, *, one_way):
    """The least that a stay can cost its driver if its charger is off or at its least; scipy.

    ``one_way``: all slots of a price are used one way.
    """
    fleet, felt = felt_tariff(problem.fleet, tariff, problem.terms)
    horizon = problem.situation.horizon
    hours = horizon.slot_hours
    charge, discharge, low, high = stay_bounds(fleet, i, hours)
    here = np.arange(fleet.arrival_slot[i], fleet.departure_slot[i])
    n, row = len(here), fleet.lists[i]
    into, out = hours * fleet.charge_efficiency[i], hours / fleet.discharge_efficiency[i]
    buy = hours * felt.charge_price[row, here] - fleet.surplus_value[i] * into
    sell = hours * felt.discharge_price[row, here] - out * fleet.wear_cost[i]
    sell = sell - fleet.surplus_value[i] * out
    eye, sums, no = np.eye(n), np.tril(np.ones((n, n))), np.zeros((n, n))
    least_in, least_out = fleet.least_charge_kw[i], fleet.least_discharge_kw[i]
    start = fleet.arrival_kwh[i]
    blocks = np.unique(felt.charge_price[row, here], return_inverse=True)[1]
    ways = np.equal.outer(blocks, np.arange(4)).astype(float)
    none = np.zeros((n, 4))
    rows = [
        (np.hstack([eye, no, -np.diag(charge), no, none]), -np.inf, 0.0),
        (np.hstack([eye, no, -least_in * eye, no, none]), 0.0, np.inf),
        (np.hstack([no, eye, no, -np.diag(discharge), none]), -np.inf, 0.0),
        (np.hstack([no, eye, no, -least_out * eye, none]), 0.0, np.inf),
        (np.hstack([no, no, eye, eye, none]), -np.inf, 1.0),
        (np.hstack([into * sums, -out * sums, no, no, none]), low - start, high - start),
        (
            np.hstack([0 * eye, out * sums, no, no, none])[-1:],
            -np.inf,
            fleet.discharge_limit_kwh[i],
        ),
    ]
    if one_way:
        rows.append((np.hstack([no, no, eye, no, -ways]), -np.inf, 0.0))
        rows.append((np.hstack([no, no, no, eye, ways]), -np.inf, 1.0))
    whole = np.concatenate([np.zeros(2 * n), np.ones(2 * n + 4)])
    found = milp(
        np.concatenate([buy, -sell, np.zeros(2 * n + 4)]),
        constraints=[LinearConstraint(*each) for each in rows],
        integrality=whole,
        bounds=Bounds(0.0, np.concatenate([np.full(2 * n, np.inf), np.ones(2 * n + 4)])),
        options={"time_limit": 20.0, "mip_rel_gap": 1e-6},
    )
    if found.x is None:
        return None
    return found.fun - fleet.surplus_value[i] * (start - fleet.required_kwh[i])


@given(seeds, st.sampled_from([1.4, 4.1]))
@settings(max_examples=25, deadline=None)
def test_nobody_could_be_rounded_for_less(small_situation, make_problem_of, seed, least_kw) -> None:
    """Another program finds nothing cheaper, but to charge and discharge at one price in turn."""
    problem, tariff, before, price = packed(
        small_situation, make_problem_of, seed, least_kw=least_kw
    )
    left = below(problem.fleet, before)
    after = round_off(problem, tariff, before, price)
    felt = felt_tariff(problem.fleet, tariff, problem.terms)
    cost = schedule_cost(*felt, after, problem.situation.horizon)
    still = below(problem.fleet, after)
    for i in np.flatnonzero(left):
        least, most = (cheapest(problem, tariff, i, one_way=way) for way in (False, True))
        if most is not None:
            assert not still[i]
            assert cost[i] <= most + 2e-3
        if not still[i]:
            assert least is not None
            assert cost[i] >= least - 1e-5


@given(seeds, st.sampled_from([1.4, 4.1]), st.booleans())
@settings(max_examples=40, deadline=None)
def test_rounding_keeps_every_bound(
    small_situation, make_problem_of, seed, least_kw, bounds
) -> None:
    """Reserve, highest and required energy, limits and powers hold; the others' stays as before."""
    problem, tariff, before, price = packed(
        small_situation, make_problem_of, seed, least_kw=least_kw, bounds=bounds
    )
    fleet, horizon = problem.fleet, problem.situation.horizon
    after = round_off(problem, tariff, before, price)
    for i in range(len(fleet)):
        charge, discharge, low, high = stay_bounds(fleet, i, horizon.slot_hours)
        here = slice(fleet.arrival_slot[i], fleet.departure_slot[i])
        assert (after.charge_kw[i, here] <= charge + 1e-7).all()
        assert (after.discharge_kw[i, here] <= discharge + 1e-7).all()
        assert (after.energy_kwh[i, here] >= low - 1e-6).all()
        assert (after.energy_kwh[i, here] <= high + 1e-6).all()
    assert (np.minimum(after.charge_kw, after.discharge_kw) == 0.0).all()
    # What may not be held any longer is drawn whatever the limit.
    drawn, had = (
        horizon.slot_hours * one.discharge_kw.sum(axis=1) / fleet.discharge_efficiency
        for one in (after, before)
    )
    assert (drawn <= np.maximum(fleet.discharge_limit_kwh, had) + 1e-6).all()
    felt = felt_tariff(fleet, tariff, problem.terms)
    old, new = (schedule_cost(*felt, one, horizon) for one in (before, after))
    assert (new >= old - 1e-6).all()
    untouched = ~below(fleet, before)
    assert np.array_equal(after.charge_kw[untouched], before.charge_kw[untouched])
    assert below(fleet, after).sum() <= below(fleet, before).sum()
