"""Levelling: the saving promise, to the tick, from anywhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.domain import Tariff
from hubwise.drivers import best_response, uncoordinated
from hubwise.ledger import make_bills
from hubwise.pricing import cost_ceiling, level_prices, make_family, participants_pay

seeds = st.integers(0, 2**32 - 1)


def without_tricks(situation):
    """The situation with discharge prices that arbitrage never bounds, so that cost only rises."""
    top = np.full(situation.horizon.slots, 0.05)
    return replace(situation, rules=replace(situation.rules, discharge_price_max=top))


def wild_prices(seed: int, groups: int) -> np.ndarray:
    """Prices far outside every bound, some of them."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-1.0, 2.0, (2, groups)) * rng.choice([0.3, 1.0, 10.0])


@given(seeds, st.floats(0.2, 1.2), st.sampled_from(["flat", "time-of-use", "hourly"]))
@settings(max_examples=40)
def test_the_promise_is_kept_to_the_tick(
    small_situation, make_problem_of, seed, share, name
) -> None:
    """Within reach, participants pay at most the promise; every price a tick more breaks it."""
    problem = make_problem_of(without_tricks(small_situation(seed, sessions=10)), saving=share)
    family = make_family(problem.situation, name)
    wild = wild_prices(seed, family.groups)
    prices = level_prices(problem, family, wild)
    assert np.array_equal(family.project(prices), prices)
    most, paid = cost_ceiling(problem), participants_pay(problem, family, prices)
    dearest = family.project(np.stack([family.high[0], family.low[1]]))
    cheapest = family.project(np.stack([family.low[0], family.high[1]]))
    if participants_pay(problem, family, dearest) <= most:
        assert np.array_equal(prices, family.project(wild))  # the promise binds nothing
    elif participants_pay(problem, family, cheapest) > most:
        assert np.array_equal(prices, cheapest)
    else:
        assert paid <= most
        tick = 1.5 * 10.0**-family.decimals
        dearer = family.project(prices + np.array([[tick], [-tick]]))
        assert participants_pay(problem, family, dearer) >= most - 1e-6 * most


@given(seeds)
@settings(max_examples=25)
def test_cost_rises_along_the_path(small_situation, make_problem_of, seed) -> None:
    """Charge prices up and discharge prices down never lower what participants pay."""
    problem = make_problem_of(small_situation(seed))
    family = make_family(problem.situation, "hourly")
    fixed = np.random.default_rng(seed).uniform(0.0, 0.6, (2, family.groups))
    ways = np.linspace(-0.5, 0.5, 9)
    charge = [np.clip(fixed[0] + way, family.low[0], family.high[0]) for way in ways]
    discharge = np.minimum(fixed[1], charge[0])
    paid = [
        participants_pay(problem, family, np.stack([row, np.maximum(discharge - way, -1.0)]))
        for row, way in zip(charge, ways + 0.5, strict=True)
    ]
    assert (np.diff(paid) >= -1e-9).all()


@given(seeds, st.sampled_from([0.5, 0.9, np.inf]))
@settings(max_examples=25)
def test_each_participant_is_no_worse_off(small_situation, make_problem_of, seed, share) -> None:
    """Whatever the prices: nobody's bill is above charging at once at the reference tariff."""
    problem = make_problem_of(small_situation(seed, sessions=10), saving=share)
    family = make_family(problem.situation)
    tariff = family.tariff(level_prices(problem, family, wild_prices(seed, family.groups)))
    situation = problem.situation
    schedule, least = best_response(situation.fleet, tariff, situation.horizon)
    bills = make_bills(
        situation.fleet,
        tariff,
        situation.market,
        situation.horizon,
        schedule=schedule,
        uncoordinated=uncoordinated(situation.fleet, situation.horizon),
        best_response_cost=least,
    )
    assert bills.saving.min() >= -1e-9


def test_without_a_promise_prices_are_only_made_lawful(small_situation, make_problem_of) -> None:
    """No saving promise, no shift."""
    problem = make_problem_of(small_situation(4))
    family = make_family(problem.situation)
    wild = wild_prices(4, family.groups)
    assert np.array_equal(level_prices(problem, family, wild), family.project(wild))


def test_nobody_to_promise_to(small_situation, make_problem_of) -> None:
    """Without participants nothing can be saved, and prices are lawful all the same."""
    situation = small_situation(4)
    nobody = replace(situation, fleet=situation.fleet.with_participating(np.zeros(8, bool)))
    for share in (0.5, np.inf):
        problem = make_problem_of(nobody, saving=share)
        assert cost_ceiling(problem) in (0.0, np.inf)
        family = make_family(problem.situation)
        prices = level_prices(problem, family, wild_prices(4, family.groups))
        assert np.array_equal(family.project(prices), prices)


def test_drivers_who_are_paid_to_charge(small_situation, make_problem_of) -> None:
    """Where uncoordinated charging earns money, the promise is that it earns enough of it."""
    situation = without_tricks(small_situation(5))
    paid = np.full(24, -0.2)
    situation = replace(
        situation,
        fleet=replace(
            situation.fleet, discharge_kw_max=np.zeros(8), max_kwh=situation.fleet.required_kwh
        ),
        market=replace(situation.market, reference_price=paid, purchase_price=paid - 0.1),
        rules=replace(
            situation.rules, charge_price_min=np.full(24, -0.5), charge_price_max=np.full(24, 1.0)
        ),
    )
    problem = make_problem_of(situation, saving=1.3)
    assert cost_ceiling(problem) < 0.0
    family = make_family(situation, "flat")
    prices = level_prices(problem, family, np.array([[-0.2], [0.0]]))
    assert participants_pay(problem, family, prices) <= cost_ceiling(problem)
    assert prices[0, 0] == pytest.approx(-0.26, abs=1e-4)


def test_payment_is_the_bills(small_situation, make_problem_of) -> None:
    """What participants pay, wear included, is what their bills say, surplus energy or not."""
    situation = small_situation(6, sessions=12)
    worth = np.linspace(0.0, 0.5, 12)
    situation = replace(situation, fleet=replace(situation.fleet, surplus_value=worth))
    problem = make_problem_of(situation)
    family = make_family(situation)
    prices = family.project(
        np.stack([scenario_mean(situation, family), np.full(family.groups, 0.2)])
    )
    tariff: Tariff = family.tariff(prices)
    schedule, least = best_response(situation.fleet, tariff, situation.horizon)
    bills = make_bills(
        situation.fleet,
        tariff,
        situation.market,
        situation.horizon,
        schedule=schedule,
        uncoordinated=problem.uncoordinated,
        best_response_cost=least,
    )
    assert participants_pay(problem, family, prices) == pytest.approx(bills.net_cost.sum())


def scenario_mean(situation, family) -> np.ndarray:
    """Mean purchase price of every group; shape (groups,)."""
    price = np.broadcast_to(situation.market.purchase_price, family.group.shape)
    return family.vector(price, price, np.ones((2, *price.shape)))[0]
