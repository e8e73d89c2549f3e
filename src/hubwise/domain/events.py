"""What happened at a running site: events as they are kept, one frozen record each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from hubwise.domain.lists import Followed, Ordered
from hubwise.domain.modes import Mode


class Phase(StrEnum):
    """Where in a transaction a message belongs."""

    STARTED = "started"
    UPDATED = "updated"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Sample:
    """One sampled value, as the station said it.

    Parameters
    ----------
    at
        The station's own time.
    measurand, unit, context, location, phase
        OCPP's words, defaults filled in; no phase is the total.
    value
        The number as text: a station may send what is no number.
    multiplier
        Power of ten on the value.
    signed
        A signed meter value, verbatim; never read as a number.
    """

    at: datetime
    measurand: str
    value: str
    unit: str
    multiplier: int = 0
    context: str = "Sample.Periodic"
    location: str = "Outlet"
    phase: str = ""
    signed: str = ""


@dataclass(frozen=True, slots=True)
class PriceList:
    """Prices of a day by slot, repeated daily on the site's clock [currency/kWh].

    Parameters
    ----------
    list_id
        Name of the list.
    slot_minutes
        Length of a slot.
    charge, discharge
        What a kWh charged costs, and a kWh discharged earns; one for each slot of a day.
    """

    list_id: str
    slot_minutes: int
    charge: tuple[Decimal, ...]
    discharge: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class BillLine:
    """One slot of a session: energies [kWh], prices [currency/kWh], amounts [currency]."""

    slot_start: datetime
    charged_kwh: Decimal
    charge_price: Decimal
    discharged_kwh: Decimal
    discharge_price: Decimal

    @property
    def paid(self) -> Decimal:
        """For what was charged, unrounded [currency]."""
        return self.charged_kwh * self.charge_price

    @property
    def earned(self) -> Decimal:
        """For what was discharged, unrounded [currency]."""
        return self.discharged_kwh * self.discharge_price


@dataclass(frozen=True, slots=True)
class Entry:
    """Double entry: an amount from one account to another [currency]."""

    debit: str
    credit: str
    amount: Decimal
    why: str


@dataclass(frozen=True, slots=True)
class Event:
    """What every event has: an id that makes it one and the same, whose, and when it came.

    Parameters
    ----------
    id
        The same for every repetition of the same message.
    station
        Station identifier; empty for the site itself.
    received_at
        The site's own time.
    """

    id: str
    station: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Connected(Event):
    """A station's authenticated connection."""

    protocol: str


@dataclass(frozen=True, slots=True)
class Booted(Event):
    """A station's BootNotification."""

    protocol: str
    vendor: str
    model: str
    firmware: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StatusSaid(Event):
    """The status of a connector."""

    at: datetime
    evse: int
    connector: int
    status: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class MeterSaid(Event):
    """Meter values that belong to no transaction; nobody is billed for them."""

    evse: int
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class TransactionSaid(Event):
    """One message of a transaction.

    Parameters
    ----------
    transaction
        The station's identifier; for 1.6 the number given out, as text.
    protocol
        The OCPP version spoken.
    phase
        Beginning, course or end.
    seq_no
        The message's number in the transaction; none in 1.6.
    at
        The station's own time.
    offline
        Whether it happened while the station was offline, as it says.
    evse, connector
        Where; 0 if not said.
    id_token
        Who; empty if not said.
    trigger, reason
        Why it was sent, and why the transaction ended.
    samples
        What was measured.
    """

    transaction: str
    protocol: str
    phase: Phase
    seq_no: int | None
    at: datetime
    offline: bool = False
    evse: int = 0
    connector: int = 0
    id_token: str = ""
    trigger: str = ""
    reason: str = ""
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True)
class NeedsSaid(Event):
    """A car's charging needs (2.x), the message verbatim as JSON."""

    evse: int
    needs: str


@dataclass(frozen=True, slots=True)
class Alarmed(Event):
    """What an operator has to know."""

    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class PricesPosted(Event):
    """A price list offered to whoever plugs in.

    Parameters
    ----------
    prices
        The list.
    followed
        How it was made of the market's prices, if it was.
    ordered
        Who posted it, and for when; without it, it is the site's own, from now on.
    """

    prices: PriceList
    followed: Followed | None = None
    ordered: Ordered | None = None


@dataclass(frozen=True, slots=True)
class PurchaseNoted(Event):
    """What energy costs in its market, as a source said; a later word on the same time holds.

    Parameters
    ----------
    source
        Where it is from, without secrets.
    begins
        From when on, in UTC.
    prices
        By quarter of an hour [currency/kWh].
    notes
        What was assumed, chosen and passed over when it was read.
    """

    source: str
    begins: datetime
    prices: tuple[Decimal, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BillPosted(Event):
    """A final bill and its entries; never changed [currency, kWh].

    Parameters
    ----------
    session
        Identifier of the session.
    transaction
        The station's identifier of the transaction.
    driver
        Whose account, such as ``driver:D1`` or ``token:TAG``.
    currency
        ISO 4217 code.
    price_list
        Which list was accepted at plug-in.
    charged_kwh, discharged_kwh
        Energies of all lines.
    paid, earned
        Each rounded once, half-even, to the currency's smallest unit.
    rounding
        What rounding added to the driver's net payment.
    lines
        By slot.
    entries
        Both sides of what moves.
    act
        The operator's act that gave the energies, by its id; empty where meter values did.
    heard
        On how many of the session's messages it rests, in the order in which they were kept.
    """

    session: str
    transaction: str
    driver: str
    currency: str
    price_list: str
    charged_kwh: Decimal
    discharged_kwh: Decimal
    paid: Decimal
    earned: Decimal
    rounding: Decimal
    lines: tuple[BillLine, ...] = field(default=())
    entries: tuple[Entry, ...] = field(default=())
    act: str = ""
    heard: int = 0

    @property
    def net(self) -> Decimal:
        """What the driver pays in the end [currency]."""
        return self.paid - self.earned


@dataclass(frozen=True, slots=True)
class BillCorrected(Event):
    """What stands in place of a final bill: that one taken back, and one anew.

    Parameters
    ----------
    session, transaction
        As of the bill.
    number
        1 for a session's first correction, 2 for its second.
    because
        Why.
    credit
        The entries of the bill that stood until now, turned round.
    bill
        What stands from now on; the first one is kept as it is.
    """

    session: str
    transaction: str
    number: int
    because: str
    credit: tuple[Entry, ...]
    bill: BillPosted


@dataclass(frozen=True, slots=True)
class TermsNoted(Event):
    """By what bills are made from now on: ISO 4217 code, and the clock that prices follow."""

    currency: str
    zone: str


@dataclass(frozen=True, slots=True)
class StationNoted(Event):
    """What is registered of a station when a bill rests on it; power in kW."""

    hub: str
    max_kw: Decimal


@dataclass(frozen=True, slots=True)
class TagNoted(Event):
    """Whose tag it is when a bill rests on it; nobody's where ``driver`` is empty."""

    id_token: str
    driver: str


@dataclass(frozen=True, slots=True)
class Figures:
    """What an operator says a session's energies are; they flowed evenly meanwhile [kWh]."""

    charged_kwh: Decimal
    discharged_kwh: Decimal
    began_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Acted(Event):
    """What an operator did.

    Parameters
    ----------
    who
        Their name.
    verb, what
        What they did, and to what, such as ``correct`` a session.
    why
        The reason that they gave.
    figures
        What they said, where they corrected a session.
    """

    who: str
    verb: str
    what: str
    why: str
    figures: Figures | None = None


@dataclass(frozen=True, slots=True)
class WishSaid(Event):
    """What a driver wants of a stay; the last one said holds.

    Parameters
    ----------
    session, transaction
        Which stay.
    by
        Whose wish it is, an account; an operator's name, where one said it for them.
    departure_at
        When the car leaves; nothing if it is not said.
    energy_kwh
        What the car held when it was plugged in; 0 counts the others from there [kWh].
    required_kwh
        What it has to hold at departure [kWh].
    reserve_kwh
        What it never falls below once it is there [kWh].
    mode
        How it is to be reached.
    """

    session: str
    transaction: str
    by: str
    departure_at: datetime | None
    energy_kwh: Decimal
    required_kwh: Decimal
    reserve_kwh: Decimal
    mode: Mode = Mode.AS_IT_PAYS


@dataclass(frozen=True, slots=True)
class LimitSaid(Event):
    """The most that a hub may draw for a while, as whoever runs the grid says.

    Parameters
    ----------
    limit
        Which limit; a later word on the same one holds, and one of an earlier end takes it back.
    hub
        Whose connection.
    most_kw
        What it may draw from the grid, all behind it together [kW].
    begins_at, until
        From when, and up to when.
    by
        Who said it.
    why
        In their words.
    """

    limit: str
    hub: str
    most_kw: Decimal
    begins_at: datetime
    until: datetime
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class PeakNoted(Event):
    """A quarter of an hour in which a hub drew more than in any other of its billing period so far.

    Parameters
    ----------
    hub
        Whose connection.
    period
        The month or the day, on the site's clock, such as ``2026-11`` or ``2026-11-28``.
    begins
        When the quarter of an hour began.
    kw
        Its mean draw from the grid [kW].
    """

    hub: str
    period: str
    begins: datetime
    kw: Decimal


KINDS: dict[str, type[Event]] = {
    "connected": Connected,
    "booted": Booted,
    "status": StatusSaid,
    "meter": MeterSaid,
    "transaction": TransactionSaid,
    "needs": NeedsSaid,
    "alarm": Alarmed,
    "prices": PricesPosted,
    "purchase": PurchaseNoted,
    "bill": BillPosted,
    "correction": BillCorrected,
    "terms": TermsNoted,
    "known": StationNoted,
    "tag": TagNoted,
    "act": Acted,
    "wish": WishSaid,
    "limit": LimitSaid,
    "peak": PeakNoted,
}
KIND_OF = {made: kind for kind, made in KINDS.items()}
