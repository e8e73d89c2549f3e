"""Going on from a dispatch, and what broken limits are worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hubwise.dispatch import Dispatch, dispatch, excess_cost, social_cost_bound, with_participants
from hubwise.domain import Tariff
from hubwise.drivers import best_response, schedule_cost
from hubwise.ledger import make_account, make_bills

seeds = st.integers(0, 10_000)


def posted(situation) -> Tariff:
    """The purchase price, and a little less for what is discharged."""
    price = np.tile(situation.market.purchase_price, (len(situation.hubs), 1))
    return Tariff(price + 0.1, 0.8 * price)


def profit(problem, tariff, answer) -> float:
    situation = problem.situation
    schedule = with_participants(problem, answer.schedule)
    bills = make_bills(
        situation.fleet,
        tariff,
        situation.market,
        situation.horizon,
        schedule=schedule,
        uncoordinated=problem.uncoordinated,
        best_response_cost=np.zeros(len(situation.fleet)),
    )
    return make_account(situation, schedule, answer.stations, bills).profit


@given(seeds)
@settings(max_examples=20)
def test_going_on_keeps_zero_regret(small_situation, make_problem_of, seed) -> None:
    """A dispatch that goes on from another at the same tariff moves among cheapest schedules."""
    situation = small_situation(seed, solar=True)
    problem, tariff = make_problem_of(situation, promise=0.7), posted(situation)
    first = dispatch(problem, tariff, rounds=5)
    further = dispatch(problem, tariff, rounds=5, warm=first.warm())
    _, least = best_response(problem.fleet, tariff, situation.horizon)
    cost = schedule_cost(problem.fleet, tariff, further.schedule, situation.horizon)
    assert (cost - least).max() <= 1e-6


@given(seeds)
@settings(max_examples=20)
def test_going_on_leads_where_starting_over_leads(small_situation, make_problem_of, seed) -> None:
    """Ten rounds and ninety more come as near to the relaxed optimum as a hundred at once."""
    situation = small_situation(seed)
    problem = make_problem_of(situation, promise=0.8)
    start = dispatch(problem, None, rounds=10, flat=False)

    def bounds(spent: int, onward: Dispatch | None) -> list[float]:
        """Of a few: the prices of limits swing a little from round to round."""
        counts = range(70 - spent, 101 - spent, 10)
        ends = [
            dispatch(problem, None, rounds=n, warm=onward and onward.warm(), flat=False)
            for n in counts
        ]
        return [social_cost_bound(problem, end) for end in ends]

    at_once = bounds(0, None)
    # What has not settled after a hundred rounds says nothing of where it leads.
    assume(abs(at_once[-1] - at_once[-2]) <= 0.01 * abs(at_once[-1]) + 0.05)
    assert max(bounds(10, start)) == pytest.approx(max(at_once), rel=0.01, abs=0.05)


def test_going_on_with_no_round_to_go_changes_nothing(small_situation, make_problem_of) -> None:
    """The units take up just the schedules that they had, station slices together."""
    situation = small_situation(2, solar=True)
    problem, tariff = make_problem_of(situation, promise=0.8), posted(situation)
    first = dispatch(problem, tariff, rounds=8)
    same = dispatch(problem, tariff, rounds=0, warm=first.warm())
    np.testing.assert_allclose(same.schedule.charge_kw, first.schedule.charge_kw, atol=1e-9)
    np.testing.assert_allclose(same.hub_kw, first.hub_kw, atol=1e-9)


def test_few_rounds_tell_what_many_come_to(small_situation, make_problem_of) -> None:
    """Profit less the cost of the excess after few rounds is near the profit after many."""
    near = far = 0.0
    for seed in range(12):
        situation = small_situation(seed, sessions=20)
        problem, tariff = make_problem_of(situation, promise=0.9), posted(situation)
        end = dispatch(problem, tariff, rounds=400)
        if abs(excess_cost(problem, end)) > 0.1:
            continue  # the promise cannot be kept at these prices
        early = dispatch(problem, tariff, rounds=8)
        told = profit(problem, tariff, early) - excess_cost(problem, early)
        settled = profit(problem, tariff, end) - excess_cost(problem, end)
        near += abs(told - settled)
        far += abs(profit(problem, tariff, early) - settled)
    assert far > 0.0
    assert near < 0.5 * far


def test_no_limit_no_excess(small_situation, make_problem_of) -> None:
    """Without a promise, and with limits far away, nothing is in excess."""
    situation = small_situation(4)
    problem, tariff = make_problem_of(situation), posted(situation)
    assert excess_cost(problem, dispatch(problem, tariff, rounds=5)) == pytest.approx(0.0, abs=1e-9)


def test_a_demand_charge_is_no_excess_of_its_own(small_situation, make_problem_of) -> None:
    """Settled imports are priced so that their pressure is just the demand charge."""
    situation = small_situation(4)
    situation = replace(situation, market=replace(situation.market, demand_charge=0.5))
    problem, tariff = make_problem_of(situation), posted(situation)
    answer = dispatch(problem, tariff, rounds=200)
    paid = 0.5 * np.maximum(answer.hub_kw.max(axis=1), 0.0).sum()
    assert abs(excess_cost(problem, answer)) <= 0.05 * paid


def test_few_rounds_do_not_think_well_of_prices_that_send_all_into_one_slot(
    small_situation, make_problem_of
) -> None:
    """What a demand charge comes to there is paid, however the relaxed problem spread its load."""
    for seed in range(4):
        situation = small_situation(seed, sessions=40, hubs=1)
        situation = replace(situation, market=replace(situation.market, demand_charge=3.0))
        problem = make_problem_of(situation)
        tariff = posted(situation)
        steep = tariff.charge_price + 0.001 * np.arange(tariff.charge_price.shape[1])
        tariff = replace(tariff, charge_price=steep)
        warm = dispatch(problem, None, rounds=40, flat=False).warm().near()
        early = dispatch(problem, tariff, rounds=6, warm=warm)
        end = dispatch(problem, tariff, rounds=400, warm=warm)
        told = profit(problem, tariff, early) - excess_cost(problem, early)
        settled = profit(problem, tariff, end) - excess_cost(problem, end)
        paid = 3.0 * float(np.maximum(end.hub_kw.max(axis=1), 0.0).sum())
        assert told <= settled + 0.1 * paid
