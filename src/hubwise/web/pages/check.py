"""D4, How we check this: what is checked, by whom, and how a driver checks it alone."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from hubwise.live import may
from hubwise.live.rights import Thing
from hubwise.web.asking import Here
from hubwise.web.me import own_session, told
from hubwise.web.pages.templating import page, words_of
from hubwise.web.pages.who import Signed

router = APIRouter(include_in_schema=False)


@router.get("/me/check")
async def check(request: Request, here: Here, browser: Signed) -> HTMLResponse:
    """In plain words, with the command that audits the books, and the driver's own plan."""
    actor = browser.actor
    assert may(actor, "read", Thing("door"))
    session = await own_session(here, actor, None)
    found = await told(here, actor, words_of(request), session) if session else None
    planned = [each for each in found.stay.ahead if each.kw is not None] if found else []
    form = here.doors.form_token(browser.secret)
    return page(request, "check.html", {"form": form, "planned": len(planned)}, actor=actor)
