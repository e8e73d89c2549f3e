"""A driver's own plan as a table: each quarter of an hour with what decides it, to be checked."""

from __future__ import annotations

import csv
import io

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException

from hubwise.live.mine import Ahead
from hubwise.web.asking import Here, problems
from hubwise.web.me import SlotItem, Which, own_session, told
from hubwise.web.pages.templating import words_of
from hubwise.web.pages.who import Either

router = APIRouter(prefix="/api/v1/me", responses=problems)
COLUMNS = (
    *("start", "until", "charge", "discharge", "kw", "energy_kwh"),
    *("charge_below", "give_back_above", "case", "text"),
)


@router.get("/plan.csv", response_class=PlainTextResponse)
async def plan_csv(
    request: Request, here: Here, actor: Either, session: Which = None
) -> PlainTextResponse:
    """The plan of a driver's own stay by slot, with the thresholds that decide each."""
    found = await own_session(here, actor, session)
    ahead = (await told(here, actor, words_of(request), found)).stay.ahead if found else ()
    if not any(each.kw is not None for each in ahead):
        raise HTTPException(404, "there is no plan of a stay of yours now")
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(_row(each) for each in ahead)
    headers = {
        "Content-Disposition": 'attachment; filename="plan.csv"',
        "Cache-Control": "private, no-store",
    }
    return PlainTextResponse(text.getvalue(), headers=headers, media_type="text/csv; charset=utf-8")


def _row(each: Ahead) -> dict[str, object]:
    said = SlotItem.of(each).model_dump()
    why = said.pop("why") or {}
    return said | {name: why.get(name) for name in COLUMNS[-4:]}
