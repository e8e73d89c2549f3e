"""The dispatch of small hubs as one linear program, against programs written by others' hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from builders import with_periods
from hubwise.dispatch import (
    EXACTLY,
    best_dispatch,
    dispatch,
    dispatch_linear,
    fits_program,
    is_small,
    social_cost_bound,
)
from hubwise.dispatch.program import remembering
from hubwise.domain import Tariff, Terms
from hubwise.drivers import best_response, felt_tariff, schedule_cost
from hubwise.ledger import hub_flows

seeds = st.integers(0, 2**32 - 1)


def small(small_situation, seed: int):
    """Charged imports now and then; nothing that pays for going in a circle."""
    rng = np.random.default_rng(seed)
    situation = small_situation(seed, sessions=int(rng.integers(1, 8)))
    market = replace(
        situation.market,
        demand_charge=float(rng.choice([0.0, 0.3])),
        feed_in_price=situation.market.purchase_price - 0.03,
    )
    market = with_periods(market, situation.horizon.slots, rng)
    return replace(situation, market=market, terms=Terms())


def prices(situation, seed: int) -> Tariff:
    """Lawful ones: in few steps, so that there are ties."""
    rng, shape = np.random.default_rng(seed), (len(situation.hubs), situation.horizon.slots)
    charge = np.round(rng.uniform(0.1, 0.4, shape), 1)
    return Tariff(charge, np.round(0.7 * charge, 2))


def circles(answer) -> float:
    both = [
        np.minimum(each.charge_kw, each.discharge_kw) for each in (answer.schedule, answer.stations)
    ]
    return max(float(kw.max(initial=0.0)) for kw in both)


@given(seeds, st.booleans(), st.sampled_from([np.inf, 0.8]))
@settings(max_examples=25)
def test_it_costs_what_another_program_says(
    small_situation, make_problem_of, social_cost, least_social_cost, seed, posted, promise
) -> None:
    """The least that any dispatch costs, to 0.01 %; drivers keep their cheapest schedules."""
    problem = make_problem_of(small(small_situation, seed), promise)
    tariff = prices(problem.situation, seed) if posted else None
    answer = dispatch_linear(problem, tariff, flat=False)
    assert circles(answer) <= 1e-9
    if tariff is not None:
        felt = felt_tariff(problem.fleet, tariff, problem.terms)
        horizon = problem.situation.horizon
        regret = schedule_cost(*felt, answer.schedule, horizon) - best_response(*felt, horizon)[1]
        assert regret.max() <= 1e-7
    flows = hub_flows(len(problem.situation.hubs), problem.fleet, answer.schedule, answer.stations)
    np.testing.assert_allclose(flows.net_kw + problem.others_kw, answer.hub_kw, atol=1e-9)
    try:
        least = least_social_cost(problem, tariff)
    except AssertionError:
        assume(False)  # the promise cannot be kept
    got = social_cost(problem, answer)
    assert got == pytest.approx(least, abs=1e-5, rel=1e-4)


def test_a_battery_below_a_kwh_is_used(
    small_situation, make_problem_of, social_cost, least_social_cost
) -> None:
    """It brings what another program says that it can, and more than none."""
    helped = 0
    for seed in range(4):
        situation = small(small_situation, seed)
        hubs, none = situation.hubs, np.zeros(len(situation.hubs))
        costs = []
        for size in (none, np.full(len(hubs), 0.8)):
            tiny = replace(
                hubs, battery_kwh=size, battery_initial_kwh=0.5 * size, battery_end_value=none
            )
            problem = make_problem_of(replace(situation, hubs=tiny))
            costs.append(social_cost(problem, dispatch_linear(problem, None, flat=False)))
            assert costs[-1] == pytest.approx(least_social_cost(problem), abs=1e-5, rel=1e-4)
        helped += costs[1] < costs[0] - 1e-3
    assert helped


@given(seeds)
@settings(max_examples=25)
def test_its_prices_prove_it(small_situation, make_problem_of, social_cost, seed) -> None:
    """Relaxed, the bound at its duals is what it costs, to 0.01 % of uncoordinated."""
    problem = make_problem_of(small(small_situation, seed))
    answer = dispatch_linear(problem, None, flat=False)
    hours, price = problem.situation.horizon.slot_hours, problem.situation.market.purchase_price
    others = hours * float(problem.others_kw.sum(axis=0) @ price)
    bound = social_cost_bound(problem, answer) + others
    scale = hours * float(problem.uncoordinated.charge_kw.sum(axis=0) @ price)
    cost = social_cost(problem, answer)
    assert bound <= cost + 1e-6
    assert bound >= cost - 1e-4 * scale - 1e-6


@given(seeds)
@settings(max_examples=15)
def test_not_worse_than_going_round(small_situation, make_problem_of, social_cost, seed) -> None:
    """However many rounds the kernel goes, the program's answer costs no more."""
    problem = make_problem_of(small(small_situation, seed))
    tariff = prices(problem.situation, seed)
    rounds = dispatch(problem, tariff, rounds=200, flat=False)
    kept = (problem.limits.rows(rounds.hub_kw) <= problem.limits.upper + 1e-9).all()
    assume(kept)
    exact = dispatch_linear(problem, tariff, flat=False)
    assert social_cost(problem, exact) <= social_cost(problem, rounds) + 1e-6


def test_what_cannot_be_kept_is_missed_by_little(small_situation, make_problem_of) -> None:
    """A promise of no difference at all: the span is the least that HiGHS' own program finds."""
    problem = make_problem_of(replace(small_situation(3, sessions=5), terms=Terms()))
    spans = []
    for span in (0.0, 1.0, 5.0):
        answer = dispatch_linear(replace(problem, span_kw=span), None)
        spans.append(float(np.ptp(problem.limits.head(answer.hub_kw))))
    assert spans[0] == pytest.approx(spans[1], rel=1e-6) or spans[0] <= 1.0 + 1e-6
    free = dispatch_linear(problem, None)
    assert spans[0] <= float(np.ptp(problem.limits.head(free.hub_kw))) + 1e-9


def test_a_flat_head_is_preferred(small_situation, make_problem_of) -> None:
    """Among what costs nearly the same, the head is as flat as can be; it costs next to nothing."""
    narrower = 0
    for seed in range(8):
        situation = small(small_situation, seed)
        market = replace(situation.market, later_periods=())
        problem = make_problem_of(replace(situation, market=market))
        shape = len(problem.situation.hubs), problem.situation.horizon.slots
        tariff = Tariff(np.full(shape, 0.3), np.zeros(shape))  # nothing but ties
        plain, flat = (dispatch_linear(problem, tariff, flat=flat) for flat in (False, True))
        spans = [float(np.ptp(problem.limits.head(each.hub_kw))) for each in (plain, flat)]
        assert spans[1] <= spans[0] + 1e-6
        narrower += spans[1] < 0.95 * spans[0]
    assert narrower


def test_only_small_hubs_are_programs(small_situation, make_problem_of) -> None:
    """Session-slots decide: the reference scenario goes round its units."""
    problem = make_problem_of(small_situation(1, sessions=8))
    assert is_small(problem)
    many_of = np.tile(np.arange(8), 100)
    fleet = problem.fleet.select(many_of)
    many = replace(problem, fleet=fleet)
    assert not is_small(many)
    assert fits_program(many)
    assert not fits_program(replace(problem, fleet=problem.fleet.select(np.tile(many_of, 5))))
    assert best_dispatch(problem, None, rounds=EXACTLY).rounds == EXACTLY


def test_a_search_takes_the_same_way_whatever_ran_before(small_situation, make_problem_of) -> None:
    """Bases are remembered within one search alone, and answers are worth as much as without."""
    problems = [make_problem_of(small_situation(seed, sessions=8)) for seed in (1, 1, 2)]

    def searched():
        with remembering():
            return [dispatch_linear(each, None, flat=False) for each in problems]

    first = searched()
    dispatch_linear(problems[2], None)
    again = searched()
    for one, other, problem in zip(first, again, problems, strict=True):
        assert np.array_equal(one.schedule.charge_kw, other.schedule.charge_kw)
        alone = dispatch_linear(problem, None, flat=False)
        worth = [social_cost_bound(problem, each) for each in (one, alone)]
        assert worth[0] == pytest.approx(worth[1], rel=1e-7)


def test_what_is_small_counts_slots_of_stays(small_situation, make_problem_of) -> None:
    """Late short stays count by their length, every slot of a hub as four: 2,500, and no more."""
    problem = make_problem_of(small_situation(1, sessions=1))
    slots, hubs = problem.situation.horizon.slots, len(problem.situation.hubs)
    one = replace(
        problem.fleet, arrival_slot=np.array([slots - 2]), departure_slot=np.array([slots])
    )
    most = (2500 - 4 * hubs * slots) // 2
    for count in (most, most + 1):
        fleet = one.select(np.zeros(count, np.int64))
        assert is_small(replace(problem, fleet=fleet)) == (count == most)
