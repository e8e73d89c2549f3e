"""The bound on what the whole must cost: as high as HiGHS' optimum, never above it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from builders import with_periods
from hubwise.dispatch import (
    dispatch,
    dispatch_linear,
    excess_cost,
    prices_of_limits,
    social_cost_bound,
)
from hubwise.domain import SoFar, Terms

seeds = st.integers(0, 2**32 - 1)


def others_energy(problem) -> float:
    situation = problem.situation
    price = situation.market.purchase_price
    return situation.horizon.slot_hours * float(problem.others_kw.sum(axis=0) @ price)


def with_everything(small_situation, seed: int):
    """Others beside participants, solar, charged imports, stock, billing periods and a past.

    Nothing is lost in batteries: HiGHS' program may go in circles, and here they gain nothing.
    """
    rng = np.random.default_rng(seed)
    situation = small_situation(seed, sessions=6, solar=bool(seed % 2))
    hubs = len(situation.hubs)
    market = replace(
        situation.market,
        purchase_price=situation.market.purchase_price - float(rng.choice([0.0, 0.4])),
        demand_charge=float(rng.choice([0.0, 0.1, 2.0])),
    )
    market = replace(market, feed_in_price=market.purchase_price - rng.choice([0.0, 0.05]))
    market = with_periods(market, situation.horizon.slots, np.random.default_rng(seed + 1))
    batteries = replace(
        situation.hubs,
        battery_final_kwh=rng.choice([0.0, 8.0, 14.0], hubs),
        battery_end_value=rng.choice([0.0, 0.2, 1.5], hubs),
        battery_charge_efficiency=np.ones(hubs),
        battery_discharge_efficiency=np.ones(hubs),
    )
    past = SoFar(import_peak_kw=rng.choice([0.0, 5.0, 12.0], hubs))
    fleet = replace(
        situation.fleet, charge_efficiency=np.ones(6), discharge_efficiency=np.ones(6)
    ).with_participating(rng.random(6) < 0.7)
    return replace(
        situation, fleet=fleet, market=market, hubs=batteries, so_far=past, terms=Terms()
    )


def pressed(problem, rng):
    """The same with connections, and the head's peak, that press on what it does unpressed."""
    free = dispatch_linear(problem, None, flat=False).hub_kw
    head = problem.limits.head(free)
    upper = problem.limits.upper.copy()
    upper[0] = head.max() - rng.choice([0.0, 0.04]) * np.ptp(head)
    return replace(
        problem,
        import_limit_kw=rng.choice([0.9, 1.1]) * np.maximum(free.max(axis=1), 2.0),
        export_limit_kw=rng.choice([0.8, 1.1]) * np.maximum(-free.min(axis=1), 2.0),
        limits=replace(problem.limits, upper=upper),
    )


def judge(problem, least_social_cost) -> None:
    try:
        least = least_social_cost(problem)
    except AssertionError:
        assume(False)  # the limits cannot be kept
    answer = dispatch_linear(problem, None, flat=False)
    bound = social_cost_bound(problem, answer) + others_energy(problem)
    assert bound <= least + 1e-6
    assert bound >= least - 0.05
    # An optimum breaks no limit that has a price, and is hardly slack at one.
    assert excess_cost(problem, answer) == pytest.approx(0.0, abs=0.05)
    # Any other prices give a bound too, if a worse one: of the peak's row, the valley's, the rest.
    for scales in ((0.0, 0.0, 0.0), (0.5, 0.5, 1.7), (1.7, 1.7, 0.5), (3.0, 1.0, 1.0), (1, 3.0, 1)):
        rows = answer.duals.rows * scales[2]
        rows[:2] = answer.duals.rows[:2] * np.reshape(scales[:2], (2, 1))
        duals = replace(
            answer.duals,
            rows=rows,
            imports=scales[2] * answer.duals.imports,
            exports=scales[2] * answer.duals.exports,
        )
        other = social_cost_bound(problem, replace(answer, duals=duals))
        assert other + others_energy(problem) <= least + 1e-6


@given(seeds)
@example(203324)  # the past's peak is above what the connection lets in
@settings(max_examples=25)
def test_it_is_the_least_under_limits_that_press(
    small_situation, make_problem_of, least_social_cost, seed
) -> None:
    """Connections, the head, demand charges, stock and the past: as high as the optimum."""
    problem = make_problem_of(with_everything(small_situation, seed))
    judge(pressed(problem, np.random.default_rng(seed)), least_social_cost)


@given(seeds, st.floats(0.0, 1.0), st.booleans())
@settings(max_examples=25)
def test_it_is_the_least_under_a_promise(
    small_situation, make_problem_of, least_social_cost, seed, high, known
) -> None:
    """A promise of the peak-valley difference, with a past and without: as high as the optimum."""
    problem = make_problem_of(with_everything(small_situation, seed))
    head = problem.limits.head(dispatch_linear(problem, None, flat=False).hub_kw)
    span = 0.9 * float(np.ptp(head))
    if known:
        valley = head.min() + 0.05 * span
        past = SoFar(
            head_valley_kw=valley,
            head_peak_kw=valley + high * span,
            import_peak_kw=problem.situation.so_far.import_peak_kw,
        )
        problem = replace(problem, situation=replace(problem.situation, so_far=past))
    judge(replace(problem, span_kw=span), least_social_cost)


def test_a_hub_that_feeds_in_has_that_price(small_situation, make_problem_of) -> None:
    """Where nothing presses a kWh costs what the connection pays or is paid for it."""
    situation = with_everything(small_situation, 1)
    market = situation.market
    market = replace(market, feed_in_price=market.purchase_price - 0.05)
    market = replace(market, demand_charge=0.0, later_periods=())
    problem = make_problem_of(replace(situation, market=market))
    answer = dispatch(problem, None, rounds=30, flat=False)
    found = prices_of_limits(problem, answer)
    feeds = answer.hub_kw < 0.0
    assert 0 < feeds.sum() < (answer.hub_kw > 0.0).sum()
    expected = np.where(feeds, market.feed_in_price, market.purchase_price)
    np.testing.assert_allclose(found, expected, atol=1e-9)


@given(seeds)
@settings(max_examples=20)
def test_where_nothing_may_be_sold_the_bound_is_the_optimum(
    small_situation, make_problem_of, least_social_cost, seed
) -> None:
    """A limit that is nothing may have any price in a program: the bound takes the least."""
    problem = make_problem_of(with_everything(small_situation, seed))
    judge(replace(problem, export_limit_kw=np.zeros(2)), least_social_cost)
