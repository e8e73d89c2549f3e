"""A process that serves a site, or stands by and takes over: both ports answer all the while."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp
from websockets.asyncio.server import Server

from hubwise.cli.served import Seat
from hubwise.cli.tenure import LOOK_SECONDS, Tenure
from hubwise.edge.ocpp import refuse_all
from hubwise.live.troubles import BOOKS, first_line
from hubwise.store import GONE
from hubwise.web.answers import Health
from hubwise.web.standby import Front, standby_app

logger = logging.getLogger(__name__)


class Work(Protocol):
    """A site that can be begun once, and ended."""

    @property
    def app(self) -> ASGIApp:
        """Its API."""
        ...

    def take_up(self) -> None:
        """Take up what others have written."""
        ...

    async def begin(self, listening: socket.socket, tls: SSLContext | None, term: int) -> None:
        """Let stations in and control."""
        ...

    async def end(self, *, kept: bool) -> None:
        """Let stations go and end; ``kept``: whether what waits may still be written."""
        ...


@dataclass(slots=True)
class Turns:
    """Takes the lease when it is to be had, works while it lasts, and stands by else.

    Parameters
    ----------
    tenure, make
        The lease, and what makes a site anew for each time that it is held.
    ocpp, tls
        Where stations connect.
    seat, ready, say
        Where it is noted, and said, where the site is served; and what is.
    """

    tenure: Tenure
    make: Callable[[], Work]
    ocpp: socket.socket
    tls: SSLContext | None
    seat: Seat
    ready: dict[str, object]
    say: Callable[[str], None]
    front: Front = field(init=False)
    _refusing: Server | None = None
    _said: bool = False
    _trouble: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """``front`` answers HTTP from now on."""
        self.front = Front(standby_app(self._health))

    async def run(self, stop: asyncio.Event) -> None:
        """Until it is to stop."""
        while not stop.is_set():
            work = self.make()
            try:
                await self._turn(work, stop)
            except GONE as error:
                if not self._said:
                    raise
                logger.warning("the site is not begun: %s; again soon", first_line(error))
            finally:
                self.front.now = standby_app(self._health)
                await work.end(kept=self.tenure.holds)
                await self.tenure.end()
        await self._stop_refusing()

    async def _turn(self, work: Work, stop: asyncio.Event) -> None:
        if not await self._wait(work, stop):
            return
        keeping = asyncio.create_task(self.tenure.keep())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.to_thread(work.take_up)
            await self._stop_refusing()
            await work.begin(self.ocpp, self.tls, self.tenure.term)
            self.front.now = work.app
            self._tell(controls=True)
            await asyncio.wait((keeping, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not stop.is_set():
                logger.warning("another process may serve the site now: this one stands by")
        finally:
            for task in (keeping, stopping):
                task.cancel()

    async def _wait(self, work: Work, stop: asyncio.Event) -> bool:
        """Stand by until the lease is held, or until it is to stop; the log is followed."""
        while not stop.is_set():
            try:
                await asyncio.to_thread(work.take_up)
                taken = await self.tenure.take()
                self._trouble.clear()
            except SQLAlchemyError as error:
                if not self._trouble:
                    logger.warning("the lease cannot be asked for: %s", first_line(error))
                self._trouble[:], taken = [BOOKS], False
            if taken:
                return True
            if self._refusing is None:
                self._refusing = await refuse_all(self.ocpp, self.tls)
                self._tell(controls=False)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
        return False

    async def _stop_refusing(self) -> None:
        if self._refusing is not None:
            self._refusing.close()
            await self._refusing.wait_closed()
            self._refusing = None

    def _tell(self, *, controls: bool) -> None:
        """Note it, and say it: the first time that it is ready, then that it has changed."""
        self.seat.write({**self.ready, "name": self.tenure.name, "controls": controls})
        active: dict[str, object] = {} if controls else {"standby_for": self.tenure.active}
        if not self._said:
            public = {name: self.ready[name] for name in ("event", "ocpp", "http")}
            self.say(json.dumps({**public, **active}))
        elif controls:
            self.say(json.dumps({"event": "active", "term": self.tenure.term}))
        else:
            self.say(json.dumps({"event": "standby", **active}))
        self._said = True

    def _health(self) -> Health:
        active, me = self.tenure.active or None, self.tenure.name
        known = None if active == me else active
        return Health(status="standby", troubles=self._trouble, active=known, standby=me)
