"""AC power flow by backward and forward sweeps: a second method, other equations, radial only.

Source of the method: D. Shirmohammadi, H. W. Hong, A. Semlyen, G. X. Luo, "A compensation-based
power flow method for weakly meshed distribution and transmission networks", IEEE Transactions on
Power Systems 3(2), 753-762, 1988; here its radial part only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hubwise.domain import Feeder
from hubwise.grid.state import FeederState, feeder_state
from hubwise.grid.topology import Tree, bus_load_kw, bus_rows, radial_tree

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Index = NDArray[np.int64]

SWEEPS = 1000
TOLERANCE_PU = 1e-12  # largest change of a voltage in the last sweep


def power_flow_sweep(feeder: Feeder, hub_bus: Index, hub_kw: Array) -> FeederState:
    """AC power flow of every slot of a radial feeder, by Kirchhoff's laws alone.

    Near the most that a feeder can carry the sweeps settle slowly; a slot that has not settled
    after 1000 of them counts as not converged, and so does one with a power that is not a number.

    Parameters
    ----------
    feeder
        Network, limits and base load; radial.
    hub_bus
        Bus number of every hub; shape (hubs,).
    hub_kw
        Net draw of every hub at unity power factor, import positive; shape (hubs, slots) [kW].

    Raises
    ------
    ValueError
        If the feeder is meshed or not connected, a hub is at an unknown bus, or a shape does not
        fit.
    """
    branches = radial_tree(feeder)
    # In kV, A, kΩ and kVA no factor of a thousand is left. Voltages are line to line and currents
    # √3 times the phase current, so that power is their product.
    load_kva: Complex = bus_load_kw(feeder, hub_bus, hub_kw) + 1j * feeder.base_kvar
    impedance_kohm: Complex = feeder.r_ohm / 1e3 + 1j * (feeder.x_ohm / 1e3)
    source_kv = feeder.source_voltage_pu * feeder.nominal_kv
    with np.errstate(all="ignore"):  # where no solution exists the sweeps run away
        voltage, drawn, converged = _sweeps(branches, impedance_kohm, load_kva, source_kv)
        head_kva = source_kv * np.conj(drawn[bus_rows(feeder, np.array([feeder.source_bus]))[0]])
        current = np.empty((len(feeder.from_bus), load_kva.shape[1]))
        current[branches.branch] = np.abs(drawn[branches.far]) / np.sqrt(3.0)
    return feeder_state(
        feeder,
        head_kw=head_kva.real,
        head_kvar=head_kva.imag,
        voltage_pu=np.abs(voltage) / feeder.nominal_kv,
        current_a=current,
        converged=converged,
    )


def _sweeps(
    branches: Tree, impedance_kohm: Complex, load_kva: Complex, source_kv: float
) -> tuple[Complex, Complex, NDArray[np.bool_]]:
    """Voltages [kV], currents drawn at and beyond every bus [A], and which slots have settled.

    Voltages and currents have shape (buses, slots).
    """
    voltage = np.full(load_kva.shape, source_kv, dtype=np.complex128)
    for _ in range(SWEEPS):
        drawn, previous = np.conj(load_kva / voltage), voltage
        for near, far in zip(branches.near[::-1], branches.far[::-1], strict=True):
            drawn[near] += drawn[far]
        voltage = np.full(load_kva.shape, source_kv, dtype=np.complex128)
        for branch, near, far in zip(branches.branch, branches.near, branches.far, strict=True):
            voltage[far] = voltage[near] - impedance_kohm[branch] * drawn[far]
        settled = np.abs(voltage - previous).max(axis=0) <= TOLERANCE_PU * source_kv
        if settled.all():
            break
    return voltage, drawn, settled
