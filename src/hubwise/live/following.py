"""What follows from the market's prices: what energy costs a plan, and the posted list."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hubwise.domain.events import PriceList
from hubwise.live.outlook import SLOTS, Outlook
from hubwise.live.purchase import QUARTER, Purchase, quarter_of
from hubwise.live.sources import Margins, MarketSource

A_DAY = 96
# Every time of a clock comes within so many quarters of an hour, though it be set back meanwhile.
AROUND = A_DAY + 4
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


def list_by_market(
    purchase: Purchase, now: datetime, zone: ZoneInfo, added: Decimal, margins: Margins
) -> PriceList | None:
    """The list for the 24 hours from now on; ``None`` where nothing is known of them.

    A time of the clock has the price of when it comes next; one that comes twice as the clock is
    set back, the mean of both; one that is leapt over, that of the quarter before.
    """
    found: dict[int, list[Decimal]] = {}
    dates: dict[int, object] = {}
    for k in range(AROUND):
        start = quarter_of(now) + k * QUARTER
        local, price = start.astimezone(zone), purchase.at(start, zone)
        slot = (60 * local.hour + local.minute) // 15
        if price is None:
            return None
        if dates.setdefault(slot, local.date()) == local.date():
            found.setdefault(slot, []).append(price)
    mean = {slot: sum(prices, Decimal()) / len(prices) for slot, prices in found.items()}
    by_slot: list[Decimal] = []
    for slot in range(A_DAY):
        by_slot.append(mean[slot] if slot in mean else by_slot[-1])
    charge = tuple((each + added + margins.charge).quantize(LEAST) for each in by_slot)
    discharge = tuple((each + added - margins.discharge).quantize(LEAST) for each in by_slot)
    return PriceList("", 15, charge, discharge)
