"""Stand-by of two-way chargers: who is awake, who pays, what holds nevertheless."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import inside_slots
from hubwise.audit import audit_record
from hubwise.domain import Scenario
from hubwise.plan import make_plan
from hubwise.record import write
from hubwise.scenario import check, fingerprint, new, with_participation, with_standby
from hubwise.scenario.standby import awake_kw

FINE = 20  # looks at a slot this often


def with_chargers(scenario: Scenario, kw: float) -> Scenario:
    """The scenario whose chargers all draw so much while they are awake."""
    fleet = scenario.situation.fleet
    told = replace(fleet, standby_kw=np.full(len(fleet), kw))
    situation = replace(scenario.situation, fleet=told)
    return replace(scenario, situation=with_standby(situation))


@given(st.integers(0, 2**32 - 1))
def test_chargers_are_awake_while_a_car_may_discharge(small_situation, seed) -> None:
    """Counted moment by moment: who takes part, may discharge and is there; nobody else."""
    rng = np.random.default_rng(seed)
    situation = small_situation(seed, sessions=9, hubs=2)
    fleet, slots = inside_slots(situation.fleet, rng), situation.horizon.slots
    fleet = replace(fleet, standby_kw=rng.uniform(0.0, 0.3, 9), participating=rng.random(9) < 0.6)
    moments = (np.arange(slots * FINE) + 0.5) / FINE
    due = np.zeros((2, slots))
    for i in range(9):
        if fleet.participating[i] and fleet.discharge_kw_max[i] > 0.0:
            there = (moments > fleet.begins[i]) & (moments < fleet.ends[i])
            due[fleet.hub[i]] += fleet.standby_kw[i] * there.reshape(slots, FINE).mean(axis=1)
    assert awake_kw(fleet, situation.hubs, situation.horizon) == pytest.approx(due, abs=1e-9)


@pytest.fixture(scope="module")
def plans(small_scenario):
    """The same small site with chargers that draw nothing, and with some that do."""
    plain = small_scenario(5, sessions=6, hubs=2)
    awake = with_chargers(plain, 0.4)
    return make_plan(plain), make_plan(awake)


def test_the_operator_pays_it_and_the_bound_holds(plans) -> None:
    """Hubs draw so much more, no driver pays more than before, the operator earns less."""
    plain, awake = plans
    situation = awake.scenario.situation
    told = situation.hubs.standby_kw
    hours, price = situation.horizon.slot_hours, situation.market.purchase_price
    assert told.sum() > 0.0
    assert awake.stations.standby_kw == pytest.approx(told)
    assert awake.account.standby == pytest.approx(hours * (told @ price).sum())
    assert plain.account.standby == 0.0
    assert awake.account.profit < plain.account.profit
    assert awake.account.profit <= awake.result.bounds.profit_bound + 1e-6
    assert plain.result.bounds.profit_bound > awake.result.bounds.profit_bound
    drawn = awake.schedule.charge_kw - awake.schedule.discharge_kw
    net = np.zeros_like(told)
    np.add.at(net, situation.fleet.hub, drawn)
    stations = awake.stations
    net += stations.charge_kw - stations.discharge_kw - stations.solar_kw + told
    paid = hours * (np.maximum(net, 0.0) @ price).sum()
    others = hours * (drawn[~awake.scenario.situation.fleet.participating] @ price).sum()
    account = awake.account
    assert account.purchases + account.standby == pytest.approx(paid - others)


def test_nothing_else_moves(plans) -> None:
    """Uncoordinated, chargers are used one way: the yardstick is the same; and the fingerprint
    tells chargers, not who takes part."""
    plain, awake = plans
    figures = [make_plan(plan.scenario, strategy="storage") for plan in plans]
    assert figures[0].account == figures[1].account
    assert np.array_equal(figures[0].state.head_kw, figures[1].state.head_kw)
    assert (
        plain.result.money.participant_reference_cost
        == awake.result.money.participant_reference_cost
    )
    assert fingerprint(plain.scenario) != fingerprint(awake.scenario)
    half = with_participation(awake.scenario, 0.5)
    assert fingerprint(half) == fingerprint(with_participation(awake.scenario, 1.0))
    assert half.situation.hubs.standby_kw.sum() < awake.scenario.situation.hubs.standby_kw.sum()


@pytest.mark.parametrize("spoil", [False, True])
def test_the_audit_derives_it(plans, tmp_path: Path, spoil) -> None:
    """The plan holds; a folder that leaves the chargers' draw out does not."""
    _, awake = plans
    folder = write(awake, tmp_path / "plan")
    if spoil:
        hubs = pl.read_parquet(tmp_path / "plan" / "hubs.parquet")
        less = hubs.with_columns(standby_kw=pl.col("standby_kw") * 0.5)
        less.write_parquet(tmp_path / "plan" / "hubs.parquet")
    report = audit_record(tmp_path / "plan", awake.scenario)
    failing = {check.name for check in report.checks if check.status.value == "fails"}
    assert ("hubs: stand-by" in failing) is spoil, failing
    assert spoil or not failing, failing
    assert folder is not None


def test_a_site_tells_it_by_hub_and_plug(tmp_path: Path) -> None:
    """A negative draw is refused, of a hub and of a plug, with its place."""
    site = tmp_path / "site"
    new(site)
    toml = (site / "scenario.toml").read_text("utf-8")
    wrong = toml.replace("[[hubs]]", "[[hubs]]\nstandby_kw = -0.1", 1)
    (site / "scenario.toml").write_text(wrong + '\n[plugs]\nfile = "plugs.csv"\n', "utf-8")
    (site / "plugs.csv").write_text("plug,hub,kw,standby_kw\na,north,11,-1\n", "utf-8")
    issues = [(issue.file, issue.field) for issue in check(site)]
    assert ("scenario.toml", "standby_kw") in issues
    assert ("plugs.csv", "standby_kw") in issues
