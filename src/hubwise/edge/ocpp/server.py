"""The OCPP server: who may connect, which version is spoken, and set-points to whoever is there."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import socket
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from ssl import SSLContext, cert_time_to_seconds
from time import time
from urllib.parse import unquote, urlsplit

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, NegotiationError
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from hubwise.domain.events import Alarmed, Connected, NeedsSaid
from hubwise.edge.ocpp.connection import Connection
from hubwise.edge.ocpp.frames import MOST_BYTES
from hubwise.edge.ocpp.listener import Desk, Gate, Listener, Signer
from hubwise.edge.ocpp.profiles import SLOT_SECONDS, Step
from hubwise.edge.ocpp.steering import Outcome, Steering
from hubwise.edge.ocpp.v16 import VERSION as V16
from hubwise.edge.ocpp.v21 import VERSION as V21
from hubwise.edge.ocpp.v201 import VERSION as V201
from hubwise.edge.ocpp.version import World

VERSIONS = {version.name: version for version in (V21, V201, V16)}  # newest first
PATH = "/ocpp/"
REALM = 'Basic realm="hubwise"'
# How often, and at how many stations at once, profiles are renewed [s].
RENEW_SECONDS, RENEW_AT_ONCE = 5.0, 50
# Set-points under way at once: with 200 answers to meter values waited three times as long.
TOLD_AT_ONCE, DEAF_SECONDS = 40, 0.25
# How long a connection that a newer one replaces has to show that somebody is there [s].
PONG_SECONDS = 2.0
# How long before its certificate ends a station is asked for a new request [s].
RENEW_BEFORE = 30 * 86_400.0
logger = logging.getLogger(__name__)


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
        Who may connect.
    desk
        What is registered of stations.
    signer
        Signs stations' certificates, if anybody does.
    speed
        Of the listener's clock.
    """

    def __init__(
        self,
        listener: Listener,
        gate: Gate,
        desk: Desk,
        signer: Signer | None = None,
        speed: float = 1.0,
    ) -> None:
        """Nothing happens yet."""
        self._listener, self._gate, self._speed = listener, gate, speed
        self._live: dict[str, Connection] = {}
        self._steering: dict[str, Steering] = {}
        self._server: Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(TOLD_AT_ONCE)
        self.counts = Counts()
        self._world = World(listener, desk, self.counts.tell, signer)

    async def start(self, listening: socket.socket, ssl: SSLContext | None = None) -> None:
        """Let stations in; whoever gave the socket may go on with it after the stop."""
        self._server = await serve(
            self._hold,
            sock=listening.dup(),
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
        self._spawn(self._renew())

    async def stop(self) -> None:
        """Close every socket, politely and soon."""
        if self._server is not None:
            self._server.close()
        for task in [*self._tasks]:
            task.cancel()
        for steering in self._steering.values():
            await steering.close()
        if self._server is not None:
            await self._server.wait_closed()

    @property
    def connected(self) -> int:
        """How many stations are connected."""
        return len(self._live)

    def is_connected(self, station: str) -> bool:
        """Whether a station is connected."""
        return station in self._live

    async def follow(
        self, station: str, evse: int, transaction: str, steps: tuple[Step, ...]
    ) -> Outcome:
        """Set a station's power from now on [kW], and say what became of that.

        Parameters
        ----------
        station, evse, transaction
            Where, and for which car; no transaction is any, EVSE 0 the whole station.
        steps
            The most that is drawn, below 0 what is given back.
        """
        steering = self._steering.get(station)
        if steering is None or station not in self._live:
            return Outcome.UNREACHABLE
        async with self._room:  # whoever does not answer keeps nobody else waiting for long
            told = asyncio.create_task(steering.follow(evse, transaction, steps))
            await asyncio.wait((told,), timeout=DEAF_SECONDS)
        return await told

    def gives_back(self, station: str, evse: int, transaction: str) -> bool:
        """Whether station and car give energy back to set-points."""
        steering = self._steering.get(station)
        return steering is not None and steering.gives_back(evse, transaction)

    async def set_password(self, station: str, password: str) -> Outcome:
        """Give a station a password to connect with from the next time on."""
        steering = self._steering.get(station)
        if steering is None or station not in self._live:
            return Outcome.UNREACHABLE
        return await steering.set_password(password)

    def recall(self, said: NeedsSaid, transaction: str) -> None:
        """What a car asked for before the site was started anew."""
        needs = msgspec.json.decode(said.needs, type=dict[str, object]).get("chargingNeeds")
        if isinstance(needs, dict):
            self._steering_of(said.station).recall(said.evse, transaction, needs)

    def _steering_of(self, station: str) -> Steering:
        steering = self._steering.get(station)
        if steering is None:
            steering = Steering(station, self._listener, self._world.desk, self._speed)
            self._steering[station] = steering
        return steering

    async def _renew(self) -> None:
        """What was told a slot ago is said again: spread, so that no answer has to wait for it."""
        pause = min(RENEW_SECONDS, SLOT_SECONDS / self._speed / 4)
        while True:
            await asyncio.sleep(pause)
            now = self._now()
            due = [each for each in self._live.values() if each.steering.is_due(now)]
            for at in range(0, len(due), RENEW_AT_ONCE):
                some = due[at : at + RENEW_AT_ONCE]
                await asyncio.gather(*(each.steering.renew() for each in some))

    def _now(self) -> datetime:
        return self._listener.now()

    async def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        """Whoever is not known by a password hears 401 and nothing else."""
        path = urlsplit(request.path).path
        if not path.startswith(PATH) or len(path) == len(PATH):
            return socket.respond(HTTPStatus.NOT_FOUND, f"stations connect at {PATH}STATION_ID\n")
        station = unquote(path[len(PATH) :])
        if not await self._proves(socket, request, station):
            self.counts.refused += 1
            response = socket.respond(
                HTTPStatus.UNAUTHORIZED, "unknown station or wrong password\n"
            )
            response.headers["WWW-Authenticate"] = REALM
            return response
        socket.username = station
        return None

    async def _proves(self, socket: ServerConnection, request: Request, station: str) -> bool:
        """By its certificate, where it had to show one; else by its password."""
        said = _credentials(request.headers)
        shown = _certificate(socket)
        if shown is not None:
            return shown.station == station and await self._gate.knows(station)
        return said is not None and said[0] == station and await self._gate.admits(*said)

    async def _hold(self, socket: ServerConnection) -> None:
        station = socket.username
        version = VERSIONS[str(socket.subprotocol)]
        steering = self._steering_of(station)
        shown = _certificate(socket)
        steering.certificate_ends = shown is not None and shown.ends - time() < RENEW_BEFORE
        connection = Connection(socket, version, steering, self._world)
        before = self._live.get(station)
        self._live[station] = connection  # the newest that has proven who it is
        steering.connect(connection, begun=steering.open.is_set())
        try:
            if before is not None:
                self._spawn(self._replace(before, station))
            await self._tell_connected(station, version.name)
            await connection.run()
        finally:
            steering.leave(connection)
            if self._live.get(station) is connection:
                del self._live[station]

    async def _replace(self, before: Connection, station: str) -> None:
        """Close an older connection; where somebody is still at its end, an operator is told."""
        alive = await _is_alive(before.socket)
        await before.socket.close(1008, "a newer connection took over")
        if not alive:
            return
        now = self._now()
        what = "two connections claim one station"
        key = f"{station}|claimed twice|{now.isoformat()}"
        detail = f"{_peer(before)} gave way to a newer one"
        await self._hear_or_log(Alarmed(key, station, now, what, detail))

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

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


@dataclass(frozen=True, slots=True)
class _Shown:
    """A certificate that the authority of stations has signed: whose, and until when [s]."""

    station: str
    ends: float


def _certificate(socket: ServerConnection) -> _Shown | None:
    found = socket.transport.get_extra_info("peercert")
    if not found:
        return None
    names = [value for part in found["subject"] for key, value in part if key == "commonName"]
    station = names[0] if len(names) == 1 else ""
    return _Shown(station, cert_time_to_seconds(found["notAfter"]))


async def _is_alive(socket: ServerConnection) -> bool:
    """Whether anybody is there: a network that was cut leaves sockets with nobody."""
    try:
        await asyncio.wait_for(await socket.ping(), PONG_SECONDS)
    except (TimeoutError, ConnectionClosed):
        return False
    return True


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
