"""A site's own devices: where they are, and what batteries and meters say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

RegisterKind = Literal[
    "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"
]


@dataclass(frozen=True, slots=True)
class BatteryState:
    """A station battery, as it says it is.

    Parameters
    ----------
    at
        When it was asked, in UTC.
    energy_kwh, capacity_kwh
        What is in it, and what there can be [kWh].
    charge_kw_max, discharge_kw_max
        The most that it takes and gives [kW].
    power_kw
        What flows into it; below zero, out of it [kW].
    """

    at: datetime
    energy_kwh: float
    capacity_kwh: float
    charge_kw_max: float
    discharge_kw_max: float
    power_kw: float


@dataclass(frozen=True, slots=True)
class MeterReading:
    """The registers of a meter.

    Parameters
    ----------
    at
        When it was asked, in UTC.
    imported_kwh, exported_kwh
        What came from the grid and went to it, ever; ``None`` where it does not count [kWh].
    power_kw
        What comes from the grid now; below zero, what goes to it [kW].
    """

    at: datetime
    imported_kwh: float | None
    exported_kwh: float | None
    power_kw: float


@dataclass(frozen=True, slots=True)
class Register:
    """Where one quantity stands on a Modbus device.

    Parameters
    ----------
    address
        Of its first register, from 0.
    kind
        How its bits are read.
    scale
        What a one in it is worth, in the quantity's unit; below zero where its sign is the other.
    inputs
        Whether it is among the input registers; else among the holding registers.
    little
        Whether the low word comes first.
    """

    address: int
    kind: RegisterKind = "int16"
    scale: float = 1.0
    inputs: bool = False
    little: bool = False


@dataclass(frozen=True, slots=True)
class DevicePlace:
    """Where a Modbus device is.

    Parameters
    ----------
    host, port, unit
        Its address.
    reverse
        Whether a meter was built in the other way round.
    registers
        Where its quantities stand; none where it has SunSpec's models.
    """

    host: str
    port: int = 502
    unit: int = 1
    reverse: bool = False
    registers: Mapping[str, Register] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BatteryPlace:
    """A hub's station battery: where it is, and what it can do where it does not say so itself.

    Parameters
    ----------
    at
        Where it is; ``None`` for a simulated one.
    setpoint
        The register that takes set-points in kW into the battery; none where it has SunSpec's
        models.
    capacity_kwh, power_kw
        What it holds, and the most that it takes and gives; ``None`` for what it says itself
        [kWh, kW].
    efficiency
        Share that comes through, one way.
    wear
        What a kWh drawn from it costs its owner [currency/kWh].
    """

    at: DevicePlace | None
    setpoint: Register | None
    capacity_kwh: float | None
    power_kw: float | None
    efficiency: float
    wear: float
