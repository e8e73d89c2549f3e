"""Planning again from a warm start keeps what a plan promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hubwise.domain import Scenario
from hubwise.drivers import best_response, schedule_cost
from hubwise.plan import Plan, make_plan, make_replan
from hubwise.scenario import load


@pytest.fixture(scope="module")
def usual() -> Scenario:
    """The example with few evaluations and everybody taking part."""
    example = load("example")
    return example.having(search=replace(example.search, evaluations=20))


@pytest.fixture(scope="module")
def before(usual: Scenario) -> Plan:
    return make_plan(usual, participation=1.0)


def moved(scenario: Scenario, by: float) -> Scenario:
    """The scenario with purchase and feed-in prices that moved hour by hour."""
    market, slots = scenario.situation.market, scenario.situation.horizon.slots
    factor = 1.0 + by * np.cos(np.arange(slots) // 4)
    return scenario.having(
        market=replace(
            market,
            purchase_price=market.purchase_price * factor,
            feed_in_price=market.feed_in_price * factor,
        ),
    )


@pytest.mark.parametrize("by", [0.0, 0.05, 0.2])
def test_promises_and_limits_hold_at_zero_regret(before: Plan, by: float) -> None:
    """Whatever the market did: nobody regrets, nobody pays more than promised, no limit breaks."""
    given = moved(before.scenario, by)
    again = make_replan(before, given.situation)
    assert again.missed_kw.max() <= 0.0
    fleet, horizon = given.situation.fleet, given.situation.horizon
    participants = fleet.participating
    _, least = best_response(fleet, again.tariff, horizon)
    regret = schedule_cost(fleet, again.tariff, again.schedule, horizon) - least
    assert regret[participants].max() <= 1e-6
    reference = before.result.money.participant_reference_cost
    assert again.participant_cost <= given.situation.promises.saving * reference + 1e-6


def test_it_earns_what_a_plan_from_nothing_earns(before: Plan) -> None:
    """After a move of the market the profit is within two per cent of a new plan's."""
    given = moved(before.scenario, 0.1)
    fresh = make_plan(given).account.profit
    assert make_replan(before, given.situation).account.profit >= fresh - 0.02 * abs(fresh)


def test_sessions_may_have_changed(before: Plan) -> None:
    """With fewer cars on the same slots and hubs it plans those that are there."""
    fleet = before.scenario.situation.fleet.select(
        np.arange(len(before.scenario.situation.fleet) - 2)
    )
    given = before.scenario.having(fleet=fleet)
    again = make_replan(before, given.situation)
    assert again.schedule.charge_kw.shape == (len(fleet), given.situation.horizon.slots)
    assert again.missed_kw.max() <= 0.0


def test_other_slots_or_no_prices_are_refused(before: Plan, usual: Scenario) -> None:
    """There is nothing to begin from without posted prices, or on other hubs."""
    with pytest.raises(ValueError, match="'passive' posts no prices"):
        make_replan(make_plan(usual, strategy="passive"), usual.situation)
    one = replace(
        before.scenario.situation.hubs, solar_kw=before.scenario.situation.hubs.solar_kw[:, :-4]
    )
    with pytest.raises(ValueError, match="slots and hubs"):
        make_replan(before, before.scenario.having(hubs=one).situation)
