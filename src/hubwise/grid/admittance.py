"""Branches as two-ports: what currents enter at their ends at given voltages, per unit.

Source: the branch model of MATPOWER's manual, section 3.2 (series impedance and charging behind an
ideal transformer at the from end), which power-grid-model's generic branch shares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array

from hubwise.domain import Feeder
from hubwise.domain.arrays import Index
from hubwise.grid.topology import bus_rows

Complex = NDArray[np.complex128]

BASE_KVA = 1000.0


@dataclass(frozen=True, slots=True)
class TwoPorts:
    """Admittances of every branch on a base of 1000 kVA and nominal voltages; shape (branches,).

    Parameters
    ----------
    near, far
        Rows of the buses at both ends.
    near_near, near_far, far_near, far_far
        Current into an end by the voltage at an end [p.u.].
    """

    near: Index
    far: Index
    near_near: Complex
    near_far: Complex
    far_near: Complex
    far_far: Complex


def two_ports(feeder: Feeder) -> TwoPorts:
    """The branches of a feeder."""
    near, far = bus_rows(feeder, feeder.from_bus), bus_rows(feeder, feeder.to_bus)
    base_ohm = feeder.bus_kv[far] ** 2 * 1e3 / BASE_KVA
    series = base_ohm / (feeder.r_ohm + 1j * feeder.x_ohm)
    across = base_ohm * (feeder.g_siemens + 1j * np.asarray(feeder.b_siemens))
    turn = feeder.ratio * np.exp(1j * np.radians(feeder.shift_degrees))
    full = np.asarray(series + across / 2.0, dtype=np.complex128)
    return TwoPorts(
        near=near,
        far=far,
        near_near=np.asarray(full / np.abs(turn) ** 2, dtype=np.complex128),
        near_far=np.asarray(-series / np.conj(turn), dtype=np.complex128),
        far_near=np.asarray(-series / turn, dtype=np.complex128),
        far_far=full,
    )


def bus_admittance(feeder: Feeder, ports: TwoPorts) -> csc_array:
    """Current into the network at every bus by the voltage at every bus [p.u.]."""
    buses = np.arange(len(feeder.bus))
    shunt = np.broadcast_to(
        (feeder.shunt_kw - 1j * np.asarray(feeder.shunt_kvar)) / BASE_KVA, buses.shape
    )
    value = [ports.near_near, ports.near_far, ports.far_near, ports.far_far, shunt]
    row = [ports.near, ports.near, ports.far, ports.far, buses]
    column = [ports.near, ports.far, ports.near, ports.far, buses]
    entries = np.concatenate(value), (np.concatenate(row), np.concatenate(column))
    return csc_array(coo_array(entries, shape=(len(buses), len(buses))))
