"""D5, Me: what is held about a driver, what for, how long, and who sees it; and a way out."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from hubwise.domain.modes import Mode
from hubwise.live import may
from hubwise.live.rights import Thing
from hubwise.web.asking import Here, check
from hubwise.web.me import own_sessions
from hubwise.web.pages.templating import page
from hubwise.web.pages.who import Formed, Signed, drop_cookies

router = APIRouter(include_in_schema=False)


@router.get("/me/privacy")
async def privacy(request: Request, here: Here, browser: Signed) -> HTMLResponse:
    """What is held about the driver who asks."""
    actor, doors = browser.actor, here.doors
    assert may(actor, "read", Thing("door"))
    stays = await own_sessions(here, actor)
    under_way = next((each for each in stays if each.ended is None), None)
    wish = under_way.wish if under_way else None
    said: dict[str, object] = {
        "form": doors.form_token(browser.secret),
        "tags": await doors.tags_of(actor.driver),
        "car": await doors.car_of(actor.driver),
        "stays": len(stays),
        "sign_ins": len(await doors.sign_ins_of(actor.driver)),
        "stay_name": under_way.session if under_way else "",
        "mode": (wish.mode if wish else Mode.AS_IT_PAYS).value,
    }
    return page(request, "privacy.html", said, actor=actor)


@router.post("/me/sign-out")
async def sign_out_everywhere(request: Request, here: Here, browser: Formed) -> Response:
    """End every sign-in of whoever asks."""
    check(browser.actor, Thing("sign-in", browser.actor.account), "change")
    await here.doors.end_all(browser.actor)
    answer = page(request, "out.html")
    drop_cookies(answer)
    return answer
