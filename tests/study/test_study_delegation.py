"""How much hangs on who delegates: one plan a share, at the same prices and at others."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from builders import scenario_of, small_situation
from hubwise.domain import Scenario, Search
from hubwise.plan import make_plan
from hubwise.scenario import with_delegation
from hubwise.study import Sweep, make_study, run
from hubwise.study.delegation import SHARES, Sharing, as_json, posted_in
from hubwise.study.report.cases import read_study
from hubwise.study.report.delegation import delegation_figures, delegation_section


@pytest.fixture(scope="module")
def quick() -> Scenario:
    """A small day with few evaluations, half of those who take part delegating."""
    situation = small_situation(3, sessions=8, hubs=2, slots=24, station=False)
    return with_delegation(scenario_of(situation, search=Search("evolution", 4)), 0.5)


@pytest.fixture(scope="module")
def made(quick: Scenario, tmp_path_factory: pytest.TempPathFactory) -> run.StudyResult:
    """A study of one strategy; not to be changed."""
    place = tmp_path_factory.mktemp("delegations") / "study"
    return make_study(
        quick, place, participations=(0.5, 1.0), strategies=["hubwise"], sweeps=[Sweep.DELEGATION]
    )


def test_every_share_has_a_plan_of_every_kind(made: run.StudyResult) -> None:
    """None to all, devices early and at random, the same prices and others; folders of plans only.

    The scenario's own plans are as it says itself.
    """
    found = made.summary["delegation"]
    kinds = {(one["delegating"], one["devices"], one["prices"]) for one in found}
    fewer = [share for share in SHARES if share < 1.0]
    due = {
        (share, devices, prices)
        for share in fewer
        for devices in ("early", "random")
        for prices in ("same", "found")
    }
    assert kinds == due | {(1.0, "early", "found")}
    assert len(kinds) == len(found)
    assert {one["participation"] for one in found} == {1.0}
    assert {folder.name for folder in made.folder.glob("plans/*")} == {"hubwise-0.5", "hubwise-1"}
    assert json.loads((made.folder / "summary.json").read_text("utf-8"))["delegation"] == found
    assert {result["delegating"] for result in made.results} == {0.5}


def test_the_same_prices_cost_drivers_the_same(made: run.StudyResult) -> None:
    """What all pay together hangs on prices alone, not on who chooses among cheapest schedules."""
    found = made.summary["delegation"]
    same = [one for one in found if one["prices"] == "same" or one["delegating"] == 1.0]
    costs = [one["participant_cost"] for one in same]
    assert costs == pytest.approx([costs[0]] * len(costs), abs=1e-5)


def test_a_point_is_the_plan_that_it_says(made: run.StudyResult, quick: Scenario) -> None:
    """A plan made by hand, at the prices of all delegating, is the point to the digit."""
    alone = replace(quick, search=replace(quick.search, boxes=0))
    everybody = make_plan(with_delegation(alone, 1.0))
    none = make_plan(with_delegation(alone, 0.0), tariff=everybody.tariff, held=True)
    (point,) = [
        one
        for one in made.summary["delegation"]
        if (one["delegating"], one["devices"], one["prices"]) == (0.0, "early", "same")
    ]
    assert point["operator_profit"] == none.result.money.operator_profit
    assert point["peak_valley_kw"] == none.result.feeder.peak_valley_kw


def test_the_report_draws_both(made: run.StudyResult, quick: Scenario) -> None:
    """Peak-valley and profit from none to all; a section only where it was planned."""
    page = Path(made.report).read_text("utf-8")
    assert 'href="#delegation"' in page
    assert "Who lets the platform choose" in page
    cases = read_study(quick, made.folder)
    figures = delegation_figures(cases)
    assert set(figures) == {"delegation-peak_valley_kw", "delegation-operator_profit"}
    for spec in figures.values():
        assert len(spec["data"]) == 4
        assert all(trace["x"] == [0.0, 25.0, 50.0, 75.0, 100.0] for trace in spec["data"])
        assert all(None not in trace["y"] for trace in spec["data"])
    without = replace(cases, summary={**cases.summary, "delegation": []})
    assert delegation_section(without) == ""
    assert delegation_figures(without) == {}


def test_prices_outlive_their_way_through_json(quick: Scenario) -> None:
    """A tariff in a result is the tariff, to the bit."""
    posted = make_plan(quick, strategy="uncoordinated").tariff
    found = posted_in({"posted": json.loads(json.dumps(as_json(posted)))})
    assert (found.charge_price == posted.charge_price).all()
    assert (found.discharge_price == posted.discharge_price).all()


def test_kinds_have_names_of_their_own() -> None:
    """No two jobs of a study have one name."""
    names = {
        str(Sharing(share, ties, same))
        for share in SHARES
        for ties in ("early", "random")
        for same in (False, True)
    }
    assert len(names) == 4 * len(SHARES)
