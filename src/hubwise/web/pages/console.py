"""O1, now: what needs a hand first, then what cars do and what hubs draw."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from hubwise.live.console import console_of
from hubwise.live.rights import Thing
from hubwise.web.asking import Here, check
from hubwise.web.console import COUNTED, hub_kw, kw
from hubwise.web.pages.templating import page, words_of
from hubwise.web.pages.who import Signed
from hubwise.web.sayings import STATES

router = APIRouter(include_in_schema=False)
# So many cars stand on the page; the API has all.
MOST_CARS = 200


@router.get("/operator")
async def operator(request: Request, here: Here, browser: Signed) -> HTMLResponse:
    """The site as it stands."""
    check(browser.actor, Thing("console"))
    words, seen = words_of(request), await console_of(here.site)
    said = {
        "seen": seen,
        "cars": seen.cars[:MOST_CARS],
        "counts": [(str(doing), words.say(STATES[doing]), seen.count(doing)) for doing in COUNTED],
        "states": {doing: words.say(name) for doing, name in STATES.items()},
        "kw": lambda value: kw(words, value),
        "hub_kw": lambda hub: hub_kw(words, hub),
        "form": here.doors.form_token(browser.secret),
    }
    return page(request, "operator.html", said, actor=browser.actor)
