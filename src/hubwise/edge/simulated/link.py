"""A station's link: what was not answered is said again, over as many connections as it takes."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Callable
from itertools import count
from random import Random
from ssl import SSLContext
from urllib.parse import quote

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.typing import Subprotocol

Json = dict[str, object]
Answer = Callable[[str, Json], Json | None]
Tls = SSLContext | None
AGAIN_SECONDS = 0.3
ANSWER_SECONDS = 15.0


class Link:
    """One station's connection to a site, kept up.

    Parameters
    ----------
    url
        Of the site, such as ``ws://127.0.0.1:9000/ocpp``.
    station, password
        Who it is.
    protocol
        The subprotocol.
    answer
        What a call of the site is answered with; nothing for what is not known.
    draw
        Randomness of pauses.
    tls
        Whom to trust, where the site has TLS.
    """

    def __init__(
        self,
        url: str,
        station: str,
        password: str,
        protocol: str,
        answer: Answer,
        draw: Random,
        tls: Tls = None,
    ) -> None:
        """Nothing is connected yet."""
        self._url, self._station, self._password = url, station, password
        self._protocol, self._answer, self._draw, self._tls = protocol, answer, draw, tls
        self._socket: ClientConnection | None = None
        self._open = asyncio.Event()
        self._waiting: dict[str, asyncio.Future[list[object]]] = {}
        self._numbers = count(1)
        self._turn = asyncio.Lock()
        self.seconds: Callable[[float], None] = lambda _: None
        self.repeated = 0
        self._away_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether it is connected."""
        return self._open.is_set()

    async def run(self) -> None:
        """Connect, and again when the connection is lost, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(max(0.0, self._away_until - loop.time()))
            with contextlib.suppress(OSError, WebSocketException, InvalidHandshake, TimeoutError):
                await self._connected()
            await asyncio.sleep(AGAIN_SECONDS * self._draw.uniform(0.5, 2.0))

    async def say(self, action: str, payload: Json) -> Json:
        """Call the site until it answers.

        Raises
        ------
        ValueError
            Where it answers that the call is wrong: saying it again would not help.
        """
        async with self._turn:
            while True:
                await self._open.wait()
                frame = await self._once(action, payload)
                if frame is not None and frame[0] == 3:
                    return msgspec.convert(frame[2], Json)
                if frame is not None and frame[2] not in ("InternalError", "GenericError"):
                    raise ValueError(f"{action}: {frame[2:4]}")
                self.repeated += 1
                await asyncio.sleep(AGAIN_SECONDS)

    async def drop(self, away: float = 0.0) -> None:
        """Lose the connection; it comes back by itself, after so long [s]."""
        self._away_until = asyncio.get_running_loop().time() + away
        if self._socket is not None:
            await self._socket.close()

    async def _once(self, action: str, payload: Json) -> list[object] | None:
        """One try: the answer, or nothing if none came."""
        name = f"{next(self._numbers)}-{self._draw.getrandbits(32):08x}"
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[object]] = loop.create_future()
        self._waiting[name] = future
        began = loop.time()
        try:
            if self._socket is None:
                return None
            await self._socket.send(msgspec.json.encode([2, name, action, payload]).decode())
            await asyncio.wait((future,), timeout=ANSWER_SECONDS)
        except (ConnectionError, WebSocketException):
            return None
        finally:
            del self._waiting[name]
            future.cancel()  # no effect on one that was answered
        if future.cancelled():
            return None
        self.seconds(loop.time() - began)
        return future.result()

    async def _connected(self) -> None:
        said = base64.b64encode(f"{self._station}:{self._password}".encode()).decode()
        async with connect(
            f"{self._url}/{quote(self._station)}",
            subprotocols=[Subprotocol(self._protocol)],
            additional_headers={"Authorization": f"Basic {said}"},
            compression=None,
            open_timeout=30,
            ping_interval=None,
            ssl=self._tls,
        ) as socket:
            self._socket = socket
            self._open.set()
            try:
                async for raw in socket:
                    await self._heard(socket, msgspec.json.decode(raw))
            finally:
                self._open.clear()
                self._socket = None
                for future in self._waiting.values():
                    if not future.done():
                        future.cancel()

    async def _heard(self, socket: ClientConnection, frame: list[object]) -> None:
        name = str(frame[1])
        if frame[0] in (3, 4):
            future = self._waiting.get(name)
            if future is not None and not future.done():
                future.set_result(frame)
            return
        if frame[0] == 2:
            answer = self._answer(str(frame[2]), msgspec.convert(frame[3], Json))
            said = [4, name, "NotImplemented", "", {}] if answer is None else [3, name, answer]
            await socket.send(msgspec.json.encode(said).decode())
