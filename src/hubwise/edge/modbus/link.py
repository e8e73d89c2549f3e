"""A connection to one device: registers read and written, connected again when it was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

# What one message may carry (Modbus application protocol 1.1b3, §6.3 and §6.12).
MOST_READ, MOST_WRITTEN = 125, 123


class DeviceError(OSError):
    """A device that cannot be reached, or that answers what it must not."""


@dataclass
class Link:
    """One device; calls wait for each other, as many devices answer one at a time.

    Parameters
    ----------
    host, port, unit
        Where it is.
    timeout
        How long an answer may take [s].
    """

    host: str
    port: int = 502
    unit: int = 1
    timeout: float = 3.0
    _client: AsyncModbusTcpClient | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}, unit {self.unit}"

    async def read(self, address: int, count: int, *, inputs: bool = False) -> list[int]:
        """So many registers from an address on: holding registers, or inputs.

        Raises
        ------
        DeviceError
            If it cannot be reached, refuses, or answers with fewer.
        """
        found: list[int] = []
        while len(found) < count:
            some = min(count - len(found), MOST_READ)
            found += await self._read(address + len(found), some, inputs)
        return found

    async def write(self, address: int, values: Sequence[int]) -> None:
        """Write holding registers, in one message."""
        if len(values) > MOST_WRITTEN:
            raise DeviceError(f"{self}: {len(values)} registers are too many for one message")
        async with self._turn:
            client = await self._connected()
            try:
                said = await client.write_registers(address, list(values), device_id=self.unit)
            except ModbusException as error:
                raise self._lost(error) from error
        if said.isError():
            raise DeviceError(f"{self}: refuses {address} to be written: {said}")

    async def _read(self, address: int, count: int, inputs: bool) -> list[int]:
        async with self._turn:
            client = await self._connected()
            ask = client.read_input_registers if inputs else client.read_holding_registers
            try:
                said = await ask(address, count=count, device_id=self.unit)
            except ModbusException as error:
                raise self._lost(error) from error
        if said.isError() or len(said.registers) != count:
            raise DeviceError(f"{self}: does not give {count} registers from {address} on: {said}")
        return list(said.registers)

    async def _connected(self) -> AsyncModbusTcpClient:
        if self._client is None:
            self._client = AsyncModbusTcpClient(
                self.host, port=self.port, timeout=self.timeout, retries=0, reconnect_delay=0
            )
        if not self._client.connected and not await self._client.connect():
            raise self._lost("nothing answers there")
        return self._client

    def _lost(self, why: object) -> DeviceError:
        """The next call connects anew: a late answer must not be taken for its own."""
        self.close()
        return DeviceError(f"{self}: {why}")

    def close(self) -> None:
        """Let go of the device."""
        if self._client is not None:
            self._client.close()
        self._client = None
