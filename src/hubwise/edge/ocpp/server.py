"""The OCPP server: who may connect, which version is spoken, and set-points to whoever is there."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from itertools import count
from ssl import SSLContext
from urllib.parse import unquote, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import NegotiationError
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from hubwise.domain.events import Alarmed, Connected
from hubwise.edge.ocpp.connection import Connection, RefusedError, UnansweredError
from hubwise.edge.ocpp.frames import MOST_BYTES
from hubwise.edge.ocpp.listener import Listener
from hubwise.edge.ocpp.v16 import VERSION as V16
from hubwise.edge.ocpp.v21 import VERSION as V21
from hubwise.edge.ocpp.v201 import VERSION as V201
from hubwise.edge.ocpp.version import Limit

VERSIONS = {version.name: version for version in (V21, V201, V16)}  # newest first
PATH = "/ocpp/"
REALM = 'Basic realm="hubwise"'
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A station that may connect."""

    station: str


class Outcome(StrEnum):
    """What became of a set-point."""

    FOLLOWED = "followed"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


Gate = Callable[[str, str], Awaitable[bool]]


@dataclass(slots=True)
class Counts:
    """What the server has done, for whoever measures."""

    answers: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    seconds: Callable[[float], None] = lambda _: None

    def tell(self, seconds: float, how: str) -> None:
        """Count an answered call."""
        self.answers[how] += 1
        self.seconds(seconds)


class OcppServer:
    """Holds the stations' sockets.

    Parameters
    ----------
    listener
        Hears events.
    gate
        Whether a station may connect with a password.
    """

    def __init__(self, listener: Listener, gate: Gate) -> None:
        """Nothing happens yet."""
        self._listener, self._gate = listener, gate
        self._live: dict[str, Connection] = {}
        self._numbers = count(1)
        self._server: Server | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self.counts = Counts()

    async def start(self, host: str, port: int, ssl: SSLContext | None = None) -> int:
        """Listen; the port, which is a free one where 0 was asked for.

        Raises
        ------
        OSError
            Where the port is taken.
        """
        self._server = await serve(
            self._hold,
            host,
            port,
            process_request=self._admit,
            select_subprotocol=_choose,
            subprotocols=[Subprotocol(name) for name in VERSIONS],
            compression=None,
            max_size=MOST_BYTES,
            open_timeout=20,
            ping_interval=60,
            ping_timeout=60,
            backlog=4_096,
            ssl=ssl,
            server_header=None,
        )
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def stop(self) -> None:
        """Close every socket, politely and soon."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    @property
    def connected(self) -> int:
        """How many stations are connected."""
        return len(self._live)

    def is_connected(self, station: str) -> bool:
        """Whether a station is connected."""
        return station in self._live

    async def limit(self, station: str, evse: int, transaction: str, most_kw: float) -> Outcome:
        """Tell a station the most that it may draw [kW], and say what became of that."""
        connection = self._live.get(station)
        if connection is None:
            return Outcome.UNREACHABLE
        asked = Limit(next(self._numbers), evse, transaction, most_kw, self._now())
        try:
            payload = connection.version.profile(asked)
            answer = await connection.call("SetChargingProfile", payload)
        except UnansweredError:
            return Outcome.UNREACHABLE
        except RefusedError as refused:
            logger.info("%s refused a limit: %s %s", station, refused.code, refused.what)
            return Outcome.REFUSED
        return Outcome.FOLLOWED if answer.get("status") == "Accepted" else Outcome.REFUSED

    def _now(self) -> datetime:
        return self._listener.now()

    async def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        """Whoever is not known by a password hears 401 and nothing else."""
        path = urlsplit(request.path).path
        if not path.startswith(PATH) or len(path) == len(PATH):
            return socket.respond(HTTPStatus.NOT_FOUND, f"stations connect at {PATH}STATION_ID\n")
        station = unquote(path[len(PATH) :])
        said = _credentials(request.headers)
        if said is None or said[0] != station or not await self._gate(*said):
            self.counts.refused += 1
            response = socket.respond(
                HTTPStatus.UNAUTHORIZED, "unknown station or wrong password\n"
            )
            response.headers["WWW-Authenticate"] = REALM
            return response
        socket.username = station
        return None

    async def _hold(self, socket: ServerConnection) -> None:
        station = socket.username
        version = VERSIONS[str(socket.subprotocol)]
        connection = Connection(socket, station, version, self._listener, self.counts.tell)
        before = self._live.get(station)
        self._live[station] = connection  # the newest that has proven who it is
        try:
            if before is not None:
                await self._replace(before, station)
            await self._tell_connected(station, version.name)
            await connection.run()
        finally:
            if self._live.get(station) is connection:
                del self._live[station]

    async def _replace(self, before: Connection, station: str) -> None:
        now = self._now()
        what = "two connections claim one station"
        key = f"{station}|claimed twice|{now.isoformat()}"
        detail = f"{_peer(before)} gave way to a newer one"
        closing = asyncio.create_task(before.socket.close(1008, "a newer connection took over"))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        await self._hear_or_log(Alarmed(key, station, now, what, detail))

    async def _tell_connected(self, station: str, protocol: str) -> None:
        now = self._now()
        key = f"{station}|connected|{now.isoformat()}"
        await self._hear_or_log(Connected(key, station, now, protocol))

    async def _hear_or_log(self, event: Alarmed | Connected) -> None:
        """A store that is gone does not keep a station from connecting."""
        try:
            await self._listener.hear(event)
        except Exception as error:
            logger.warning("%s: not kept: %s", event.id, error)


def _peer(connection: Connection) -> str:
    address = connection.socket.remote_address
    return f"{address[0]}:{address[1]}" if address else "somebody who is gone"


def _credentials(headers: Headers) -> tuple[str, str] | None:
    """User and password of HTTP Basic authentication."""
    kind, _, said = headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(said, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    if not colon or "\0" in user + password:
        return None
    return user, password


def _choose(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol:
    """The newest version that both speak."""
    for name in VERSIONS:
        if name in offered:
            return Subprotocol(name)
    raise NegotiationError(f"one of {', '.join(VERSIONS)} has to be offered")
