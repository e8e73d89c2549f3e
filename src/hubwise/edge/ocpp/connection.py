"""One station's socket: frames in, answers out, and our own calls one at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
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
    RefusedError,
    UnansweredError,
    read_frame,
)
from hubwise.edge.ocpp.listener import Standing
from hubwise.edge.ocpp.profiles import Profile
from hubwise.edge.ocpp.steering import Steering
from hubwise.edge.ocpp.version import Heard, Version, World

# Frames that a station may send in one go, and in the long run [1/s]; more have to wait.
BURST, RATE = 200.0, 50.0
logger = logging.getLogger(__name__)
# To a station that refused, no more than two calls a second go out [s].
PAUSE_SECONDS = 0.5
# What may be said before a station is accepted.
AT_FIRST = ("BootNotification", "NotifyReport")


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
    socket, version, steering, world
        The open socket, what is spoken, who is at its end and how that is steered, and who listens.
    """

    def __init__(
        self, socket: ServerConnection, version: Version, steering: Steering, world: World
    ) -> None:
        """Nothing happens yet."""
        self.socket, self.version, self.steering = socket, version, steering
        self.station = steering.station
        self.sets_points, self.has_variables = version.sets_points, version.has_variables
        self._world, self._told = world, world.told
        self._pause = 0.0
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
                answer = await self.answer_to(raw)
                if answer is not None:
                    await self.socket.send(msgspec.json.encode(answer).decode())
        except ConnectionClosed:
            pass
        finally:
            for future in self._asked.values():
                if not future.done():
                    future.set_exception(UnansweredError("the station went"))
                    future.exception()  # whoever asked may be gone, too

    async def call(self, action: str, payload: Json, seconds: float) -> Json:
        """Call the station and wait for what it answers; one call at a time.

        Raises
        ------
        RefusedError
            Where it answers with an error, or with what fits no schema.
        UnansweredError
            Where it answers nothing.
        """
        async with self._turn:
            if self._pause:
                await asyncio.sleep(self._pause)
                self._pause = 0.0
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
            except RefusedError:
                self._pause = PAUSE_SECONDS
                raise
            finally:
                del self._asked[name]
        return answer

    def write(self, profile: Profile) -> Json:
        """SetChargingProfile as the version has it."""
        return self.version.profile(profile)

    async def answer_to(self, raw: str | bytes) -> list[object] | None:
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
        steering = self.steering
        if frame.action not in AT_FIRST:
            if steering.standing is not Standing.ACCEPTED:
                raise FrameError("security", "the station is not accepted yet")
            steering.spoke()
        now = self._world.listener.now()
        heard = Heard(self.station, self.version.name, now, self._world, steering, frame.payload)
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
