"""A station battery and a site meter: asked, checked at the door, commanded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import isfinite

from hubwise.domain.devices import BatteryState, MeterReading
from hubwise.edge.modbus.link import DeviceError
from hubwise.edge.modbus.points import Points, Said

# How much more than it can hold a battery may say that it holds, as a share: gauges are rough.
SLACK = 0.05


@dataclass(frozen=True, slots=True)
class ModbusBattery:
    """A station battery over Modbus.

    Parameters
    ----------
    name
        As messages name it.
    points
        How it is asked.
    now
        The time, in UTC.
    capacity_kwh, charge_kw_max, discharge_kw_max
        What it can do, where it does not say so itself or must not do as much [kWh, kW].
    """

    name: str
    points: Points
    now: Callable[[], datetime]
    capacity_kwh: float | None = None
    charge_kw_max: float | None = None
    discharge_kw_max: float | None = None

    async def state(self) -> BatteryState:
        """What it says of itself.

        Raises
        ------
        DeviceError
            If it cannot be reached, leaves something out, or says what cannot be.
        """
        said = await self.points.read()
        own = {
            "capacity_kwh": self.capacity_kwh,
            "charge_kw_max": self.charge_kw_max,
            "discharge_kw_max": self.discharge_kw_max,
        }
        for key, most in own.items():
            if most is not None:
                said[key] = min(most, said.get(key, most))
        if "energy_kwh" not in said and {"soc", "capacity_kwh"} <= said.keys():
            said["energy_kwh"] = said["soc"] * said["capacity_kwh"]
        state = BatteryState(self.now(), **_only(self.name, said, *_OF_BATTERY))
        if not -SLACK <= state.energy_kwh / max(state.capacity_kwh, 1e-9) <= 1.0 + SLACK:
            raise DeviceError(
                f"{self.name}: says {state.energy_kwh:g} kWh of {state.capacity_kwh:g} kWh: "
                "look at units and scales of its registers"
            )
        return state

    async def follow(self, kw: float, seconds: int) -> float:
        """Charge with so much power, below zero discharge; what it was told [kW].

        Raises
        ------
        DeviceError
            If it cannot be reached, or refuses.
        """
        state = await self.state()
        within = min(max(kw, -state.discharge_kw_max), state.charge_kw_max)
        await self.points.command(within, seconds)
        return within


@dataclass(frozen=True, slots=True)
class ModbusMeter:
    """The meter at a connection.

    Parameters
    ----------
    name
        As messages name it.
    points
        How it is asked.
    now
        The time, in UTC.
    reverse
        Whether it was built in the other way round: what it calls import is export.
    """

    name: str
    points: Points
    now: Callable[[], datetime]
    reverse: bool = False

    async def reading(self) -> MeterReading:
        """Its registers.

        Raises
        ------
        DeviceError
            If it cannot be reached, or says what cannot be.
        """
        said = await self.points.read()
        power = _only(self.name, said, "power_kw")["power_kw"]
        imported, exported = (said.get(key) for key in ("imported_kwh", "exported_kwh"))
        if self.reverse:
            power, imported, exported = -power, exported, imported
        for kwh in (imported, exported):
            if kwh is not None and not (isfinite(kwh) and kwh >= 0.0):
                raise DeviceError(f"{self.name}: a register says {kwh} kWh")
        return MeterReading(self.now(), imported, exported, power)


_OF_BATTERY = ("energy_kwh", "capacity_kwh", "charge_kw_max", "discharge_kw_max", "power_kw")


def _only(name: str, said: Said, *keys: str) -> Said:
    """These quantities, all finite."""
    missing = [key for key in keys if not isfinite(said.get(key, float("nan")))]
    if missing:
        raise DeviceError(f"{name}: does not say {', '.join(missing)}: name it in site.toml")
    return {key: said[key] for key in keys}
