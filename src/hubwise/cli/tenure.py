"""Whether this process serves the site: a lease that is taken, renewed and lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from hubwise.store import LASTS_SECONDS, Holder, Lease

RENEW_SECONDS, LOOK_SECONDS = 2.0, 1.0
logger = logging.getLogger(__name__)


def _seconds() -> float:
    """A clock that goes on while the machine sleeps [s]."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class KeyDiffersError(RuntimeError):
    """Whoever serves the books has another key."""


@dataclass(slots=True)
class Tenure:
    """A process's time at a site. Without a lease, where nobody else can be, it has no end.

    Parameters
    ----------
    name
        The process.
    lease
        On PostgreSQL.
    before
        Who sat in its place and is dead.
    active, standby
        Who serves the site, and who stands by for them; empty if nobody is known.
    taken_from
        Who was seen to serve it before; empty if nobody was.
    """

    name: str
    lease: Lease | None = None
    before: str = ""
    active: str = ""
    standby: str = ""
    taken_from: str = ""
    _term: int = 0
    _renewed: float = 0.0
    _lost: bool = True

    @property
    def term(self) -> int:
        """Its number; 0 without a lease."""
        return self._term

    @property
    def holds(self) -> bool:
        """Whether nobody else can serve the site now, as far as can be told.

        Where somebody stands by, a lease that was not renewed in time may have passed on. Where
        nobody does, a database that is gone ends nothing: what is written is fenced in any case.
        """
        if self._lost or self.lease is None or not self.standby:
            return not self._lost
        return self._left > 0.0

    @property
    def _left(self) -> float:
        return self._renewed + LASTS_SECONDS - _seconds()

    async def take(self) -> bool:
        """Try to begin; where it is not to be, others see that this one stands by.

        Raises
        ------
        SQLAlchemyError
            Where the database does not answer.
        KeyDiffersError
            Where who serves the books has another key.
        """
        began = _seconds()
        if self.lease is not None:
            found = await asyncio.to_thread(self.lease.take, self.before)
            if isinstance(found, Holder):
                self.active = found.owner
                if found.secret != self.lease.secret:
                    raise KeyDiffersError(found.owner)
                return False
            self._term = found
        self.taken_from = self.active if self.active != self.name else ""
        self.before, self.active, self.standby = "", self.name, ""
        self._renewed, self._lost = began, False
        return True

    async def keep(self) -> None:
        """Renew until it is lost."""
        asking: asyncio.Task[str | None] | None = None
        began = 0.0
        while self.holds:
            if self.lease is None:
                await asyncio.sleep(RENEW_SECONDS)
                continue
            if asking is None:
                began = _seconds()
                asking = asyncio.create_task(asyncio.to_thread(self.lease.renew, self._term))
                asking.add_done_callback(lambda done: done.cancelled() or done.exception())
            await asyncio.wait((asking,), timeout=self._pause)
            if not asking.done():
                continue
            self._take_answer(asking, began)
            asking = None
            await asyncio.sleep(max(began + self._pause - _seconds(), 0.0))
        self._lost = True

    @property
    def _pause(self) -> float:
        """Until the next look: no later than the lease ends, if that matters [s]."""
        return max(min(RENEW_SECONDS, self._left), 0.05) if self.standby else RENEW_SECONDS

    def _take_answer(self, asked: asyncio.Task[str | None], began: float) -> None:
        try:
            standby = asked.result()
        except SQLAlchemyError as error:
            logger.warning("the lease is not renewed: %s", str(error).splitlines()[0])
            return
        if standby is None:
            self._lost = True
        else:
            self.standby, self._renewed = standby, began

    async def end(self) -> None:
        """Let whoever stands by have it."""
        held, self._lost = not self._lost, True
        if self.lease is not None and held:
            with contextlib.suppress(SQLAlchemyError):
                await asyncio.to_thread(self.lease.free, self._term)
