"""Devices without SunSpec's models: which register holds what, as the operator says."""

from __future__ import annotations

from typing import Literal, cast

from pymodbus.client.mixin import ModbusClientMixin

from hubwise.domain.devices import Register
from hubwise.edge.modbus.link import DeviceError, Link

TYPES = {name.lower(): kind for name, kind in ModbusClientMixin.DATATYPE.__members__.items()}


async def read_register(link: Link, register: Register) -> float:
    """The quantity in its unit.

    Raises
    ------
    DeviceError
        If it cannot be read.
    """
    kind = TYPES[register.kind]
    found = await link.read(register.address, kind.value[1], inputs=register.inputs)
    value = ModbusClientMixin.convert_from_registers(found, kind, _words(register))
    return register.scale * float(cast("float", value))


async def write_register(link: Link, register: Register, value: float) -> None:
    """Write the quantity, as near as the register can hold it.

    Raises
    ------
    DeviceError
        If it does not fit, or the device refuses.
    """
    kind, raw = TYPES[register.kind], value / register.scale
    try:
        said = raw if register.kind.startswith("float") else round(raw)
        words = ModbusClientMixin.convert_to_registers(said, kind, _words(register))
    except Exception as error:
        raise DeviceError(f"{link}: {value} does not fit register {register.address}") from error
    await link.write(register.address, words)


def _words(register: Register) -> Literal["big", "little"]:
    return "little" if register.little else "big"
