"""Streams of pages: a line each time that what is shown changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from fastapi import Request
from fastapi.responses import StreamingResponse

from hubwise.live import Actor
from hubwise.web.asking import World
from hubwise.web.bell import rung
from hubwise.web.pages.who import secret_of
from hubwise.web.stream import check_room

# It is looked anew after a ring, at most so often, and at least so often [s].
PAUSE_SECONDS, LOOK_SECONDS, QUIET_SECONDS = 1.0, 4.0, 15.0


def stream_of(
    request: Request, here: World, actor: Actor, line: Callable[[], Awaitable[str]]
) -> StreamingResponse:
    """``text/event-stream`` of lines; 503 where too many listen already."""
    check_room(here, actor)
    return StreamingResponse(
        _lines(request, here, actor, line),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _lines(
    request: Request, here: World, actor: Actor, line: Callable[[], Awaitable[str]]
) -> AsyncIterator[str]:
    """A line where it differs from the last; it ends with the sign-in or the token."""
    secret, said, quiet = secret_of(request), "", 0.0
    by_cookie = "authorization" not in request.headers
    token = request.headers.get("authorization", "").partition(" ")[2].strip()
    with here.bell.listening(actor.account):
        yield "retry: 2000\n\n"
        while not (here.bell.is_over or await request.is_disconnected()):
            mark = here.bell.mark()
            if await (here.doors.who(secret) if by_cookie else here.actor_of(token)) is None:
                return
            now = await line()
            if now != said:
                yield f"data: {now}\n\n"
            elif quiet >= QUIET_SECONDS:
                yield ": quiet\n\n"
            quiet = 0.0 if now != said or quiet >= QUIET_SECONDS else quiet + LOOK_SECONDS
            said = now
            await rung(mark, LOOK_SECONDS)
            await asyncio.sleep(PAUSE_SECONDS)
