"""What energy costs a site in its market, over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from hubwise.live.market import described
from hubwise.live.purchase import QUARTER, quarter_of
from hubwise.live.rights import Thing
from hubwise.live.site import Site
from hubwise.web import answers
from hubwise.web.asking import Asking, Here, check, problems

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
    def of(cls, site: Site, hours: int) -> Market:
        """What is known, and what is taken for hours to come."""
        purchase, settings, now = site.books.purchase, site.settings, site.now()
        market, latest = settings.market, purchase.latest
        starts = [quarter_of(now) + k * QUARTER for k in range(4 * hours)] if market else []
        found = [(start, purchase.at(start, settings.zone)) for start in starts]
        return cls(
            source=market.name if market else None,
            noted_at=answers.in_utc(latest.received_at) if latest else None,
            currency=settings.currency,
            added=answers.in_text(market.added) if market else "0",
            known_until=answers.in_utc(purchase.until(now)) if latest else None,
            said=described(site.books, settings, now),
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
    here: Here, actor: Asking, hours: Annotated[int, Query(ge=1, le=48)] = 24
) -> Market:
    """What energy costs in its market by quarter of an hour, how far that is known, and whence."""
    check(actor, Thing("market"))
    return Market.of(here.site, hours)
