"""Ports of a running site: one or two verbs each, units in the comment."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from hubwise.domain.devices import BatteryState, MeterReading
from hubwise.domain.events import Event


class Clock(Protocol):
    """The only source of time; a simulated one may run at a speed other than 1."""

    @property
    def speed(self) -> float:
        """Its seconds in a second."""
        ...

    def now(self) -> datetime:
        """The time, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait [s]."""
        ...


class Followed(StrEnum):
    """What became of a set-point."""

    FOLLOWED = "followed"
    CLIPPED = "clipped"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class SetPoint:
    """A station's power at an EVSE, from now on.

    Parameters
    ----------
    station, evse, transaction
        Where, and for which car; of no transaction, for every one.
    most_kw
        The most that may be drawn; below 0, what is to be given back [kW].
    later
        What follows, if that is known: seconds from now and power [kW], as above.
    """

    station: str
    evse: int
    transaction: str
    most_kw: float
    later: tuple[tuple[int, float], ...] = ()


class Chargers(Protocol):
    """The chargers: commands are idempotent, events come in through `Site.hear`."""

    async def follow(self, setpoint: SetPoint) -> Followed:
        """Send a set-point and say what became of it.

        Clipped is what station or car cannot give back: it draws nothing instead.
        """
        ...

    def gives_back(self, station: str, evse: int, transaction: str) -> bool:
        """Whether station and car are known to give energy back to set-points."""
        ...

    def is_connected(self, station: str) -> bool:
        """Whether a station can be reached now."""
        ...


class Meter(Protocol):
    """The meter at a hub's connection."""

    async def reading(self) -> MeterReading:
        """What it says now; an OSError where it cannot be asked, or says what cannot be."""
        ...


class StationBattery(Protocol):
    """A hub's own battery."""

    async def state(self) -> BatteryState:
        """What it says of itself; an OSError where it cannot be asked, or says what cannot be."""
        ...

    async def follow(self, kw: float, seconds: int) -> float:
        """Charge with so much, below 0 discharge, and rest after so many seconds; what it was told.

        In kW; an OSError where it cannot be told, or refuses.
        """
        ...


@dataclass(frozen=True, slots=True)
class Quoted:
    """Prices of a market, as a source gave them.

    Parameters
    ----------
    begins
        From when on, in UTC.
    prices
        By quarter of an hour [currency/kWh].
    notes
        What was assumed, chosen and passed over when it was read.
    """

    begins: datetime
    prices: tuple[Decimal, ...]
    notes: tuple[str, ...] = ()


class PriceSource(Protocol):
    """Where a market's prices come from."""

    async def quoted(self, day: date, today: date) -> Quoted | None:
        """What it says of a day of the site's clock, or of any from today on; nothing if not new.

        Raises
        ------
        OSError
            Where it cannot be asked.
        ValueError
            Where what it says is wrong.
        """
        ...


class Log(Protocol):
    """Events, kept durably."""

    async def append(self, event: Event, *more: Event) -> bool:
        """Keep an event, and with it what belongs to it, all or none; true if it is new.

        Returns when all is durable, raises if it is not.
        """
        ...

    async def check(self) -> None:
        """Ask it for something; raises where it is gone."""
        ...

    async def of_transaction(self, station: str, transaction: str) -> Sequence[Event]:
        """Every message of a station's transaction, as they came."""
        ...

    def after(self, position: int) -> Iterator[tuple[int, Event]]:
        """Events behind a position, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """What is registered of a station: its hub, and the most that it draws or gives [kW]."""

    station: str
    hub: str
    max_kw: float


class People(Protocol):
    """Who is known."""

    async def driver_of(self, id_token: str) -> str | None:
        """Whose tag it is."""
        ...

    async def station(self, station: str) -> Known:
        """What is registered of a station."""
        ...

    async def stations(self, names: Collection[str]) -> Sequence[Known]:
        """What is registered of several, in one question."""
        ...
