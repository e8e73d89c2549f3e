"""Writes the networks of this folder and what pandapower finds in them.

    pip install pandapower==3.5.6 simbench==1.6.3 numba
    python tests/grid/nets/record.py

CIGRE's medium-voltage network comes with pandapower, the others but the last from SimBench
(https://simbench.de, Open Data Commons Open Database License); the last has one of everything.
"""

import gzip
import json
import warnings
from importlib.metadata import version
from pathlib import Path

import pandapower
import pandapower.networks
import simbench

warnings.filterwarnings("ignore")

HERE = Path(__file__).parent


def one_of_everything() -> pandapower.pandapowerNet:
    """Three levels, every tap changer, switches of every kind, things out of service, a loop."""
    net = pandapower.create_empty_network()
    kv = [110.0, 20.0, 20.0, 20.0, 20.0, 0.4, 0.4, 0.4, 20.0, 20.0, 0.4, 20.0]
    bus = [pandapower.create_bus(net, vn, name=f"b{k}") for k, vn in enumerate(kv)]
    net.bus.loc[bus[9], "in_service"] = False
    pandapower.create_ext_grid(net, bus[0], vm_pu=1.02)
    small = {"vn_lv_kv": 0.41, "sn_mva": 0.4, "vk_percent": 6.0, "vkr_percent": 1.425}
    small |= {"pfe_kw": 1.35, "i0_percent": 0.3375, "vn_hv_kv": 20.0, "shift_degree": 150.0}
    taps = {"tap_neutral": 0, "tap_min": -5, "tap_max": 5, "tap_step_percent": 1.5}
    made = pandapower.create_transformer_from_parameters
    made(
        net, bus[0], bus[1], 25.0, 110.0, 20.5, 0.3, 11.0, 14.0, 0.07, shift_degree=30.0,
        tap_side="hv", tap_pos=-2, tap_changer_type="Ratio", parallel=2, **taps,
    )  # fmt: skip
    made(net, bus[2], bus[5], tap_side="lv", tap_pos=2, tap_changer_type="Ratio", **small, **taps)
    tilted = taps | {"tap_step_degree": 60.0}
    made(
        net, bus[3], bus[6], tap_side="hv", tap_pos=1, tap_changer_type="Symmetrical",
        **small, **tilted,
    )  # fmt: skip
    made(net, bus[4], bus[7], tap_side="hv", tap_pos=4, tap_changer_type=None, **small, **taps)
    turned = taps | {"tap_step_percent": 0.0, "tap_step_degree": 2.0}
    made(
        net, bus[4], bus[10], tap_side="hv", tap_pos=1, tap_changer_type="Ideal", **small, **turned
    )
    line = {"r_ohm_per_km": 0.2, "x_ohm_per_km": 0.12, "c_nf_per_km": 280.0, "max_i_ka": 0.3}
    for near, far, km, more in (
        (1, 2, 4.0, {"parallel": 2}),
        (2, 3, 3.0, {"df": 0.8, "g_us_per_km": 3.0}),
        (3, 4, 5.0, {"max_loading_percent": 80.0}),
        (4, 8, 6.0, {}),
        (8, 1, 2.0, {}),
        (4, 9, 2.5, {}),
        (2, 4, 9.0, {}),
    ):
        pandapower.create_line_from_parameters(net, bus[near], bus[far], km, **line, **more)
    net.line.loc[6, "in_service"] = False
    pandapower.create_switch(net, bus[8], 4, et="l", closed=False)
    pandapower.create_switch(net, bus[4], bus[11], et="b", closed=True)
    pandapower.create_switch(net, bus[3], bus[8], et="b", closed=False)
    pandapower.create_switch(net, bus[10], 4, et="t", closed=False)
    for at, p, q, scaling in (
        (1, 5.0, 1.5, 1.0), (2, 0.8, 0.2, 0.9), (3, 0.6, 0.3, 1.0), (5, 0.15, 0.05, 1.0),
        (6, 0.2, 0.06, 1.1), (7, 0.25, 0.02, 1.0), (8, 0.4, 0.1, 1.0), (9, 0.3, 0.1, 1.0),
        (10, 0.05, 0.0, 1.0), (11, 0.35, 0.1, 1.0),
    ):  # fmt: skip
        pandapower.create_load(net, bus[at], p, q, scaling=scaling)
    net.load.loc[2, "in_service"] = False
    pandapower.create_sgen(net, bus[7], 0.4, 0.02, scaling=0.8)
    pandapower.create_storage(net, bus[8], 0.1, max_e_mwh=1.0)
    pandapower.create_shunt(net, bus[3], q_mvar=-0.6, p_mw=0.002, vn_kv=21.0, step=2)
    pandapower.create_ward(net, bus[2], 0.1, 0.05, 0.2, -0.1)
    return net


def three_windings() -> pandapower.pandapowerNet:
    """Transformers with three windings, taps at a terminal and at the star point, ZIP loads."""
    net = pandapower.create_empty_network()
    bus = [pandapower.create_bus(net, vn) for vn in (110.0, 20.0, 10.0, 10.0, 20.0, 20.0, 10.0)]
    pandapower.create_ext_grid(net, bus[0], vm_pu=1.02)
    made = {"vn_hv_kv": 110.0, "vn_mv_kv": 20.5, "vn_lv_kv": 10.2, "sn_hv_mva": 63.0}
    made |= {"sn_mv_mva": 40.0, "sn_lv_mva": 23.0, "pfe_kw": 35.0, "i0_percent": 0.89}
    made |= {"vk_hv_percent": 10.4, "vk_mv_percent": 6.1, "vk_lv_percent": 17.8}
    made |= {"vkr_hv_percent": 0.28, "vkr_mv_percent": 0.32, "vkr_lv_percent": 0.35}
    made |= {"shift_mv_degree": 0.0, "shift_lv_degree": 30.0, "tap_step_percent": 1.2}
    made |= {"tap_neutral": 0, "tap_min": -10, "tap_max": 10, "tap_changer_type": "Ratio"}
    create = pandapower.create_transformer3w_from_parameters
    create(net, *bus[:3], **made, tap_side="hv", tap_pos=-3, tap_step_degree=60.0)
    create(
        net,
        bus[0],
        bus[5],
        bus[6],
        **made,
        tap_side="mv",
        tap_pos=2,
        tap_step_degree=0.0,
        tap_at_star_point=True,
    )
    line = {"r_ohm_per_km": 0.2, "x_ohm_per_km": 0.12, "c_nf_per_km": 280.0, "max_i_ka": 0.3}
    for near, far, km in ((2, 3, 3.0), (1, 4, 8.0)):
        pandapower.create_line_from_parameters(net, bus[near], bus[far], km, **line)
    for at, p, q, shares in (
        (3, 2.0, 0.7, {}),
        (4, 5.0, 1.2, {"const_z_p_percent": 60.0, "const_z_q_percent": 20.0}),
        (5, 8.0, 1.2, {"const_z_p_percent": 100.0, "const_z_q_percent": 100.0}),
        (6, 3.0, 0.5, {}),
    ):
        pandapower.create_load(net, bus[at], p, q, **shares)
    return net


def old_format() -> pandapower.pandapowerNet:
    """``one_of_everything`` as format 2 has it: tap changers without a type, one share a load."""
    content = json.loads(gzip.decompress((HERE / "one_of_everything.json.gz").read_bytes()))
    tables = content["_object"]
    tables["format_version"] = tables["version"] = "2.14.1"
    tables["std_types"] = {"line": {}, "trafo": {}, "trafo3w": {}}
    for table, change in (("trafo", _untyped), ("load", _one_share)):
        frame = json.loads(tables[table]["_object"])
        rows = [dict(zip(frame["columns"], row, strict=True)) for row in frame["data"]]
        rows = [change(row) for row in rows]
        frame |= {"columns": list(rows[0]), "data": [list(row.values()) for row in rows]}
        tables[table]["_object"] = json.dumps(frame)
        tables[table]["dtype"] = {
            key: "float64" if key.startswith("const_") else tables[table]["dtype"][key]
            for key in rows[0]
        }
    (HERE / "old_format.json.gz").write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))
    return pandapower.from_json_string(json.dumps(content), convert=True)


def _untyped(row: dict[str, object]) -> dict[str, object]:
    return {key: cell for key, cell in row.items() if key != "tap_changer_type"}


def _one_share(row: dict[str, object]) -> dict[str, object]:
    kept = {key: cell for key, cell in row.items() if not key.startswith("const_")}
    return {**kept, "const_z_percent": 60.0 if row["bus"] == 6 else 0.0, "const_i_percent": 0.0}


def record(name: str, net: pandapower.pandapowerNet, *, write: bool = True) -> None:
    """Writes ``name.json.gz``, the net, and ``name.found.json``, its state."""
    for table in [key for key in net if key.startswith("res_") or key in ("profiles", "loadcases")]:
        del net[table]
    net.std_types = {}
    text = pandapower.to_json(net)
    if write:
        (HERE / f"{name}.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    pandapower.runpp(net, tolerance_mva=1e-9, calculate_voltage_angles=True, init="dc")
    loading = {
        f"{kind} {index}": percent
        for kind in ("line", "trafo")
        for index, percent in net[f"res_{kind}"]["loading_percent"].dropna().items()
    }
    for index, trafo in net.trafo3w.iterrows():
        for side in ("hv", "mv", "lv"):
            most = trafo[f"sn_{side}_mva"] / trafo[f"vn_{side}_kv"] / 3.0**0.5
            loading[f"trafo3w {index}, {side}"] = (
                100.0 * net.res_trafo3w.at[index, f"i_{side}_ka"] / most
            )
    found = {
        "made_by": {key: version(key) for key in ("pandapower", "simbench", "numpy")},
        "head_kw": 1e3 * net.res_ext_grid["p_mw"].sum(),
        "head_kvar": 1e3 * net.res_ext_grid["q_mvar"].sum(),
        "voltage_pu": {str(k): v for k, v in net.res_bus["vm_pu"].dropna().items()},
        "loading_percent": loading,
    }
    (HERE / f"{name}.found.json").write_text(json.dumps(found, indent=1) + "\n")


def main() -> None:
    """Records every network."""
    record("cigre_mv", pandapower.networks.create_cigre_network_mv())
    for code in ("1-MV-urban--1-sw", "1-LV-rural1--0-sw"):
        record(f"simbench_{code}", simbench.get_simbench_net(code))
    record("one_of_everything", one_of_everything())
    record("three_windings", three_windings())
    record("old_format", old_format(), write=False)


if __name__ == "__main__":
    main()
