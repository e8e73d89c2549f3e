"""AC power flow by fixed-point iteration on bus currents: a second method, by other equations.

Source of the method: T.-H. Chen, M.-S. Chen, K.-J. Hwang, P. Kotas, E. A. Chebli, "Distribution
system power flow analysis - a rigid approach", IEEE Transactions on Power Delivery 6(3),
1146-1152, 1991 (implicit Z-bus Gauss). On a radial feeder of lines its rounds are backward and
forward sweeps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import splu

from hubwise.domain import Feeder
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.grid.admittance import BASE_KVA, TwoPorts, bus_admittance, two_ports
from hubwise.grid.state import FeederState, feeder_state
from hubwise.grid.topology import bus_load_kw, bus_rows, check_fed

Complex = NDArray[np.complex128]

ROUNDS = 1000
TOLERANCE_PU = 1e-12  # largest change of a voltage in the last round


def power_flow_gauss(feeder: Feeder, hub_bus: Index, hub_kw: Array) -> FeederState:
    """AC power flow of every slot, by Kirchhoff's laws and one factorised matrix.

    Near the most that a feeder can carry the rounds settle slowly; a slot that has not settled
    after 1000 of them counts as not converged, and so does one with a power that is not a number.

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
    ValueError
        If the feeder is not connected, a hub is at an unknown bus, or a shape does not fit.
    """
    check_fed(feeder)
    load_kva = bus_load_kw(feeder, hub_bus, hub_kw) + 1j * feeder.base_kvar
    load = np.asarray(load_kva / BASE_KVA, dtype=np.complex128)
    active, reactive = feeder.squared
    squared = np.asarray((active + 1j * reactive) / BASE_KVA, dtype=np.complex128)
    source = int(bus_rows(feeder, np.array([feeder.source_bus]))[0])
    ports = two_ports(feeder)
    admittance = bus_admittance(feeder, ports)
    with np.errstate(all="ignore"):  # where no solution exists the rounds run away
        voltage, converged = _rounds(admittance, source, feeder.source_voltage_pu, load, squared)
        drawn = load[source] + squared[source] * feeder.source_voltage_pu**2
        head = feeder.source_voltage_pu * np.conj((admittance @ voltage)[source]) + drawn
        return _state(feeder, ports, voltage, BASE_KVA * head, converged)


def _rounds(
    admittance: Any, source: int, source_pu: float, load: Complex, squared: Complex
) -> tuple[Complex, Flags]:
    """Voltages, of shape (buses, slots) [p.u.], and which slots have settled."""
    rest = np.arange(load.shape[0]) != source
    inner = splu(admittance[rest][:, rest].tocsc())
    unloaded = inner.solve(-source_pu * admittance[rest][:, [source]].toarray())
    inside = np.repeat(unloaded, load.shape[1], axis=1)
    settled = np.zeros(load.shape[1], dtype=np.bool_)
    for _ in range(ROUNDS):
        todo = np.flatnonzero(~settled)
        if not todo.size:
            break
        drawn = np.conj(load[rest][:, todo] / inside[:, todo])
        drawn += np.conj(squared[rest][:, todo]) * inside[:, todo]
        found = unloaded - inner.solve(drawn)
        settled[todo] = np.abs(found - inside[:, todo]).max(axis=0, initial=0.0) <= TOLERANCE_PU
        inside[:, todo] = found
    voltage = np.full(load.shape, source_pu, dtype=np.complex128)
    voltage[rest] = inside
    return voltage, settled & np.isfinite(load).all(axis=0)


def _state(
    feeder: Feeder, ports: TwoPorts, voltage: Complex, head_kva: Complex, converged: Flags
) -> FeederState:
    near, far = voltage[ports.near], voltage[ports.far]
    into_near = ports.near_near[:, None] * near + ports.near_far[:, None] * far
    into_far = ports.far_near[:, None] * near + ports.far_far[:, None] * far
    lost = BASE_KVA * (near * np.conj(into_near) + far * np.conj(into_far)).real
    base_a = (BASE_KVA / np.sqrt(3.0) / feeder.bus_kv)[:, None]
    return feeder_state(
        feeder,
        head_kw=head_kva.real,
        head_kvar=head_kva.imag,
        losses_kw=lost.sum(axis=0),
        voltage_pu=np.abs(voltage),
        from_a=np.abs(into_near) * base_a[ports.near],
        to_a=np.abs(into_far) * base_a[ports.far],
        converged=converged,
    )
