"""Feeders given per phase, as programs and tables write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from power_grid_model import initialize_array
from power_grid_model.utils import json_serialize

from hubwise.domain import Feeder
from hubwise.scenario import new
from hubwise.scenario.files import FeederSection
from hubwise.scenario.foreign_network import read_network
from hubwise.scenario.network import BySlot, _convert
from hubwise.scenario.reading import Reader

NO_HUBS = np.array([], dtype=np.int64), np.zeros((0, 1))

BUSES = """bus,kw,kvar,kw_l1,kw_l2,kw_l3,kvar_l1,kvar_l2,kvar_l3
1,0,0,,,,,,
2,25,6,5,12,8,1,3,2
3,30,8,20,4,6,5,1,2
4,20,5,,,,,,
5,25,6,3,15,7,1,4,1
"""
BRANCHES = """from_bus,to_bus,r_ohm,x_ohm,ampacity_a,r0_ohm,x0_ohm
1,2,0.012,0.008,400,0.04,0.02
2,3,0.020,0.012,300,0.07,0.04
2,4,0.020,0.012,300,0.07,0.04
4,5,0.016,0.010,300,0.05,0.03
"""


def example(folder: Path, buses: str = BUSES, branches: str = BRANCHES) -> Path:
    """The example scenario on a feeder given per phase."""
    new(folder)
    (folder / "buses.csv").write_text(buses, encoding="utf-8")
    (folder / "branches.csv").write_text(branches, encoding="utf-8")
    return folder


def read(folder: Path, text: str) -> tuple[Feeder | None, list[str]]:
    """Another program's network as a feeder in one slot, and what is wrong with it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "net.json").write_text(text, encoding="utf-8")
    reader = Reader(folder, enclosed=True)
    network = read_network("net.json", reader)
    wrong = [str(issue) for issue in reader.issues]
    if network is None or wrong:
        return None, wrong
    section = FeederSection.model_construct(
        transformer_kva=250.0,
        transformer_limit=1.0,
        voltage_min_pu=0.9,
        voltage_max_pu=1.1,
        source_voltage_pu=None,
    )
    return _convert(section, network, BySlot(np.ones(1), 20.0)), []


def power_grid_model_data(
    seed: int, windings: tuple[int, int], clock: int, earthed_ohm: float
) -> dict[Any, Any]:
    """A village behind a transformer: lines that charge, a tap, loads of every kind."""
    rng = np.random.default_rng(seed)
    node = initialize_array("input", "node", 7)
    node["id"], node["u_rated"] = range(7), [10e3, 10e3, *[400.0] * 5]
    line = initialize_array("input", "line", 5)
    line["id"], line["from_node"], line["to_node"] = range(10, 15), [0, 2, 3, 3, 5], [1, 3, 4, 5, 6]
    line["from_status"] = line["to_status"] = 1
    line["r1"] = [0.4, 0.03, 0.04, 0.05, 0.03]
    line["x1"], line["c1"], line["tan1"] = line["r1"] / 3.0, 1e-7, 0.01
    line["r0"], line["x0"], line["c0"] = 4.0 * line["r1"], 3.0 * line["x1"], 5e-8
    line["tan0"], line["i_n"] = 0.02, 200.0
    trafo = initialize_array("input", "transformer", 1)
    trafo["id"], trafo["from_node"], trafo["to_node"] = 20, 1, 2
    trafo["from_status"] = trafo["to_status"] = 1
    trafo["u1"], trafo["u2"], trafo["sn"], trafo["uk"], trafo["pk"] = 10.2e3, 410.0, 25e4, 0.04, 3e3
    trafo["i0"], trafo["p0"], trafo["clock"] = 0.03, 600.0, clock
    trafo["winding_from"], trafo["winding_to"] = windings
    trafo["tap_side"], trafo["tap_pos"], trafo["tap_nom"], trafo["tap_size"] = 0, 1, 0, 250.0
    trafo["tap_min"], trafo["tap_max"] = -2, 2
    trafo["r_grounding_to"], trafo["x_grounding_to"] = earthed_ohm, earthed_ohm / 2.0
    if windings[0] == 1:
        trafo["r_grounding_from"], trafo["x_grounding_from"] = 40.0 * earthed_ohm, earthed_ohm
    load = initialize_array("input", "asym_load", 4)
    load["id"], load["node"], load["status"], load["type"] = range(30, 34), [3, 4, 5, 6], 1, 0
    load["p_specified"] = rng.uniform(0.0, 12e3, (4, 3))
    load["q_specified"] = 0.3 * load["p_specified"]
    gen = initialize_array("input", "asym_gen", 1)
    gen["id"], gen["node"], gen["status"], gen["type"] = 40, 4, 1, 0
    gen["p_specified"], gen["q_specified"] = [[4e3, 0.0, 0.0]], 0.0
    even = initialize_array("input", "sym_load", 1)
    even["id"], even["node"], even["status"], even["type"] = 41, 5, 1, 0
    even["p_specified"], even["q_specified"] = 1e4, 2e3
    shunt = initialize_array("input", "shunt", 1)
    shunt["id"], shunt["node"], shunt["status"] = 42, 6, 1
    shunt["g1"] = shunt["g0"] = 0.01
    shunt["b1"] = shunt["b0"] = 0.02
    source = initialize_array("input", "source", 1)
    source["id"], source["node"], source["status"] = 50, 0, 1
    source["u_ref"], source["sk"] = 1.02, 1e20
    return {"node": node, "line": line, "transformer": trafo, "asym_load": load, "asym_gen": gen,
            "sym_load": even, "shunt": shunt, "source": source}  # fmt: skip


def power_grid_model_text(data: dict[Any, Any]) -> str:
    """The data as the library writes them."""
    return json_serialize(data)


def pandapower_net(group: str, seed: int) -> Any:
    """The same kind of village in pandapower."""
    import pandapower

    rng = np.random.default_rng(seed)
    net = pandapower.create_empty_network()
    head, high = (pandapower.create_bus(net, 10.0) for _ in range(2))
    low = [pandapower.create_bus(net, 0.4) for _ in range(6)]
    pandapower.create_ext_grid(
        net, head, vm_pu=1.02, s_sc_max_mva=1e12, rx_max=0.1, x0x_max=1.0, r0x0_max=0.1
    )

    def line(near: int, far: int, km: float, r: float, c: float) -> None:
        pandapower.create_line_from_parameters(
            net, near, far, length_km=km, r_ohm_per_km=r, x_ohm_per_km=r / 3.0, c_nf_per_km=c,
            max_i_ka=0.2, r0_ohm_per_km=4.0 * r, x0_ohm_per_km=r, c0_nf_per_km=c / 2.0,
        )  # fmt: skip

    line(head, high, 2.0, 0.2, 300.0)
    pandapower.create_transformer_from_parameters(
        net, high, low[0], sn_mva=0.25, vn_hv_kv=10.0, vn_lv_kv=0.41, vkr_percent=1.2,
        vk_percent=4.0, pfe_kw=0.5, i0_percent=0.3, shift_degree=150 if group == "Dyn" else 0,
        vector_group=group, vk0_percent=3.8, vkr0_percent=1.1, mag0_percent=100, mag0_rx=0.2,
        si0_hv_partial=0.9, tap_side="hv", tap_pos=1, tap_neutral=0, tap_step_percent=2.5,
        tap_changer_type="Ratio",
    )  # fmt: skip
    for k in range(1, 6):
        line(low[rng.integers(k)], low[k], 0.1 + 0.1 * rng.random(), 0.3, 100.0)
    for bus in low[1:]:
        a, b, c = rng.uniform(0.0, 0.012, 3)
        pandapower.create_asymmetric_load(
            net, bus, p_a_mw=a, p_b_mw=b, p_c_mw=c, q_a_mvar=0.3 * a, q_b_mvar=0.3 * b, scaling=0.9
        )
    pandapower.create_asymmetric_sgen(net, low[3], p_a_mw=0.004, p_b_mw=0.0, p_c_mw=0.0)
    pandapower.create_load(net, low[2], p_mw=0.01, q_mvar=0.002)
    return net
