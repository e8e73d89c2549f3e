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
from hubwise.pricing import cost_ceiling, level, make_family, participants_pay

seeds = st.integers(0, 2**32 - 1)


def without_tricks(scenario):
    """The scenario with discharge prices that arbitrage never bounds, so that cost only rises."""
    top = np.full(scenario.horizon.slots, 0.05)
    return replace(scenario, rules=replace(scenario.rules, discharge_price_max=top))


def wild_prices(seed: int, groups: int) -> np.ndarray:
    """Prices far outside every bound, some of them."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-1.0, 2.0, (2, groups)) * rng.choice([0.3, 1.0, 10.0])


@given(seeds, st.floats(0.2, 1.2), st.sampled_from(["flat", "time-of-use", "hourly"]))
@settings(max_examples=40)
def test_the_promise_is_kept_to_the_tick(
    small_scenario, make_problem_of, seed, share, name
) -> None:
    """Within reach, participants pay at most the promise; every price a tick more breaks it."""
    problem = make_problem_of(without_tricks(small_scenario(seed, sessions=10)), saving=share)
    family = make_family(problem.scenario, name)
    wild = wild_prices(seed, family.groups)
    prices = level(problem, family, wild)
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
def test_cost_rises_along_the_path(small_scenario, make_problem_of, seed) -> None:
    """Charge prices up and discharge prices down never lower what participants pay."""
    problem = make_problem_of(small_scenario(seed))
    family = make_family(problem.scenario, "hourly")
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
def test_each_participant_is_no_worse_off(small_scenario, make_problem_of, seed, share) -> None:
    """Whatever the prices: nobody's bill is above charging at once at the reference tariff."""
    problem = make_problem_of(small_scenario(seed, sessions=10), saving=share)
    family = make_family(problem.scenario)
    tariff = family.tariff(level(problem, family, wild_prices(seed, family.groups)))
    scenario = problem.scenario
    schedule, least = best_response(scenario.fleet, tariff, scenario.horizon)
    bills = make_bills(
        scenario.fleet,
        tariff,
        scenario.market,
        scenario.horizon,
        schedule=schedule,
        uncoordinated=uncoordinated(scenario.fleet, scenario.horizon),
        best_response_cost=least,
    )
    assert bills.saving.min() >= -1e-9


def test_without_a_promise_prices_are_only_made_lawful(small_scenario, make_problem_of) -> None:
    """No saving promise, no shift."""
    problem = make_problem_of(small_scenario(4))
    family = make_family(problem.scenario)
    wild = wild_prices(4, family.groups)
    assert np.array_equal(level(problem, family, wild), family.project(wild))


def test_nobody_to_promise_to(small_scenario, make_problem_of) -> None:
    """Without participants nothing can be saved, and prices are lawful all the same."""
    scenario = small_scenario(4)
    nobody = replace(scenario, fleet=scenario.fleet.with_participating(np.zeros(8, bool)))
    for share in (0.5, np.inf):
        problem = make_problem_of(nobody, saving=share)
        assert cost_ceiling(problem) in (0.0, np.inf)
        family = make_family(problem.scenario)
        prices = level(problem, family, wild_prices(4, family.groups))
        assert np.array_equal(family.project(prices), prices)


def test_drivers_who_are_paid_to_charge(small_scenario, make_problem_of) -> None:
    """Where uncoordinated charging earns money, the promise is that it earns enough of it."""
    scenario = without_tricks(small_scenario(5))
    paid = np.full(24, -0.2)
    scenario = replace(
        scenario,
        fleet=replace(
            scenario.fleet, discharge_kw_max=np.zeros(8), max_kwh=scenario.fleet.required_kwh
        ),
        market=replace(scenario.market, reference_price=paid, purchase_price=paid - 0.1),
        rules=replace(
            scenario.rules, charge_price_min=np.full(24, -0.5), charge_price_max=np.full(24, 1.0)
        ),
    )
    problem = make_problem_of(scenario, saving=1.3)
    assert cost_ceiling(problem) < 0.0
    family = make_family(scenario, "flat")
    prices = level(problem, family, np.array([[-0.2], [0.0]]))
    assert participants_pay(problem, family, prices) <= cost_ceiling(problem)
    assert prices[0, 0] == pytest.approx(-0.26, abs=1e-4)


def test_payment_is_the_bills(small_scenario, make_problem_of) -> None:
    """What participants pay, wear included, is what their bills say, surplus energy or not."""
    scenario = small_scenario(6, sessions=12)
    worth = np.linspace(0.0, 0.5, 12)
    scenario = replace(scenario, fleet=replace(scenario.fleet, surplus_value=worth))
    problem = make_problem_of(scenario)
    family = make_family(scenario)
    prices = family.project(
        np.stack([scenario_mean(scenario, family), np.full(family.groups, 0.2)])
    )
    tariff: Tariff = family.tariff(prices)
    schedule, least = best_response(scenario.fleet, tariff, scenario.horizon)
    bills = make_bills(
        scenario.fleet,
        tariff,
        scenario.market,
        scenario.horizon,
        schedule=schedule,
        uncoordinated=problem.uncoordinated,
        best_response_cost=least,
    )
    assert participants_pay(problem, family, prices) == pytest.approx(bills.net_cost.sum())


def scenario_mean(scenario, family) -> np.ndarray:
    """Mean purchase price of every group; shape (groups,)."""
    price = np.broadcast_to(scenario.market.purchase_price, family.group.shape)
    return family.vector(price, price, np.ones((2, *price.shape)))[0]
