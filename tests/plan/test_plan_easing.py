"""Prices that send all into one slot give way where that passes a connection."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from builders import fleet_of
from hubwise.dispatch import best_dispatch, make_baseline
from hubwise.domain import Search, Tariff, TariffFamily
from hubwise.domain import Status as Ended
from hubwise.plan.bilevel import at_tariff, conclude
from hubwise.plan.participation import family_of_all
from hubwise.plan.price_search import Searched
from hubwise.plan.relaxed import relaxed_problem


@pytest.fixture(params=range(3))
def crowded(request, small_situation):
    """Alike cars that stay all day, half of which fit behind the connection at once; and prices
    with one hour far cheaper than the rest."""
    situation = small_situation(request.param, hubs=1, slots=24, station=False)
    fleet = fleet_of(12, 24)
    limit = 0.5 * float(fleet.charge_kw_max.sum())
    hubs = replace(situation.hubs, import_limit_kw=np.array([limit]))
    rules = replace(situation.rules, family=TariffFamily.HOURLY)
    promises = replace(situation.promises, saving=1.0, peak_valley=np.inf)
    situation = replace(situation, fleet=fleet, hubs=hubs, rules=rules, promises=promises)
    family = family_of_all(situation, fleet.participating)
    prices = np.stack([family.high[0], family.low[1]])
    prices[0, 5] = prices[0].min() - 0.05
    return situation, family.tariff(family.project(prices))


def _concluded(situation, tariff: Tariff):
    baseline = make_baseline(situation)
    problem, relaxed = relaxed_problem(situation, baseline)
    answer = best_dispatch(problem, tariff, rounds=40)
    spent = Ended.EVALUATIONS_SPENT
    found = Searched(situation, tariff, answer, problem, relaxed, 1, spent)
    return conclude(found, situation.fleet.participating, baseline, Search(boxes=0), "given")


def test_connections_hold_where_prices_can_be_made_alike(crowded) -> None:
    """The plan keeps the connection, its prices are lawful, and drivers do what is cheapest."""
    situation, tariff = crowded
    asked = at_tariff(situation, make_baseline(situation), Search(boxes=0), tariff)
    over = asked.dispatch.hub_kw - situation.hubs.import_limit_kw[:, None]
    assert over.max() > 1.0, "the prices as they are pass the connection, or this tests nothing"
    assert np.array_equal(asked.tariff.charge_price, tariff.charge_price)
    found = _concluded(situation, tariff)
    assert found.dispatched is Ended.LIMITS_HOLD
    assert (found.dispatch.hub_kw <= situation.hubs.import_limit_kw[:, None] + 1e-6).all()
    family = family_of_all(situation, situation.fleet.participating)
    posted = family.posted(found.tariff)
    np.testing.assert_allclose(family.project(posted), posted, atol=1e-12)
    assert (found.tariff.charge_price <= tariff.charge_price + 1e-12).all()


def test_prices_that_keep_the_connection_stay(crowded) -> None:
    """Behind a connection that carries all, nothing is changed."""
    situation, tariff = crowded
    wide = replace(situation, hubs=replace(situation.hubs, import_limit_kw=np.array([1e3])))
    found = _concluded(wide, tariff)
    np.testing.assert_array_equal(found.tariff.charge_price, tariff.charge_price)


def test_own_devices_are_sent_back_to_where_they_keep_the_connection(small_situation) -> None:
    """Devices all take the first of alike slots; the reference tariff, under which these cars
    charge one after another, is posted where it keeps what alike prices do not."""
    situation = small_situation(0, hubs=1, slots=24, station=False)
    arrival = 2 * np.arange(8)
    fleet = fleet_of(8, 24, arrival_slot=arrival, departure_slot=np.full(8, 24))
    need = np.minimum(fleet.arrival_kwh + fleet.charge_kw_max, fleet.max_kwh)
    fleet = replace(fleet, required_kwh=need, delegating=np.zeros(8, bool))
    market = replace(situation.market, reference_price=np.full(24, 0.6))
    rules = replace(situation.rules, charge_price_max=np.full(24, 0.6))
    rules = replace(rules, family=TariffFamily.HOURLY)
    situation = replace(
        situation,
        fleet=fleet,
        market=market,
        rules=rules,
        hubs=replace(situation.hubs, import_limit_kw=np.array([3.0 * fleet.charge_kw_max[0]])),
        promises=replace(situation.promises, saving=1.0, peak_valley=np.inf),
    )
    family = family_of_all(situation, fleet.participating)
    prices = np.stack([family.high[0], family.low[1]])
    prices[0, 9] -= 0.1
    tariff = family.tariff(family.project(prices))
    asked = at_tariff(situation, make_baseline(situation), Search(boxes=0), tariff)
    assert asked.dispatch.hub_kw.max() > situation.hubs.import_limit_kw[0] + 1.0
    found = _concluded(situation, tariff)
    assert found.dispatched is Ended.LIMITS_HOLD
    assert found.dispatch.hub_kw.max() <= situation.hubs.import_limit_kw[0] + 1e-6
