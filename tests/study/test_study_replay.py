"""Replayed days: the running hub's controller on a simulated clock, held against foresight."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from hubwise.audit import audit_record
from hubwise.cli.commands import app
from hubwise.domain import Scenario
from hubwise.plan import Plan
from hubwise.scenario import load, load_draws, with_participation
from hubwise.study.replay.day import Beliefs, as_it_turns_out, early_by_slot
from hubwise.study.replay.run import Policy, Replayed, plan_ahead, replay


@pytest.fixture(scope="module")
def expected() -> Scenario:
    """The packaged example, whose drivers are expected."""
    return with_participation(load("example"), 1.0)


@pytest.fixture(scope="module")
def ahead(expected) -> Plan:
    """What is planned for them."""
    return plan_ahead(expected)


def days(ahead: Plan, expected: Scenario, seed: int, **beliefs: object) -> dict[Policy, Replayed]:
    """Every policy on a day with other drivers."""
    day = with_participation(load_draws("example").draw(seed), expected.participation)
    found = replay(day, ahead, list(Policy), beliefs=Beliefs(**beliefs), seed=seed)  # type: ignore[arg-type]
    return {it.policy: it for it in found}


def test_a_decision_a_slot_keeps_what_own_devices_do_not(ahead, expected) -> None:
    """At the same prices limits and the promise to the grid hold where somebody decides."""
    found = days(ahead, expected, 5)
    rolling, devices = found[Policy.ROLLING].plan.result, found[Policy.DAY_AHEAD].plan.result
    assert sum(rolling.feeder.broken().values()) == 0
    promised = expected.situation.promises.peak_valley
    assert rolling.ratios.peak_valley_ratio <= 1.01 * promised
    assert devices.ratios.peak_valley_ratio > rolling.ratios.peak_valley_ratio
    assert rolling.money.max_regret <= 1e-6
    assert rolling.departures.shortfall_kwh == 0.0
    assert found[Policy.FORESIGHT].adjusted >= found[Policy.UNCOORDINATED].adjusted


def test_a_day_known_beforehand_costs_little(ahead, expected) -> None:
    """Where those who come are those who were expected, rolling is foresight but for rounding."""
    found = {it.policy: it for it in replay(expected, ahead, [Policy.ROLLING])}
    best, rolling = found[Policy.FORESIGHT], found[Policy.ROLLING]
    cost = best.plan.result.money.fleet_cost
    assert rolling.adjusted >= best.adjusted - 0.02 * cost


def test_replayed_days_are_audited_like_plans(tmp_path) -> None:
    """Its plan folder holds for the audit, which knows nothing of decisions."""
    out = tmp_path / "days"
    asked = ["replay", "example", "--policy", "rolling", "--draw", "5", "--out", str(out), "--json"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    [day] = told["days"]
    assert day["draw"] == 5
    assert set(day["policies"]) == {"foresight", "rolling"}
    summary = json.loads((out / "day-5" / "rolling" / "summary.json").read_text("utf-8"))
    [result] = summary["results"]
    assert result.keys() <= day["policies"]["rolling"].keys()
    assert day["policies"]["rolling"]["operator_profit"] == result["operator_profit"]
    report = audit_record(out / "day-5" / "rolling")
    assert report.ok, [check for check in report.checks if check.status.value == "fails"]


def test_early_leavers_leave_as_the_distribution_says(expected) -> None:
    """The share that leaves more than k minutes early is the one that is told."""
    fleet = expected.situation.fleet
    many = fleet.select(np.tile(np.arange(len(fleet)), 400))
    many = replace(many, session=np.array([f"m{k}" for k in range(len(many))]))
    long = replace(many, arrival_slot=np.zeros(len(many), np.int64),
                   departure_slot=np.full(len(many), expected.situation.horizon.slots))  # fmt: skip
    long = replace(long, late=None, early=None, bounds=None)
    scenario = expected.having(fleet=long)
    posted = plan_ahead(expected).tariff
    day = as_it_turns_out(scenario, fleet, posted, Beliefs(leaving_early=True), 1)
    early = long.departure_slot - day.leaves
    told = early_by_slot(expected.situation.horizon.slot_minutes, 8)
    for k in (1, 2, 4, 8):
        share = float((early >= k).mean())
        assert share == pytest.approx(told[k], abs=4.0 / np.sqrt(len(many)))


def test_base_loads_that_are_off_are_known_now_and_fade(expected) -> None:
    """What is believed of now is what is; of a far slot it is what was believed before."""
    posted = plan_ahead(expected).tariff
    fleet, usual = expected.situation.fleet, expected.situation.feeder.base_kw
    day = as_it_turns_out(expected, fleet, posted, Beliefs(base_error=0.05), 1)
    real = day.scenario.situation.feeder.base_kw
    assert 0.01 < float(day.base_share.std()) < 0.12
    np.testing.assert_allclose(day.believed(4).base_kw[:, 0], real[:, 4])
    far = day.believed(0).base_kw[:, -1]
    left = abs(far - usual[:, -1]).max()
    assert left <= abs(real[:, 0] - usual[:, 0]).max() + 1e-9
