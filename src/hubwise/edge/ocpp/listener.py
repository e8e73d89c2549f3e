"""What the OCPP server needs of whoever runs the site."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from hubwise.domain.events import Event, PriceList, TransactionSaid
from hubwise.domain.screen import Cost


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

    async def cost(self, station: str, transaction: str) -> Cost | None:
        """What a session comes to so far; none if nobody knows."""
        ...

    def posted(self) -> tuple[PriceList, str]:
        """The prices offered now, and their currency."""
        ...

    def knows(self, station: str, transaction: str) -> bool:
        """Whether a station (1.6) was given this number for a transaction."""
        ...


class Standing(StrEnum):
    """Whether a station may work, in OCPP's words."""

    ACCEPTED = "Accepted"
    PENDING = "Pending"
    REJECTED = "Rejected"


class Desk(Protocol):
    """What is registered of stations."""

    async def standing(self, station: str) -> Standing:
        """Whether a station may work: pending where something has to be set up first."""
        ...

    async def safe_kw(self, station: str) -> float:
        """The most that it may draw without a word from the site [kW]."""
        ...


class Gate(Protocol):
    """Who may connect."""

    async def admits(self, station: str, password: str) -> bool:
        """Whether a station is known by this password."""
        ...

    async def knows(self, station: str) -> bool:
        """Whether a station is known at all: its certificate has proven the rest."""
        ...


class Signer(Protocol):
    """Signs certificates of stations."""

    def sign(self, csr: str, station: str) -> str:
        """The chain (PEM) for a request; ValueError where the station may not make it."""
        ...
