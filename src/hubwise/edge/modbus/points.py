"""What a device says of itself, as quantities by name, whichever way it is asked.

Names and units: ``energy_kwh``, ``soc`` (share), ``capacity_kwh``, ``charge_kw_max``,
``discharge_kw_max``, ``power_kw`` (into a battery; from the grid at a meter), ``imported_kwh``,
``exported_kwh``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sunspec2.device import Model

from hubwise.domain.devices import Register
from hubwise.edge.modbus.link import DeviceError, Link
from hubwise.edge.modbus.mapped import read_register, write_register
from hubwise.edge.modbus.sunspec import Found, find_models, point_of, read_model, write_points

Said = dict[str, float]

# Quantity, model, point, and what a unit of the point is in the quantity's. SunSpec counts what a
# source injects as positive; a battery's power here is what flows into it.
_OF_MODELS = (
    ("capacity_kwh", 713, "WHRtg", 1e-3),
    ("energy_kwh", 713, "WHAvail", 1e-3),
    ("soc", 713, "SoC", 1e-2),
    ("charge_kw_max", 702, "WChaRteMax", 1e-3),
    ("discharge_kw_max", 702, "WDisChaRteMax", 1e-3),
    ("power_kw", 701, "W", -1e-3),
)
_METERS = (201, 202, 203, 204, 211, 212, 213, 214)
_OF_METERS = (
    ("power_kw", "W", 1e-3),
    ("imported_kwh", "TotWhImp", 1e-3),
    ("exported_kwh", "TotWhExp", 1e-3),
)
# The control of active power, and its reversion: back to nothing after so many seconds.
_CONTROL, _ON, _IN_WATTS = 704, 1, 1


class Points(Protocol):
    """How a device is asked."""

    async def read(self) -> Said:
        """Every quantity that it knows, in its unit.

        Raises
        ------
        DeviceError
            If it cannot be reached, or says what cannot be read.
        """
        ...

    async def command(self, kw: float, seconds: int) -> None:
        """Charge with so much power, below zero discharge, for so long.

        Raises
        ------
        DeviceError
            If it cannot be reached, or refuses.
        """
        ...


def sunspec_points(link: Link) -> Points:
    """A device with SunSpec's models: 701, 702, 704, 713 of a battery, 201 to 214 of a meter."""
    return _SunSpec(link)


def mapped_points(
    link: Link, registers: Mapping[str, Register], setpoint: Register | None = None
) -> Points:
    """A device whose registers the operator has named; ``setpoint`` takes kW into the battery."""
    return _Mapped(link, dict(registers), setpoint)


@dataclass
class _SunSpec:
    link: Link
    _models: dict[int, Found] = field(default_factory=dict)

    async def read(self) -> Said:
        """Every quantity of the models that the device has."""
        models = await self._found()
        wanted = {number for _, number, _, _ in _OF_MODELS} | set(_METERS)
        read = {each: await self._read(models[each]) for each in sorted(wanted & models.keys())}
        return dict(_quantities(read))

    async def command(self, kw: float, seconds: int) -> None:
        """Set active power in watts, with its reversion to nothing."""
        models = await self._found()
        if _CONTROL not in models:
            raise DeviceError(f"{self.link}: has no model {_CONTROL}, so it takes no set-points")
        found = models[_CONTROL]
        model = await self._read(found)
        values = {"WSetMod": _IN_WATTS, "WSet": -1e3 * kw, "WSetRvrt": 0, "WSetEnaRvrt": _ON}
        await write_points(self.link, found, model, {**values, "WSetRvrtTms": seconds})
        # Switched on last: what it follows must stand there before.
        await write_points(self.link, found, model, {"WSetEna": _ON})

    async def _found(self) -> dict[int, Found]:
        if not self._models:
            self._models = await find_models(self.link)
        return self._models

    async def _read(self, found: Found) -> Model:
        try:
            return await read_model(self.link, found)
        except DeviceError:
            self._models = {}  # perhaps it was changed for another: looked for anew next time
            raise


def _quantities(models: Mapping[int, Model]) -> Iterator[tuple[str, float]]:
    for name, number, point, unit in _OF_MODELS:
        value = point_of(models[number], point) if number in models else None
        if value is not None:
            yield name, unit * value
    for number in _METERS:
        for name, point, unit in _OF_METERS if number in models else ():
            value = point_of(models[number], point)
            if value is not None:
                yield name, unit * value


@dataclass
class _Mapped:
    link: Link
    registers: dict[str, Register]
    setpoint: Register | None

    async def read(self) -> Said:
        """Every quantity that is named."""
        return {name: await read_register(self.link, r) for name, r in self.registers.items()}

    async def command(self, kw: float, seconds: int) -> None:  # noqa: ARG002 - it keeps none
        """Write the set-point; such a device keeps it until it is told another."""
        if self.setpoint is None:
            raise DeviceError(f"{self.link}: no register takes set-points")
        await write_register(self.link, self.setpoint, kw)
