"""What has happened so far, and what is left at the end, against linear programs by HiGHS."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.dispatch import dispatch, social_cost_bound
from hubwise.domain import SoFar, Terms

seeds = st.integers(0, 2**32 - 1)


def with_a_past(situation, seed: int):
    """Imports charged for, some of it already; batteries that may end lower, or must end higher.

    Energy left in them is worth nothing, little, or more than it costs.
    """
    rng, hubs = np.random.default_rng(seed), len(situation.hubs)
    purchase = situation.market.purchase_price
    market = replace(
        situation.market,
        demand_charge=float(rng.choice([0.0, 0.1, 0.5])),
        feed_in_price=purchase - 0.05,
    )
    batteries = replace(
        situation.hubs,
        battery_final_kwh=rng.choice([0.0, 4.0, 8.0, 14.0], hubs),
        battery_end_value=rng.choice([0.0, 0.2, 1.5], hubs),
    )
    past = SoFar(import_peak_kw=rng.choice([0.0, 5.0, 12.0, 40.0], hubs))
    return replace(situation, market=market, hubs=batteries, so_far=past, terms=Terms())


def half_a_percent(problem) -> float:
    """Of what uncoordinated charging would be bought for [currency]."""
    situation = problem.situation
    bought = problem.uncoordinated.charge_kw @ situation.market.purchase_price
    return 0.005 * situation.horizon.slot_hours * float(bought.sum())


def others_energy(problem) -> float:
    situation = problem.situation
    price = situation.market.purchase_price
    return situation.horizon.slot_hours * float(problem.others_kw.sum(axis=0) @ price)


@given(seeds)
@settings(max_examples=25)
def test_charges_and_stock_against_highs(
    small_situation, make_problem_of, social_cost, least_social_cost, seed
) -> None:
    """Relaxed, the dispatch pays what HiGHS pays to 0.5 %; the bound is below, and near."""
    problem = make_problem_of(with_a_past(small_situation(seed, sessions=6), seed))
    answer = dispatch(problem, None, rounds=200, flat=False)
    least = least_social_cost(problem)
    near = half_a_percent(problem)
    assert social_cost(problem, answer) == pytest.approx(least, abs=near)
    bound = social_cost_bound(problem, answer) + others_energy(problem)
    assert bound <= least + 1e-6
    assert bound >= least - 2.0 * near
    hubs = problem.situation.hubs
    assert (answer.stations.energy_kwh[:, -1] >= hubs.least_final_kwh - 1e-9).all()
