"""Passive shifting, ties early, at random and spread: the same cost and profit, another feeder."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hubwise.domain import Strategy, Ties
from hubwise.plan import make_plan
from hubwise.scenario import load

PASSIVE = [Strategy.PASSIVE.with_ties(ties) for ties in Ties]


def seeded(seed: int):
    scenario = load("example")
    return scenario.having(search=replace(scenario.search, seed=seed))


@pytest.fixture(scope="module")
def plans():
    return {strategy: make_plan(seeded(1), strategy=strategy) for strategy in PASSIVE}


def test_ties_move_no_money(plans) -> None:
    """Every driver pays the same whatever breaks its ties, and regrets nothing."""
    early = plans[Strategy.PASSIVE].bills.net_cost
    for plan in plans.values():
        np.testing.assert_allclose(plan.bills.net_cost, early, atol=2e-9)
        assert plan.result.money.max_regret <= 2e-9
        assert not plan.stations.charge_kw.any()


def test_spread_is_kindest_under_ac(plans) -> None:
    """No lot of eight, and not the earliest, leaves a smaller difference at the feeder's head."""
    least = plans[Strategy.PASSIVE_SPREAD].result.feeder.peak_valley_kw
    lots = [make_plan(seeded(k), strategy="passive-random") for k in range(8)]
    others = [plan.result.feeder.peak_valley_kw for plan in (plans[Strategy.PASSIVE], *lots)]
    assert least <= min(others) * (1.0 + 1e-3)
    assert least < np.mean(others) - 0.1


def test_a_seed_is_a_plan(plans) -> None:
    """The same seed makes the same plan to the bit, another seed another one."""
    first = plans[Strategy.PASSIVE_RANDOM].schedule.charge_kw
    same, other = (
        make_plan(seeded(seed), strategy="passive-random").schedule.charge_kw for seed in (1, 2)
    )
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


def test_only_passive_devices_have_ties() -> None:
    """Ties can be chosen where devices choose alone, from any of the three to any."""
    for strategy in Strategy:
        if strategy in PASSIVE:
            assert [strategy.with_ties(ties).ties for ties in Ties] == list(Ties)
        else:
            assert strategy.ties is None
            with pytest.raises(ValueError, match=f"{strategy.value} leaves no ties"):
                strategy.with_ties(Ties.RANDOM)
