"""Devices that speak Modbus TCP, for tests: pymodbus's own server before registers we lay out.

SunSpec's models are laid out from the published definitions with ``struct``, by nothing of ours.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from struct import pack, unpack

import sunspec2
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

MODELS = Path(sunspec2.__file__).parent / "models" / "json"
FORMATS = {
    "int16": ">h", "sunssf": ">h", "uint16": ">H", "enum16": ">H", "int32": ">i", "uint32": ">I",
    "acc32": ">I", "bitfield32": ">I", "uint64": ">Q", "float32": ">f",
}  # fmt: skip
# What a point that a device lacks reads as.
LACKING = {
    "int16": "8000", "sunssf": "8000", "uint16": "ffff", "enum16": "ffff", "int32": "80000000",
    "uint32": "ffffffff", "acc32": "00000000", "bitfield32": "ffffffff",
    "uint64": "ffffffffffffffff", "float32": "7fc00000",
}  # fmt: skip


def points_of(number: int) -> list[dict[str, object]]:
    """The points of a model, as SunSpec defines them, in their order."""
    return json.loads((MODELS / f"model_{number}.json").read_text())["group"]["points"]


def place_of(number: int, name: str) -> tuple[int, str]:
    """Where a point stands from its model's identifier on, and its type."""
    at = 0
    for point in points_of(number):
        if point["name"] == name:
            return at, str(point["type"])
        at += int(point["size"])
    raise KeyError(name)


def laid_out(number: int, values: Mapping[str, float]) -> list[int]:
    """A model's registers; values are raw, before scale factors."""
    points, data = points_of(number), b""
    length = sum(int(point["size"]) for point in points) - 2
    values = {"ID": number, "L": length, **values}
    for point in points:
        kind, size = str(point["type"]), int(point["size"])
        if point["name"] in values:
            data += pack(FORMATS[kind], values[str(point["name"])])
        else:
            data += bytes.fromhex(LACKING.get(kind, "00" * 2 * size))
    return list(unpack(f">{len(data) // 2}H", data))


class Device:
    """A device's registers; what is written is kept, and may be refused."""

    def __init__(self, registers: list[int], begin: int) -> None:
        """Registers from an address on."""
        self.registers, self.begin, self.writes = registers, begin, list[tuple[int, list[int]]]()
        self.refuses = False
        self.delay = 0.0

    async def act(self, _code, start, address, count, current, values):
        """Answer from our registers; keep what is written."""
        await asyncio.sleep(self.delay)
        if values is None:
            at = address - self.begin
            current[address - start : address - start + count] = self.registers[at : at + count]
            return None
        if self.refuses:
            return ExcCodes.DEVICE_FAILURE
        self.writes.append((address, list(values)))
        at = address - self.begin
        self.registers[at : at + len(values)] = values
        return None


@asynccontextmanager
async def served(device: Device, unit: int = 1) -> AsyncIterator[int]:
    """The device at a port of its own on loopback."""
    data = SimData(device.begin, values=list(device.registers), datatype=DataType.REGISTERS)
    simulated = SimDevice(id=unit, simdata=[data], action=device.act)
    server = ModbusTcpServer(simulated, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    try:
        yield server.transport.sockets[0].getsockname()[1]
    finally:
        await server.shutdown()


BEGIN = 40_000


def sunspec(*models: list[int]) -> Device:
    """A device that lists these models behind the common one."""
    common = laid_out(1, {"DA": 1})
    registers = [0x5375, 0x6E53, *common, *(word for model in models for word in model), 0xFFFF, 0]
    return Device(registers, BEGIN)


def sunspec_battery(watts: int = -5_000, soc: int = 4_000) -> Device:
    """60 kWh, 24 of them in it, charging with 5 kW, 30 kW in and 25 out."""
    return sunspec(
        laid_out(701, {"W": watts // 10, "W_SF": 1}),
        laid_out(702, {"WChaRteMax": 300, "WDisChaRteMax": 250, "W_SF": 2}),
        laid_out(704, {"WSet_SF": 1}),
        laid_out(713, {"WHRtg": 600, "WH_SF": 2, "SoC": soc, "Pct_SF": -2}),
    )


def at(device: Device, number: int, name: str) -> int:
    """Where a point of a model stands among the device's registers."""
    found = 2
    while device.registers[found] != number:
        found += 2 + device.registers[found + 1]
    return found + place_of(number, name)[0]


def long_at(device: Device, number: int, name: str) -> int:
    """What stands in a point of 32 bits with a sign."""
    place = at(device, number, name)
    value = device.registers[place] << 16 | device.registers[place + 1]
    return value - (value >> 31 << 32)
