"""The audit's own means: they find what planning finds, and planning's mistakes, too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.audit import audit_record, drivers, heat, limits
from hubwise.domain import Scenario
from hubwise.grid import (
    DISTRIBUTION_ONAN,
    POWER_ONAN,
    FeederState,
    loss_of_life_days,
    power_flow,
    power_flow_gauss,
    temperatures,
    thermal_model,
    transformer_day,
    violations,
)
from hubwise.plan import make_plan
from hubwise.plan.participation import reference_costs
from hubwise.record import write
from hubwise.scenario import load

seeds = st.integers(0, 10**6)


@given(seeds, st.sampled_from([(24, 1.0), (96, 0.25), (7, 1.0), (48, 0.5)]))
@settings(max_examples=40)
def test_two_ways_to_heat_a_transformer(seed: int, day: tuple[int, float]) -> None:
    """A sum of waves and steps through time give the same temperatures and the same life."""
    rng, (slots, hours) = np.random.default_rng(seed), day
    loading, ambient = rng.uniform(-0.4, 1.6, slots), rng.uniform(-15.0, 40.0, slots)
    for kva in (100.0, 6300.0):
        model = thermal_model(kva)
        found = heat.hot_spot_c(loading, kva, hours, ambient)
        due = temperatures(loading, hours, ambient, model).hot_spot_c
        np.testing.assert_allclose(found[:, -1], due, rtol=0, atol=1e-10)
        life = loss_of_life_days(loading, hours, ambient, model)
        assert heat.life_days(found, hours) == pytest.approx(float(life), rel=1e-11)


def test_a_steady_transformer_uses_one_day_a_day() -> None:
    """At rated load and 20 °C the hot spot is 98 °C, by the table that the audit wrote down."""
    for kva in (100.0, 6300.0):
        found = heat.hot_spot_c(np.ones(24), kva, 1.0, 20.0)
        np.testing.assert_allclose(found, 98.0, atol=1e-9)
        assert heat.life_days(found, 1.0) == pytest.approx(1.0)


def test_a_slot_without_a_power_flow_has_no_heat() -> None:
    """Who knows nothing of a slot knows nothing of the day's life."""
    loading = np.where(np.arange(24) == 7, np.nan, 0.5)
    assert np.isnan(heat.hot_spot_c(loading, 100.0, 1.0, 20.0)).all()


def _strained(seed: int) -> tuple[Scenario, np.ndarray]:
    """The example with tight limits of every kind, and what its hubs draw."""
    rng, scenario = np.random.default_rng(seed), load("example")
    before = scenario.situation
    branches, slots = len(before.feeder.from_bus), before.horizon.slots
    feeder = replace(
        before.feeder,
        voltage_min_pu=rng.uniform(0.96, 0.99),
        transformer_kva=rng.uniform(100.0, 300.0),
        branch_limit=rng.uniform(0.1, 1.0, branches),
        rating_kva=np.where(rng.random(branches) < 0.5, 100.0, np.nan),
    )
    hubs = replace(
        before.hubs,
        import_limit_kw=rng.choice([0.0, 40.0, np.inf], len(before.hubs)),
        export_limit_kw=rng.choice([0.0, 10.0, np.inf], len(before.hubs)),
        transformer_kva=rng.choice([30.0, np.inf], len(before.hubs)),
    )
    draw = rng.uniform(-40.0, 90.0, (len(hubs), slots))
    draw[:, rng.integers(slots)] = 1e7 * (rng.random() < 0.3)
    return scenario.having(feeder=feeder, hubs=hubs), draw


@given(seeds)
@settings(max_examples=40, deadline=None)
def test_two_ways_to_count_limits(seed: int) -> None:
    """Two power flows and two counts name the same limits, elements and slots."""
    scenario, draw = _strained(seed)
    feeder, hubs = scenario.situation.feeder, scenario.situation.hubs
    state = power_flow(feeder, hubs.bus, draw)
    due = {(v.kind.value, v.element, v.slot) for v in violations(feeder, hubs, state, draw)}
    second = power_flow_gauss(feeder, hubs.bus, draw)
    sure, perhaps = limits.broken(feeder, hubs, second, draw)
    assert sure <= due <= perhaps
    assert due


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_two_ways_to_list_transformers(seed: int) -> None:
    """Substation, network and hubs: the same names, and the same figures."""
    scenario, draw = _strained(seed)
    draw = draw.clip(max=90.0)
    feeder, hubs, horizon = (
        scenario.situation.feeder,
        scenario.situation.hubs,
        scenario.situation.horizon,
    )
    state = power_flow(feeder, hubs.bus, draw)
    found = heat.transformers(feeder, hubs, state, draw, horizon.slot_hours)
    due = transformer_day(feeder, hubs, state, draw, horizon.slot_hours).rows()
    assert [row["name"] for row in found] == [row["name"] for row in due]
    for one, other in zip(found, due, strict=True):
        for key in set(other) - {"name"}:
            assert one[key] == pytest.approx(other[key], rel=1e-10, nan_ok=True)


@pytest.fixture(scope="module")
def strained() -> Scenario:
    """The example on a weaker feeder, in the heat, with a hub's transformer that is too small."""
    found = load("example")
    situation = found.situation
    feeder = replace(situation.feeder, voltage_min_pu=0.975, transformer_kva=190.0)
    hubs = replace(situation.hubs, transformer_kva=np.array([30.0, np.inf]))
    fleet = situation.fleet
    hot = replace(fleet, temperature_c=np.where(np.arange(len(fleet)) % 2, 75.0, 20.0))
    return found.having(feeder=feeder, hubs=hubs, fleet=hot)


def _fewer(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given, **named: function(*given, **named)[1:]


def _cooler(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda loading, *given, **named: function(0.99 * loading, *given, **named)


def _bigger(function: Callable[..., Any]) -> Callable[..., Any]:
    def changed(feeder: Any, hubs: Any, state: FeederState, *given: Any) -> Any:
        loading = 0.99 * state.head_loading
        return function(feeder, hubs, replace(state, head_loading=loading), *given)

    return changed


@pytest.mark.parametrize(
    ("place", "mistake", "check"),
    [
        ("hubwise.plan.advice.violations", _fewer, "advice: limits missed"),
        ("hubwise.plan.result.violations", _fewer, "summary: feeder"),
        ("hubwise.plan.result.loss_of_life_days", _cooler, "summary: feeder"),
        ("hubwise.plan.result.transformer_day", _bigger, "summary: transformers"),
        ("hubwise.plan.planner.leaving_range", _fewer, "batteries: said"),
    ],
)
def test_a_mistake_in_the_plans_own_formula_is_found(
    strained: Scenario,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    mistake: Callable[..., Any],
    check: str,
) -> None:
    """What planning reckons wrongly, and writes down without contradiction, the audit notices."""
    honest = write(make_plan(strained, strategy="uncoordinated"), tmp_path / "honest")
    assert not audit_record(honest, strained).failures
    module, name = place.rsplit(".", 1)
    before = getattr(__import__(module, fromlist=[name]), name)
    monkeypatch.setattr(place, mistake(before))
    spoilt = write(make_plan(strained, strategy="uncoordinated"), tmp_path / "spoilt")
    assert check in {found.name for found in audit_record(spoilt, strained).failures}


def test_the_standards_table_is_written_twice() -> None:
    """Both tables of characteristics say the same, and a slip in one of them would show."""
    order = ("top_oil_rise_k", "hot_spot_rise_k", "loss_ratio", "oil_exponent", "winding_exponent")
    order += ("oil_minutes", "winding_minutes", "k11", "k21", "k22")
    for ours, theirs in ((heat.DISTRIBUTION, DISTRIBUTION_ONAN), (heat.MEDIUM_POWER, POWER_ONAN)):
        own = [getattr(ours, name) for name in type(ours).__slots__]
        assert own == [getattr(theirs, name) for name in order]


@given(seeds)
@settings(max_examples=20)
def test_two_ways_to_what_charging_at_once_costs(seed: int) -> None:
    """What cars leave with beyond the required counts as drivers feel it, whatever it is worth."""
    rng, scenario = np.random.default_rng(seed), load("example")
    before = scenario.situation
    worth = rng.choice([0.0, 0.05, 0.3], len(before.fleet))
    situation = replace(before, fleet=replace(before.fleet, surplus_value=worth))
    fleet, market, horizon = situation.fleet, situation.market, situation.horizon
    due = reference_costs(fleet, market, horizon)
    put_in, _ = drivers.at_once_kw(fleet, horizon)
    bills = {"reference_cost": horizon.slot_hours * put_in @ market.reference_price}
    evidence = SimpleNamespace(
        fleet=fleet, scenario=replace(scenario, situation=situation), bills=bills
    )
    np.testing.assert_allclose(drivers.felt_cost_at_once(evidence), due, atol=1e-9)
