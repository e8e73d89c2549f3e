"""Whole plans where a price list was accepted before, and where the day has a past."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hubwise.audit import audit_record
from hubwise.domain import Scenario, SoFar, Strategy, Tariff
from hubwise.plan import Plan, make_plan
from hubwise.record import write
from hubwise.scenario import load


def offered_before() -> Scenario:
    """The example with a short search; every third session keeps a flat list accepted before."""
    example = load("example")
    situation, search = example.situation, replace(example.search, evaluations=12, boxes=20)
    hubs, slots = len(situation.hubs), situation.horizon.slots
    keeps = np.arange(len(situation.fleet)) % 3 == 0
    kept = np.full((1, slots), 0.21)
    return example.having(
        search=search,
        fleet=situation.fleet.offered(np.where(keeps, hubs, situation.fleet.hub)),
        accepted=Tariff(kept, 0.5 * kept),
    )


@pytest.fixture(scope="module", params=list(Strategy))
def plan(request: pytest.FixtureRequest) -> Plan:
    return make_plan(offered_before(), strategy=request.param)


def test_an_accepted_list_passes_every_check(plan: Plan, tmp_path) -> None:
    """Whatever the strategy, a plan with lists kept is written, and its audit finds no fault."""
    report = audit_record(write(plan, tmp_path / "plan"), plan.asked)
    assert [check for check in report.checks if check.status.value == "fails"] == []


def test_who_accepted_a_list_is_billed_at_it() -> None:
    """What they pay and earn is the list's, whatever is posted now; at no regret."""
    plan = make_plan(offered_before())
    fleet, hours = plan.scenario.situation.fleet, plan.scenario.situation.horizon.slot_hours
    keeps = (fleet.lists != fleet.hub) & fleet.participating
    assert keeps.sum() >= 2
    charged, discharged = plan.schedule.charge_kw[keeps], plan.schedule.discharge_kw[keeps]
    np.testing.assert_allclose(plan.bills.paid[keeps], 0.21 * hours * charged.sum(axis=1))
    np.testing.assert_allclose(plan.bills.earned[keeps], 0.105 * hours * discharged.sum(axis=1))
    assert plan.result.money.max_regret <= 1e-6


def test_given_prices_need_no_mention_of_lists() -> None:
    """A tariff of the hubs alone is enough: the lists kept are the situation's."""
    scenario = offered_before()
    shape = len(scenario.situation.hubs), scenario.situation.horizon.slots
    plan = make_plan(scenario, tariff=Tariff(np.full(shape, 0.25), np.zeros(shape)))
    assert plan.result.money.max_regret <= 1e-6


def test_advice_looks_at_the_whole_day() -> None:
    """A promise that holds over what is left, and not over the day, is said to be missed."""
    example = load("example")
    few = example.having(search=replace(example.search, evaluations=6, boxes=0))
    kept = make_plan(few)
    assert not any("promise" in words for words in kept.result.advice)
    head = kept.state.head_kw
    span = float(np.ptp(head))
    past = SoFar(
        head_peak_kw=float(head.min()) + 5.0 * span,
        head_valley_kw=float(head.min()),
        paid=1e4,
        reference_cost=1.0,
    )
    broken = make_plan(few.having(so_far=past))
    assert any("peak-valley promise is missed" in words for words in broken.result.advice)
    assert any("saving promise is missed" in words for words in broken.result.advice)
