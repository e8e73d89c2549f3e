"""What energy costs in its market by quarter of an hour, as far as it is known, and beyond that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count, islice, takewhile
from zoneinfo import ZoneInfo

from hubwise.domain.events import PurchaseNoted
from hubwise.live.clocks import DAY, QUARTER, quarter_of

# So many days back one looks for a time of day, and what is kept of the past for that.
BACK = 5
KEPT = (BACK + 1) * DAY
# So many quarters are kept before the past is forgotten: an event costs the same however many are.
MOST_KNOWN = 2_000


@dataclass(slots=True)
class Purchase:
    """What is known of a market's prices.

    Parameters
    ----------
    latest
        What was noted last; ``None`` where nothing ever was.
    known
        By the beginning of the quarter of an hour, in UTC [currency/kWh].
    """

    latest: PurchaseNoted | None = None
    known: dict[datetime, Decimal] = field(default_factory=dict)

    def take(self, noted: PurchaseNoted) -> None:
        """Take up what a source said; what is long past is forgotten."""
        self.latest = noted
        self.known |= dict(_quarters(noted.begins, noted.prices))
        if len(self.known) > MOST_KNOWN:
            oldest = min(noted.received_at, max(self.known)) - KEPT
            self.known = {start: price for start, price in self.known.items() if start >= oldest}

    def says_new(self, begins: datetime, prices: tuple[Decimal, ...]) -> bool:
        """Whether anything is known otherwise, or not at all."""
        return any(self.known.get(at) != price for at, price in _quarters(begins, prices))

    def until(self, now: datetime) -> datetime:
        """Up to when it is known without a gap; the beginning of the quarter where now is not."""
        starts = (quarter_of(now) + k * QUARTER for k in count())
        known = sum(1 for _ in takewhile(self.known.__contains__, starts))
        return quarter_of(now) + known * QUARTER

    def at(self, moment: datetime, zone: ZoneInfo) -> Decimal | None:
        """What a kWh costs, or is taken to cost; ``None`` where nothing is known of any such day.

        What is not known is as at the same time on the site's clock on the last day before of which
        it is, or else on the next one [currency/kWh].
        """
        start = quarter_of(moment)
        if start in self.known or not self.known:
            return self.known.get(start)
        wall = start.astimezone(zone).replace(tzinfo=None)
        gone = max((start - max(self.known)) // DAY, 0)
        days = [*range(-gone, -gone - BACK, -1), *range(1, 4)]
        others = (_shown(wall + each * DAY, zone) for each in days)
        return next((self.known[each] for each in others if each in self.known), None)

    def ahead(self, now: datetime, zone: ZoneInfo, quarters: int) -> list[Decimal | None]:
        """The same by quarter of an hour from this one on; as many as asked for."""
        starts = (quarter_of(now) + k * QUARTER for k in count())
        return [self.at(start, zone) for start in islice(starts, quarters)]


def _shown(wall: datetime, zone: ZoneInfo) -> datetime | None:
    """When a clock shows a time, at first; never where it leaps over it."""
    moment = wall.replace(tzinfo=zone).astimezone(UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == wall else None


def _quarters(begins: datetime, prices: tuple[Decimal, ...]) -> Iterator[tuple[datetime, Decimal]]:
    return ((begins + k * QUARTER, price) for k, price in enumerate(prices))
