"""What follows from the market's prices: what energy costs a plan, and the posted list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hubwise.domain.events import PriceList
from hubwise.domain.lists import Followed
from hubwise.live.clocks import DAY, QUARTER, quarter_of
from hubwise.live.outlook import SLOTS, Outlook
from hubwise.live.purchase import Purchase
from hubwise.live.sources import Margins, MarketSource

A_DAY = 96
# Every time that a clock shows today or tomorrow comes within so many quarters of an hour, set
# back or leapt over meanwhile.
AROUND = A_DAY + 8
LEAST = Decimal("0.0001")


def at_market(
    outlook: Outlook, purchase: Purchase, zone: ZoneInfo, market: MarketSource
) -> Outlook:
    """An outlook on the market's prices; where nothing is known of them, on what it had."""
    ahead = purchase.ahead(outlook.starts_at, zone, SLOTS)

    def instead(had: tuple[float, ...], more: Decimal) -> tuple[float, ...]:
        pairs = zip(ahead, had, strict=True)
        return tuple(each if price is None else float(price + more) for price, each in pairs)

    outlook = replace(outlook, purchase=instead(outlook.purchase, market.added))
    if market.feed_in_less is None:
        return outlook
    return replace(outlook, feed_in=instead(outlook.feed_in, -market.feed_in_less))


def followed(now: datetime, zone: ZoneInfo, added: Decimal, margins: Margins) -> Followed:
    """How a list that is posted now is made."""
    terms = added + margins.charge, added - margins.discharge
    return Followed(quarter_of(now), zone.key, *terms)


def list_by_market(purchase: Purchase, how: Followed) -> PriceList | None:
    """The list for the 24 hours from its beginning on; ``None`` where nothing is known of them.

    A time of the clock has the price of when it comes next; one that comes twice as the clock is
    set back, the mean of both; one that is leapt over, or of which nothing is known, that of the
    quarter before.
    """
    zone = ZoneInfo(how.zone)
    return list_by_cost(lambda start: purchase.at(start, zone), how)


def list_by_cost(cost: Callable[[datetime], Decimal | None], how: Followed) -> PriceList | None:
    """The same by any cost of a kWh at the beginning of a quarter of an hour."""
    found: dict[int, list[Decimal]] = {}
    dates: dict[int, date] = {}
    zone = ZoneInfo(how.zone)
    tomorrow = how.begins.astimezone(zone).date() + DAY
    for k in range(AROUND):
        start = how.begins + k * QUARTER
        local, price = start.astimezone(zone), cost(start)
        slot = (60 * local.hour + local.minute) // 15
        if price is None or local.date() > tomorrow:
            continue
        if dates.setdefault(slot, local.date()) == local.date():
            found.setdefault(slot, []).append(price)
    if not found:
        return None
    mean = {slot: sum(prices, Decimal()) / len(prices) for slot, prices in found.items()}
    before, by_slot = mean[max(mean)], []
    for slot in range(A_DAY):
        before = mean.get(slot, before)
        by_slot.append(before)
    charge = tuple((each + how.charge).quantize(LEAST) for each in by_slot)
    discharge = tuple((each + how.discharge).quantize(LEAST) for each in by_slot)
    return PriceList("", 15, charge, discharge)
