"""AC power flow by pandapower, where it is installed: an independent library's word.

Source of the method: L. Thurner et al., "pandapower - an open-source Python tool for convenient
modeling, analysis, and optimization of electric power systems", IEEE Transactions on Power
Systems 33(6), 6510-6521, 2018.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hubwise.domain import Feeder
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.grid.state import FeederState, feeder_state
from hubwise.grid.topology import bus_load_kw, bus_rows


def power_flow_pandapower(feeder: Feeder, hub_bus: Index, hub_kw: Array) -> FeederState:
    """AC power flow of every slot by pandapower; some hundred times slower than `power_flow`.

    Parameters
    ----------
    feeder
        Network, limits and base load; radial or meshed.
    hub_bus
        Bus number of every hub; shape (hubs,).
    hub_kw
        Net draw of every hub at unity power factor, import positive; shape (hubs, slots) [kW].

    Raises
    ------
    ImportError
        If pandapower is not installed.
    ValueError
        If a hub is at an unknown bus, or a shape does not fit.
    """
    import pandapower

    load_kw = bus_load_kw(feeder, hub_bus, hub_kw)
    net = _net(pandapower, feeder)
    buses, branches, slots = len(feeder.bus), len(feeder.from_bus), load_kw.shape[1]
    head, voltage = np.full((2, slots), np.nan), np.full((buses, slots), np.nan)
    near_a, far_a, lost = (np.full((branches, slots), np.nan) for _ in range(3))
    line, (squared_kw, squared_kvar) = _is_line(feeder), feeder.squared
    converged = np.zeros(slots, dtype=np.bool_)
    for slot in range(slots):
        net.load["p_mw"] = load_kw[:, slot] / 1e3
        net.load["q_mvar"] = feeder.base_kvar[:, slot] / 1e3
        net.shunt["p_mw"] = (feeder.shunt_kw + squared_kw[:, slot]) / 1e3
        net.shunt["q_mvar"] = (feeder.shunt_kvar + squared_kvar[:, slot]) / 1e3
        try:
            pandapower.runpp(
                net,
                tolerance_mva=1e-9,
                numba=False,
                trafo_model="pi",
                calculate_voltage_angles=True,
                init="dc",
            )
        except pandapower.LoadflowNotConverged:
            continue
        converged[slot] = True
        head[:, slot] = net.res_ext_grid[["p_mw", "q_mvar"]].to_numpy()[0]
        voltage[:, slot] = net.res_bus["vm_pu"].to_numpy()
        for found, kind in ((net.res_line, line), (net.res_trafo, ~line)):
            near, far = ("from", "to") if kind is line else ("hv", "lv")
            near_a[kind, slot] = found[f"i_{near}_ka"].to_numpy() * 1e3
            far_a[kind, slot] = found[f"i_{far}_ka"].to_numpy() * 1e3
            lost[kind, slot] = found["pl_mw"].to_numpy() * 1e3
    return feeder_state(
        feeder,
        head_kw=head[0] * 1e3,
        head_kvar=head[1] * 1e3,
        losses_kw=lost.sum(axis=0),
        voltage_pu=voltage,
        from_a=near_a,
        to_a=far_a,
        converged=converged,
    )


def _is_line(feeder: Feeder) -> Flags:
    """Which branches join buses of one level without a ratio or shift; shape (branches,)."""
    near, far = bus_rows(feeder, feeder.from_bus), bus_rows(feeder, feeder.to_bus)
    straight = (np.asarray(feeder.ratio) == 1.0) & (np.asarray(feeder.shift_degrees) == 0.0)
    flags: Flags = (feeder.bus_kv[near] == feeder.bus_kv[far]) & straight
    return flags


def _net(pandapower: Any, feeder: Feeder) -> Any:
    """The feeder as a pandapower net: lines and transformers, a load and a shunt at every bus."""
    net = pandapower.create_empty_network()
    kv = feeder.bus_kv
    buses = pandapower.create_buses(net, len(feeder.bus), vn_kv=kv)
    source = buses[bus_rows(feeder, np.array([feeder.source_bus]))[0]]
    pandapower.create_ext_grid(net, source, vm_pu=feeder.source_voltage_pu)
    near, far = bus_rows(feeder, feeder.from_bus), bus_rows(feeder, feeder.to_bus)
    line, branches = _is_line(feeder), len(near)
    g, b, ratio, shift = (
        np.broadcast_to(values, branches)
        for values in (feeder.g_siemens, feeder.b_siemens, feeder.ratio, feeder.shift_degrees)
    )
    pandapower.create_lines_from_parameters(
        net,
        buses[near[line]],
        buses[far[line]],
        length_km=1.0,
        r_ohm_per_km=feeder.r_ohm[line],
        x_ohm_per_km=feeder.x_ohm[line],
        c_nf_per_km=b[line] / (2.0 * np.pi * net.f_hz) * 1e9,
        g_us_per_km=g[line] * 1e6,
        max_i_ka=1.0,
    )
    for k in np.flatnonzero(~line):
        _add_transformer(
            pandapower, net, feeder, k, (near[k], far[k]), (g[k], b[k], ratio[k], shift[k])
        )
    pandapower.create_loads(net, buses, p_mw=0.0, q_mvar=0.0)
    for bus in buses:
        pandapower.create_shunt(net, bus, p_mw=0.0, q_mvar=0.0)
    return net


def _add_transformer(
    pandapower: Any,
    net: Any,
    feeder: Feeder,
    k: Any,
    ends: tuple[Any, Any],
    across: tuple[float, float, float, float],
) -> None:
    """Branch ``k`` as a transformer of 1 MVA in pandapower's π model."""
    g, b, ratio, shift = across
    if b > 0.0:
        raise ValueError(f"{feeder.branch_names[k]}: pandapower has no transformer with charging")
    kv = feeder.bus_kv
    ohm = kv[ends[1]] ** 2
    pandapower.create_transformer_from_parameters(
        net,
        ends[0],
        ends[1],
        sn_mva=1.0,
        vn_hv_kv=kv[ends[0]] * ratio,
        vn_lv_kv=kv[ends[1]],
        vkr_percent=100.0 * feeder.r_ohm[k] / ohm,
        vk_percent=100.0 * float(np.hypot(feeder.r_ohm[k], feeder.x_ohm[k])) / ohm,
        pfe_kw=g * ohm * 1e3,
        i0_percent=100.0 * float(np.hypot(g, b)) * ohm,
        shift_degree=shift,
    )
