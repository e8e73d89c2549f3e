"""The OCPP server in the test's own loop, with real sockets and a listener that remembers."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from websockets.asyncio.client import connect

from hubwise.domain.events import Alarmed, PriceList
from hubwise.domain.screen import Cost
from hubwise.edge.ocpp import OcppServer, Standing
from live_site import PASSWORD, Station, basic

BOOT = {"chargingStation": {"vendorName": "V", "model": "M"}, "reason": "PowerUp"}
OLD_BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}


def list_of(name: str, price: str, afternoon: str) -> PriceList:
    """A list of one price by quarters of a day, but in the afternoon."""
    charge = tuple(map(Decimal, (price, price, afternoon, price)))
    return PriceList(name, 360, charge, (Decimal("0.2"),) * 4)


@dataclass
class Listener:
    """Keeps what it hears; its clock may run faster."""

    speed: float = 1.0
    heard: list[Any] = field(default_factory=list)
    costs: Cost | None = None
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    prices: PriceList = field(default_factory=lambda: list_of("list-1", "0.25", "0.5"))

    def now(self) -> datetime:
        return self.began + (datetime.now(UTC) - self.began) * self.speed

    async def hear(self, event) -> bool:
        self.heard.append(event)
        return True

    async def begin(self, said) -> str:
        self.heard.append(said)
        return "7"

    async def accepts(self, _) -> bool:
        return True

    def knows(self, _, transaction) -> bool:
        return transaction == "7"

    async def cost(self, _, __):
        return self.costs

    def posted(self):
        return self.prices, "EUR"

    def alarms(self) -> list[str]:
        return [each.what for each in self.heard if isinstance(each, Alarmed)]


@dataclass
class Desk:
    """Who may work, by station; everybody else may."""

    standings: dict[str, Standing] = field(default_factory=dict)
    kw: float = 1.4

    async def standing(self, station) -> Standing:
        return self.standings.get(station, Standing.ACCEPTED)

    async def safe_kw(self, _) -> float:
        return self.kw


@dataclass
class Running:
    """A server that listens."""

    server: OcppServer
    listener: Listener
    desk: Desk
    url: str
    password: str = PASSWORD

    @asynccontextmanager
    async def station(self, name: str, protocol: str = "ocpp2.1", **more: Any):
        headers = {"Authorization": basic(name, self.password)}
        async with connect(
            f"{self.url}/{name}",
            subprotocols=[protocol],
            additional_headers=headers,
            compression=None,
            **more,
        ) as socket:
            station = Station(socket)
            try:
                yield station
            finally:
                station.end()


class Gate:
    """One password for all; who is called ``nobody`` is not known."""

    async def admits(self, _, password) -> bool:
        return password == PASSWORD

    async def knows(self, station) -> bool:
        return station != "nobody"


@asynccontextmanager
async def running(speed: float = 1.0, desk: Desk | None = None, signer=None, tls=None):
    listener, desk = Listener(speed), desk or Desk()
    server = OcppServer(listener, Gate(), desk, signer, speed)
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    await server.start(listening, tls)
    listening.close()
    secure = "wss" if tls else "ws"
    try:
        yield Running(server, listener, desk, f"{secure}://localhost:{port}/ocpp")
    finally:
        await server.stop()
