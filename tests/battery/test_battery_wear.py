"""Wear prices that agree with the model, and fade limits: what plans promise."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.audit import audit_record
from hubwise.domain import BatteryFacts, Promises, WearPricing
from hubwise.plan import make_plan
from hubwise.record import write
from hubwise.scenario import ScenarioError, check, check_tariff, load, new, with_wear

FACTS = BatteryFacts(wear="nonlinear", pack_price=(("LFP", 80.0), ("NMC", 128.0)))


def two_way_day(make, seed=3, *, wear="nonlinear", limit=np.inf, cell="LFP-250Ah"):
    """A small scenario whose drivers earn by discharging, without promises."""
    scenario = make(seed, sessions=10, slots=48)
    size = len(scenario.situation.fleet)
    fleet = replace(
        scenario.situation.fleet,
        capacity_kwh=np.maximum(
            scenario.situation.fleet.capacity_kwh, scenario.situation.fleet.max_kwh
        ),
        temperature_c=np.full(size, 25.0),
    ).with_drivers(fade_limit_per_year=np.full(size, limit))
    cells = tuple((dict(FACTS.cells) | {"LFP": cell}).items())
    worn = scenario.having(
        fleet=fleet,
        promises=Promises(),
        battery=replace(FACTS, wear=WearPricing(wear), cells=cells),
    )
    return replace(worn, search=replace(scenario.search, evaluations=12))


@pytest.mark.parametrize("cell", ["LFP-250Ah", "LFP-3Ah"])
@pytest.mark.parametrize("seed", [3, 5, 8])
def test_wear_prices_are_what_the_model_finds(small_scenario, seed, cell):
    """At the end drivers answer, without regret, to prices that are right within a per cent."""
    made = make_plan(two_way_day(small_scenario, seed, cell=cell))
    fleet, aged = made.scenario.situation.fleet, made.ageing
    off = np.abs(aged.wear_nonlinear - fleet.wear_cost * aged.drawn_kwh).sum()
    assert off <= 0.01 * np.abs(aged.wear_nonlinear).sum()
    assert made.result.wear.change < 0.01
    assert made.result.money.max_regret < 1e-9
    np.testing.assert_allclose(made.bills.wear, fleet.wear_cost * aged.drawn_kwh)


def test_someone_discharges_in_these_tests(small_scenario):
    """The days above are not fixed points because nobody does anything."""
    asked = two_way_day(small_scenario, 3)
    made = make_plan(asked)
    assert (made.ageing.drawn_kwh > 1.0).sum() >= 2
    found = made.scenario.situation.fleet.wear_cost
    assert (found != asked.situation.fleet.wear_cost).any()


def test_linear_wear_is_as_given(small_scenario):
    """Where wear costs are given, they stay; the model's finding stands beside them."""
    given_day = two_way_day(small_scenario, wear="linear")
    made = make_plan(given_day)
    np.testing.assert_array_equal(
        made.scenario.situation.fleet.wear_cost, given_day.situation.fleet.wear_cost
    )
    assert made.result.wear.change == 0.0
    assert made.result.wear.rounds == 1


def test_negative_wear_tempts_nobody_to_buy_and_sell_at_once(small_scenario):
    """Where the model finds savings, the posted tariff is free of arbitrage at those prices."""
    scenario = two_way_day(small_scenario, 5)
    hot = np.full(len(scenario.situation.fleet), 44.0)
    scenario = scenario.having(fleet=replace(scenario.situation.fleet, temperature_c=hot))
    made = make_plan(scenario)
    fleet = made.scenario.situation.fleet
    assert (fleet.wear_cost < 0.0).any()
    assert not check_tariff(made.tariff, fleet, scenario.situation.hubs, scenario.situation.horizon)


@given(limit=st.floats(0.0, 0.01), wear=st.sampled_from(["linear", "nonlinear"]))
@settings(max_examples=8, deadline=None)
def test_fade_limits_are_kept_exactly(small_scenario, limit, wear):
    """No battery fades more by discharging than its driver accepts, whatever the limit."""
    made = make_plan(two_way_day(small_scenario, 3, wear=wear, limit=limit))
    days = made.scenario.situation.horizon.slots * made.scenario.situation.horizon.slot_hours / 24.0
    assert (made.ageing.fade_v2g * 365.0 / days <= limit).all()
    given_limits = made.asked.situation.fleet.discharge_limit_kwh
    assert (made.scenario.situation.fleet.discharge_limit_kwh <= given_limits).all()
    assert made.result.money.max_regret < 1e-8


def test_a_fade_limit_that_binds_leaves_something(small_scenario):
    """Half the fade allowed is not a ban: who hits the limit still discharges."""
    free = make_plan(two_way_day(small_scenario, 3, wear="linear"))
    days = free.scenario.situation.horizon.slots * free.scenario.situation.horizon.slot_hours / 24.0
    most = free.ageing.fade_v2g.max() * 365.0 / days
    bound = make_plan(two_way_day(small_scenario, 3, wear="linear", limit=most / 2.0))
    worst = int(np.argmax(free.ageing.fade_v2g))
    assert 0.0 < bound.ageing.drawn_kwh[worst] < free.ageing.drawn_kwh[worst]


def test_prices_that_do_not_settle_are_said_and_audited(small_scenario, monkeypatch, tmp_path):
    """A plan that is stopped before its wear prices stand still says so, and the audit agrees."""
    monkeypatch.setattr(sys.modules["hubwise.plan.wear"], "ROUNDS", 1)
    scenario = two_way_day(small_scenario, 3)
    made = make_plan(scenario)
    assert made.result.wear.change > 0.01
    checks = {c.name: c for c in audit_record(write(made, tmp_path / "plan"), scenario).checks}
    assert checks["batteries: wear prices"].status.value == "missed"


def test_the_audit_finds_the_same_ageing(small_scenario, tmp_path):
    """Cycles by another library and years gone through session by session come out the same."""
    scenario = two_way_day(small_scenario, 3, limit=0.004)
    fleet = scenario.situation.fleet
    aged = fleet.with_drivers(age_years=np.linspace(0.0, 9.0, len(fleet)))
    scenario = scenario.having(fleet=aged)
    report = audit_record(write(make_plan(scenario), tmp_path / "plan"), scenario)
    failed = [check for check in report.checks if check.status.value == "fails"]
    assert not failed
    assert [c.status.value for c in report.checks if c.name.startswith("batteries")] == [
        "holds"
    ] * 6


def example(tmp_path, extra, currency="EUR"):
    folder = new(tmp_path / "site")
    toml = folder / "scenario.toml"
    text = toml.read_text().replace('currency = "EUR"', f'currency = "{currency}"')
    toml.write_text(text + "\n" + extra)
    return folder


def test_battery_facts_are_read(tmp_path):
    """What [battery] says is what the scenario holds; what it leaves out has defaults."""
    said = '[battery]\nwear = "nonlinear"\nyears = 8\n[battery.cells]\nNMC = "NMC811-3.5Ah"\n'
    facts = load(example(tmp_path, said + "[battery.pack_price]\nLFP = 99\n")).situation.battery
    assert (facts.wear, facts.years, facts.end_of_life) == ("nonlinear", 8.0, 0.8)
    assert dict(facts.cells)["NMC"] == "NMC811-3.5Ah"
    assert dict(facts.cells)["LFP"] == "LFP-250Ah"
    assert dict(facts.pack_price)["LFP"] == 99.0


def test_mistakes_in_battery_facts_are_named(tmp_path):
    """A cell of another chemistry, a chemistry nobody knows and a price of nothing: all at once."""
    said = '[battery.cells]\nNMC = "LFP-250Ah"\nABC = "LFP-250Ah"\n[battery.pack_price]\nXYZ = 1\n'
    found = [(p.where, p.field) for p in check(example(tmp_path, said))]
    assert set(found) == {
        ("battery.cells", "NMC"),
        ("battery.cells", "ABC"),
        ("battery.pack_price", "XYZ"),
    }


def test_nonlinear_wear_needs_a_price_of_packs(tmp_path):
    """In a currency in which no price of a pack is known, nonlinear wear asks for one."""
    said = '[battery]\nwear = "nonlinear"\n'
    with pytest.raises(ScenarioError, match="no price is known in ISK"):
        load(example(tmp_path, said, "ISK"))
    (tmp_path / "b").mkdir()
    linear = load(example(tmp_path / "b", "", "ISK"))
    with pytest.raises(ScenarioError, match=r"battery\.pack_price"):
        with_wear(linear, "nonlinear")
    assert np.isnan(make_plan(linear, strategy="uncoordinated").ageing.wear_nonlinear).all()


def test_untested_temperatures_are_noted_at_the_door(tmp_path):
    """A site at fifty degrees is read, and the scenario's notes say what that does to results."""
    folder = example(tmp_path, "")
    table = folder / "sessions.csv"
    head, *rows = table.read_text().splitlines()
    lines = [f"{head},temperature_c", *(f"{row},50" for row in rows)]
    table.write_text("\n".join(lines) + "\n")
    notes = [note for note in load(folder).notes if "temperature_c" in note]
    assert len(notes) == 2
    assert all("50" in note and "extrapolated" in note for note in notes)
