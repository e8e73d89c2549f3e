"""Feeders of other programs: loads by voltage, generators, and which source feeds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hubwise.audit import audit_record
from hubwise.grid import power_flow, power_flow_gauss
from hubwise.plan import make_plan
from hubwise.record import write
from hubwise.scenario import check, load, new
from hubwise.scenario.loads import read_loads
from hubwise.scenario.reading import Reader

Table = dict[str, list[Any]]


def frame(columns: Table) -> dict[str, Any]:
    """A table as pandapower writes it."""
    rows = len(next(iter(columns.values())))
    data = [[cells[k] for cells in columns.values()] for k in range(rows)]
    return {
        "_object": json.dumps({"columns": list(columns), "index": [*range(rows)], "data": data})
    }


def street(version: str = "3.1.0", **more: Table) -> dict[str, Any]:
    """A 0.4 kV street of four buses, by pandapower's columns; ``more`` replaces tables."""
    tables: dict[str, Table] = {
        "bus": {"vn_kv": [0.4] * 4},
        "ext_grid": {"bus": [0], "vm_pu": [1.0]},
        "line": {
            "from_bus": [0, 1, 2],
            "to_bus": [1, 2, 3],
            "length_km": [0.2, 0.2, 0.1],
            "r_ohm_per_km": [0.2] * 3,
            "x_ohm_per_km": [0.08] * 3,
            "max_i_ka": [0.3] * 3,
        },
        "load": {"bus": [2], "p_mw": [0.08], "q_mvar": [0.02]},
    }
    content = {name: frame(columns) for name, columns in (tables | more).items()}
    return {"_class": "pandapowerNet", "_object": {"format_version": version, **content}}


def site(folder: Path, net: dict[str, Any], feeder: str = "", hub_bus: int = 1) -> Path:
    """The example with its hubs at one bus of a net."""
    new(folder)
    (folder / "net.json").write_text(json.dumps(net), encoding="utf-8")
    toml = folder / "scenario.toml"
    said = toml.read_text(encoding="utf-8")
    start, end = said.index("[feeder]"), said.index("[hub_defaults]")
    section = f"""[feeder]
file = "net.json"
load_shape = "load_shape.csv"
voltage_min_pu = 0.8
voltage_max_pu = 1.2
transformer_kva = 400
{feeder}

"""
    said = said[:start] + section + said[end:]
    for bus in (3, 5):
        said = said.replace(f"\nbus = {bus}\n", f"\nbus = {hub_bus}\n")
    toml.write_text(said, encoding="utf-8")
    return folder


def voltages(folder: Path) -> np.ndarray:
    """By bus and slot without hubs; two methods agree on them."""
    feeder = load(folder).situation.feeder
    nobody = np.zeros(0, dtype=np.int64), np.zeros((0, feeder.base_kw.shape[1]))
    one, other = power_flow(feeder, *nobody), power_flow_gauss(feeder, *nobody)
    np.testing.assert_allclose(one.voltage_pu, other.voltage_pu, rtol=0.0, atol=1e-10)
    np.testing.assert_allclose(one.head_kw, other.head_kw, rtol=0.0, atol=1e-6)
    return one.voltage_pu


OLD = {"const_z_percent": [100.0], "const_i_percent": [0.0]}
NEW = {f"const_{kind}_{power}_percent": [100.0 * (kind == "z")] for kind in "zi" for power in "pq"}


def test_shares_of_constant_impedance_are_read_in_both_columns(tmp_path: Path) -> None:
    """Before pandapower 3.2 a share is one column, since then two: both are the same load."""
    load_table: Table = {"bus": [2], "p_mw": [0.08], "q_mvar": [0.02]}
    found = [
        voltages(site(tmp_path / name, street(version, load=load_table | shares)))
        for name, version, shares in (
            ("plain", "3.1.0", {}),
            ("old", "3.1.0", OLD),
            ("older", "2.14.1", OLD),
            ("new", "3.3.0", NEW),
            ("both", "3.3.0", NEW | {"const_z_percent": [0.0]}),
        )
    ]
    assert found[0].min() < found[1].min() - 0.003
    for other in found[2:]:
        np.testing.assert_array_equal(other, found[1])


def test_constant_current_is_told_and_between(tmp_path: Path) -> None:
    """A load of constant current draws its current, to a thousandth, and a note says how."""
    shares = {"const_z_percent": [0.0], "const_i_percent": [100.0]}
    folder = site(
        tmp_path / "s", street(load={"bus": [1], "p_mw": [0.1], "q_mvar": [0.0]} | shares)
    )
    scenario = load(folder)
    assert any("of constant current" in note for note in scenario.notes)
    feeder = scenario.situation.feeder
    voltage = voltages(folder)[1]
    drawn = feeder.base_kw[1] + feeder.squared[0][1] * voltage**2
    np.testing.assert_allclose(drawn, feeder.at_nominal_kw[1] * voltage, rtol=2e-3)


def test_a_plan_on_loads_by_voltage_passes_its_audit(tmp_path: Path) -> None:
    """Dispatch, figures and audit know loads in proportion to the squared voltage."""
    table: Table = {"bus": [2], "p_mw": [0.03], "q_mvar": [0.01]}
    folder = site(tmp_path / "s", street(load=table | OLD), hub_bus=1)
    plan = make_plan(load(folder), strategy="passive")
    report = audit_record(write(plan, tmp_path / "plan"), load(folder))
    assert report.ok, [str(check) for check in report.checks if check.status.value == "fails"]


def test_a_table_of_loads_replaces_all_of_a_bus(tmp_path: Path) -> None:
    """What a load table says of a bus is all that the bus draws."""
    table: Table = {"bus": [2], "p_mw": [0.08], "q_mvar": [0.02]}
    scenario = load(site(tmp_path / "s", street(load=table | OLD)))
    (tmp_path / "loads.csv").write_text("bus,hour,kw\n2,0,5\n", encoding="utf-8")
    found = read_loads(
        "loads.csv", scenario.situation.feeder, scenario.situation.horizon, Reader(tmp_path)
    )
    assert (found.at_nominal_kw[2] == 5.0).all()


def test_generators_give_fixed_power_and_are_told(tmp_path: Path) -> None:
    """A generator that holds its voltage is taken at its power, with the file's reactive power."""
    gen: Table = {"bus": [3], "p_mw": [0.02], "vm_pu": [1.0]}
    result: Table = {"p_mw": [0.02], "q_mvar": [0.011]}
    scenario = load(site(tmp_path / "s", street(gen=gen, res_gen=result)))
    shape = scenario.situation.feeder.base_kw[3] / -20.0
    np.testing.assert_allclose(scenario.situation.feeder.base_kvar[3], -11.0 * shape)
    (told,) = (note for note in scenario.notes if note.startswith("generators"))
    assert "gen 0 at 0.02 MW, 0.011 Mvar" in told


def test_equal_sources_of_one_bus_are_one(tmp_path: Path) -> None:
    """Two sources at one bus and voltage are one, and a note says so."""
    both = site(tmp_path / "s", street(ext_grid={"bus": [0, 0], "vm_pu": [1.02, 1.02]}))
    scenario = load(both)
    assert scenario.situation.feeder.source_voltage_pu == 1.02
    assert any(note.startswith("2 sources hold bus 0") for note in scenario.notes)


def test_unequal_sources_of_one_bus_are_refused_by_name(tmp_path: Path) -> None:
    """Two sources that hold one bus at two voltages cannot both be right."""
    net = street(ext_grid={"bus": [0, 0], "vm_pu": [1.02, 1.0]})
    (issue,) = check(site(tmp_path / "s", net))
    assert "ext_grid 0 holds bus 0 at 1.02 p.u., ext_grid 1 holds bus 0 at 1 p.u." in issue.wrong


def test_one_of_two_substations_is_chosen(tmp_path: Path) -> None:
    """A net with two substations is refused with the choice, and read with the one chosen."""
    net = street(ext_grid={"bus": [0, 3], "vm_pu": [1.02, 1.01]})
    (issue,) = check(site(tmp_path / "none", net))
    assert issue.right.endswith("source_bus = 0 in [feeder]")
    scenario = load(site(tmp_path / "three", net, "source_bus = 3"))
    assert scenario.situation.feeder.source_bus == 3
    assert scenario.situation.feeder.source_voltage_pu == 1.01
    assert any("taken as off: ext_grid 0 at bus 0" in note for note in scenario.notes)
    (issue,) = check(site(tmp_path / "two", net, "source_bus = 2"))
    assert issue.right == "sources are at 0, 3"


@pytest.mark.parametrize("data", [[], [{"sym_load": []}], {"node": []}])
def test_a_batch_is_refused_by_name(tmp_path: Path, data: object) -> None:
    """Batch data of power-grid-model hold many networks: one line, and no traceback."""
    batch = {"version": "1.0", "type": "input", "is_batch": True, "attributes": {}, "data": data}
    (issue,) = check(site(tmp_path / "s", batch))
    assert (issue.file, issue.field) == ("net.json", "is_batch")
    assert issue.wrong == "is a batch of power-grid-model"
