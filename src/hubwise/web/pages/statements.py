"""D3, Statements: stays by month, with the sums of what they came to."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from hubwise.live import may
from hubwise.live.fold import SessionStatus
from hubwise.live.rights import Thing
from hubwise.web.asking import Here
from hubwise.web.pages.templating import page
from hubwise.web.pages.who import Signed
from hubwise.web.statements import Month, own_statements

router = APIRouter(include_in_schema=False)
STATUSES = {
    SessionStatus.OPEN: "under way",
    SessionStatus.PROVISIONAL: "provisional",
    SessionStatus.FINAL: "final",
    SessionStatus.QUARANTINED: "being looked at",
}


@router.get("/me/statements")
async def statements(
    request: Request, here: Here, browser: Signed, month: Month = None
) -> HTMLResponse:
    """A driver's stays of a month, the latest one if not told, and the months that there are."""
    assert may(browser.actor, "read", Thing("door"))
    found = await own_statements(here, browser.actor)
    chosen = month or (found[0].month if found else "")
    shown = [each for each in found if each.month == chosen]
    if month and not shown:
        raise HTTPException(404, f"there is no stay of yours in {month}")
    said: dict[str, object] = {
        "form": here.doors.form_token(browser.secret),
        "months": found,
        "chosen": chosen,
        "shown": shown,
        "statuses": STATUSES,
    }
    return page(request, "statements.html", said, actor=browser.actor)
