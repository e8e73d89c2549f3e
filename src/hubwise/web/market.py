"""What energy costs a site in its market, over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from hubwise.domain.events import PurchaseNoted
from hubwise.live.clocks import QUARTER, quarter_of
from hubwise.live.market import described
from hubwise.live.purchase import Purchase
from hubwise.live.rights import Thing
from hubwise.live.settings import Settings
from hubwise.web import answers
from hubwise.web.acts import in_utc
from hubwise.web.asking import MOST, Asking, Here, Ledger, check, problems

router = APIRouter(prefix="/api/v1", responses=problems)


class MarketPrice(BaseModel):
    """What a kWh costs in a quarter of an hour, and whether that is known or taken to be so."""

    start: str
    price: str | None
    known: bool


class Market(BaseModel):
    """What energy costs in its market, where it follows one; ``added`` is not in the prices."""

    source: str | None
    noted_at: str | None
    currency: str
    added: str
    known_until: str | None
    said: str
    notes: list[str]
    prices: list[MarketPrice]

    @classmethod
    def of(cls, purchase: Purchase, settings: Settings, now: datetime, hours: int) -> Market:
        """What is known, and what is taken for hours to come."""
        market, latest = settings.market, purchase.latest
        starts = [quarter_of(now) + k * QUARTER for k in range(4 * hours)] if market else []
        found = [(start, purchase.at(start, settings.zone)) for start in starts]
        return cls(
            source=market.name if market else None,
            noted_at=answers.in_utc(latest.received_at) if latest else None,
            currency=settings.currency,
            added=answers.in_text(market.added) if market else "0",
            known_until=answers.in_utc(purchase.until(now)) if latest else None,
            said=described(purchase, settings, now),
            notes=list(latest.notes) if latest else [],
            prices=[
                MarketPrice(
                    start=answers.in_utc(start),
                    price=None if price is None else answers.in_text(price),
                    known=start in purchase.known,
                )
                for start, price in found
            ],
        )


@router.get("/market")
async def market(
    here: Here,
    actor: Asking,
    hours: Annotated[int, Query(ge=1, le=48)] = 24,
    known_at: datetime | None = None,
) -> Market:
    """What energy costs in its market by quarter of an hour, how far that is known, and whence.

    With ``known_at``, as it was known then, for the hours from then on.
    """
    check(actor, Thing("market"))
    site = here.site
    if known_at is None:
        return Market.of(site.books.purchase, site.settings, site.now(), hours)
    then = in_utc(known_at, "known_at")
    assert then is not None
    if then > site.now():
        raise HTTPException(422, "known_at: not after now")
    return Market.of(await _known_at(here.ledger, then), site.settings, then, hours)


async def _known_at(ledger: Ledger, then: datetime) -> Purchase:
    """What the log says that was known at a time."""
    purchase, after = Purchase(), 0
    while rows := await ledger.of_kinds(("purchase",), after, MOST):
        after = rows[-1][0]
        for _, noted in rows:
            assert isinstance(noted, PurchaseNoted)
            if noted.received_at <= then:
                purchase.take(noted)
    return purchase
