"""What the OCPP server asks of the registry: who may work, and how much is safe."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from hubwise.domain.events import NeedsSaid
from hubwise.edge.ocpp import OcppServer, Standing
from hubwise.live import Settings
from hubwise.live.control import shares
from hubwise.live.fold import Books
from hubwise.store import Registry, WaitingLog

# How long the stations of a hub are remembered [s].
FRESH_SECONDS = 10.0
PAGE = 1_000


@dataclass(slots=True)
class StationDesk:
    """The registry and the settings, as the OCPP server sees them."""

    registry: Registry
    settings: Settings
    _safe_kw: dict[str, float] = field(default_factory=dict)
    _at: float = float("-inf")
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def standing(self, station: str) -> Standing:
        """Pending at a hub that the site does not have; rejected if it is not registered."""
        found = await asyncio.to_thread(self.registry.find, station)
        if found is None:
            return Standing.REJECTED
        known = found.hub in self.settings.connection_kw
        return Standing.ACCEPTED if known else Standing.PENDING

    async def safe_kw(self, station: str) -> float:
        """Its share where all stations of its hub draw at once [kW]."""
        async with self._turn:
            if station not in self._safe_kw or time.monotonic() - self._at > FRESH_SECONDS:
                try:
                    self._safe_kw = await asyncio.to_thread(self._shared)
                except SQLAlchemyError:
                    if station not in self._safe_kw:  # else what was safe before still is
                        raise
                self._at = time.monotonic()
        return self._safe_kw.get(station, 0.0)

    def _shared(self) -> dict[str, float]:
        at_hub: dict[str, dict[str, float]] = {}
        for each in self.registry.all_stations():
            at_hub.setdefault(each.hub, {})[each.station] = each.max_kw
        found: dict[str, float] = {}
        for hub, most_kw in at_hub.items():
            found |= shares(most_kw, self.settings.connection_kw.get(hub, 0.0), turn=0)
        return found


async def recall_needs(log: WaitingLog, books: Books, server: OcppServer) -> None:
    """Tell the server what cars that are still there asked for before the site was started."""
    position = 0
    while page := await log.of_kind("needs", position, PAGE):
        for _, said in page:
            assert isinstance(said, NeedsSaid)
            for session in books.running.get(said.station, {}).values():
                here = session.evse == said.evse and said.received_at >= session.opened_at
                if here and session.started is not None:
                    server.recall(said, session.transaction)
        position = page[-1][0]
