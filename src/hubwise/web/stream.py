"""Events as they happen, server-sent: each when it is durable, from where a listener left off."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from hubwise.domain.events import KIND_OF, Acted, Alarmed, Event, StatusSaid, TransactionSaid
from hubwise.live import Actor, may
from hubwise.live.rights import Role, Thing
from hubwise.web.answers import in_utc
from hubwise.web.asking import Asking, Here, Said, World, check, problems
from hubwise.web.bell import rung

router = APIRouter(prefix="/api/v1", responses=problems)
MOST_LISTENERS, MOST_OF_A_DRIVER = 100, 8
PAGE = 500
# A listener hears of what happened at most so often [s]; a line of nothing keeps proxies awake [s].
PAUSE_SECONDS = 0.1
# How soon a token that opens nothing any more ends a stream that has news [s].
AGAIN_SECONDS = 5.0
QUIET_SECONDS = 15.0


@router.get("/events", response_class=StreamingResponse)
async def events(
    request: Request,
    here: Here,
    actor: Asking,
    token: Said,
    after: Annotated[int | None, Query(ge=0, le=2**62, description="Else from now on.")] = None,
    last_event_id: Annotated[int | None, Header(ge=0, le=2**62)] = None,
) -> StreamingResponse:
    """Events as they happen (``text/event-stream``); a driver hears those of their own stays."""
    check(actor, Thing("events", actor.account))
    check_room(here, actor)
    begin = last_event_id if last_event_id is not None else after
    position = await here.ledger.last() if begin is None else begin
    return StreamingResponse(
        _told(request, here, actor, token.credentials if token else "", position),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def check_room(here: World, actor: Actor) -> None:
    """Let so many listen at once, and no driver take all places.

    Raises
    ------
    HTTPException
        503 where there is no room.
    """
    everybody, own = here.bell.listeners.total(), here.bell.listeners[actor.account]
    most_own = MOST_LISTENERS if actor.role is Role.OPERATOR else MOST_OF_A_DRIVER
    if everybody >= MOST_LISTENERS or own >= most_own:
        raise HTTPException(503, f"{everybody} listen already, {own} of them are yours")


async def _told(
    request: Request, here: World, actor: Actor, token: str, position: int
) -> AsyncIterator[str]:
    with here.bell.listening(actor.account):
        yield ": here\n\n"
        looked = time.monotonic()
        while not (here.bell.is_over or await request.is_disconnected()):
            if time.monotonic() - looked > AGAIN_SECONDS:
                looked = time.monotonic()
                if await here.actor_of(token) != actor:
                    return
            mark = here.bell.mark()
            page = await here.ledger.of_kinds((), position, PAGE)
            for at, event in page:
                position = at
                account = await _account(here, event)
                if may(actor, "read", Thing("event", account)):
                    yield _line(at, event, here)
            if page:
                await asyncio.sleep(PAUSE_SECONDS)
            elif not await rung(mark, QUIET_SECONDS):
                yield ": quiet\n\n"


def _session(here: World, event: Event) -> str:
    """Of which session an event is; of none, nothing."""
    if isinstance(event, TransactionSaid):
        found = here.site.books.session_of(event.station, event.transaction)
        return found.session if found else ""
    return str(getattr(event, "session", ""))


async def _account(here: World, event: Event) -> str:
    session = here.site.books.sessions.get(_session(here, event))
    return await here.site.whose(session) if session else ""


def _line(position: int, event: Event, here: World) -> str:
    """One event: its position is its id; what it says in short, all else is asked for."""
    kind, session = KIND_OF[type(event)], _session(here, event)
    said: dict[str, object] = {
        "position": position,
        "kind": kind,
        "at": in_utc(event.received_at),
        "station": event.station or None,
        "session": session or None,
    }
    if isinstance(event, TransactionSaid):
        said["phase"] = event.phase.value
    elif isinstance(event, StatusSaid):
        said |= {"connector": f"{event.evse}.{event.connector}", "status": event.status}
    elif isinstance(event, Alarmed):
        said |= {"what": event.what, "detail": event.detail}
    elif isinstance(event, Acted):
        said |= {"who": event.who, "verb": event.verb, "what": event.what}
    return f"id: {position}\nevent: {kind}\ndata: {json.dumps(said)}\n\n"
