"""What the OCPP server needs of whoever runs the site."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from hubwise.domain.events import Event, TransactionSaid


class Listener(Protocol):
    """Hears common events; every method that returns has made durable what it was told."""

    def now(self) -> datetime:
        """The site's time, in UTC."""
        ...

    async def hear(self, event: Event) -> bool:
        """Keep an event; true if it is new."""
        ...

    async def begin(self, said: TransactionSaid) -> str:
        """The number of a 1.6 transaction that begins, the same for every repetition."""
        ...

    async def accepts(self, id_token: str) -> bool:
        """Whether a tag may charge."""
        ...

    def knows(self, station: str, transaction: str) -> bool:
        """Whether a station (1.6) was given this number for a transaction."""
        ...
