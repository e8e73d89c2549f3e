"""Why, from a plan folder alone: true sentences, and none where it does not bear them out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from builders import inside_slots, scenario_of, small_situation
from hubwise.domain.why import Case, Spoken, told_once
from hubwise.drivers import reasons_of
from hubwise.plan import make_plan
from hubwise.record import PlanFolder, make_statements, read, write
from hubwise.study.explained import with_reasons
from why_truths import check


@pytest.fixture(scope="module", params=["whole", "minutes", "delegated"])
def planned(request, tmp_path_factory) -> tuple:
    situation = small_situation(5, sessions=12)
    fleet = situation.fleet
    joined = np.arange(len(fleet)) % 4 > 0
    fleet = fleet.with_participating(joined)
    if request.param == "minutes":
        fleet = inside_slots(fleet, np.random.default_rng(1))
    if request.param == "delegated":
        fleet = replace(fleet, delegating=np.arange(len(fleet)) % 2 == 0)
    scenario = scenario_of(replace(situation, fleet=fleet), participation=0.75)
    plan = make_plan(scenario)
    return plan, read(write(plan, tmp_path_factory.mktemp(request.param) / "plan"))


def test_statements_say_why(planned) -> None:
    """Every stay from its arrival to its departure, without a gap; who does not take part, too."""
    plan, folder = planned
    stays = [stay for one in with_reasons(folder, make_statements(folder)) for stay in one.stays]
    assert stays
    for stay in stays:
        assert stay.why
        assert stay.why[0].begins == stay.arrival
        assert abs(stay.why[-1].until - stay.departure) < timedelta(seconds=1)
        for one, other in zip(stay.why[:-1], stay.why[1:], strict=True):
            assert one.until == other.begins
        apart = {each.case for each in stay.why} == {Case.NOT_TAKING_PART}
        assert apart == (not stay.participating)
    assert (
        sum(stay.participating for stay in stays)
        == plan.scenario.situation.fleet.participating.sum()
    )


def test_it_is_what_the_plan_itself_explains(planned) -> None:
    """Cases and thresholds are those of the scenario's own sessions, and true."""
    plan, folder = planned
    situation = plan.scenario.situation
    keep = np.flatnonzero(situation.fleet.participating)
    fleet, schedule = situation.fleet.select(keep), plan.schedule.select(keep)
    tariff = situation.with_accepted(plan.tariff)
    reasons = reasons_of(fleet, tariff, situation.horizon, schedule)
    check(fleet, tariff, situation.horizon, schedule, reasons)
    told = {
        stay.session: stay.why
        for one in with_reasons(folder, make_statements(folder))
        for stay in one.stays
    }
    for name, mine in zip(fleet.session.tolist(), reasons, strict=True):
        assert [each.case for each in mine] == [each.case for each in told[name]]
        for one, other in zip(mine, told[name], strict=True):
            assert one.charge_below == pytest.approx(other.charge_below, abs=1e-9)
            assert one.give_back_above == pytest.approx(other.give_back_above, abs=1e-9)


def test_what_the_folder_does_not_bear_out_is_not_said(planned) -> None:
    """A schedule that is not cheapest at the posted prices, or is billed at others."""
    _, folder = planned
    prices = folder.tables["prices"]
    for other in (
        prices.with_columns(charge_price=pl.col("charge_price").shuffle(seed=3)),
        prices.with_columns(charge_price=pl.col("charge_price") + 0.01),
    ):
        tables = {**folder.tables, "prices": other}
        false = PlanFolder(folder.folder, folder.summary, tables)
        stays = [s for one in with_reasons(false, make_statements(false)) for s in one.stays]
        charged = [s for s in stays if s.participating and s.energy["charged_kwh"] > 0.1]
        assert charged
        assert not any(stay.why for stay in charged)


def test_a_sentence_is_told_once(tmp_path: Path) -> None:
    """In a row with other thresholds it goes on; after another sentence it is told again."""
    (plan,) = [make_statements(read(write(make_plan(scenario_of(small_situation(2, sessions=2))),
                                          tmp_path / "plan")))]  # fmt: skip
    begins = plan[0].stays[0].arrival
    hour = timedelta(hours=1)
    said = [Spoken(begins + k * hour, begins + (k + 1) * hour, Case.KEEPING, text, 0.1 * k, 0.3)
            for k, text in enumerate("aaba")]  # fmt: skip
    once = told_once(said)
    assert [(each.text, (each.until - each.begins) / hour) for each in once] == [
        ("a", 2.0), ("b", 1.0), ("a", 1.0),
    ]  # fmt: skip
