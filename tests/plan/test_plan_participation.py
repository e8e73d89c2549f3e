"""Who takes part: nobody below the own minimum saving, and nobody else stays out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.audit import audit_record
from hubwise.dispatch import make_baseline
from hubwise.domain import Promises, Scenario, Situation, Tariff
from hubwise.drivers import best_response
from hubwise.plan import make_plan, make_replan
from hubwise.plan.participation import most_saving, savings, willing
from hubwise.plan.relaxed import linear_problem, relaxed_problem
from hubwise.plan.wishes import make_wishes
from hubwise.pricing import bound_family, bound_profit, make_family, value_of
from hubwise.pricing.search.alternating import rank
from hubwise.record import write
from hubwise.scenario import load

seeds = st.integers(0, 10**6)
FAMILIES = ["flat", "time-of-use", "hourly"]
TOLERANCE = 1e-8


def _tariff(situation: Situation, seed: int) -> Tariff:
    """A lawful tariff without same-slot arbitrage for anybody."""
    rng, rules, fleet = (
        np.random.default_rng(seed),
        situation.rules,
        situation.fleet,
    )
    shape = (len(situation.hubs), situation.horizon.slots)
    low, high = rules.charge_price_min, rules.charge_price_max
    charge = low + (high - low) * rng.choice([0.0, 0.4, 1.0], shape)
    kept = fleet.charge_efficiency * fleet.discharge_efficiency
    most = [(row + w * e) / k for w, e, k in zip(fleet.wear_cost, fleet.charge_efficiency, kept,
            strict=True) for row in [charge]]  # fmt: skip
    top = np.minimum(np.min(most, axis=0), rules.discharge_price_max)
    return Tariff(charge, top * rng.choice([0.0, 0.9, 1.0], shape))


def _with_minimum(situation: Situation, seed: int) -> Situation:
    minimum = np.random.default_rng(seed).uniform(0.0, 8.0, len(situation.fleet))
    return replace(situation, fleet=replace(situation.fleet, minimum_saving=minimum))


@given(seed=seeds)
@settings(max_examples=40)
def test_who_takes_part_saves_enough(small_situation: Callable[..., Situation], seed: int) -> None:
    """Participants save their minimum by their best response; who declined could not have."""
    situation = _with_minimum(small_situation(seed), seed)
    tariff = _tariff(situation, seed)
    asked = np.random.default_rng(seed).random(len(situation.fleet)) < 0.8
    fleet = willing(situation, tariff, asked).fleet
    saved = savings(fleet, tariff, situation.market, situation.horizon)
    participants, declined = fleet.participating, asked & ~fleet.participating
    assert not (participants & ~asked).any()
    assert np.all(saved[participants] >= fleet.minimum_saving[participants] - TOLERANCE)
    assert np.all(saved[declined] < fleet.minimum_saving[declined])


@given(seed=seeds)
@settings(max_examples=20)
def test_who_takes_part_depends_on_prices_alone(
    small_situation: Callable[..., Situation], seed: int
) -> None:
    """Whoever took part at other prices: who would save enough is in, and nobody is kept out."""
    situation = _with_minimum(small_situation(seed), seed)
    asked = situation.fleet.participating
    other = willing(situation, _tariff(situation, seed + 1), asked)
    tariff = _tariff(situation, seed)
    once = willing(situation, tariff, asked)
    np.testing.assert_array_equal(
        willing(other, tariff, asked).fleet.participating, once.fleet.participating
    )
    assert willing(once, tariff, asked) is once


@given(seed=seeds)
@settings(max_examples=40)
def test_no_lawful_tariff_saves_more(small_situation: Callable[..., Situation], seed: int) -> None:
    """What a driver is told that no tariff can save, no tariff saves."""
    situation = small_situation(seed)
    worth = np.random.default_rng(seed).choice([0.0, 0.2], len(situation.fleet))
    situation = replace(situation, fleet=replace(situation.fleet, surplus_value=worth))
    most = most_saving(situation, situation.fleet.wear_cost)
    saved = savings(
        situation.fleet,
        _tariff(situation, seed),
        situation.market,
        situation.horizon,
    )
    assert np.all(saved <= most + TOLERANCE)


def test_the_bound_is_reached_where_one_price_holds_all_day(
    small_situation: Callable[..., Situation],
) -> None:
    """At flat prices without arbitrage, at the rules' ends, nothing is left of the bound."""
    situation = small_situation(3, levels=1)
    rules = replace(
        situation.rules,
        discharge_price_max=np.full(situation.horizon.slots, 0.02),
    )
    situation = replace(situation, rules=rules)
    shape = (len(situation.hubs), situation.horizon.slots)
    tariff = Tariff(np.full(shape, 0.05), np.full(shape, 0.02))
    saved = savings(situation.fleet, tariff, situation.market, situation.horizon)
    np.testing.assert_allclose(
        saved, most_saving(situation, situation.fleet.wear_cost), atol=TOLERANCE
    )


@pytest.fixture(scope="module")
def choosy() -> Scenario:
    """The packaged example, half of whose drivers want a lot for taking part."""
    scenario = load("example")
    minimum = np.where(np.arange(len(scenario.situation.fleet)) % 2, 2.5, 0.0)
    minimum[0] = 1000.0
    few = replace(scenario.search, evaluations=15)
    fleet = replace(scenario.situation.fleet, minimum_saving=minimum)
    return scenario.having(fleet=fleet, search=few)


def test_a_plan_leaves_out_who_would_save_too_little(choosy: Scenario) -> None:
    """They charge at once at the reference tariff; the result says how many declined."""
    made = make_plan(choosy)
    participants = made.scenario.situation.fleet.participating
    assert 0 < participants.sum() < len(participants)
    assert not participants[0]
    assert made.result.declined == (choosy.situation.fleet.participating & ~participants).sum()
    assert made.participation == choosy.participation
    out = ~participants
    np.testing.assert_allclose(made.bills.net_cost[out], made.bills.reference_cost[out])
    assert np.all(
        made.bills.saving[participants]
        >= choosy.situation.fleet.minimum_saving[participants] - TOLERANCE
    )


def test_the_audit_derives_who_takes_part(choosy: Scenario, tmp_path: Path) -> None:
    """A true plan passes; one that leaves out a willing driver, or keeps an unwilling, does not."""
    made = make_plan(choosy)
    assert audit_record(write(made, tmp_path / "true"), choosy).failures == ()

    for wish in (0.0, 1000.0):
        minimum = np.full(len(choosy.situation.fleet), wish)
        told = choosy.having(fleet=replace(choosy.situation.fleet, minimum_saving=minimum))
        lied = made.scenario.having(
            fleet=replace(made.scenario.situation.fleet, minimum_saving=minimum)
        )
        fade = np.zeros(len(choosy.situation.fleet))
        wishes = make_wishes(
            told.situation, lied.situation, made.schedule, made.bills, made.tariff, fade
        )
        false = replace(made, scenario=lied, asked=told, wishes=wishes)
        folder = write(false, tmp_path / f"lied-{wish}")
        assert "drivers: minimum saving" in {
            check.name for check in audit_record(folder, told).failures
        }


def test_best_responses_do_not_depend_on_who_else_takes_part(
    small_scenario: Callable[..., Scenario],
) -> None:
    """So a driver's saving can be told before the others have decided."""
    scenario = small_scenario(5)
    tariff = _tariff(scenario.situation, 5)
    _, together = best_response(scenario.situation.fleet, tariff, scenario.situation.horizon)
    some = np.arange(len(scenario.situation.fleet)) % 2 == 0
    _, alone = best_response(
        scenario.situation.fleet.select(some), tariff, scenario.situation.horizon
    )
    np.testing.assert_array_equal(alone, together[some])


def test_nobody_stays(choosy: Scenario, tmp_path: Path) -> None:
    """Where every driver declines the day is planned without participants, and the audit holds."""
    minimum = np.full(len(choosy.situation.fleet), 1000.0)
    scenario = choosy.having(fleet=replace(choosy.situation.fleet, minimum_saving=minimum))
    made = make_plan(scenario)
    assert made.result.declined == scenario.situation.fleet.participating.sum()
    assert not made.scenario.situation.fleet.participating.any()
    assert audit_record(write(made, tmp_path / "alone"), scenario).failures == ()


def test_what_is_promised_is_promised_to_those_who_take_part() -> None:
    """Where those decline who save most, prices give way until the others have what is promised."""
    scenario = load("example")
    few = replace(scenario.search, evaluations=15)
    scenario = scenario.having(search=few, promises=Promises(saving=0.8))
    everybody = make_plan(scenario)
    share = everybody.bills.saving / everybody.bills.reference_cost
    most = share >= np.median(share)
    assert everybody.bills.net_cost[~most].sum() > 0.8 * everybody.bills.reference_cost[~most].sum()
    fleet = replace(scenario.situation.fleet, minimum_saving=np.where(most, 1000.0, 0.0))
    made = make_plan(scenario.having(fleet=fleet))
    np.testing.assert_array_equal(made.scenario.situation.fleet.participating, ~most)
    assert made.result.ratios.participant_cost_ratio <= 0.8 * (1 + 1e-9)
    assert made.result.money.operator_profit < everybody.result.money.operator_profit


def test_asked_again_at_the_prices_of_a_plan_made_again(choosy: Scenario) -> None:
    """When prices follow the market, who would now save too little leaves, and nobody else."""
    made = make_plan(choosy)
    market = replace(
        made.scenario.situation.market,
        purchase_price=made.scenario.situation.market.purchase_price + 0.02,
    )
    later = made.scenario.having(market=market).situation
    again = make_replan(made, later)
    saved = savings(later.fleet, again.tariff, later.market, later.horizon)
    enough = saved >= later.fleet.minimum_saving - TOLERANCE
    asked = later.fleet.participating
    np.testing.assert_array_equal(again.situation.fleet.participating, asked & enough)


@given(seed=seeds, saving=st.sampled_from([np.inf, 0.9]), family=st.sampled_from(FAMILIES))
@settings(max_examples=30)
def test_no_tariff_passes_the_bounds_whoever_takes_part(
    small_situation: Callable[..., Situation], seed: int, saving: float, family: str
) -> None:
    """At tariffs drawn at random, each with those who take part at it, no profit is above both."""
    rng = np.random.default_rng(seed)
    situation = small_situation(seed, sessions=4, hubs=1, slots=10, levels=2)
    asking = replace(situation.fleet, minimum_saving=rng.choice([0.0, 0.5, 2.0], 4))
    rules = replace(situation.rules, family=family)
    promises = Promises(saving=saving)
    situation = replace(situation, fleet=asking, rules=rules, promises=promises)
    asked, baseline = situation.fleet.participating, make_baseline(situation)
    problem, relaxed = relaxed_problem(situation, baseline)
    found = bound_profit(problem, relaxed)
    always = situation.fleet.with_participating(np.zeros_like(asked))
    always.participating[np.flatnonzero(asked)[np.isinf(found.out)]] = True
    lawful = make_family(replace(situation, fleet=always))
    within = bound_family(problem, lawful, relaxed, boxes=60).profit
    everybody = make_family(situation)
    for prices in rng.uniform(0.0, 1.0, (12, 2, everybody.groups)) ** rng.choice([0.2, 1.0, 4.0]):
        tariff = everybody.tariff(everybody.project(prices))
        at = linear_problem(willing(situation, tariff, asked), baseline, problem.limits)
        value = value_of(at, tariff, rounds=1)
        if all(rank(value)[:2]):
            most = min(found.profit, within)
            assert value.account.profit <= most + 1e-6 * (1.0 + abs(most))
