"""Limits: kept where that can be, and where not, what is missed and what would mend it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.domain import Scenario
from hubwise.grid import Kind, power_flow, violations
from hubwise.ledger import hub_flows
from hubwise.plan import make_plan
from hubwise.plan.advice import Missed, Redispatch, missed_limits
from hubwise.record.advice import sentences, told_apart

KINDS = (
    "voltage",
    "branch",
    "transformer",
    "connection",
    "hub_transformer",
    "circuit",
    "convergence",
)


def feeder_with(scenario: Scenario, **changes) -> Scenario:
    return scenario.having(feeder=replace(scenario.situation.feeder, **changes))


def weak(scenario: Scenario, ohm: float, **changes) -> Scenario:
    """The scenario on a low-voltage feeder of two branches with little base load."""
    feeder = scenario.situation.feeder
    few = {"base_kw": 0.05 * feeder.base_kw, "base_kvar": 0.05 * feeder.base_kvar}
    r_ohm, x_ohm = np.full(2, ohm), np.full(2, 0.4 * ohm)
    given = {"nominal_kv": 0.4, "r_ohm": r_ohm, "x_ohm": x_ohm, "transformer_kva": 150.0, **few}
    return feeder_with(scenario, **(given | changes))


def hub_kw(made) -> np.ndarray:
    fleet = made.scenario.situation.fleet
    return hub_flows(len(made.scenario.situation.hubs), fleet, made.schedule, made.stations).net_kw


def told(made) -> tuple[tuple[Missed, ...], tuple[Redispatch, ...]]:
    return missed_limits(made.scenario.situation, hub_kw(made), made.state)


def mended(made, redispatches: tuple[Redispatch, ...]) -> np.ndarray:
    """The hubs' power with all changes made that the advice names."""
    names, changed = made.scenario.situation.hubs.name, hub_kw(made).copy()
    for redispatch in redispatches:
        for name, kw in redispatch.hub_kw.items():
            changed[names.index(name), redispatch.slot] += kw
    return changed


def broken_in(scenario: Scenario, power: np.ndarray) -> set[tuple[Kind, str, int]]:
    state = power_flow(scenario.situation.feeder, scenario.situation.hubs.bus, power)
    found = violations(scenario.situation.feeder, scenario.situation.hubs, state, power)
    return {(one.kind, one.element, one.slot) for one in found}


def test_limits_within_reach_are_kept_under_ac(small_scenario) -> None:
    """Voltages that break when all charge at once hold in the plan, and there is no advice."""
    scenario = weak(small_scenario(5, sessions=20), 0.1, voltage_min_pu=0.93)
    before, after = (
        make_plan(scenario, strategy="uncoordinated").result.to_json(),
        make_plan(scenario).result.to_json(),
    )
    assert before["voltage_violations"] > 0
    assert before["limits_missed"]
    for kind in KINDS:
        assert after[f"{kind}_violations"] == 0
    assert after["advice"] == after["limits_missed"] == after["mends"] == []
    assert after["max_regret"] <= 1e-9


@settings(deadline=None, max_examples=12)
@given(
    seed=st.integers(0, 1000),
    ohm=st.sampled_from([0.04, 0.1, 0.15]),
    least=st.sampled_from([0.9, 0.95]),
    most_a=st.sampled_from([40.0, 80.0, 200.0]),
    kva=st.sampled_from([40.0, 150.0]),
)
def test_what_would_mend_it_does(small_scenario, seed, ohm, least, most_a, kva) -> None:
    """Every broken limit is named once; where hubs are said to mend it, they do under AC."""
    scenario = weak(
        small_scenario(seed, sessions=24),
        ohm,
        voltage_min_pu=least,
        ampacity_a=np.array([2.0 * most_a, most_a]),
        transformer_kva=kva,
    )
    made = make_plan(scenario, strategy="uncoordinated")
    missed, redispatches = told(made)
    power = hub_kw(made)
    named = {(Kind(one.kind), one.element, slot) for one in missed for slot in one.slots}
    assert named == broken_in(scenario, power)
    assert sorted(redispatch.slot for redispatch in redispatches) == sorted(
        {slot for _, _, slot in named}
    )
    left = broken_in(scenario, mended(made, redispatches))
    for redispatch in redispatches:
        assert redispatch.holds == (not any(slot == redispatch.slot for _, _, slot in left))
    for one in missed:
        gone = (Kind(one.kind), one.element, one.worst_slot) not in left
        assert one.hubs_mend == gone
        if one.bus is not None:
            load = scenario.situation.feeder.base_kw.copy()
            load[scenario.situation.feeder.bus == one.bus, one.worst_slot] += one.bus_kw
            other = broken_in(feeder_with(scenario, base_kw=load), power)
            assert (Kind(one.kind), one.element, one.worst_slot) not in other
    assert len(sentences(scenario.situation, missed, redispatches)) == min(len(missed), 7)


def test_no_smaller_change_mends_it(small_scenario) -> None:
    """The advised kW are the least: fifty watts and a hundredth less are too little."""
    scenario = weak(small_scenario(5, sessions=20, hubs=2), 0.1, voltage_min_pu=0.93)
    made = make_plan(scenario, strategy="uncoordinated")
    missed, redispatches = told(made)
    assert {one.kind for one in missed} == {"voltage"}
    power = hub_kw(made)
    for redispatch in redispatches:
        assert redispatch.holds
        assert list(redispatch.hub_kw) == ["h1"]  # farther out, where a kW does most
        short = power.copy()
        short[1, redispatch.slot] += 0.99 * redispatch.hub_kw["h1"] + 0.05
        assert any(slot == redispatch.slot for _, _, slot in broken_in(scenario, short))


def test_base_load_alone_that_no_hub_can_mend(small_scenario) -> None:
    """A bus beyond the hubs' reach: the plan says so, and which kW at that bus would."""
    usual = small_scenario(3)
    load = np.zeros_like(usual.situation.feeder.base_kw)
    load[2] = 0.2 * usual.situation.feeder.base_kw[2]
    scenario = weak(
        usual.having(hubs=replace(usual.situation.hubs, bus=np.array([1, 1]))),
        0.2,
        base_kw=load,
        base_kvar=0.0 * load,
        voltage_min_pu=0.97,
    )
    made = make_plan(scenario)
    (one,) = made.result.shortcomings.missed
    assert (one.element, one.base_alone, one.hubs_mend) == ("bus 3", True, False)
    assert one.bus == 3
    assert one.bus_kw < 0.0
    assert one.without_hubs == pytest.approx(one.value)
    line = made.result.advice[-1]
    assert "the base load alone makes it" in line
    assert f"no hub can mend it: {-one.bus_kw:,.1f} kW less of load at bus 3 would" in line


def test_more_draw_mends_what_generation_lifts(small_scenario) -> None:
    """Above the band hubs are told to draw more, not less."""
    usual = small_scenario(3)
    sun = np.zeros_like(usual.situation.feeder.base_kw)
    sun[2, 4:8] = -40.0
    scenario = weak(usual, 0.15, base_kw=sun, base_kvar=0.0 * sun, voltage_max_pu=1.04)
    made = make_plan(scenario, strategy="uncoordinated")
    _, redispatches = told(made)
    assert {redispatch.slot for redispatch in redispatches} <= {4, 5, 6, 7}
    assert redispatches
    assert all(kw > 0.0 for redispatch in redispatches for kw in redispatch.hub_kw.values())
    assert all(redispatch.holds for redispatch in redispatches)


def test_a_power_flow_without_solution_is_named(small_scenario) -> None:
    """Where hubs' own draw breaks it, the kW that give it one; where base load does, how much."""
    usual = small_scenario(2, sessions=30)
    made = make_plan(
        weak(usual, 0.3, voltage_min_pu=0.5, transformer_kva=1e3), strategy="uncoordinated"
    )
    lost = next(one for one in made.result.shortcomings.missed if one.kind == "convergence")
    assert lost.hubs_mend
    assert lost.value is lost.limit is None
    assert any("the power flow finds no solution; with" in line for line in made.result.advice)
    absurd = usual.situation.feeder.base_kw.copy()
    absurd[:, 6:9] += 1e6
    made = make_plan(feeder_with(usual, base_kw=absurd), strategy="uncoordinated")
    (line,) = (line for line in made.result.advice if line.startswith("feeder"))
    assert line.startswith("feeder, slots 6-8 (03:00-04:30): the power flow finds no solution, ")
    assert "whatever hubs do; without them it finds one up to" in line


def test_connections_and_hub_transformers_name_their_hub(small_scenario) -> None:
    """A hub above its own limits is told its own excess."""
    usual = small_scenario(4, sessions=20)
    made = make_plan(usual, strategy="uncoordinated")
    top = hub_kw(made).max(axis=1)
    hubs = replace(
        usual.situation.hubs,
        import_limit_kw=np.array([0.8 * top[0], 1e3]),
        transformer_kva=np.array([np.inf, 0.9 * top[1]]),
        transformer_limit=np.array([1.0, 0.9]),
    )
    made = make_plan(usual.having(hubs=hubs), strategy="uncoordinated")
    assert made.result.feeder.connection_violations > 0
    assert made.result.feeder.hub_transformer_violations > 0
    missed, redispatches = told(made)
    assert {one.element for one in missed} == {"hub h0, import", "hub h1, transformer"}
    assert all(one.hubs_mend for one in missed)
    worst = {one.element: one.worst_slot for one in missed}
    by_slot = {redispatch.slot: redispatch for redispatch in redispatches}
    assert by_slot[worst["hub h0, import"]].hub_kw["h0"] == pytest.approx(-0.2 * top[0], abs=0.1)
    change = by_slot[worst["hub h1, transformer"]].hub_kw["h1"]
    assert change == pytest.approx(-0.19 * top[1], abs=0.1)


def test_hub_transformers_are_kept_like_connections(small_scenario) -> None:
    """A limit within reach holds in the plan, both ways."""
    usual = small_scenario(4, sessions=20)
    top = hub_kw(make_plan(usual, strategy="uncoordinated")).max(axis=1)
    hubs = replace(usual.situation.hubs, transformer_kva=0.9 * top, transformer_limit=0.95)
    scenario = usual.having(hubs=hubs)
    assert (
        make_plan(scenario, strategy="uncoordinated").result.feeder.hub_transformer_violations > 0
    )
    made = make_plan(scenario)
    assert made.result.feeder.hub_transformer_violations == 0
    assert (np.abs(hub_kw(made)) <= 0.95 * 0.9 * top[:, None] * (1 + 1e-9)).all()


@pytest.mark.parametrize(
    ("form", "one", "other", "said"),
    [
        ("{:.1f}", 5.7546, 5.75, ("5.755", "5.750")),
        ("{:.1f}", 22.0, 8.0, ("22.0", "8.0")),
        ("{:,.0f}", 10.43, 10.0, ("10.4", "10.0")),
        ("{:.1%}", 0.8502, 0.85, ("85.02%", "85.00%")),
        ("{:.1f}", 5.0, 5.0, ("5.0", "5.0")),
    ],
)
def test_figures_that_differ_are_written_so(
    form: str, one: float, other: float, said: tuple[str, str]
) -> None:
    """A limit of 5.8 kW is not passed by 5.8 kW."""
    assert told_apart(form, one, other) == said
