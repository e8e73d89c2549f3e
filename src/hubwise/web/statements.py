"""A driver's own statements over HTTP: the figures that the page shows, and a month as CSV."""

from __future__ import annotations

import csv
import io
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from hubwise.live import Actor, may
from hubwise.live.rights import Thing
from hubwise.live.statements import Stated, Statement, statements_of
from hubwise.web.answers import in_text, in_utc, money
from hubwise.web.asking import Here, World, problems
from hubwise.web.me import own_sessions
from hubwise.web.pages.who import Either

router = APIRouter(prefix="/api/v1/me", responses=problems)
Month = Annotated[
    str | None,
    Query(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", examples=["2026-03"], description="Else all."),
]


class StatedItem(BaseModel):
    """A stay with what its bill comes to, in whole cents."""

    session: str
    station: str
    arrival: str
    ended_at: str | None
    status: str
    currency: str
    charged_kwh: str
    discharged_kwh: str
    paid: str
    earned: str
    net: str

    @classmethod
    def of(cls, stay: Stated) -> StatedItem:
        """A stay."""
        return cls(
            session=stay.session,
            station=stay.station,
            arrival=in_utc(stay.began_at),
            ended_at=in_utc(stay.ended_at) if stay.ended_at else None,
            status=stay.status.value,
            currency=stay.currency,
            charged_kwh=in_text(stay.charged_kwh),
            discharged_kwh=in_text(stay.discharged_kwh),
            paid=money(stay.paid),
            earned=money(stay.earned),
            net=money(stay.net),
        )


class StatementItem(BaseModel):
    """The stays that began in a month, on the site's clock, and their sums."""

    month: str
    currency: str
    final: bool
    charged_kwh: str
    discharged_kwh: str
    paid: str
    earned: str
    net: str
    stays: list[StatedItem]

    @classmethod
    def of(cls, found: Statement) -> StatementItem:
        """A month."""
        return cls(
            month=found.month,
            currency=found.currency,
            final=found.is_final,
            charged_kwh=in_text(found.charged_kwh),
            discharged_kwh=in_text(found.discharged_kwh),
            paid=money(found.paid),
            earned=money(found.earned),
            net=money(found.net),
            stays=[StatedItem.of(each) for each in found.stays],
        )


class StatementItems(BaseModel):
    """Months, the latest first."""

    items: list[StatementItem]


async def own_statements(here: World, actor: Actor) -> list[Statement]:
    """A driver's months, the latest first; of nobody else's stays."""
    assert may(actor, "read", Thing("statement", actor.account))
    return await statements_of(here.site, await own_sessions(here, actor))


@router.get("/statements")
async def statements(here: Here, actor: Either, month: Month = None) -> StatementItems:
    """A driver's own stays by the month in which they began."""
    found = await own_statements(here, actor)
    chosen = [each for each in found if month in (None, each.month)]
    return StatementItems(items=[StatementItem.of(each) for each in chosen])


@router.get("/statements.csv", response_class=PlainTextResponse)
async def statements_csv(here: Here, actor: Either, month: Month = None) -> PlainTextResponse:
    """The same as a table, a stay a row; amounts in whole cents."""
    found = await own_statements(here, actor)
    stays = [each for one in found if month in (None, one.month) for each in one.stays]
    if not stays:
        raise HTTPException(404, f"you were not here in {month}" if month else "no stay yet")
    text = io.StringIO()
    table = csv.DictWriter(text, list(StatedItem.model_fields), lineterminator="\n")
    table.writeheader()
    table.writerows(StatedItem.of(each).model_dump() for each in stays)
    name = f"statement-{month}.csv" if month else "statements.csv"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
    }
    return PlainTextResponse(text.getvalue(), headers=headers, media_type="text/csv; charset=utf-8")
