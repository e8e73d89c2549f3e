"""The drivers' statements on the page: all of them, and the same as the command line's."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hubwise.domain.why import told_once
from hubwise.plan import Plan, make_plan
from hubwise.record import make_statements, read, write
from hubwise.scenario import load
from hubwise.study.explained import with_reasons
from hubwise.study.report import write_plan_report
from hubwise.study.report.cases import read_plan
from hubwise.study.report.drivers import MOST_SESSIONS, packed_statements


@pytest.fixture(scope="module")
def made() -> Plan:
    """A day with a driver of two sessions, one whose name is no name, and wishes that fail."""
    scenario = load("example")
    fleet = scenario.situation.fleet
    driver = fleet.driver.astype("<U40").copy()
    driver[3], driver[7] = "</script><b>Kim & Co", driver[2]
    minimum = np.where(np.arange(len(fleet)) == 5, 100.0, 0.0)
    arrival = np.where(np.arange(len(fleet)) == 1, 5.0, fleet.arrival_kwh)
    fleet = replace(fleet.with_drivers(name=driver), minimum_saving=minimum, arrival_kwh=arrival)
    few = replace(scenario.search, evaluations=5)
    return make_plan(scenario.having(fleet=fleet, search=few), participation=0.75)


@pytest.fixture(scope="module")
def folder(made: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(made, tmp_path_factory.mktemp("plans") / "plan")


def unpacked(text: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(text)))
    return content


def on_page(page: Path) -> str:
    """What stands packed in a page."""
    text = page.read_text("utf-8")
    found = re.search(r'<script type="text/plain" id="driver-data">([^<]*)</script>', text)
    assert found is not None
    return found.group(1)


def test_every_statement_is_on_the_page(made: Plan, folder: Path) -> None:
    """The page holds the line, amounts and wishes of every driver, as the plan folder has them."""
    content = unpacked(on_page(write_plan_report(made.scenario, folder)))
    drivers = content["at"]["0.75"]["drivers"]
    plan = read(folder)
    due = with_reasons(plan, make_statements(plan))
    assert list(drivers) == [one.driver for one in due]
    for one in due:
        shown = drivers[one.driver]
        assert shown["line"] == one.line
        for stay, own in zip(shown["stays"], one.stays, strict=True):
            assert stay["money"]["net_cost"] == str(own.money.net_cost)
            told = [wish[-1] for wish in stay["wishes"]]
            assert told == [wish.notice for wish in own.wishes]
            assert own.why
            assert [why[1] for why in stay["why"]] == [each.text for each in told_once(own.why)]
        assert (shown["total"] is not None) is (len(one.stays) > 1)
    assert sum(len(shown["stays"]) for shown in drivers.values()) == len(
        made.scenario.situation.fleet
    )


def test_power_on_the_page_is_the_schedule(made: Plan, folder: Path) -> None:
    """Runs of equal power add up to the stay, and to the energy that was charged and given back."""
    content = unpacked(packed_statements(read_plan(made.scenario, folder)))
    bills = {row["session"]: row for row in read(folder).tables["bills"].iter_rows(named=True)}
    for driver in content["at"]["0.75"]["drivers"].values():
        for stay in driver["stays"]:
            kw, slots = np.array(stay["power"][::2]), np.array(stay["power"][1::2])
            assert slots.sum() == stay["slots"][1] - stay["slots"][0]
            charged = content["hours"] * float(np.maximum(kw, 0.0) @ slots)
            assert charged == pytest.approx(bills[stay["session"]]["charged_kwh"], abs=0.1)


def test_who_to_look_at_first(made: Plan, folder: Path) -> None:
    """The picks are drivers of the plan, and are what they are called."""
    content = unpacked(packed_statements(read_plan(made.scenario, folder)))["at"]["0.75"]
    picks = dict(content["picks"])
    assert set(picks.values()) <= set(content["drivers"])
    assert any(
        wish[-1] for wish in content["drivers"][picks["was told something"]]["stays"][0]["wishes"]
    )
    assert not content["drivers"][picks["does not take part"]]["stays"][0]["part"]
    assert content["told"] == list(made.result.notices) != []


def test_names_cannot_become_markup(made: Plan, folder: Path) -> None:
    """A driver who is called like markup stands in the packed data, and nowhere else."""
    page = write_plan_report(made.scenario, folder)
    assert "</script><b>Kim" not in page.read_text("utf-8")
    assert "</script><b>Kim & Co" in unpacked(on_page(page))["at"]["0.75"]["drivers"]


def test_same_plan_same_page(made: Plan, folder: Path) -> None:
    """Packing depends on nothing but the plan."""
    first, second = (packed_statements(read_plan(made.scenario, folder)) for _ in range(2))
    assert first == second


def test_nothing_is_shown_of_no_plan(made: Plan, folder: Path, tmp_path: Path) -> None:
    """Without the plan's tables the page is written all the same, without statements."""
    (tmp_path / "summary.json").write_bytes((folder / "summary.json").read_bytes())
    assert packed_statements(read_plan(made.scenario, tmp_path)) == ""


def test_too_many_are_left_to_the_command_line(
    made: Plan, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that could not be opened helps nobody: above a number of sessions it holds none."""
    assert len(made.scenario.situation.fleet) <= MOST_SESSIONS
    monkeypatch.setattr(import_module("hubwise.study.report.drivers"), "MOST_SESSIONS", 11)
    assert packed_statements(read_plan(made.scenario, folder)) == ""
