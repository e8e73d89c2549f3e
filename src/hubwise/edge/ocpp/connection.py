"""One station's socket: frames in, answers out, and our own calls one at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from time import monotonic

import msgspec
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from hubwise.edge.ocpp.frames import (
    CALL,
    ERROR,
    RESULT,
    RESULT_ERROR,
    SEND,
    Frame,
    FrameError,
    Json,
    read_frame,
)
from hubwise.edge.ocpp.listener import Listener
from hubwise.edge.ocpp.version import Heard, Version

# Frames that a station may send in one go, and in the long run [1/s]; more have to wait.
BURST, RATE = 200.0, 50.0
CALL_SECONDS = 30.0
logger = logging.getLogger(__name__)
Told = Callable[[float, str], None]


@dataclass(slots=True)
class RefusedError(Exception):
    """A station answered our call with an error."""

    code: str
    what: str


class UnansweredError(Exception):
    """A station did not answer our call in time, or went."""


class Bucket:
    """Lets frames through at a rate: whoever sends more waits, nothing is lost."""

    def __init__(self) -> None:
        """Full at first."""
        self._left, self._at = BURST, monotonic()

    def wait(self) -> float:
        """How long the next frame has to wait [s]."""
        now = monotonic()
        self._left = min(BURST, self._left + (now - self._at) * RATE) - 1.0
        self._at = now
        return max(0.0, -self._left / RATE)


class Connection:
    """A station that is connected.

    Parameters
    ----------
    socket, station, version, listener
        The open socket, who is at its end, what is spoken, who hears events.
    told
        Hears of every call that was answered: seconds, and how it ended.
    """

    def __init__(
        self,
        socket: ServerConnection,
        station: str,
        version: Version,
        listener: Listener,
        told: Told,
    ) -> None:
        """Nothing happens yet."""
        self.socket, self.station, self.version = socket, station, version
        self._listener, self._told = listener, told
        self._bucket = Bucket()
        self._turn = asyncio.Lock()
        self._numbers = count(1)
        self._asked: dict[str, asyncio.Future[Json]] = {}

    async def run(self) -> None:
        """Answer until the socket closes."""
        try:
            async for raw in self.socket:
                if wait := self._bucket.wait():
                    await asyncio.sleep(wait)
                answer = await self._answer_to(raw)
                if answer is not None:
                    await self.socket.send(msgspec.json.encode(answer).decode())
        except ConnectionClosed:
            pass
        finally:
            for future in self._asked.values():
                if not future.done():
                    future.set_exception(UnansweredError("the station went"))

    async def call(self, action: str, payload: Json, seconds: float = CALL_SECONDS) -> Json:
        """Call the station and wait for what it answers; one call at a time.

        Raises
        ------
        RefusedError
            Where it answers with an error, or with what fits no schema.
        UnansweredError
            Where it answers nothing.
        """
        async with self._turn:
            name = f"h{next(self._numbers)}"
            future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
            self._asked[name] = future
            try:
                frame = msgspec.json.encode([CALL, name, action, payload]).decode()
                await self.socket.send(frame)
                answer = await asyncio.wait_for(future, seconds)
                self.version.schemas.check_answer(action, answer)
            except (TimeoutError, ConnectionClosed) as error:
                raise UnansweredError(str(error)) from error
            except FrameError as fault:
                raise RefusedError(fault.code, fault.what) from fault
            finally:
                del self._asked[name]
        return answer

    async def _answer_to(self, raw: str | bytes) -> list[object] | None:
        """What a frame is answered with, if with anything; no frame ends the connection."""
        began = monotonic()
        frame: Frame | None = None
        try:
            frame = read_frame(raw)
            if frame.kind not in (CALL, SEND):
                self._take_answer(frame)
                return None
            payload = await self._handle(frame)
        except FrameError as fault:
            return self._fault(frame, fault, monotonic() - began)
        except Exception as error:
            logger.warning("%s: %s failed: %s", self.station, frame and frame.action, error)
            return self._fault(frame, FrameError("internal", "try again"), monotonic() - began)
        self._told(monotonic() - began, "answered")
        return None if frame.kind == SEND else [RESULT, frame.id, payload]

    def _fault(self, frame: Frame | None, fault: FrameError, seconds: float) -> list[object] | None:
        self._told(seconds, fault.code)
        if frame is not None and frame.kind == SEND:
            return None
        name = frame.id if frame is not None else fault.id
        return [ERROR, name, self.version.codes[fault.code], fault.what[:255], {}]

    async def _handle(self, frame: Frame) -> Json:
        handler = self.version.handlers.get(frame.action)
        if handler is None:
            known = self.version.schemas.has(frame.action)
            raise FrameError("unsupported" if known else "unknown", f"{frame.action[:50]!r}")
        self.version.schemas.check(frame.action, frame.payload)
        heard = Heard(
            self.station, self.version.name, self._listener.now(), self._listener, frame.payload
        )
        work: Awaitable[Json] = handler(heard)
        return await work

    def _take_answer(self, frame: Frame) -> None:
        future = self._asked.get(frame.id)
        if future is None or future.done() or frame.kind == RESULT_ERROR:
            return  # late, never asked, or about an answer of ours
        if frame.kind == RESULT:
            future.set_result(frame.payload)
        else:
            said = frame.payload.get("error")
            parts = [str(part) for part in said] if isinstance(said, list) else []
            future.set_exception(RefusedError(*[*parts, "", ""][:2]))
