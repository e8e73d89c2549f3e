"""Plans whose schedules are rounded: what chargers can follow, credited, and audited."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from hubwise.audit import Status, audit_record
from hubwise.domain import Search
from hubwise.plan import make_plan
from hubwise.record import read, seal_again, write
from hubwise.scenario import ScenarioError, check, load
from hubwise.scenario.identity import fingerprint
from hubwise.scenario.writing import new

LEAST_SHARE = 0.97


def coarse(*, rounds: bool):
    """The example, its chargers unable to hold less than 97 % of their power."""
    scenario = load("example")
    fleet = scenario.situation.fleet
    fleet = replace(
        fleet,
        charge_kw_min=LEAST_SHARE * fleet.charge_kw_max,
        discharge_kw_min=LEAST_SHARE * fleet.discharge_kw_max,
    )
    search = Search(evaluations=5, boxes=0, seed=1, rounds_schedules=rounds)
    return replace(scenario.having(fleet=fleet), search=search)


@pytest.fixture(scope="module")
def plans():
    """The same day without and with rounding."""
    given = coarse(rounds=False)
    tariff = make_plan(given).tariff
    return [make_plan(coarse(rounds=rounds), tariff=tariff) for rounds in (False, True)]


def test_rounding_leaves_nothing_and_credits_it(plans) -> None:
    """No slot is left below the least, promises are kept, and each driver pays its least cost."""
    plain, rounded = (plan.result for plan in plans)
    assert plain.following.charging_slots_below_least > 0
    assert rounded.following.charging_slots_below_least == 0
    assert rounded.following.discharging_slots_below_least == 0
    assert rounded.money.credited_regret > 0.0 == plain.money.credited_regret
    assert rounded.money.max_regret < 1e-7
    assert rounded.advice == plain.advice
    bills = plans[1].bills
    assert rounded.money.credited_sessions == (bills.credited > 0.0).sum()
    assert plans[1].account.credited_regret == pytest.approx(bills.credited.sum())


def test_a_rounded_plan_passes_its_audit_and_a_changed_credit_does_not(plans, tmp_path) -> None:
    """The audit derives what is credited, and finds a credit that is not due."""
    scenario = plans[1].asked
    folder = tmp_path / "plan"
    write(plans[1], folder)
    assert not [c for c in audit_record(folder, scenario).checks if c.status is Status.FAILS]
    bills = read(folder).tables["bills"]
    who = int(np.argmax(bills["credited"].to_numpy()))
    more = bills["credited"].to_numpy().copy()
    more[who] += 0.01
    bills.with_columns(pl.Series("credited", more)).write_parquet(folder / "bills.parquet")
    seal_again(folder)
    failing = {c.name for c in audit_record(folder, scenario).checks if c.status is Status.FAILS}
    assert "money: bills" in failing


def test_rounding_is_asked_for_in_the_scenario(tmp_path) -> None:
    """``[chargers] round`` is read, changes no fingerprint, and is refused on several days."""
    folder = new(tmp_path / "site")
    toml = folder / "scenario.toml"
    text = toml.read_text("utf-8")
    toml.write_text(text + "\n[chargers]\nround = true\n", "utf-8")
    found = load(folder)
    assert found.search.rounds_schedules
    assert fingerprint(found) == fingerprint(load("example"))
    with pytest.raises(ScenarioError, match="several days"):
        load(folder, days=2)
    toml.write_text(text + "\n[chargers]\nround = 1\n", "utf-8")
    assert any("round" in str(issue) for issue in check(folder))
