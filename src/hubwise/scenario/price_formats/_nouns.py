"""What formats of prices are asked, and what they answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hubwise.domain.errors import listed
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import Document


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted of a file of prices.

    Parameters
    ----------
    zone
        IANA name of the zone whose clock hangs at the site.
    begins, ends
        The time that prices are needed for, in UTC.
    stamps_zone
        Zone of stamps without an offset, where the user tells it.
    prices_of
        Which of several prices a file holds: an area, a point, a tariff or a column.
    currency
        Of the scenario, where it is known; chooses where a file holds several.
    hold
        Whether a price holds over points that are left out.
    """

    zone: str
    begins: datetime
    ends: datetime
    stamps_zone: str | None = None
    prices_of: str | None = None
    currency: str | None = None
    hold: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row cannot be used: its column, what is wrong, and what would be right."""

    field: str
    wrong: str
    right: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A price and how long it holds.

    Parameters
    ----------
    where
        Its place in the file, such as ``row 7``.
    start
        With its offset, or on the series' clock; ``None`` where it cannot be read.
    end
        The same; ``None`` where the price holds until the next piece.
    price
        In the series' currency and unit; ``None`` where it cannot be read.
    fault
        Why start or price is not there.
    later
        Whether the second of a clock time that comes twice is meant; ``None`` where nothing tells.
    """

    where: str
    start: datetime | None
    end: datetime | None
    price: float | None
    fault: Fault | None = None
    later: bool | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Prices in the order of their file.

    Parameters
    ----------
    pieces
        The prices.
    unit, currency
        ``kWh`` or ``MWh``, and three capitals; ``None`` where the file does not tell.
    zone
        Whose clock stamps without an offset are on, where the file tells.
    holds
        Whether the file says that it leaves out points that equal the one before.
    notes
        What was chosen, left out and assumed, as sentences.
    named
        What the file calls the moments at which prices begin.
    demand_charges
        For a month's highest power, January to December [currency/kW]; empty where the file has
        none.
    cut
        Where its last row is, if that begins as a row of prices and ends before the header does.
    """

    pieces: Sequence[Piece]
    unit: str | None = None
    currency: str | None = None
    zone: str | None = None
    holds: bool = False
    notes: tuple[str, ...] = ()
    named: str = "start"
    demand_charges: tuple[float, ...] = ()
    cut: str = ""


@dataclass(frozen=True, slots=True)
class PriceFormat:
    """One way to write prices.

    Parameters
    ----------
    name
        As people call it.
    recognises
        Whether a document is of this format, by what it holds.
    read
        Its prices; nothing where they cannot be read, which is then noted with the reader.
    """

    name: str
    recognises: Callable[[Document], bool]
    read: Callable[[Document, Asked, Reader], Series | None]


def chosen(
    names: Sequence[str], asked: Asked, what: str, file: str, reader: Reader, usual: str = ""
) -> str | None:
    """The one of several things in a file that is asked for; nothing, noted, where none is.

    Parameters
    ----------
    names
        What the file holds prices of, each once.
    asked
        With ``prices_of``, which is compared without regard to capitals.
    what
        What they are, such as ``areas``.
    file
        Name of the file.
    reader
        Takes the problem.
    usual
        The one that is taken where nobody asks for one.
    """
    wanted = asked.prices_of
    if not names:
        reader.wrong(file, "", "", f"holds prices of no {what}", "download it with its prices")
        return None
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is None and usual in names:
        return usual
    known = {name.casefold(): name for name in reversed(names)}
    if wanted is not None and wanted.casefold() in known:
        return known[wanted.casefold()]
    if wanted is not None and (near := [name for name in names if wanted in name]):
        return near[0] if len(near) == 1 else None
    wrong = f"{wanted!r} is not there" if wanted else f"holds prices of {len(names)} {what}"
    right = f"choose by prices_of, such as prices_of={names[0]!r}; there are {listed(names)}"
    reader.wrong(file, "", "prices_of", wrong, right)
    return None


def local_days(asked: Asked) -> list[date]:
    """The days of the site's clock that the time asked for touches, in order."""
    zone = ZoneInfo(asked.zone)
    first = asked.begins.astimezone(zone).date()
    last = (asked.ends - timedelta(minutes=1)).astimezone(zone).date()
    return [first + timedelta(days=k) for k in range((last - first).days + 1)]
