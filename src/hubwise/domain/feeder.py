"""The feeder: buses and branches below one substation transformer, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Feeder:
    """A distribution network and what it carries without hubs.

    Parameters
    ----------
    bus
        Bus numbers; shape (buses,).
    source_bus
        Number of the bus at the feeder head.
    nominal_kv
        Line-to-line voltage [kV].
    source_voltage_pu
        Voltage held at the feeder head [p.u.].
    from_bus, to_bus
        Ends of every closed branch, as bus numbers; shape (branches,).
    r_ohm, x_ohm
        Series resistance and reactance; shape (branches,) [ohm].
    ampacity_a
        Current limit; shape (branches,) [A].
    transformer_kva
        Rating of the substation transformer [kVA].
    transformer_limit
        Highest loading of the substation transformer, as a share of its rating.
    voltage_min_pu, voltage_max_pu
        Voltage band [p.u.].
    base_kw, base_kvar
        Load without hubs; shape (buses, slots) [kW, kvar].
    """

    bus: Index
    source_bus: int
    nominal_kv: float
    source_voltage_pu: float
    from_bus: Index
    to_bus: Index
    r_ohm: Array
    x_ohm: Array
    ampacity_a: Array
    transformer_kva: float
    transformer_limit: float
    voltage_min_pu: float
    voltage_max_pu: float
    base_kw: Array
    base_kvar: Array
