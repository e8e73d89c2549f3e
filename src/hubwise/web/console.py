"""The operator's console over HTTP: the site as it stands, and as it changes."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from hubwise.live.console import CarSeen, Console, HubSeen, console_of
from hubwise.live.mine import Doing
from hubwise.live.rights import Thing
from hubwise.web.answers import in_utc
from hubwise.web.asking import Here, check, problems
from hubwise.web.lines import stream_of
from hubwise.web.pages.templating import words_of
from hubwise.web.pages.who import Either
from hubwise.web.words import Words

router = APIRouter(prefix="/api/v1", responses=problems)
COUNTED = (Doing.CHARGING, Doing.EARNING, Doing.WAITING, Doing.LOST)


class CarItem(BaseModel):
    """A car that is here; powers are empty where nothing is known."""

    session: str
    hub: str
    station: str
    state: str
    kw: str | None
    planned_kw: str | None
    heard_at: str | None
    since: str

    @classmethod
    def of(cls, seen: CarSeen) -> CarItem:
        """As it was seen."""
        return cls(
            session=seen.session,
            hub=seen.hub,
            station=seen.station,
            state=seen.doing.value,
            kw=None if seen.kw is None else f"{seen.kw:.3f}",
            planned_kw=None if seen.planned_kw is None else f"{seen.planned_kw:.3f}",
            heard_at=in_utc(seen.heard_at) if seen.heard_at else None,
            since=in_utc(seen.since),
        )


class CarsAnswer(BaseModel):
    """All cars that are here, by hub and station."""

    at: str
    items: list[CarItem]


@router.get("/cars")
async def cars(here: Here, actor: Either) -> CarsAnswer:
    """What each car that is here does, by meter and by plan; operators only."""
    check(actor, Thing("console"))
    seen = await console_of(here.site)
    return CarsAnswer(at=in_utc(seen.at), items=[CarItem.of(each) for each in seen.cars])


@router.get("/console/live", response_class=StreamingResponse)
async def live(request: Request, here: Here, actor: Either) -> StreamingResponse:
    """Figures of the console as they change (``text/event-stream``), in the reader's language."""
    check(actor, Thing("console"))
    words = words_of(request)

    async def line() -> str:
        return line_of(await console_of(here.site), words)

    return stream_of(request, here, actor, line)


def line_of(seen: Console, words: Words) -> str:
    """Texts by their name, and a mark that changes when the page has to be drawn anew."""
    drawn = [f"{each.session}{each.doing}" for each in seen.cars]
    drawn += [each.id for each in seen.alarms]
    said = {"texts": texts_of(seen, words), "page": f"{hash(tuple(drawn)):x}"}
    return json.dumps(said, ensure_ascii=False)


def texts_of(seen: Console, words: Words) -> dict[str, str]:
    """What changes by itself on the console."""
    texts = {str(doing): str(seen.count(doing)) for doing in COUNTED}
    texts["kw"] = kw(words, seen.kw)
    texts |= {f"hub-{each.hub}": hub_kw(words, each) for each in seen.hubs}
    return texts | {f"car-{each.session}": kw(words, each.kw) for each in seen.cars}


def hub_kw(words: Words, hub: HubSeen) -> str:
    """What a hub draws; of what is not metered, what cars draw."""
    shown = kw(words, hub.kw)
    return shown if hub.metered else words.say("%(kw)s (cars)", kw=shown)


def kw(words: Words, value: float | None) -> str:
    """A power."""
    return "\N{EN DASH}" if value is None else f"{words.number(value, 1)}\N{NO-BREAK SPACE}kW"
