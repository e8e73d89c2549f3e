"""The port of a process that stands by: whoever connects is told to try the other address."""

from __future__ import annotations

import socket
from http import HTTPStatus
from ssl import SSLContext

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

RETRY_SECONDS = 5
_SAID = "another process serves this site; try the other address\n"


async def refuse_all(listening: socket.socket, ssl: SSLContext | None) -> Server:
    """Answer every handshake with 503 and Retry-After, until the server is closed."""
    return await serve(
        _never,
        sock=listening.dup(),
        process_request=_refuse,
        compression=None,
        open_timeout=20,
        backlog=4_096,
        ssl=ssl,
        server_header=None,
    )


def _refuse(connection: ServerConnection, _: Request) -> Response:
    response = connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, _SAID)
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


async def _never(_: ServerConnection) -> None:
    """Nobody is let in."""
