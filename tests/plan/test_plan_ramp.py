"""The ramp promise: steps of the feeder head are kept, at nobody's cost, or said to be missed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hubwise.audit import audit_record
from hubwise.audit.report import Status
from hubwise.plan import make_plan
from hubwise.plan.following import ramp_kw
from hubwise.record import write
from hubwise.scenario import load


def promised(ramp: float):
    """The reference scenario with a ramp promise [kW a quarter-hour]."""
    scenario = load("ieee33")
    promises = replace(scenario.situation.promises, ramp_kw=ramp)
    return scenario.having(promises=promises)


def test_a_ramp_promise_is_kept_at_no_drivers_cost(tmp_path: Path) -> None:
    """1,600 kW a quarter-hour on the reference scenario: kept under AC, without any regret."""
    plan = make_plan(promised(1600.0), participation=0.6)
    result = plan.result
    assert ramp_kw(plan.state.head_kw, plan.scenario.situation.horizon) <= 1600.0
    assert result.money.max_regret <= 1e-6
    assert not result.advice
    following = result.following
    assert following.charging_slots_below_least <= 0.005 * following.charging_slots
    write(plan, tmp_path / "plan")
    report = audit_record(tmp_path / "plan", promised(1600.0))
    assert not [check for check in report.checks if check.status is Status.FAILS]
    assert [check.status for check in report.checks if check.name == "promises: ramp"] == [
        Status.HOLDS
    ]


def test_a_ramp_that_cannot_be_had_is_said_to_be_missed() -> None:
    """What nobody can flatten is missed, and the plan says by how much."""
    plan = make_plan(promised(5.0), participation=0.05)
    assert any("ramp promise is missed" in sentence for sentence in plan.result.advice)
    assert plan.result.following.head_ramp_kw > 5.0


@pytest.mark.parametrize("minutes", [15, 60])
def test_ramps_are_per_quarter_hour(minutes: int, small_situation) -> None:
    """A step of 40 kW is 40 a quarter-hour in quarter-hours and 10 in hours."""
    horizon = replace(small_situation(0).horizon, slot_minutes=minutes)
    assert ramp_kw(np.array([0.0, 40.0, np.nan, 50.0]), horizon) == 40.0 * 15 / minutes
