"""Packing: what chargers can follow, at no cost to any driver."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import with_slot_bounds
from hubwise.dispatch import best_dispatch, dispatch_linear
from hubwise.dispatch.packing import Worth, follow_exactly, is_followable, pack, starts_of
from hubwise.domain import Tariff
from hubwise.domain.fleet import usual_least_kw
from hubwise.drivers import batteries_of, felt_tariff, schedule_cost

seeds = st.integers(0, 2**32 - 1)
WORTH = Worth(weak=0.05, start=0.004)


def dispatched(small_situation, make_problem_of, seed, *, least_kw, sessions=8, bounds=False):
    """A problem whose chargers have a least power, a tariff with few prices, and a dispatch."""
    rng = np.random.default_rng(seed)
    situation = small_situation(seed, sessions=sessions)
    fleet = situation.fleet
    if bounds:
        fleet = with_slot_bounds(fleet, situation.horizon.slots, rng)
    fleet = replace(
        fleet,
        charge_kw_min=np.full(len(fleet), least_kw),
        discharge_kw_min=np.full(len(fleet), least_kw),
    )
    problem = make_problem_of(replace(situation, fleet=fleet))
    charge = rng.choice([0.3, 0.5, 0.8], (2, 1)) * np.ones((2, 24))
    charge[:, 8:16] = 0.4
    tariff = Tariff(charge, 0.9 * charge)
    return problem, tariff, best_dispatch(problem, tariff, rounds=20)


def below(fleet, schedule):
    """Slots in which a charger would have to do less than it can."""
    ways = (
        (schedule.charge_kw, fleet.least_charge_kw),
        (schedule.discharge_kw, fleet.least_discharge_kw),
    )
    return sum(
        int(((power > 1e-9) & (power < least[:, None] - 1e-6)).sum()) for power, least in ways
    )


@given(seeds, st.sampled_from([0.0, 1.4, 4.1]), st.booleans(), st.sampled_from([0.0, 0.2, 2.0]))
@settings(max_examples=40)
def test_packing_costs_no_driver_anything(
    small_situation, make_problem_of, seed, least_kw, bounds, start
) -> None:
    """Cost, energy at departure and every bound of every session stay as they were dispatched."""
    problem, tariff, answer = dispatched(
        small_situation, make_problem_of, seed, least_kw=least_kw, bounds=bounds
    )
    horizon = problem.situation.horizon
    schedule = pack(problem, tariff, answer.schedule, answer.marginal_price, start)
    felt = felt_tariff(problem.fleet, tariff, problem.terms)
    before, after = (schedule_cost(*felt, one, horizon) for one in (answer.schedule, schedule))
    assert after == pytest.approx(before, abs=1e-9)
    units = batteries_of(problem.fleet, horizon)
    assert (schedule.charge_kw <= units.charge_kw + 1e-9).all()
    assert (schedule.discharge_kw <= units.discharge_kw + 1e-9).all()
    assert (np.minimum(schedule.charge_kw, schedule.discharge_kw) == 0.0).all()
    held = np.minimum(answer.schedule.energy_kwh.min(axis=1), units.least.max(axis=1))
    if not bounds:
        assert (schedule.energy_kwh >= held[:, None] - 1e-7).all()
        assert (schedule.energy_kwh <= units.most + 1e-7).all()
    assert below(problem.fleet, schedule) <= below(problem.fleet, answer.schedule)


def test_a_trickle_becomes_one_car_after_another(small_situation, make_problem_of) -> None:
    """Where all slots cost the same and energies fit, nothing is left below the least power."""
    situation = small_situation(3, sessions=6, hubs=1)
    fleet = replace(
        situation.fleet,
        hub=np.zeros(6, np.int64),
        arrival_slot=np.zeros(6, np.int64),
        departure_slot=np.full(6, 24),
        arrival_kwh=np.full(6, 20.0),
        required_kwh=np.full(6, 20.0 + 0.95 * 14.0),
        charge_kw_max=np.full(6, 7.0),
        discharge_kw_max=np.zeros(6),
        charge_kw_min=np.full(6, 7.0),
        max_kwh=np.full(6, 57.0),
        charge_efficiency=np.full(6, 0.95),
        surplus_value=np.zeros(6),
    )
    problem = make_problem_of(replace(situation, fleet=fleet))
    tariff = Tariff(np.full((1, 24), 0.5), np.full((1, 24), 0.1))
    answer = best_dispatch(problem, tariff, rounds=20)
    trickle = replace(
        answer.schedule,
        charge_kw=np.full((6, 24), 14.0 / 12.0),
        discharge_kw=np.zeros((6, 24)),
        energy_kwh=20.0 + 0.95 * np.cumsum(np.full((6, 24), 14.0 / 24.0), axis=1),
    )
    packed = pack(problem, tariff, trickle, np.zeros((1, 24)))
    on = packed.charge_kw > 1e-9
    assert below(problem.fleet, packed) == 0
    assert packed.charge_kw[on] == pytest.approx(7.0)
    starts = (on & ~np.pad(on, ((0, 0), (1, 0)))[:, :-1]).sum()
    assert starts == 6  # each car once
    assert packed.charge_kw.sum(axis=0) == pytest.approx(7.0)  # one after another


def test_least_power_is_six_amperes_a_phase() -> None:
    """One phase up to 7.4 kW, three up to 43.7 kW, none known above; never above the most."""
    least = usual_least_kw(np.array([1.0, 3.7, 7.4, 11.0, 22.0, 150.0]))
    assert least == pytest.approx([1.0, 1.38, 1.38, 4.14, 4.14, 0.0])


@given(seeds, st.sampled_from([1.4, 4.1]))
@settings(max_examples=12, deadline=None)
def test_the_program_is_no_worse_than_packing(
    small_situation, make_problem_of, social_cost, seed, least_kw
) -> None:
    """What all costs, weak slots and starts at their worth, is at most what packing makes of it."""
    problem, tariff, answer = dispatched(
        small_situation, make_problem_of, seed, least_kw=least_kw, sessions=4
    )
    assert is_followable(problem)
    found = follow_exactly(problem, tariff, answer.schedule, WORTH)
    assert found is not None
    felt = felt_tariff(problem.fleet, tariff, problem.terms)
    least, cost = (
        schedule_cost(*felt, one, problem.situation.horizon)
        for one in (answer.schedule, found.schedule)
    )
    assert cost == pytest.approx(least, abs=1e-6)  # the dispatch was by rounds

    def worth(schedule):
        done = dispatch_linear(problem, tariff, sessions=schedule)
        weak = below(problem.fleet, schedule)
        return social_cost(problem, done) + WORTH.weak * weak + WORTH.start * starts_of(schedule)

    exact = worth(found.schedule)
    for other in (answer.schedule, pack(problem, tariff, answer.schedule, answer.marginal_price)):
        # Tolerances of its rows and gap, and the small price on what is not flat.
        assert exact <= worth(other) + found.gap + 0.02


@given(seeds)
@settings(max_examples=8, deadline=None)
def test_who_limits_fade_stays_in_the_program(small_situation, make_problem_of, seed) -> None:
    """The program is asked for the others, and leaves who limits fade to the digit as it was."""
    problem, tariff, answer = dispatched(
        small_situation, make_problem_of, seed, least_kw=4.1, sessions=4
    )
    some = np.arange(len(problem.fleet)) % 2 == 0

    limit = np.where(some, 0.01, np.inf)
    problem = replace(problem, fleet=problem.fleet.with_drivers(fade_limit_per_year=limit))
    rows = np.isfinite(problem.fleet.fade_limit_per_year)
    assert is_followable(problem)
    found = follow_exactly(problem, tariff, answer.schedule, WORTH)
    assert found is not None
    assert np.array_equal(found.schedule.charge_kw[rows], answer.schedule.charge_kw[rows])
    assert np.array_equal(found.schedule.discharge_kw[rows], answer.schedule.discharge_kw[rows])
