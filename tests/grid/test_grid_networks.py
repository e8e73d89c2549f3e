"""Networks of pandapower and power-grid-model: read without them, solved as they solve them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from power_grid_model import LoadGenType, PowerGridModel, initialize_array
from power_grid_model.utils import json_serialize

from hubwise.audit import audit_record
from hubwise.domain import Feeder
from hubwise.grid import FeederState, power_flow, power_flow_gauss
from hubwise.plan import make_plan
from hubwise.record import write
from hubwise.scenario import ScenarioError, check, load, new
from hubwise.scenario.foreign_network import read_network
from hubwise.scenario.reading import Reader
from hubwise.study.report import write_plan_report

NETS = Path(__file__).parent / "nets"
RECORDED = sorted(path.name.removesuffix(".found.json") for path in NETS.glob("*.found.json"))
NO_HUBS = np.array([], dtype=np.int64)

Edit = Callable[[dict[str, Any]], None]


def content(name: str) -> dict[str, Any]:
    """A recorded net's JSON."""
    return json.loads(gzip.decompress((NETS / f"{name}.json.gz").read_bytes()))


def rows(net: dict[str, Any], table: str, change: Callable[[list[dict[str, Any]]], Any]) -> None:
    """Change a table's rows in place; every row is by column, its index kept."""
    frame = json.loads(net["_object"][table]["_object"])
    cells = [dict(zip(frame["columns"], row, strict=True)) for row in frame["data"]]
    change(cells)
    frame["data"] = [[row[column] for column in frame["columns"]] for row in cells]
    frame["index"] = list(range(len(cells)))
    net["_object"][table]["_object"] = json.dumps(frame)


def scenario_with(folder: Path, text: str, hubs: tuple[int, int], more: str = "") -> Path:
    """The example scenario on another program's network."""
    new(folder)
    (folder / "net.json").write_text(text, encoding="utf-8")
    toml = folder / "scenario.toml"
    said = toml.read_text(encoding="utf-8")
    start, end = said.index("[feeder]"), said.index("[hub_defaults]")
    feeder = f"""[feeder]
file = "net.json"
load_shape = "load_shape.csv"
voltage_min_pu = 0.90
voltage_max_pu = 1.10
{more}
"""
    said = said[:start] + feeder + said[end:]
    said = said.replace("bus = 3\n", f"bus = {hubs[0]}\n").replace(
        "bus = 5\n", f"bus = {hubs[1]}\n"
    )
    toml.write_text(said, encoding="utf-8")
    return folder


def at_full_load(feeder: Feeder) -> tuple[FeederState, FeederState, int]:
    """The feeder's state by both methods without hubs, and the slot of the shape's 1."""
    none = np.zeros((0, feeder.base_kw.shape[1]))
    one, other = (flow(feeder, NO_HUBS, none) for flow in (power_flow, power_flow_gauss))
    return one, other, int(np.abs(feeder.base_kw).sum(axis=0).argmax())


def any_buses(net: dict[str, Any]) -> tuple[int, int]:
    frame = json.loads(net["_object"]["load"]["_object"])
    column = frame["columns"].index("bus")
    found = [row[column] for row in frame["data"]]
    return found[0], found[-1]


def assert_as_found(feeder: Feeder, place: dict[int, int], found: dict[str, Any]) -> None:
    one, other, slot = at_full_load(feeder)
    assert one.converged.all()
    np.testing.assert_allclose(other.voltage_pu, one.voltage_pu, rtol=0.0, atol=1e-10)
    np.testing.assert_allclose(other.losses_kw, one.losses_kw, rtol=0.0, atol=1e-5)
    voltage = dict(zip(feeder.bus.tolist(), one.voltage_pu[:, slot], strict=True))
    for bus, due in found["voltage_pu"].items():
        assert voltage[place.get(int(bus), int(bus))] == pytest.approx(due, abs=1e-9)
    assert one.head_kw[slot] == pytest.approx(found["head_kw"], abs=1e-3)
    assert one.head_kvar[slot] == pytest.approx(found["head_kvar"], abs=1e-3)
    for name, loading in zip(feeder.branch_names, one.branch_loading[:, slot], strict=True):
        known = found["loading_percent"]
        due = known[name if name in known else " ".join(name.split()[:2])]
        assert 100.0 * loading == pytest.approx(due, abs=1e-6)


def fused(net: dict[str, Any]) -> dict[int, int]:
    """The lowest of the buses that closed switches make one, for each of them."""
    place: dict[int, int] = {}

    def follow(cells: list[dict[str, Any]]) -> None:
        for _ in cells:
            for row in cells:
                if row["et"] == "b" and row["closed"]:
                    ends = [place.get(end, end) for end in (row["bus"], row["element"])]
                    for end in (row["bus"], row["element"], max(ends)):
                        place[end] = min(ends)

    rows(net, "switch", follow)
    return place


@pytest.mark.parametrize("name", RECORDED)
def test_pandapowers_nets_are_solved_as_pandapower_does(name: str, tmp_path: Path) -> None:
    """Voltages within 1e-9 p.u., currents and head alike: levels, taps, charging, switches."""
    net = content(name)
    folder = scenario_with(tmp_path / "s", json.dumps(net), any_buses(net), "transformer_kva = 1e5")
    found = json.loads((NETS / f"{name}.found.json").read_text(encoding="utf-8"))
    assert_as_found(load(folder).situation.feeder, fused(net), found)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", RECORDED)
def test_pandapower_itself_agrees_today(name: str) -> None:
    """The installed pandapower finds in the same file what was recorded of it."""
    pandapower = pytest.importorskip("pandapower")
    text = gzip.decompress((NETS / f"{name}.json.gz").read_bytes()).decode()
    net = pandapower.from_json_string(text, convert=True)
    pandapower.runpp(net, tolerance_mva=1e-9, init="dc", numba=False)
    found = json.loads((NETS / f"{name}.found.json").read_text(encoding="utf-8"))
    for bus, due in found["voltage_pu"].items():
        assert net.res_bus["vm_pu"][int(bus)] == pytest.approx(due, abs=1e-9)


@pytest.mark.filterwarnings("ignore")
@settings(deadline=None, max_examples=5)
@given(
    side=st.sampled_from(["hv", "lv"]),
    kind=st.sampled_from(["Ratio", "Symmetrical", None]),
    position=st.integers(-4, 4),
    degree=st.sampled_from([0.0, 30.0]),
)
def test_any_tap_is_as_in_pandapower(tmp_path_factory, side, kind, position, degree) -> None:
    """Whatever the tap changer's side, kind and position, voltages are the library's."""
    pandapower = pytest.importorskip("pandapower")
    net = content("cigre_mv")
    tap = {"tap_side": side, "tap_changer_type": kind, "tap_pos": position, "tap_neutral": 0}
    tap |= {"tap_step_percent": 1.25, "tap_step_degree": degree}
    rows(net, "trafo", lambda cells: [row.update(tap) for row in cells])
    folder = scenario_with(tmp_path_factory.mktemp("n") / "s", json.dumps(net), (3, 9))
    feeder = load(folder).situation.feeder
    state, _, slot = at_full_load(feeder)
    theirs = pandapower.from_json_string(json.dumps(net))
    pandapower.runpp(theirs, tolerance_mva=1e-9, init="dc", numba=False)
    due = theirs.res_bus["vm_pu"].to_numpy()
    np.testing.assert_allclose(state.voltage_pu[:, slot], due, rtol=0.0, atol=1e-9)


def test_taps_without_a_changer_are_passed_over_and_told(tmp_path: Path) -> None:
    """As in pandapower 3.5: no changer type, no tap; a note says which transformer."""
    net = content("cigre_mv")
    tap = {"tap_side": "hv", "tap_pos": -2, "tap_neutral": 0, "tap_step_percent": 1.5}
    rows(net, "trafo", lambda cells: [row.update(tap) for row in cells])
    scenario = load(scenario_with(tmp_path / "s", json.dumps(net), (3, 9)))
    told = [note for note in scenario.notes if "tap position -2 is passed over" in note]
    assert len(told) == 2
    assert (np.asarray(scenario.situation.feeder.ratio) == 1.0).all()


def test_transformers_bring_the_rating_and_keep_the_limit(tmp_path: Path) -> None:
    """Two transformers of 25 MVA feed CIGRE's network; each keeps the substation's limit."""
    text = json.dumps(content("cigre_mv"))
    feeder = load(
        scenario_with(tmp_path / "s", text, (3, 9), "transformer_limit = 0.7")
    ).situation.feeder
    assert feeder.transformer_kva == 50_000.0
    is_transformer = np.isfinite(feeder.rating_kva)
    assert is_transformer.sum() == 2
    np.testing.assert_array_equal(feeder.branch_limit[is_transformer], 0.7)
    np.testing.assert_array_equal(feeder.branch_limit[~is_transformer], 1.0)


def test_hubs_at_joined_buses_are_at_one(tmp_path: Path) -> None:
    """A hub may name any bus of those that a switch joins."""
    net = content("one_of_everything")
    scenario = load(scenario_with(tmp_path / "s", json.dumps(net), (11, 4)))
    assert scenario.situation.hubs.bus.tolist() == [4, 4]
    assert any("bus 9" in note for note in scenario.notes)


REFUSED: list[tuple[str, Edit, str, str]] = [
    (
        "a bus that is not there",
        lambda net: rows(net, "load", lambda cells: cells[3].update(bus=99)),
        "load 3",
        "bus 99 is unknown",
    ),
    (
        "a load that is no power",
        lambda net: rows(net, "load", lambda cells: cells[0].update(p_mw="much")),
        "load 0",
        "'much' is not a number",
    ),
    (
        "a load of more than itself",
        lambda net: rows(
            net,
            "load",
            lambda cells: cells[1].update(const_z_p_percent=60.0, const_i_p_percent=60.0),
        ),
        "load 1",
        "const_z and const_i are together 120 %",
    ),
    (
        "no source",
        lambda net: rows(net, "ext_grid", lambda cells: cells[0].update(in_service=False)),
        "",
        "is fed at nowhere",
    ),
    (
        "a line over two levels",
        lambda net: rows(net, "line", lambda cells: cells[0].update(from_bus=0)),
        "line 0",
        "joins levels of 110 and 20 kV",
    ),
    (
        "a transformer whose resistance is more than its impedance",
        lambda net: rows(net, "trafo", lambda cells: cells[0].update(vkr_percent=20.0)),
        "trafo 0",
        "20 is above vk_percent 12.0011",
    ),
    (
        "an old format",
        lambda net: net["_object"].update(format_version="1.6.0"),
        "",
        "is a net of format 1.6.0",
    ),
]


@pytest.mark.parametrize(
    ("edit", "where", "wrong"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_mistakes_in_a_net_are_told(tmp_path: Path, edit: Edit, where: str, wrong: str) -> None:
    """Each with its element, what is wrong, and what would be right."""
    net = content("cigre_mv")
    edit(net)
    problems = check(scenario_with(tmp_path / "s", json.dumps(net), (3, 9)))
    assert [(p.file, p.where, p.wrong) for p in problems] == [("net.json", where, wrong)]
    assert all(problem.right for problem in problems)


def test_what_is_not_modelled_is_refused_by_name(tmp_path: Path) -> None:
    """Voltage control, direct current and their like are named, all at once."""
    net = content("cigre_mv")
    frame = {"columns": ["bus", "in_service"], "index": [0, 7], "data": [[3, True], [4, False]]}
    tables = ("tcsc", "svc", "xward", "dcline", "impedance", "motor")
    for table in tables:
        net["_object"][table]["_object"] = json.dumps(frame)
    problems = check(scenario_with(tmp_path / "s", json.dumps(net), (3, 9)))
    assert sorted(problem.where for problem in problems) == sorted(tables)
    assert all("(0) in service: not modelled" in problem.wrong for problem in problems)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [("[1, 2", "is not JSON"), ("{}", "is a network of no format that is known")],
)
def test_files_that_are_no_network_are_refused(tmp_path: Path, text: str, wrong: str) -> None:
    """A file of another kind is told, with what would be right."""
    (problem,) = check(scenario_with(tmp_path / "s", text, (3, 9)))
    assert problem.wrong.startswith(wrong)


def test_keys_that_the_file_holds_are_not_given_twice(tmp_path: Path) -> None:
    """A source bus or voltage beside a file is a mistake, not a choice."""
    folder = scenario_with(
        tmp_path / "s", json.dumps(content("cigre_mv")), (3, 9), "nominal_kv = 20.0"
    )
    (problem,) = check(folder)
    assert (problem.field, problem.wrong) == ("nominal_kv", "is given beside a file")


def power_grid() -> dict[Any, Any]:
    """Input data of power-grid-model with two levels, a loop, taps, a link and a shunt."""

    def table(kind: Any, **columns: Any) -> Any:
        made = initialize_array("input", kind, len(columns["id"]))
        for key, value in columns.items():
            made[key] = value
        return made

    on = {"from_status": 1, "to_status": 1}
    return {
        "node": table("node", id=[1, 2, 3, 4, 5], u_rated=[50e3, 10e3, 10e3, 10e3, 400.0]),
        "line": table(
            "line",
            id=[11, 12, 13],
            from_node=[2, 3, 4],
            to_node=[3, 4, 2],
            from_status=1,
            to_status=[1, 1, 0],
            r1=[0.3, 0.2, 0.5],
            x1=[0.2, 0.15, 0.3],
            c1=[2e-6, 1e-6, 3e-6],
            tan1=[0.0, 0.01, 0.0],
            i_n=[300.0, 200.0, 250.0],
        ),
        "transformer": table(
            "transformer",
            id=[21, 22],
            from_node=[1, 3],
            to_node=[2, 5],
            **on,
            u1=[51e3, 10e3],
            u2=[10.5e3, 420.0],
            sn=[20e6, 630e3],
            uk=[0.12, 0.05],
            pk=[60e3, 6e3],
            i0=[0.002, 0.003],
            p0=[10e3, 800.0],
            winding_from=[1, 2],
            winding_to=[1, 1],
            clock=[0, 11],
            tap_side=[0, 1],
            tap_pos=[3, -2],
            tap_min=[-8, 5],
            tap_max=[8, -5],
            tap_nom=[1, 0],
            tap_size=[500.0, 5.0],
            uk_min=[0.11, np.nan],
            uk_max=[0.14, np.nan],
        ),
        "sym_load": table(
            "sym_load",
            id=[31, 32, 33],
            node=[3, 4, 5],
            status=[1, 1, 1],
            type=LoadGenType.const_power,
            p_specified=[1e6, 0.5e6, 0.3e6],
            q_specified=[0.3e6, 0.1e6, 0.1e6],
        ),
        "sym_gen": table(
            "sym_gen",
            id=[41],
            node=[5],
            status=1,
            type=LoadGenType.const_power,
            p_specified=[0.1e6],
            q_specified=[0.0],
        ),
        "shunt": table("shunt", id=[51], node=[4], status=1, g1=[1e-6], b1=[2e-3]),
        "source": table("source", id=[61], node=[1], status=1, u_ref=[1.03], sk=[1e20]),
    }


def test_power_grid_models_data_is_solved_as_it_solves_them(tmp_path: Path) -> None:
    """Taps, clocks, charging, a line open at one end: voltages and loadings are the library's."""
    data = power_grid()
    text = json_serialize(data)
    feeder = load(scenario_with(tmp_path / "s", text, (3, 5))).situation.feeder
    state, other, slot = at_full_load(feeder)
    due = PowerGridModel(data).calculate_power_flow()
    np.testing.assert_allclose(state.voltage_pu[:, slot], due["node"]["u_pu"], atol=1e-10)
    np.testing.assert_allclose(other.voltage_pu, state.voltage_pu, atol=1e-10)
    assert state.head_kw[slot] == pytest.approx(due["source"]["p"][0] / 1e3, abs=1e-4)
    assert state.head_kvar[slot] == pytest.approx(due["source"]["q"][0] / 1e3, abs=1e-4)
    np.testing.assert_allclose(
        state.branch_loading[:2, slot], due["line"]["loading"][:2], atol=1e-8
    )
    assert feeder.transformer_kva == 20_000.0


def test_power_grid_models_mistakes_are_told(tmp_path: Path) -> None:
    """What the library's own check refuses, and what is not modelled, with the component's id."""
    data = power_grid()
    data["line"]["from_node"][1] = 99
    problems = check(scenario_with(tmp_path / "s", json_serialize(data), (3, 5)))
    assert [problem.where for problem in problems] == ["line 12"]
    data = power_grid()
    data["sym_load"]["type"][0] = LoadGenType.const_impedance
    (problem,) = check(scenario_with(tmp_path / "t", json_serialize(data), (3, 5)))
    assert (problem.where, problem.wrong) == ("sym_load 31", "is not of constant power")


def test_a_whole_plan_on_a_pandapower_net(tmp_path: Path) -> None:
    """Scenario in; plan, audit and report out: CIGRE's medium-voltage network with two hubs."""
    folder = scenario_with(
        tmp_path / "s", json.dumps(content("cigre_mv")), (5, 10), "transformer_limit = 0.95"
    )
    toml = folder / "scenario.toml"
    text = toml.read_text(encoding="utf-8").replace("evaluations = 400 ", "evaluations = 10 ")
    toml.write_text(text.replace("peak_valley = 0.9 ", "peak_valley = 1.0 "), encoding="utf-8")
    made = make_plan(load(folder))
    assert made.state.converged.all()
    assert made.result.money.max_regret <= 1e-9
    place = write(made, tmp_path / "plan")
    found = audit_record(place)
    assert found.ok, str(found)
    page = write_plan_report(made.scenario, place)
    assert "trafo 0 (Trafo 0-1)" in page.read_text(encoding="utf-8")


def test_own_tables_know_levels_and_charging(tmp_path: Path) -> None:
    """A transformer and a cable written in our own tables are the same feeder as pandapower's."""
    theirs = load(
        scenario_with(tmp_path / "s", json.dumps(content("cigre_mv")), (3, 9))
    ).situation.feeder
    theirs = replace(theirs, shunt_kw=0.0, shunt_kvar=0.0)  # of lines open at one end
    folder = tmp_path / "own"
    new(folder)
    toml = folder / "scenario.toml"
    text = toml.read_text(encoding="utf-8").replace("nominal_kv = 0.4", "nominal_kv = 20.0")
    text = text.replace("source_bus = 1", "source_bus = 0").replace(
        "source_voltage_pu = 1.0", "source_voltage_pu = 1.03"
    )
    toml.write_text(text, encoding="utf-8")
    peak = np.abs(theirs.base_kw).max(axis=1), np.abs(theirs.base_kvar).max(axis=1)
    kv = ["" if level == 20.0 else f"{level}" for level in theirs.bus_kv]
    lines = [f"{b},{p},{q},{v}" for b, p, q, v in zip(theirs.bus, *peak, kv, strict=True)]
    (folder / "buses.csv").write_text("\n".join(["bus,kw,kvar,kv", *lines]), encoding="utf-8")
    columns = ("from_bus", "to_bus", "r_ohm", "x_ohm", "ampacity_a", "b_siemens", "ratio")
    cells = zip(*(getattr(theirs, name).tolist() for name in columns), strict=True)
    lines = [",".join(map(str, row)) for row in cells]
    (folder / "branches.csv").write_text("\n".join([",".join(columns), *lines]), encoding="utf-8")
    own = load(folder).situation.feeder
    one, other = (at_full_load(feeder)[0] for feeder in (theirs, own))
    np.testing.assert_allclose(one.voltage_pu, other.voltage_pu, atol=1e-9)


def test_a_load_table_replaces_loads(tmp_path: Path) -> None:
    """Buses in the table follow it, hour by hour; the others keep load times shape."""
    folder = tmp_path / "s"
    new(folder)
    toml = folder / "scenario.toml"
    text = toml.read_text(encoding="utf-8")
    toml.write_text(text.replace("[feeder]", '[feeder]\nloads = "loads.csv"'), encoding="utf-8")
    (folder / "loads.csv").write_text("bus,hour,kw,kvar\n4,0,3,1\n4,18,9,2\n", encoding="utf-8")
    before, (feeder, horizon) = (
        load("example").situation.feeder,
        (load(folder).situation.feeder, load(folder).situation.horizon),
    )
    late = horizon.local_hours() >= 18
    np.testing.assert_array_equal(feeder.base_kw[3], np.where(late, 9.0, 3.0))
    np.testing.assert_array_equal(feeder.base_kvar[3], np.where(late, 2.0, 1.0))
    others = [0, 1, 2, 4]
    np.testing.assert_array_equal(feeder.base_kw[others], before.base_kw[others])
    (folder / "loads.csv").write_text("bus,hour,kw\n9,0,3\n4,6,1\n4,6,2\n", encoding="utf-8")
    assert [problem.wrong for problem in check(folder)] == [
        "bus 4 begins at hour 6",
        "bus 9 is unknown",
        "hour 6 of bus 4 is there already",
    ]
    with pytest.raises(ScenarioError):
        load(folder)


def voltages_of(folder: Path, net: dict[str, Any]) -> dict[int, np.ndarray]:
    feeder = load(scenario_with(folder, json.dumps(net), (3, 9))).situation.feeder
    state = at_full_load(feeder)[0]
    return dict(zip(feeder.bus.tolist(), state.voltage_pu, strict=True))


def two_lines_for_a_double_one(net: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """``parallel = 2`` is two lines beside each other."""
    double, twice = net, json.loads(json.dumps(net))
    rows(double, "line", lambda cells: cells[2].update(parallel=2))
    rows(twice, "line", lambda cells: cells.append(dict(cells[2])))
    return double, twice


def a_bus_cut_in_two(net: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A closed switch between two halves of a bus makes them one."""
    cut = json.loads(json.dumps(net))
    rows(cut, "bus", lambda cells: cells.append(dict(cells[5])))
    rows(cut, "load", lambda cells: [row.update(bus=15) for row in cells if row["bus"] == 5])
    rows(cut, "line", lambda cells: [row.update(to_bus=15) for row in cells if row["to_bus"] == 5])

    def couple(cells: list[dict[str, Any]]) -> None:
        cells.append(cells[0] | {"bus": 15, "element": 5, "et": "b", "closed": True})

    rows(cut, "switch", couple)
    return net, cut


def loads_scaled(net: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Twice the power scaled by a half is the power."""
    scaled = json.loads(json.dumps(net))

    def double(cells: list[dict[str, Any]]) -> None:
        for row in cells:
            row.update(p_mw=2 * row["p_mw"], q_mvar=2 * row["q_mvar"], scaling=0.5)

    rows(scaled, "load", double)
    return net, scaled


def out_of_service(net: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A load and a line out of service are as if they were not there."""
    without = json.loads(json.dumps(net))
    for table in ("load", "line"):
        rows(net, table, lambda cells: cells[-1].update(in_service=False))
        rows(without, table, lambda cells: cells.pop())
    rows(net, "switch", lambda cells: cells.clear())
    rows(without, "switch", lambda cells: cells.clear())
    return net, without


SAME = [two_lines_for_a_double_one, a_bus_cut_in_two, loads_scaled, out_of_service]


@pytest.mark.parametrize("make", SAME, ids=lambda make: make.__name__)
def test_the_same_network_written_otherwise(tmp_path: Path, make: Callable[..., Any]) -> None:
    """Two ways to write a network give one state."""
    one, other = make(content("cigre_mv"))
    found = voltages_of(tmp_path / "one", one), voltages_of(tmp_path / "other", other)
    assert found[0].keys() == found[1].keys()
    for bus, voltage in found[0].items():
        np.testing.assert_allclose(voltage, found[1][bus], rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("data", ["{}", '{"node": [{"id": 1}]}', '{"mode": 3}'])
def test_data_that_power_grid_model_cannot_use_is_told(tmp_path: Path, data: str) -> None:
    """Empty, incomplete and foreign data are problems, not crashes."""
    head = '{"version": "1.0", "type": "input", "is_batch": false, "attributes": {}, "data": '
    problems = check(scenario_with(tmp_path / "s", head + data + "}", (3, 9)))
    assert problems
    assert all(problem.file == "net.json" for problem in problems)


def test_pieces_without_supply_are_left_out_and_told(tmp_path: Path) -> None:
    """Load behind an open line is named with its buses; hubs there are refused."""
    net = content("cigre_mv")
    rows(net, "line", lambda cells: cells[0].update(in_service=False))
    folder = scenario_with(tmp_path / "s", json.dumps(net), (13, 14))
    scenario = load(folder)
    assert set(scenario.situation.feeder.bus.tolist()) == {0, 1, 12, 13, 14}
    assert any("without supply and left out: bus 2-11" in note for note in scenario.notes)
    toml = folder / "scenario.toml"
    toml.write_text(toml.read_text("utf-8").replace("bus = 14\n", "bus = 7\n"), encoding="utf-8")
    (problem,) = check(folder)
    assert (problem.field, problem.wrong) == ("bus", "bus 7 is unknown")


ODD = st.sampled_from([None, "x", "", -1, 0, 99, 1e308, 0.5, True, [], {}, "nan"])


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_no_cell_breaks_the_door(tmp_path_factory, data) -> None:
    """Whatever stands in a net's cell, it is read or told, and what is read has numbers."""
    net = content("one_of_everything")
    tables = ("bus", "line", "trafo", "load", "switch", "ext_grid", "shunt", "ward", "sgen")
    table, value = data.draw(st.sampled_from(tables)), data.draw(ODD)

    def spoil(cells: list[dict[str, Any]]) -> None:
        row = data.draw(st.sampled_from(cells))
        row[data.draw(st.sampled_from(sorted(row)))] = value

    rows(net, table, spoil)
    folder = tmp_path_factory.mktemp("odd")
    (folder / "net.json").write_text(json.dumps(net), encoding="utf-8")
    reader = Reader(folder)
    network = read_network("net.json", reader)
    assert (network is None) == bool(reader.issues)
    if network is not None:
        assert all(np.isfinite(branch.series) for branch in network.branches)
        assert all(kv > 0.0 for kv in network.bus_kv.values())


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_no_piece_of_json_breaks_the_door(tmp_path_factory, data) -> None:
    """A net whose parts are of another kind is told, not tripped over."""
    net = content("cigre_mv")
    key = data.draw(st.sampled_from(["bus", "line", "trafo", "switch", "f_hz", "format_version"]))
    net["_object"][key] = data.draw(
        ODD | st.builds(lambda text: {"_object": text}, st.sampled_from(["", "[1]", "{}", "null"]))
    )
    folder = tmp_path_factory.mktemp("odd")
    (folder / "net.json").write_text(json.dumps(net), encoding="utf-8")
    reader = Reader(folder)
    assert (read_network("net.json", reader) is None) == bool(reader.issues)
