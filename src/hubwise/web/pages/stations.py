"""O5, stations: which are out of reach first, then what each is and does."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from hubwise.live.rights import Thing
from hubwise.web.asking import Here, check
from hubwise.web.pages.templating import page
from hubwise.web.pages.who import Signed
from hubwise.web.stations import stations_of

router = APIRouter(include_in_schema=False)
# So many stand on the page; the API has all.
MOST = 500


@router.get("/operator/stations")
async def stations(request: Request, here: Here, browser: Signed) -> HTMLResponse:
    """Every station that is registered."""
    check(browser.actor, Thing("stations"))
    found = sorted(await stations_of(here), key=lambda it: (it.connected, it.hub, it.station))
    said = {
        "stations": found[:MOST],
        "all": len(found),
        "away": sum(not each.connected for each in found),
        "form": here.doors.form_token(browser.secret),
    }
    return page(request, "stations.html", said, actor=browser.actor)
