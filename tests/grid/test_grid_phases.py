"""Feeders given per phase: solved as the programs that wrote them solve them, and kept."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from power_grid_model import PowerGridModel

from hubwise.audit import audit_record
from hubwise.domain import Feeder, Phases
from hubwise.grid import Kind, power_flow, power_flow_phases, tangent, violations
from hubwise.plan import make_plan
from hubwise.record import write
from hubwise.scenario import ScenarioError, load
from tests.grid.phase_nets import (
    BRANCHES,
    BUSES,
    NO_HUBS,
    example,
    pandapower_net,
    power_grid_model_data,
    power_grid_model_text,
    read,
)

STATE = ("voltage_pu", "head_kw", "head_kvar", "losses_kw", "branch_loading", "head_loading")


def per_phase(feeder: Feeder, uneven: float, seed: int = 0) -> Feeder:
    """The feeder given per phase, its phases apart by up to a share of the load."""
    rng = np.random.default_rng(seed)
    z = feeder.r_ohm + 1j * feeder.x_ohm
    buses, slots = feeder.base_kw.shape
    apart = uneven * rng.uniform(-1.0, 1.0, (buses, 3, slots)) * feeder.base_kw[:, None]
    apart -= apart.mean(axis=1, keepdims=True)
    return replace(feeder, phases=Phases(apart, 0.3 * apart, 1.0 / (3.0 * z), 0.0 * z, 0.0 * z))


@pytest.mark.parametrize("name", ["ieee33", "example"])
def test_a_balanced_feeder_is_the_same_per_phase(name: str) -> None:
    situation = load(name).situation
    feeder, bus = situation.feeder, situation.hubs.bus
    shape = len(bus), feeder.base_kw.shape[1]
    hub_kw = np.random.default_rng(3).uniform(-60.0, 90.0, shape)
    balanced = power_flow(feeder, bus, hub_kw)
    for flow in (power_flow, power_flow_phases):
        found = flow(per_phase(feeder, 0.0), bus, hub_kw)
        np.testing.assert_allclose(
            found.voltage_pu, np.repeat(balanced.voltage_pu, 3, axis=0), rtol=0.0, atol=1e-10
        )
        for key in ("head_kw", "head_kvar", "losses_kw", "transformer_loading"):
            np.testing.assert_allclose(getattr(found, key), getattr(balanced, key), atol=1e-8)
        loading = np.repeat(balanced.branch_loading, 3, axis=0)
        np.testing.assert_allclose(found.branch_loading, loading, rtol=0.0, atol=1e-8)
        assert found.unbalance.max() < 1e-10


def test_both_methods_agree_on_uneven_loads() -> None:
    situation = load("ieee33").situation
    bus = situation.hubs.bus
    feeder = per_phase(situation.feeder, 0.5)
    hub_kw = np.random.default_rng(4).uniform(-350.0, 450.0, (len(bus), feeder.base_kw.shape[1]))
    one, other = (flow(feeder, bus, hub_kw) for flow in (power_flow, power_flow_phases))
    assert one.converged.all()
    assert one.unbalance.max() > 0.01
    for key in (*STATE, "unbalance"):
        np.testing.assert_allclose(getattr(one, key), getattr(other, key), rtol=0.0, atol=1e-8)


def test_power_at_the_head_is_loads_and_losses() -> None:
    situation = load("ieee33").situation
    feeder = per_phase(situation.feeder, 0.5)
    state = power_flow(feeder, situation.hubs.bus, np.zeros((len(situation.hubs), 96)))
    drawn = feeder.base_kw.sum(axis=0) + state.losses_kw
    np.testing.assert_allclose(state.head_kw, drawn, rtol=0.0, atol=1e-6)


@pytest.mark.parametrize("earthed_ohm", [0.0, 0.1])
@pytest.mark.parametrize(
    ("windings", "clock"), [((2, 1), 5), ((2, 1), 11), ((1, 1), 0), ((1, 1), 6), ((1, 1), 2)]
)
def test_as_power_grid_model(
    tmp_path: Path, windings: tuple[int, int], clock: int, earthed_ohm: float
) -> None:
    for seed in range(3):
        data = power_grid_model_data(seed, windings, clock, earthed_ohm)
        feeder, wrong = read(tmp_path / str(seed), power_grid_model_text(data))
        assert feeder is not None, wrong
        found = PowerGridModel(data).calculate_power_flow(symmetric=False, error_tolerance=1e-12)
        for flow in (power_flow, power_flow_phases):
            state = flow(feeder, *NO_HUBS)
            due = found["node"]["u_pu"]
            assert due.max() - due.min() > 0.02
            np.testing.assert_allclose(state.voltage_pu.reshape(-1, 3), due, rtol=0.0, atol=1e-11)
            carried = np.maximum(found["line"]["i_from"], found["line"]["i_to"]) / 200.0
            loading = state.branch_loading.reshape(-1, 3)[:5]
            np.testing.assert_allclose(loading, carried, rtol=0.0, atol=1e-10)
            of_phase = np.hypot(found["source"]["p"], found["source"]["q"])[0]
            head = state.head_loading[:, 0] * feeder.transformer_kva / 3.0
            np.testing.assert_allclose(head, of_phase / 1e3, rtol=0.0, atol=1e-6)


@pytest.mark.parametrize("group", ["Dyn", "YNyn"])
def test_as_pandapower(tmp_path: Path, group: str) -> None:
    pandapower = pytest.importorskip("pandapower")
    for seed in range(3):
        net = pandapower_net(group, seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pandapower.runpp_3ph(net, tolerance_mva=1e-10)
        feeder, wrong = read(tmp_path / str(seed), pandapower.to_json(net))
        assert feeder is not None, wrong
        state = power_flow(feeder, *NO_HUBS)
        due = net.res_bus_3ph[["vm_a_pu", "vm_b_pu", "vm_c_pu"]].to_numpy()
        assert due.max() - due.min() > 0.02
        np.testing.assert_allclose(state.voltage_pu.reshape(-1, 3), due, rtol=0.0, atol=2e-7)
        unbalance = net.res_bus_3ph["unbalance_percent"].to_numpy()
        np.testing.assert_allclose(100.0 * state.unbalance[:, 0], unbalance, rtol=0.0, atol=6e-3)
        found = net.res_line_3ph
        ends = [
            found[[f"i_{phase}_{end}_ka" for phase in "abc"]].to_numpy() for end in ("from", "to")
        ]
        lines = len(net.line)
        loading = state.branch_loading.reshape(-1, 3)[:lines]
        np.testing.assert_allclose(loading, np.maximum(*ends) / 0.2, rtol=0.0, atol=2e-5)


def test_slopes_are_those_of_the_power_flow() -> None:
    situation = load("example").situation
    bus, shape = situation.hubs.bus, (len(situation.hubs), 96)
    feeder = per_phase(situation.feeder, 0.8)
    hub_kw = np.random.default_rng(5).uniform(-20.0, 40.0, shape)
    at, step = tangent(feeder, bus, hub_kw), np.random.default_rng(6).uniform(-0.1, 0.1, shape)
    more, less = (power_flow(feeder, bus, hub_kw + sign * step) for sign in (1.0, -1.0))
    for key in ("voltage_pu", "head_loading"):
        slope = (getattr(more, key) - getattr(less, key)) / 2.0
        due = np.einsum("kht,ht->kt", getattr(at, key), step)
        np.testing.assert_allclose(slope, due, rtol=0.0, atol=2e-3 * np.abs(slope).max())


def test_limits_are_those_of_every_phase() -> None:
    situation = load("example").situation
    feeder, hubs = per_phase(situation.feeder, 0.8), situation.hubs
    hub_kw = np.zeros((len(hubs), 96))
    state = power_flow(feeder, hubs.bus, hub_kw)
    row, slot = np.unravel_index(np.argmin(state.voltage_pu), state.voltage_pu.shape)
    worst, second = np.sort(state.voltage_pu[:, slot])[:2]
    narrow = replace(feeder, voltage_min_pu=(worst + second) / 2.0)
    broken = [v for v in violations(narrow, hubs, state, hub_kw) if v.slot == slot]
    low = [v.element for v in broken if v.kind is Kind.VOLTAGE]
    assert low == [feeder.node_names[row]]
    assert ", phase L" in low[0]
    phase = np.argmax(state.head_loading[:, slot])
    narrow = replace(feeder, transformer_limit=float(state.head_loading[:, slot].mean()))
    named = [v.element for v in violations(narrow, hubs, state, hub_kw) if v.slot == slot]
    assert f"substation transformer, phase L{phase + 1}" in named


def test_a_plan_keeps_the_limits_of_phases_and_the_audit_finds_them(tmp_path: Path) -> None:
    scenario = load(str(example(tmp_path / "scenario")))
    feeder = scenario.situation.feeder
    at_once = make_plan(scenario, strategy="uncoordinated")
    lowest = float(at_once.state.voltage_pu.min())
    # A band that charging at once breaks, on one phase alone.
    narrow = replace(feeder, voltage_min_pu=lowest + 0.004)
    toml = tmp_path / "scenario" / "scenario.toml"
    said = toml.read_text("utf-8").replace(
        "voltage_min_pu = 0.90", f"voltage_min_pu = {narrow.voltage_min_pu:.6f}"
    )
    toml.write_text(said, "utf-8")
    scenario = load(str(tmp_path / "scenario"))
    plan = make_plan(scenario)
    assert not violations(
        scenario.situation.feeder,
        scenario.situation.hubs,
        power_flow_phases(scenario.situation.feeder, scenario.situation.hubs.bus, hub_net(plan)),
        hub_net(plan),
    )
    folder = write(plan, tmp_path / "plan")
    report = audit_record(folder)
    assert report.ok, [check.name for check in report.failures]
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    assert ", phase L" in summary["phases"]["lowest_voltage"]["element"]
    table = pl.read_parquet(folder / "phases.parquet")
    assert table["voltage_pu"].min() == pytest.approx(summary["phases"]["lowest_voltage"]["value"])


def hub_net(plan: object) -> np.ndarray:
    """Net draw of every hub in a plan."""
    from hubwise.ledger import hub_flows

    situation = plan.scenario.situation
    return hub_flows(len(situation.hubs), situation.fleet, plan.schedule, plan.stations).net_kw


@pytest.mark.parametrize(
    ("column", "change"), [("voltage_pu", 1e-4), ("unbalance", 1e-4), ("base_kw", 0.1)]
)
def test_the_audit_finds_what_is_changed(tmp_path: Path, column: str, change: float) -> None:
    scenario = load(str(example(tmp_path / "scenario")))
    folder = write(make_plan(scenario, strategy="uncoordinated"), tmp_path / "plan")
    table = pl.read_parquet(folder / "phases.parquet")
    row = pl.int_range(pl.len()) == 700
    moved = pl.when(row).then(pl.col(column) + change).otherwise(pl.col(column))
    table.with_columns(moved.alias(column)).write_parquet(folder / "phases.parquet")
    failed = {c.name for c in audit_record(folder).checks if c.status.value == "fails"}
    assert failed & {"phases: voltages", "phases: loads"}


@pytest.mark.parametrize(
    ("buses", "branches", "words"),
    [
        (BUSES.replace("5,12,8", "5,12,9"), BRANCHES, "add up to 26, not to kw 25"),
        (BUSES.replace("5,12,8", "5,,8"), BRANCHES, "kw_l2"),
        (BUSES, BRANCHES.replace("300,0.05,0.03", "300,,"), "r0_ohm"),
        (BUSES, BRANCHES.replace("0.05,0.03", "0,0"), "has no impedance"),
    ],
)
def test_tables_say_what_is_wrong(tmp_path: Path, buses: str, branches: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        load(str(example(tmp_path / "scenario", buses, branches)))


def test_a_delta_needs_an_earthed_star_behind_it(tmp_path: Path) -> None:
    header, *lines = BRANCHES.strip().splitlines()
    grouped = [f"{line},{'Dyn' if line.startswith('2,4') else ''}" for line in lines]
    good = "\n".join([f"{header},vector_group", *grouped])
    feeder = load(str(example(tmp_path / "good", branches=good))).situation.feeder
    assert feeder.phases is not None
    assert feeder.phases.zero_series[2] == 0.0
    state = power_flow(feeder, np.array([3]), np.zeros((1, 96)))
    again = power_flow_phases(feeder, np.array([3]), np.zeros((1, 96)))
    np.testing.assert_allclose(state.voltage_pu, again.voltage_pu, rtol=0.0, atol=1e-10)
    phases = replace(feeder.phases, zero_far=0.0 * feeder.phases.zero_far)
    assert replace(feeder, phases=phases).unearthed() == [4, 5]


def test_a_file_without_the_zero_sequence_says_what_to_add(tmp_path: Path) -> None:
    pandapower = pytest.importorskip("pandapower")
    net = pandapower_net("Dyn", 0)
    net.line = net.line.drop(columns=["r0_ohm_per_km", "x0_ohm_per_km"])
    net.trafo["vector_group"] = "Yzn"
    feeder, wrong = read(tmp_path, pandapower.to_json(net))
    assert feeder is None
    assert len(wrong) == 2
    assert "r0_ohm_per_km, x0_ohm_per_km of 6 line" in wrong[0]
    assert "known are Dyn and YNyn" in wrong[1]


def test_cars_on_one_phase_are_refused_by_name(tmp_path: Path) -> None:
    folder = example(tmp_path / "scenario")
    sessions = folder / "sessions.csv"
    said = sessions.read_text("utf-8").replace(",12,57,11,11,", ",12,57,7,7,")
    sessions.write_text(said, "utf-8")
    with pytest.raises(ScenarioError, match="on one phase"):
        load(str(folder))
