"""All that is held about a driver, for that driver alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from hubwise.domain.events import WishSaid
from hubwise.live import Actor, Session, may
from hubwise.live.rights import Thing
from hubwise.store.registry import NEVER
from hubwise.web.answers import Bill, MeterValue, PreferencesItem, SessionItem, in_utc
from hubwise.web.asking import Here, World, problems
from hubwise.web.limits import wait_for
from hubwise.web.me import own_sessions
from hubwise.web.pages.who import Either

router = APIRouter(prefix="/api/v1/me", responses=problems)
PAGE = 1_000


@router.get("/export", response_class=StreamingResponse)
async def export(here: Here, actor: Either) -> StreamingResponse:
    """All that is held about whoever asks, as JSON: tags, car, sign-ins, and every stay."""
    sessions = await own_sessions(here, actor)
    wait_for(here.rates.exports, actor.driver)
    headers = {
        "Content-Disposition": 'attachment; filename="hubwise-export.json"',
        "Cache-Control": "private, no-store",
    }
    text = _text(here, actor, sessions)
    return StreamingResponse(text, headers=headers, media_type="application/json")


async def _text(here: World, actor: Actor, sessions: Sequence[Session]) -> AsyncIterator[str]:
    """A stay at a time: of years of them one alone is held in memory."""
    head = json.dumps(await _of_person(here, actor), ensure_ascii=False)
    yield head[:-1] + ', "stays": ['
    wishes = await _wishes(here, {each.session for each in sessions})
    for k, each in enumerate(sessions):
        said = await _of_stay(here, each, wishes.get(each.session, []))
        yield (", " if k else "") + json.dumps(said, ensure_ascii=False)
    yield "]}\n"


async def _of_person(here: World, actor: Actor) -> dict[str, object]:
    assert may(actor, "read", Thing("sign-in", actor.account))
    doors, settings = here.doors, here.site.settings
    car, sign_ins = await doors.car_of(actor.driver), await doors.sign_ins_of(actor.driver)
    tokens = await doors.tokens_of(actor.driver)
    return {
        "site": settings.name,
        "zone": str(settings.zone),
        "at": in_utc(here.site.now()),
        "driver": actor.driver,
        "tags": list(await doors.tags_of(actor.driver)),
        "car": dict(zip(("capacity_kwh", "km_per_kwh"), car, strict=True)) if car else None,
        "sign_ins": [
            {"begun_at": each.begun_at, "expires_at": each.expires_at} for each in sign_ins
        ],
        "tokens": [{"expires_at": None if each == NEVER else each} for each in tokens],
    }


async def _of_stay(here: World, session: Session, wishes: Sequence[WishSaid]) -> dict[str, object]:
    account = await here.site.account(session)
    readings = await here.site.readings(session)
    return {
        **SessionItem.of(account).model_dump(),
        "tag": session.id_token,
        "wishes": [PreferencesItem.of(session.session, each).model_dump() for each in wishes],
        "bill": Bill.of(account).model_dump(),
        "meter_values": [MeterValue.of(each).model_dump() for each in readings],
    }


async def _wishes(here: World, sessions: set[str]) -> dict[str, list[WishSaid]]:
    """Every wish that was said of stays, in order."""
    found: dict[str, list[WishSaid]] = {}
    after = 0
    while page := await here.ledger.of_kinds(("wish",), after, PAGE):
        after = page[-1][0]
        for _, each in page:
            if isinstance(each, WishSaid) and each.session in sessions:
                found.setdefault(each.session, []).append(each)
    return found
