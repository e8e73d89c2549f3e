"""AC power flow by pandapower, where it is installed: an independent library's word.

Source of the method: L. Thurner et al., "pandapower - an open-source Python tool for convenient
modeling, analysis, and optimization of electric power systems", IEEE Transactions on Power
Systems 33(6), 6510-6521, 2018.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubwise.domain import Feeder
from hubwise.grid.state import FeederState, feeder_state
from hubwise.grid.topology import bus_load_kw, bus_rows

Array = NDArray[np.float64]
Index = NDArray[np.int64]


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
    current = np.full((branches, slots), np.nan)
    converged = np.zeros(slots, dtype=np.bool_)
    for slot in range(slots):
        net.load["p_mw"] = load_kw[:, slot] / 1e3
        net.load["q_mvar"] = feeder.base_kvar[:, slot] / 1e3
        try:
            pandapower.runpp(net, tolerance_mva=1e-9, numba=False)
        except pandapower.LoadflowNotConverged:
            continue
        converged[slot] = True
        head[:, slot] = net.res_ext_grid[["p_mw", "q_mvar"]].to_numpy()[0]
        voltage[:, slot] = net.res_bus["vm_pu"].to_numpy()
        current[:, slot] = net.res_line["i_ka"].to_numpy()
    return feeder_state(
        feeder,
        head_kw=head[0] * 1e3,
        head_kvar=head[1] * 1e3,
        voltage_pu=voltage,
        current_a=current * 1e3,
        converged=converged,
    )


def _net(pandapower: Any, feeder: Feeder) -> Any:
    """The feeder as a pandapower net: buses, lines without charging, a load at every bus."""
    net = pandapower.create_empty_network()
    buses = pandapower.create_buses(net, len(feeder.bus), vn_kv=feeder.nominal_kv)
    source = buses[bus_rows(feeder, np.array([feeder.source_bus]))[0]]
    pandapower.create_ext_grid(net, source, vm_pu=feeder.source_voltage_pu)
    pandapower.create_lines_from_parameters(
        net,
        buses[bus_rows(feeder, feeder.from_bus)],
        buses[bus_rows(feeder, feeder.to_bus)],
        length_km=1.0,
        r_ohm_per_km=feeder.r_ohm,
        x_ohm_per_km=feeder.x_ohm,
        c_nf_per_km=0.0,
        max_i_ka=1.0,
    )
    pandapower.create_loads(net, buses, p_mw=0.0, q_mvar=0.0)
    return net
