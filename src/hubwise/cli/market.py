"""A market's prices from a file or the web, read as ``scenario import`` reads them.

Each document is had and read in a process of its own that ends with it: what is slow, endless or
huge is killed, and neither its time nor its memory is the site's.
"""

from __future__ import annotations

import asyncio
import os
import resource
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hubwise.cli.elsewhere import Elsewhere
from hubwise.domain.errors import ScenarioError, in_order
from hubwise.edge.download import download
from hubwise.live.ports import Quoted
from hubwise.live.settings import NAME, Settings
from hubwise.live.sources import WHERE, MarketSource, bounds, filled

if TYPE_CHECKING:
    from hubwise.scenario.reading import Reader
# A document is had and read within so long [s].
READ_SECONDS = 60.0
# Today, tomorrow, and the day after.
DAYS = 3
# What a document may take in memory beside the program [bytes].
MOST_MEMORY = 2 * 2**30
ANSWER = "the answer"
LEAST = Decimal("0.000001")
# What tells whether a file is another than it was: changed, size, place; None where it is missing.
State = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Document:
    """A document to be had and read.

    Parameters
    ----------
    place
        A file; without one, ``url`` is asked.
    url, headers
        With secrets.
    settings
        Of the site.
    market
        Of its source.
    today
        The first day whose prices matter.
    """

    place: Path | None
    url: str
    headers: dict[str, str] = field(repr=False)
    settings: Settings
    market: MarketSource
    today: date


def price_source(folder: Path, settings: Settings) -> FilePrices | WebPrices | None:
    """The source that the settings name, if they name one."""
    market = settings.market
    if market is None:
        return None
    if market.file:
        return FilePrices(settings, market, folder / market.file)
    return WebPrices(settings, market)


@dataclass(slots=True)
class FilePrices:
    """A file that is watched: read when it has changed and stands still."""

    settings: Settings
    market: MarketSource
    place: Path
    _seen: State = None
    _read: tuple[State, date] | None = None

    async def quoted(self, day: date, today: date) -> Quoted | None:
        """What it says from today on, where it is another than was read or the day is."""
        del day  # whatever it holds
        seen = await asyncio.to_thread(_state, self.place)
        still, self._seen = seen == self._seen, seen
        if not still or self._read == (seen, today):
            return None
        document = Document(self.place, "", {}, self.settings, self.market, today)
        self._read = None
        try:
            found = await _elsewhere(document)
        except ScenarioError:
            self._read = (seen, today)
            raise
        self._read = (seen, today)
        return found


@dataclass(frozen=True, slots=True)
class WebPrices:
    """A URL that is asked for a day."""

    settings: Settings
    market: MarketSource

    async def quoted(self, day: date, today: date) -> Quoted | None:
        """What it says when asked for a day."""
        market, zone = self.market, self.settings.zone
        key = os.environ.get(market.key_env, "") if market.key_env else ""
        if market.key_env and not key:
            raise OSError(f"{market.key_env} is not set in the environment of hubwise serve")
        name, value = market.header or ("", "")
        headers = {name: filled(value, day, zone, key)} if name else {}
        url = filled(market.url, day, zone, key)
        return await _elsewhere(Document(None, url, headers, self.settings, market, today))


async def quoted_once(folder: Path, settings: Settings, today: date) -> Quoted | None:
    """What the source says now of today, whatever it said before; nothing where there is none.

    Raises
    ------
    OSError, ScenarioError
        Where it cannot be had, and where it is wrong.
    """
    source = price_source(folder, settings)
    if isinstance(source, FilePrices):
        return await _elsewhere(Document(source.place, "", {}, settings, source.market, today))
    return None if source is None else await source.quoted(today, today)


def _state(place: Path) -> State:
    try:
        found = place.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


async def _elsewhere(document: Document) -> Quoted:
    process = Elsewhere()
    try:
        return await asyncio.wait_for(process.call(read_document, document), READ_SECONDS)
    except TimeoutError:
        raise OSError(f"is not there within {READ_SECONDS:g} s") from None
    except (BrokenProcessPool, MemoryError):
        raise OSError("is too much to be read") from None
    finally:
        process.stop()


def read_document(document: Document) -> Quoted:
    """What a document says; called in another process.

    Raises
    ------
    OSError
        Where it cannot be had.
    ScenarioError
        With everything that is wrong with it, as the import words it.
    """
    from hubwise.scenario.reading import Reader

    _bound_memory()  # beside what is imported by now
    if document.place is not None:
        return _read(document, Reader(document.place.parent), document.place.name)
    content = download(document.url, document.headers)
    with TemporaryDirectory() as place:
        (Path(place) / ANSWER).write_bytes(content)
        return _read(document, Reader(Path(place)), ANSWER)


def _read(document: Document, reader: Reader, name: str) -> Quoted:
    """The prices of a file, by the reader of the import, in currency per kWh."""
    from hubwise.scenario.price_files import read_known_prices
    from hubwise.scenario.price_formats import Asked
    from hubwise.scenario.price_units import KWH_IN, unit_and_currency

    market, zone = document.market, document.settings.zone
    asked = Asked(
        zone.key,
        bounds(document.today, zone)[0],
        bounds(document.today + timedelta(days=DAYS - 1), zone)[1],
        stamps_zone=market.prices_zone,
        prices_of=market.prices_of,
        currency=document.settings.currency,
        hold=market.hold,
    )
    found = read_known_prices(reader, name, asked)
    if found is None:
        raise ScenarioError(in_order(reader.issues))
    horizon, prices = found
    own = (market.unit, document.settings.currency)
    told = unit_and_currency(prices, *own, name, reader, (NAME, WHERE))
    by_kwh = [] if told is None else (prices.by_slot / KWH_IN[told[0]]).tolist()
    if any(abs(price) >= 1_000 for price in by_kwh):
        wrong, right = f"a kWh costs {max(map(abs, by_kwh)):g}", "prices for a kWh or a MWh"
        reader.wrong(name, "", "price", wrong, right)
    if reader.issues:
        raise ScenarioError(in_order(reader.issues))
    rounded = tuple(Decimal(repr(price)).quantize(LEAST) for price in by_kwh)
    return Quoted(horizon.start_utc, rounded, prices.notes)


def _bound_memory() -> None:
    """What a document unpacks to is bounded, whatever it says of itself."""
    import psutil

    most = psutil.Process().memory_info().vms + MOST_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
