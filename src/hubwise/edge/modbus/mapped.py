"""Devices without SunSpec's models: which register holds what, as the operator says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from pymodbus.client.mixin import ModbusClientMixin

from hubwise.edge.modbus.link import DeviceError, Link

Kind = Literal["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
TYPES = {name.lower(): kind for name, kind in ModbusClientMixin.DATATYPE.__members__.items()}
KINDS: tuple[Kind, ...] = (
    "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Register:
    """Where one quantity stands.

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
    kind: Kind = "int16"
    scale: float = 1.0
    inputs: bool = False
    little: bool = False

    @property
    def _words(self) -> Literal["big", "little"]:
        return "little" if self.little else "big"

    async def read(self, link: Link) -> float:
        """The quantity in its unit.

        Raises
        ------
        DeviceError
            If it cannot be read.
        """
        kind = TYPES[self.kind]
        found = await link.read(self.address, kind.value[1], inputs=self.inputs)
        value = ModbusClientMixin.convert_from_registers(found, kind, self._words)
        return self.scale * float(cast("float", value))

    async def write(self, link: Link, value: float) -> None:
        """Write the quantity, as near as the register can hold it.

        Raises
        ------
        DeviceError
            If it does not fit, or the device refuses.
        """
        kind, raw = TYPES[self.kind], value / self.scale
        try:
            said = raw if self.kind.startswith("float") else round(raw)
            words = ModbusClientMixin.convert_to_registers(said, kind, self._words)
        except Exception as error:
            raise DeviceError(f"{link}: {value} does not fit register {self.address}") from error
        await link.write(self.address, words)
