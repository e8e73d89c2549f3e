"""Replayed days: the running hub's controller on a simulated clock, held against foresight."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.sites import write_site
from hubwise.audit import audit_record
from hubwise.cli.commands import app
from hubwise.domain import Scenario
from hubwise.ledger import hub_flows
from hubwise.plan import Plan
from hubwise.scenario import load, load_draws, with_participation
from hubwise.study.days.run import lean
from hubwise.study.replay.day import Beliefs, as_it_turns_out, early_by_slot
from hubwise.study.replay.many import replay_days
from hubwise.study.replay.over_days import Mean, lost, summary_of_days
from hubwise.study.replay.run import Policy, Replayed, plan_ahead, replay
from hubwise.study.replay.world import World


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
    day = as_it_turns_out(scenario, [fleet], posted, Beliefs(leaving_early=True), 1)
    early = long.departure_slot - day.leaves
    told = early_by_slot(expected.situation.horizon.slot_minutes, 8)
    for k in (1, 2, 4, 8):
        share = float((early >= k).mean())
        assert share == pytest.approx(told[k], abs=4.0 / np.sqrt(len(many)))


def test_base_loads_that_are_off_are_known_now_and_fade(expected) -> None:
    """What is believed of now is what is; of a far slot it is what was believed before."""
    posted = plan_ahead(expected).tariff
    fleet, usual = expected.situation.fleet, expected.situation.feeder.base_kw
    day = as_it_turns_out(expected, [fleet], posted, Beliefs(base_error=0.05), 1)
    real = day.scenario.situation.feeder.base_kw
    assert 0.01 < float(day.base_share.std()) < 0.12
    np.testing.assert_allclose(day.believed(4).base_kw[:, 0], real[:, 4])
    far = day.believed(0).base_kw[:, -1]
    left = abs(far - usual[:, -1]).max()
    assert left <= abs(real[:, 0] - usual[:, 0]).max() + 1e-9


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Path:
    """A site of eight days, five cars a weekday, some over midnight, as its files."""
    return write_site(tmp_path_factory.mktemp("many") / "site", cars=5, days=8)


@pytest.mark.nightly
def test_days_of_a_site_are_replayed_in_a_row(many) -> None:
    """Each expects its last days alike; what a day leaves is what the next begins with, in every
    policy; money of days adds up to what participants and operator have, and no limit breaks."""
    site = lean(load(many))
    found = list(replay_days(site, [Policy.ROLLING, Policy.UNCOORDINATED], days=2))
    assert [(it.date[-2:], it.policy.value) for it in found] == [
        (day, policy)
        for day in ("06", "07")
        for policy in ("foresight", "rolling", "uncoordinated")
    ]
    best, rolling, usual = (found[k::3] for k in range(3))
    for it in found:
        assert sum(it.plan.result.feeder.broken().values()) == 0
        assert it.policy is Policy.UNCOORDINATED or it.plan.result.money.max_regret <= 1e-5
    for days in (best, rolling):
        kept = days[0].plan, days[1].plan.scenario.situation.hubs.battery_initial_kwh
        slots = 96
        np.testing.assert_allclose(kept[0].stations.energy_kwh[:, slots - 1], kept[1], atol=1e-6)
        over = days[0].plan.scenario.situation.fleet
        stays_on = set(over.session[over.departure_slot > slots].tolist())
        assert stays_on
        assert stays_on <= set(days[1].plan.scenario.situation.fleet.session.tolist())
    assert sum(it.profit - it.cost for it in best) >= sum(it.profit - it.cost for it in usual)
    assert lost(best, best).value == 0.0
    assert lost(rolling, best).value >= -0.05


def test_a_charge_for_every_day_is_paid_every_day(many) -> None:
    """In the place of the month's: each day's own highest import times the charge."""
    found = list(replay_days(lean(load(many)), [], days=1, charge_a_day=0.7))
    for it in found:
        assert it.charges == pytest.approx(0.7 * it.peak_kw)
        assert it.peak_kw > 0.0
    [day] = summary_of_days(found)["days"]
    spent = day["policies"]["foresight"]["decision_cpu_ms"]
    taken = len(found[0].cpu_ms)
    assert (spent["p50"] is None) == (taken == 0)
    assert not taken or 0.0 < spent["p50"] <= spent["p99"]


def test_means_have_the_intervals_that_a_book_gives() -> None:
    """Ten numbers by hand: Student's t of nine degrees of freedom is 2.262."""
    found = Mean.of([float(k) for k in range(1, 11)])
    assert found.value == 5.5
    assert found.give_or_take == pytest.approx(2.262 * 3.02765 / 10**0.5, rel=1e-3)
    assert Mean.of([3.0]).give_or_take is None


def test_options_of_days_are_for_sites_of_days(many) -> None:
    """And draws are of a scenario of one; too many days are refused with how many there can be."""
    run = CliRunner().invoke
    assert run(app, ["replay", "example", "--days", "3"]).exit_code == 2
    assert run(app, ["replay", str(many), "--draw", "3"]).exit_code == 2
    done = run(app, ["replay", str(many), "--days", "7"])
    assert done.exit_code == 2
    assert "3 can be replayed" in done.output


def test_a_billing_period_that_begins_in_the_day_has_no_peak_yet(ahead, expected) -> None:
    """Decisions know the highest import of their own period so far, and what later ones cost."""
    market = replace(expected.situation.market, demand_charge=0.2, later_periods=((30, 0.3),))
    day = expected.having(market=market)
    posted = day.situation.with_accepted(ahead.tariff)
    turned = as_it_turns_out(day, [day.situation.fleet], posted, Beliefs(), 1)
    world, known = World(turned), []

    def told(now: int, _: int) -> None:
        situation = world.futures(now)[0].situations[0]
        known.append((situation.periods.past_kw[:, 0], situation.market))

    done = world.run(told)
    flows = hub_flows(len(day.situation.hubs), day.situation.fleet, done.schedule, done.stations)
    for now, (past, market) in enumerate(known):
        begun = 30 if now >= 30 else 0
        due = flows.import_kw[:, begun:now].max(axis=1, initial=0.0)
        assert past == pytest.approx(due, abs=1e-9)
        assert market.demand_charge == (0.3 if now >= 30 else 0.2)
        assert market.later_periods == (() if now >= 30 else ((30 - now, 0.3),))
    assert known[30][0].max() == 0.0 < known[29][0].max()
