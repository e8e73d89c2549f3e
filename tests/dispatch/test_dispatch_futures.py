"""Several futures at once, against one linear program of them all by HiGHS."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import small_situation, with_periods, with_slot_bounds
from hubwise.dispatch import Problem, dispatch, dispatch_futures
from hubwise.domain import Promises, Situation, Tariff, Terms
from hubwise.drivers import best_response, schedule_cost

seeds = st.integers(0, 2**32 - 1)
HERE = np.array(["s0", "s1", "s2", "s3"])


def drawn_futures(seed: int, count: int, *, changing: bool = False) -> list[Situation]:
    """The same four sessions in every future; other cars to come, loads, prices and sunshine."""
    rng = np.random.default_rng(seed)
    first = small_situation(seed, sessions=8, solar=True)
    slots, hubs = first.horizon.slots, len(first.hubs)
    if changing:
        fleet = with_slot_bounds(first.fleet, slots, rng)
        # What may not be held is drawn whatever was wished: a program of limits would know none.
        fleet = replace(fleet, discharge_limit_kwh=np.full(len(fleet), np.inf))
        first = replace(first, fleet=fleet)
    futures = []
    for _ in range(count):
        to_come = 4 + rng.permutation(4)[: rng.integers(1, 5)]
        fleet = first.fleet.select(np.concatenate([rng.permutation(4), to_come]))
        price = first.market.purchase_price * rng.uniform(0.5, 1.5) + rng.uniform(0, 0.1, slots)
        market = replace(
            first.market,
            purchase_price=price,
            feed_in_price=price - 0.05,
            demand_charge=float(rng.choice([0.0, 0.3])),
        )
        market = with_periods(market, slots, rng)
        solar = first.hubs.solar_kw * rng.uniform(0.2, 1.0, (hubs, 1))
        futures.append(
            replace(
                first,
                fleet=fleet,
                market=market,
                hubs=replace(first.hubs, solar_kw=solar),
                terms=Terms(),
                promises=Promises(),
            )
        )
    return futures


def bought_for(problem: Problem) -> float:
    """What uncoordinated charging would be bought for [currency]."""
    price = problem.situation.market.purchase_price
    hours = problem.situation.horizon.slot_hours
    return float(hours * (problem.uncoordinated.charge_kw @ price).sum())


def tied_tariff(situation: Situation, seed: int) -> Tariff:
    """Two charge and two discharge prices, without arbitrage in a slot."""
    rng = np.random.default_rng(seed)
    shape = len(situation.hubs), situation.horizon.slots
    charge = rng.choice([0.31, 0.62], shape)
    return Tariff(charge, np.minimum(rng.choice([0.2, 0.55], shape), charge))


@given(seeds, st.integers(2, 4), st.booleans(), st.booleans(), st.booleans())
@settings(max_examples=12)
def test_the_mean_is_that_of_the_extensive_form(
    make_problem_of, social_cost, least_mean_cost, seed, count, posted, changing, promised
) -> None:
    """One schedule for who is here, one a future for the rest: the optimum to 0.75 %."""
    futures = drawn_futures(seed, count, changing=changing)
    problems = [make_problem_of(each, 0.9 if promised else np.inf) for each in futures]
    shares = np.random.default_rng(seed).dirichlet(np.full(count, 3.0))
    tariff = tied_tariff(futures[0], seed) if posted else None
    least = least_mean_cost(problems, shares, tariff, HERE.tolist())
    found = dispatch_futures(problems, shares, tariff, present=HERE, rounds=200, flat=False)
    costs = [social_cost(*pair) for pair in zip(problems, found, strict=True)]
    scale = float(shares @ [bought_for(problem) for problem in problems])
    assert float(shares @ costs) == pytest.approx(least, abs=0.0075 * scale)


@given(seeds, st.integers(2, 3))
@settings(max_examples=10)
def test_who_is_here_does_the_same_in_all_at_no_regret(make_problem_of, seed, count) -> None:
    """Present sessions have one schedule, to the bit; nobody in any future has a regret."""
    futures = drawn_futures(seed, count)
    problems, tariff = [make_problem_of(each) for each in futures], tied_tariff(futures[0], seed)
    found = dispatch_futures(problems, np.ones(count), tariff, present=HERE)
    alike = []
    for problem, answer in zip(problems, found, strict=True):
        fleet, horizon = problem.fleet, problem.situation.horizon
        _, least = best_response(fleet, tariff, horizon)
        cost = schedule_cost(fleet, tariff, answer.schedule, horizon)
        assert (cost <= least + 1e-6).all()
        order = [answer.session.tolist().index(name) for name in HERE]
        alike.append(answer.schedule.energy_kwh[order])
    assert all(np.array_equal(energy, alike[0]) for energy in alike)


@given(seeds, st.sampled_from([None, np.zeros(0, str)]))
@settings(max_examples=8)
def test_futures_that_share_nobody_are_dispatched_as_if_alone(
    make_problem_of, social_cost, seed, nobody
) -> None:
    """Where nobody is present, names that futures have in common mean nothing."""
    futures = drawn_futures(seed, 2)
    problems = [make_problem_of(each) for each in futures]
    together = dispatch_futures(problems, [0.3, 0.7], None, present=nobody, rounds=120, flat=False)
    for problem, answer in zip(problems, together, strict=True):
        alone = dispatch(problem, None, rounds=120, flat=False)
        apart = social_cost(problem, answer) - social_cost(problem, alone)
        assert apart == pytest.approx(0.0, abs=0.005 * bought_for(problem))


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ([1.0], "1 weights for 2 futures"),
        ([0.0, 0.0], "give none below 0, some above"),
        ([0.5, np.nan], "give none below 0, some above"),
        ([2.0, -1.0], "give none below 0, some above"),
    ],
)
def test_weights_that_are_none_are_refused(make_problem_of, shares, words) -> None:
    """Too few, none above nothing, below it or no number: said so."""
    problems = [make_problem_of(each) for each in drawn_futures(1, 2)]
    with pytest.raises(ValueError, match=words):
        dispatch_futures(problems, shares, None)


def test_who_is_present_is_the_same_in_all(make_problem_of) -> None:
    """A session that is missing in a future, or has another battery there, is named."""
    futures = drawn_futures(1, 2)
    other = replace(futures[1].fleet, capacity_kwh=futures[1].fleet.capacity_kwh + 1.0)
    problems = [make_problem_of(each) for each in (futures[0], replace(futures[1], fleet=other))]
    with pytest.raises(ValueError, match=r"'s0' is present, and its capacity_kwh in future 2"):
        dispatch_futures(problems, [1.0, 1.0], None, present=HERE)
    with pytest.raises(ValueError, match=r"'nobody' is present, and not in future 1"):
        dispatch_futures(problems, [1.0, 1.0], None, present=np.array(["nobody"]))


def test_futures_are_of_one_place(make_problem_of) -> None:
    """Other terms in a future than in the first are refused: only those of one were known."""
    futures = drawn_futures(1, 2)
    paid = Terms.on_discharge("program", np.full(futures[0].horizon.slots, 0.1))
    problems = [make_problem_of(each) for each in (futures[0], replace(futures[1], terms=paid))]
    with pytest.raises(ValueError, match="future 2 has other terms than future 1"):
        dispatch_futures(problems, [1.0, 1.0], None)
