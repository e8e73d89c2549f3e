"""Feeders given per phase: what a plan says of its phases is derived again, and no lie passes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hubwise.audit import Status, audit_record
from hubwise.plan import make_plan
from hubwise.record import write
from hubwise.scenario import load
from lies import lies_about, seal_over
from tests.grid.phase_nets import example


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scenario per phase, and an uncoordinated day of it."""
    made = tmp_path_factory.mktemp("phases")
    scenario = load(str(example(made / "scenario")))
    write(make_plan(scenario, strategy="uncoordinated"), made / "plan")
    return made


def test_an_honest_plan_passes(place: Path) -> None:
    """The worst of each kind is derived to be what the summary says."""
    report = audit_record(place / "plan")
    assert not [str(check) for check in report.checks if check.status is Status.FAILS]
    assert "phases: summary" in {check.name for check in report.checks}


def passes(place: Path, tell: Callable[[Path], None], told: Path) -> bool:
    """Whether the audit takes a changed copy, sealed again, for true."""
    shutil.copytree(place / "plan", told)
    tell(told)
    seal_over(told)
    return all(check.status is not Status.FAILS for check in audit_record(told).checks)


@pytest.mark.nightly
def test_no_lie_about_phases_passes(place: Path, tmp_path: Path) -> None:
    """Each edit of the phases' table and of their summary is found, though sealed again. The load
    is by the hour: the next slot may have the same worst, and to name it is no lie."""
    lies = [lie for lie in lies_about(place / "plan") if "phases" in lie.name]
    assert len(lies) > 20
    passed = [lie.name for k, lie in enumerate(lies) if passes(place, lie.tell, tmp_path / str(k))]
    assert {name.rpartition(".")[2] for name in passed} <= {"slot: more"}


def test_another_time_of_the_worst_is_a_lie(place: Path, tmp_path: Path) -> None:
    """Half a day from it nothing is at its worst, but for the head, whose voltage is the same."""
    summary = json.loads((place / "plan" / "summary.json").read_text("utf-8"))
    for kind in sorted({*summary["phases"]} - {"highest_voltage"}):

        def tell(told: Path, kind: str = kind) -> None:
            summary = json.loads((told / "summary.json").read_text("utf-8"))
            slot = summary["phases"][kind]["slot"]
            summary["phases"][kind]["slot"] = (slot + 48) % 96
            (told / "summary.json").write_text(json.dumps(summary), "utf-8")

        assert not passes(place, tell, tmp_path / kind), kind
