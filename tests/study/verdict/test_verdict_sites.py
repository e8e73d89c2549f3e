"""Verdicts of sites: the same site with other equipment, and plans of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import fleet_of, scenario_of, small_situation
from hubwise.domain import Promises, Scenario, Strategy
from hubwise.plan import make_plan
from hubwise.study.report.verdict import PAGE, write_verdict_page
from hubwise.study.verdict import sites
from hubwise.study.verdict.answers import Worth
from hubwise.study.verdict.costs import USUAL_BATTERY, costs_of
from hubwise.study.verdict.run import Verdict, jobs_of, make_verdict

Make = Callable[..., Scenario]


def quick(scenario: Scenario) -> Scenario:
    """With hardly any search."""
    return replace(scenario, search=replace(scenario.search, evaluations=1, boxes=0))


def small(seed: int, **other: object) -> Scenario:
    """A site that is planned in a moment."""
    kinds = {"sessions": 4, "slots": 12, "levels": 2, **other}
    return quick(scenario_of(small_situation(seed, **kinds)))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def site() -> Scenario:
    """Two hubs with batteries, cars of every kind."""
    return small(3)


@pytest.fixture(scope="module")
def verdict(site: Scenario) -> Verdict:
    return make_verdict(site)


@given(seed=st.integers(0, 50), kwh=st.integers(0, 500), station=st.booleans())
def test_batteries_add_up(seed: int, kwh: int, station: bool) -> None:
    """A site's batteries hold together what was asked for, begin within it, at like C-rate."""
    given_site = scenario_of(small_situation(seed, station=station))
    hubs = sites.with_battery(given_site, kwh).situation.hubs
    assert hubs.battery_kwh.sum() == pytest.approx(kwh)
    assert (hubs.battery_initial_kwh <= hubs.battery_kwh + 1e-9).all()
    assert ((hubs.battery_kw > 0) == (hubs.battery_kwh > 0)).all()
    if station and kwh:
        before = given_site.situation.hubs
        assert hubs.battery_kw / hubs.battery_kwh == pytest.approx(
            before.battery_kw / before.battery_kwh
        )


def test_a_site_as_it_is_stays_so(site: Scenario) -> None:
    """The same cars and the same batteries are the very same site."""
    assert sites.with_cars(site, two_way=True) is site
    assert sites.with_battery(site, sites.own_battery_kwh(site)) is site


@given(seed=st.integers(0, 200))
def test_chargers_are_those_in_use_at_once(seed: int) -> None:
    """As many as there are two-way cars in the fullest slot of each hub, counted one by one."""
    rng, slots = np.random.default_rng(seed), 12
    arrival = rng.integers(0, slots, 9)
    departure = np.minimum(arrival + rng.integers(1, slots, 9), slots)
    situation = small_situation(seed, hubs=2, slots=slots)
    fleet = fleet_of(
        9,
        slots,
        hub=rng.integers(0, 2, 9),
        arrival_slot=arrival,
        departure_slot=departure,
        discharge_kw_max=7.0,
        never_discharge=rng.uniform(size=9) < 0.2,
    )
    fleet = replace(fleet, discharge_kw_max=np.where(fleet.never_discharge, 0.0, 7.0))
    most = [0, 0]
    for hub in (0, 1):
        for slot in range(slots):
            there = sum(
                a <= slot < d and h == hub and not never
                for a, d, h, never in zip(
                    arrival, departure, fleet.hub, fleet.never_discharge, strict=True
                )
            )
            most[hub] = max(most[hub], there)
    counted = scenario_of(replace(situation, fleet=fleet))
    assert sites.chargers_needed(counted) == sum(most)
    one_way = counted.having(fleet=fleet.one_way())
    assert sites.chargers_needed(one_way) == sum(most)


def test_cases_are_plans_of_the_site(site: Scenario, verdict: Verdict) -> None:
    """The first case is the plan of the site itself, its lease not taken off; no plan is twice."""
    first, lease = verdict.cases[0], float(site.situation.hubs.lease_cost.sum())
    plan = make_plan(site)
    assert first.profit == pytest.approx(plan.account.profit + lease)
    assert plan.result.bounds.profit_bound is not None
    assert first.bound == pytest.approx(plan.result.bounds.profit_bound + lease)
    one_way = sites.with_cars(site, two_way=False)
    other = next(case for case in verdict.cases if case.posts and not case.two_way)
    assert other.profit == pytest.approx(make_plan(one_way).account.profit + lease)
    kinds = [(case.strategy, case.two_way, case.battery_kwh) for case in verdict.cases]
    assert len(set(kinds)) == len(kinds)
    without = plan.result.shortcomings.without_prices
    alone = {case.strategy: case.profit for case in verdict.cases[::-1] if not case.posts}
    assert without is not None
    leased = lease if without.strategy is Strategy.STORAGE else 0.0
    plain = next(
        case
        for case in verdict.cases
        if case.strategy == without.strategy and case.battery_kwh == first.battery_kwh
    )
    assert plain.profit == pytest.approx(without.operator_profit + leased)
    assert set(alone) == {Strategy.UNCOORDINATED, Strategy.STORAGE}


def test_the_battery_costs_what_the_site_leases_it_for(site: Scenario) -> None:
    """Unless given: the lease of a day for a year; without one what is usual; else nothing."""
    hubs = site.situation.hubs
    own = costs_of(site, 1, None, None)
    assert own.of_battery(float(hubs.battery_kwh.sum())) == pytest.approx(hubs.lease_cost.sum())
    bare = site.having(hubs=replace(hubs, lease_cost=np.zeros(len(hubs))))
    assert costs_of(bare, 1, None, None).battery == USUAL_BATTERY
    market = replace(site.situation.market, currency="CNY")
    foreign = costs_of(bare.having(market=market), 1, None, None)
    assert foreign.battery is None
    assert "--battery-cost" in foreign.battery_from
    assert costs_of(site, 1, 12.0, 34.0).battery == 12.0


def test_the_page_holds_what_was_found(verdict: Verdict, tmp_path) -> None:
    """Sentences, every plan and every note stand on the page, which loads nothing; JSON is JSON."""
    text = write_verdict_page(verdict, tmp_path).read_text("utf-8")
    assert (tmp_path / PAGE).stat().st_size < 100_000
    for words in (*verdict.sentences, *verdict.notes):
        assert words.replace("'", "&#x27;") in text
    assert "http" not in text.replace('http-equiv="', "")
    content = json.loads(json.dumps(verdict.to_json(), allow_nan=False))
    assert len(content["cases"]) == len(verdict.cases)
    assert "One day is one day" in text


def test_without_two_way_cars_all_are_made_so(site: Scenario) -> None:
    """A site of one-way cars is asked what two-way charging would bring, and told that it was."""
    one_way = site.having(fleet=site.situation.fleet.one_way())
    found = make_verdict(one_way, sizes=[])
    assert found.two_way.made_up
    assert "were every car and charger here made for it" in found.sentences[0]
    assert found.battery.worth is Worth.NONE or found.battery.sizes
    never = replace(
        one_way.situation.fleet, never_discharge=np.full(len(one_way.situation.fleet), True)
    )
    jobs = jobs_of(one_way.having(fleet=never), [])
    assert not any(job.two_way for job in jobs)
    said = make_verdict(one_way.having(fleet=never), sizes=[]).sentences[0]
    assert "nothing to compare" in said


def test_without_a_battery_some_are_tried() -> None:
    """Shares of what cars charge, where cars charge; sizes as asked for otherwise."""
    bare = small(1, station=False)
    sizes = sites.sizes_to_try(bare)
    assert len(sizes) == len(sites.OF_CHARGED)
    found = make_verdict(bare, sizes=sizes[:1])
    assert [size.kwh for size in found.battery.sizes] == [sizes[0]]
    assert "No station battery is here" in " ".join(found.notes)


def test_tiny_and_losing_sites_are_told_so() -> None:
    """One car, nobody taking part, costs far above all income: each gets a right sentence."""
    one = small(2, sessions=1, hubs=1)
    assert all(make_verdict(one, sizes=[]).sentences)
    fleet = one.situation.fleet
    nobody = one.having(fleet=fleet.with_participating(np.zeros(len(fleet), bool)))
    assert "nobody takes part" in make_verdict(nobody, sizes=[]).sentences[2]
    hubs = replace(one.situation.hubs, running_cost=np.array([500.0]))
    losing = make_verdict(one.having(hubs=hubs, promises=Promises()), sizes=[])
    assert losing.sentences[2].startswith("Leave Hubwise alone")
    assert losing.alone.worth in (Worth.NO, Worth.OPEN)
