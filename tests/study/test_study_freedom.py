"""Steps of freedom: more freedom of prices, planned on the same day under the same promises."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hubwise.domain import Scenario
from hubwise.scenario import load
from hubwise.study import make_study, run
from hubwise.study.freedom import Step, steps


@pytest.fixture(scope="module")
def quick() -> Scenario:
    """The example with few evaluations."""
    example = load("example")
    return example.having(search=replace(example.search, evaluations=6))


@pytest.fixture(scope="module")
def made(quick: Scenario, tmp_path_factory: pytest.TempPathFactory) -> run.StudyResult:
    """A study of one strategy at two participations; not to be changed."""
    place = tmp_path_factory.mktemp("freedoms") / "study"
    return make_study(quick, place, participations=(0.5, 1.0), strategies=["hubwise"])


def test_steps_go_from_one_price_to_prices_of_each_hub(quick: Scenario) -> None:
    """Every step that the scenario has, once, none that would be the same as the one before."""
    names = ["flat", "hourly", "every-slot", "every-slot per hub"]
    assert [str(step) for step in steps(quick)] == names
    one_block = replace(quick.situation.rules, block=np.zeros_like(quick.situation.rules.block))
    hours = replace(quick.situation.horizon, slots=24, slot_minutes=60)
    plain = quick.having(rules=one_block, horizon=hours)
    assert steps(plain)[:2] == (Step("flat", False), Step("every-slot", False))


def test_each_step_has_a_result_at_the_highest_participation(
    made: run.StudyResult, quick: Scenario
) -> None:
    """The scenario's own step is the plan that the study holds; folders are only of plans."""
    found = made.summary["freedom"]
    assert [Step(one["family"], one["per_hub"]) for one in found] == list(steps(quick))
    assert {one["participation"] for one in found} == {1.0}
    own = next(
        one for one in found if one["family"] == quick.situation.rules.family and not one["per_hub"]
    )
    plan = next(one for one in made.results if one["participation"] == 1.0)
    assert {key: own[key] for key in own if key in plan} == {
        key: plan[key] for key in own if key in plan
    }
    assert {folder.name for folder in made.folder.glob("plans/*")} == {"hubwise-0.5", "hubwise-1"}
    assert json.loads((made.folder / "summary.json").read_text("utf-8"))["freedom"] == found


def test_no_step_passes_its_bound(made: run.StudyResult) -> None:
    """What keeps its promises earns at most the bound for any prices."""
    kept = [one for one in made.summary["freedom"] if one["kept"]]
    assert kept
    for one in kept:
        assert one["operator_profit"] <= one["profit_bound"]


def test_the_report_shows_the_steps(made: run.StudyResult) -> None:
    """The page has a section on freedom, with a row for each step and its profit."""
    page = made.report.read_text("utf-8")
    section = page[page.index('<section id="freedom">') :]
    section = section[: section.index("</section>")]
    assert section.count("<tr>") == 1 + len(made.summary["freedom"])
    assert "Every slot, hub by hub" in section
    found = re.search(r'id="figure-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    assert '"freedom":{"data"' in gzip.decompress(base64.b64decode(found[1])).decode("utf-8")


def test_without_freedom_there_is_no_section(quick: Scenario, tmp_path: Path) -> None:
    """A study that is told so plans the scenario's own prices alone."""
    plain = make_study(
        quick, tmp_path / "plain", participations=(0.5,), strategies=["hubwise"], sweeps=()
    )
    assert "freedom" not in plain.summary
    assert '<section id="freedom">' not in plain.report.read_text("utf-8")
