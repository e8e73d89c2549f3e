"""Prices that send all into one slot give way where that passes a connection."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from builders import fleet_of, scenario_of, with_circuits
from hubwise.dispatch import best_dispatch, make_baseline
from hubwise.domain import Search, Tariff, TariffFamily
from hubwise.domain import Status as Ended
from hubwise.ledger import hub_flows
from hubwise.plan import make_plan
from hubwise.plan.bilevel import at_tariff, conclude
from hubwise.plan.participation import family_of_all
from hubwise.plan.price_search import Searched
from hubwise.plan.relaxed import relaxed_problem
from hubwise.record.advice import sentences
from hubwise.record.missed import Missed, Redispatch
from hubwise.scenario import with_delegation


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


def test_who_fills_up_below_what_a_kwh_is_worth_is_asked_for_more(crowded) -> None:
    """Cars that would fill up at these prices pass the connection; dearer ones that keep it, and
    the promise to drivers, are posted."""
    situation, _ = crowded
    fleet = fleet_of(12, 24, departure_slot=np.full(12, 3))
    fleet = replace(fleet, surplus_value=np.full(12, 0.2), required_kwh=fleet.arrival_kwh)
    wide = replace(situation.market, reference_price=np.full(24, 0.6))
    rules = replace(situation.rules, charge_price_max=np.full(24, 0.6))
    situation = replace(situation, fleet=fleet, market=wide, rules=rules)
    family = family_of_all(situation, fleet.participating)
    prices = np.stack([np.full(family.groups, 0.15), family.low[1]])
    tariff = family.tariff(family.project(prices))
    asked = at_tariff(situation, make_baseline(situation), Search(boxes=0), tariff)
    assert asked.dispatch.hub_kw.max() > situation.hubs.import_limit_kw[0] + 1.0
    found = _concluded(situation, tariff)
    assert found.dispatched is Ended.LIMITS_HOLD
    assert found.dispatch.hub_kw.max() <= situation.hubs.import_limit_kw[0] + 1e-6
    assert found.tariff.charge_price.min() > 0.15


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


def _passing(share, situation):
    """What a plan of cars with early devices passes by [kW], and the plan."""
    search = Search(method="evolution", evaluations=30, boxes=0)
    plan = make_plan(with_delegation(scenario_of(situation, search=search), share, "early"))
    hub_kw = hub_flows(1, plan.scenario.situation.fleet, plan.schedule, plan.stations).net_kw
    return float((hub_kw - situation.hubs.import_limit_kw[:, None]).max()), plan


@pytest.fixture(params=range(2))
def staggered(request, small_situation):
    """Cars that come one after another to a connection that carries their uncoordinated day, on a
    feeder of far more load; the grid is promised more than own devices can bring."""
    rng = np.random.default_rng(request.param)
    situation = small_situation(request.param, hubs=1, slots=24, station=False, levels=12)
    arrival = rng.integers(0, 12, 12)
    departure = np.minimum(arrival + rng.integers(8, 24, 12), 24)
    fleet = fleet_of(12, 24, arrival_slot=arrival, departure_slot=departure)
    need = np.minimum(rng.uniform(26.0, 40.0, 12), 20.0 + 3.0 * (departure - arrival))
    fleet = replace(fleet, required_kwh=need, discharge_kw_max=np.zeros(12))
    wide = replace(
        situation.feeder,
        base_kw=30.0 * situation.feeder.base_kw,
        base_kvar=0.0 * situation.feeder.base_kvar,
        transformer_kva=1e5,
        ampacity_a=1e4 + 0.0 * situation.feeder.ampacity_a,
        r_ohm=0.01 * situation.feeder.r_ohm,
        x_ohm=0.01 * situation.feeder.x_ohm,
    )
    rules = replace(situation.rules, family=TariffFamily.TIME_OF_USE)
    promises = replace(situation.promises, saving=1.0, peak_valley=0.9)
    situation = replace(situation, feeder=wide, fleet=fleet, rules=rules, promises=promises)
    most = 1.01 * make_baseline(situation).hub_kw.max(axis=1)
    return replace(situation, hubs=replace(situation.hubs, import_limit_kw=most))


def test_limits_of_devices_come_before_what_the_grid_is_promised(staggered) -> None:
    """Where own devices charge for all or half, the plan passes no limit that the uncoordinated day
    keeps, and tells of the promise that it cannot keep."""
    for share in (0.0, 0.5):
        over, plan = _passing(share, staggered)
        assert over <= 1e-6
        assert any("peak-valley" in said for said in plan.result.shortcomings.advice)
    assert _passing(1.0, staggered)[0] <= 1e-6


@pytest.mark.parametrize(
    ("share", "own", "said"),
    [
        (1.0, True, "; its cars would have to do with 3.0 kW less: ask for less there"),
        (1.0, False, "let more of them delegate, ask"),
        (0.0, True, "let more of them take part, ask"),
    ],
)
def test_advice_asks_only_those_who_draw_there(small_situation, share, own, said) -> None:
    """Who takes part and delegates can do no more; nor can who is elsewhere, or comes later."""
    situation = with_circuits(small_situation(0, hubs=1, slots=24), phases=False)
    fleet = fleet_of(4, 24, arrival_slot=np.array([0, 0, 0, 12]), circuit=np.array([0, 1, 2, 1]))
    outer = np.array([True, True, False, False])
    fleet = replace(
        fleet.with_participating(np.where(outer, share == 1.0, False)),
        delegating=np.where(outer, own, False),
    )
    hubs = replace(situation.hubs, circuits=replace(situation.hubs.circuits, limit_kw=np.ones(3)))
    situation = replace(situation, fleet=fleet, hubs=hubs)
    name = next(name for name in hubs.lines.name if name.endswith("circuit outer"))
    missed = Missed("circuit", name, (3,), 3, 4.0, 1.0, None, False, False)
    (sentence,) = sentences(situation, [missed], [Redispatch(3, {}, False)])
    assert said in sentence
