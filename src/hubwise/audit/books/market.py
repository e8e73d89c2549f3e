"""The market's prices as they were noted, and the posted lists that say that they follow them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hubwise.audit.books.forms import Said

QUARTER = timedelta(minutes=15)
# A time of day that is not known has the price of a day that is: so many before, or after.
BEFORE, AFTER = 5, 3
# Posted prices have four decimals: half of the last is what rounding may come to.
ROUNDING = Fraction(1, 20_000)


class Known:
    """What was noted so far, by the beginning of the quarter of an hour [currency/kWh]."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._price: dict[datetime, Decimal] = {}
        self._end = datetime.min.replace(tzinfo=UTC)

    def take(self, said: Said) -> Iterator[str]:
        """What a source said; a later word holds. Says what is wrong with it."""
        begins, prices = said["begins"], said["prices"]
        if not prices or (begins.minute % 15, begins.second, begins.microsecond) != (0, 0, 0):
            yield "it begins within a quarter of an hour, or says nothing"
        for number, price in enumerate(prices):
            self._price[begins + number * QUARTER] = price
        self._end = max([self._end, begins + len(prices) * QUARTER])

    def list_faults(self, said: Said) -> Iterator[str]:
        """Which prices of a list that follows the market are not what it was made of."""
        how, prices = said["followed"], said["prices"]
        try:
            zone = ZoneInfo(how["zone"])
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield f"its clock, {how['zone']!r}, is none"
            return
        if prices["slot_minutes"] != 15 or not how["begins"] <= said["received_at"]:
            yield "it has no quarters of an hour, or begins after it was posted"
            return
        for number in range(len(prices["charge"])):
            clock = time(*divmod(15 * number, 60))
            wanted = self._next(how["begins"], clock, zone)
            for name in ("charge", "discharge"):
                shown = Fraction(prices[name][number])
                if wanted is None or abs(shown - wanted - Fraction(how[name])) > ROUNDING:
                    yield f"at {clock:%H:%M} the price to {name} is not the market's"

    def _next(self, begins: datetime, clock: time, zone: ZoneInfo) -> Fraction | None:
        """The price when a clock next shows a time; the mean where it does so twice that day.

        Where it leaps over it, or nothing is known of it, that of the last time before.
        """
        today = begins.astimezone(zone).date()
        for back in range(24 * 4):
            shown = (datetime.combine(today, clock) - back * QUARTER).time()
            for day in (today, today + timedelta(days=1)):
                moments = _moments(datetime.combine(day, shown), zone)
                prices = [self._at(each, zone) for each in moments if each >= begins]
                if known := [Fraction(price) for price in prices if price is not None]:
                    return sum(known, Fraction()) / len(known)
        return None

    def _at(self, start: datetime, zone: ZoneInfo) -> Decimal | None:
        if start in self._price:
            return self._price[start]
        wall = start.astimezone(zone).replace(tzinfo=None)
        gone = 0
        while self._price and start - timedelta(days=gone + 1) >= self._end - QUARTER:
            gone += 1
        days = [*(-each for each in range(gone, gone + BEFORE)), *range(1, AFTER + 1)]
        for day in days:
            for moment in _moments(wall + timedelta(days=day), zone)[:1]:
                if moment in self._price:
                    return self._price[moment]
        return None


def _moments(wall: datetime, zone: ZoneInfo) -> list[datetime]:
    """When a clock shows a time: never, once or twice."""
    both = {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(
        each for each in both if each.astimezone(zone).replace(tzinfo=None, fold=0) == wall
    )
