"""What was posted of a stay, one document each: its bill, and of each correction two more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from hubwise.domain.events import BillCorrected, BillLine, BillPosted, Entry


class Kind(StrEnum):
    """What a document is."""

    BILL = "bill"
    CREDIT = "credit"
    """Takes the bill before it back: its amounts and energies with the other sign."""
    CORRECTED = "corrected bill"


@dataclass(frozen=True, slots=True)
class Billed:
    """A stay that is billed.

    Parameters
    ----------
    started_at, ended_at
        As the station said.
    evse, connector
        Where; 0 if not said.
    id_token
        Who, as the station said.
    hub
        Of the station, as registered when it was billed.
    bill, corrections
        As posted.
    """

    started_at: datetime
    ended_at: datetime
    evse: int
    connector: int
    id_token: str
    hub: str
    bill: BillPosted
    corrections: tuple[BillCorrected, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A bill, what takes one back, or one anew.

    Parameters
    ----------
    number
        Of the site, for ever: the session, and of a correction which.
    kind, posted_at
        What it is, and since when.
    reason
        Why, of a correction.
    billed
        The stay.
    bill
        What it states; with the other sign where it takes that back.
    entries
        What it moved.
    """

    number: str
    kind: Kind
    posted_at: datetime
    reason: str
    billed: Billed
    bill: BillPosted
    entries: tuple[Entry, ...]

    @property
    def sign(self) -> int:
        """1, or -1 where it takes back."""
        return -1 if self.kind is Kind.CREDIT else 1

    @property
    def net(self) -> Decimal:
        """What the driver owes by it [currency]."""
        return self.sign * self.bill.net

    @property
    def lines(self) -> tuple[BillLine, ...]:
        """By slot; of what is taken back, as it was billed."""
        return self.bill.lines


def documents_of(billed: Billed) -> Iterator[Document]:
    """Every document of a stay, in the order in which they were posted."""
    stood = billed.bill
    yield Document(
        stood.session, Kind.BILL, stood.received_at, "", billed, stood, tuple(stood.entries)
    )
    for each in billed.corrections:
        name, at, why = f"{stood.session}#{each.number}", each.received_at, each.because
        yield Document(f"{name}-", Kind.CREDIT, at, why, billed, stood, tuple(each.credit))
        stood = each.bill
        yield Document(name, Kind.CORRECTED, at, why, billed, stood, tuple(stood.entries))


def in_words(at: datetime) -> str:
    """A time in UTC, with Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
