"""Circuits and phases: the audit adds them up afresh, finds every lie, and says what is missed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from builders import scenario_of, small_situation, with_circuits
from hubwise.audit import Status, audit_record
from hubwise.domain import Scenario
from hubwise.plan import make_plan
from hubwise.record import read, write
from lies import lies_about, seal_over


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    """Two hubs with circuits and phases, which charging at once takes turns on; solar; stations."""
    return scenario_of(with_circuits(small_situation(4, solar=True), 4))


@pytest.fixture(scope="module")
def told(scenario, tmp_path_factory) -> Path:
    """A plan in which circuits are passed: each driver shifts its charging on its own."""
    place = tmp_path_factory.mktemp("told") / "plan"
    return write(make_plan(scenario, strategy="passive"), place)


def test_what_is_passed_is_said_and_found(scenario, told) -> None:
    """The plan says which circuits are passed, where and by how much; the audit finds the same."""
    report = audit_record(told, scenario)
    assert not [str(check) for check in report.checks if check.status is Status.FAILS]
    missed = [check.name for check in report.checks if check.status is Status.MISSED]
    assert "circuits: limits" in missed
    result = read(told).result
    rows = [row for row in result["limits_missed"] if row["kind"] == "circuit"]
    assert rows
    assert sum(len(row["slots"]) for row in rows) == result["circuit_violations"]
    assert any("its cars would have to do with" in said for said in result["advice"])
    table = read(told).tables["circuits"]
    passed = table.filter(table["kw"].abs() > table["limit_kw"] * (1 + 1e-9))
    assert passed.height == result["circuit_violations"]


def test_no_lie_about_circuits_passes(scenario, told, tmp_path: Path) -> None:
    """Each edit of flows, limits, violations or sessions' circuits is found, sealed again."""
    lies = [
        lie for lie in lies_about(told) if "circuit" in lie.name or "sessions.phase" in lie.name
    ]
    assert len(lies) > 20
    for k, lie in enumerate(lies):
        place = tmp_path / str(k)
        shutil.copytree(told, place)
        lie.tell(place)
        seal_over(place)
        report = audit_record(place, scenario)
        assert any(check.status is Status.FAILS for check in report.checks), lie.name
        shutil.rmtree(place)


def test_a_plan_without_its_circuits_is_found(scenario, tmp_path: Path) -> None:
    """Made as if there were none: the folder says nothing of circuits, and that is found."""
    hubs = replace(scenario.situation.hubs, circuits=None, phase_kw=None)
    fleet = replace(scenario.situation.fleet, circuit=None, phase=None)
    bare = scenario.having(hubs=hubs, fleet=fleet)
    place = write(make_plan(bare, strategy="uncoordinated"), tmp_path / "bare")
    assert "circuits" not in read(place).tables
    assert not audit_record(place, scenario).ok


def test_the_uncoordinated_day_passes_nothing(scenario, tmp_path: Path) -> None:
    """Charging at once takes turns: no circuit is passed, and all is derived again."""
    plan = make_plan(scenario, strategy="uncoordinated")
    assert plan.result.feeder.circuit_violations == 0
    report = audit_record(write(plan, tmp_path / "plan"), scenario)
    assert not [str(check) for check in report.checks if check.status is Status.FAILS]
    table = read(tmp_path / "plan").tables["circuits"]
    assert (table["kw"].abs() <= table["limit_kw"] + 1e-6).all()
    assert np.isfinite(table["kw"].to_numpy()).all()


@pytest.mark.parametrize("seed", range(3))
def test_the_uncoordinated_day_sends_back_no_more_than_its_fuses_carry(
    seed: int, tmp_path: Path
) -> None:
    """Solar far above the fuses is curtailed on the phase that is first full; the audit agrees."""
    made = with_circuits(small_situation(seed, solar=True), seed)
    sunny = replace(made.hubs, solar_kw=5.0 * made.hubs.solar_kw + 4.0)
    scenario = scenario_of(replace(made, hubs=sunny))
    for strategy in ("uncoordinated", "passive"):
        place = write(make_plan(scenario, strategy=strategy), tmp_path / strategy)
        report = audit_record(place, scenario)
        assert not [str(check) for check in report.checks if check.status is Status.FAILS]
    plan = read(tmp_path / "uncoordinated")
    table = plan.tables["circuits"]
    assert (table["kw"].abs() <= table["limit_kw"] + 1e-6).all()
    used = plan.tables["hubs"]["solar_kw"].to_numpy().reshape(sunny.solar_kw.shape)
    assert (used < sunny.solar_kw - 0.1).any()
