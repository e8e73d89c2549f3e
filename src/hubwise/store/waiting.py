"""The log for one event loop: whoever appends waits until it is durable."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import Connection, Engine

from hubwise.domain.events import Event
from hubwise.store.log import EventLog, Written

OVER = "this process keeps nothing any more"
logger = logging.getLogger(__name__)


class NotKeptError(RuntimeError):
    """An event could not be made durable; whoever said it has to say it again."""


class WaitingLog:
    """The log of events, awaited.

    Parameters
    ----------
    engine
        The database.
    applied
        Called in the loop once for every new event, in the order of positions, before whoever
        appended it goes on.
    key
        What commits are sealed with.
    fence
        Raises in a commit's transaction where this process may write no more.
    """

    def __init__(
        self,
        engine: Engine,
        applied: Callable[[Event], None],
        key: bytes = b"",
        fence: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        """Nothing happens yet."""
        self._over = False
        self._loop = asyncio.get_running_loop()
        self._applied = applied
        self._futures: dict[int, asyncio.Future[bool]] = {}
        self._log = EventLog(engine, self._told, key, fence)

    async def append(self, event: Event, *more: Event) -> bool:
        """Keep an event, and with it what belongs to it, all or none; true if it is new.

        Raises
        ------
        NotKeptError
            Where it is not durable.
        """
        if self._over:
            raise NotKeptError(OVER)
        future: asyncio.Future[bool] = self._loop.create_future()
        self._futures[id(event)] = future
        self._log.append(event, *more)
        return await future

    async def check(self) -> None:
        """Ask the database for something; raises where it is gone."""
        await asyncio.to_thread(self._log.check)

    async def of_transaction(self, station: str, transaction: str) -> list[Event]:
        """Every message of a station's transaction, as they came."""
        found = await asyncio.to_thread(self._log.of_transaction, station, transaction)
        return [event for _, event in found]

    async def of_kind(self, kind: str, after: int, most: int) -> list[tuple[int, Event]]:
        """Events of a kind behind a position, in order."""
        return await asyncio.to_thread(self._log.of_kind, kind, after, most)

    async def of_kinds(
        self, kinds: Sequence[str], after: int, most: int
    ) -> list[tuple[int, Event]]:
        """Events of some kinds behind a position, in order; of all kinds without any."""
        return await asyncio.to_thread(self._log.of_kinds, kinds, after, most)

    async def last(self) -> int:
        """The last position."""
        return await asyncio.to_thread(self._log.last)

    def after(self, position: int) -> Iterator[tuple[int, Event]]:
        """Events behind a position, in order."""
        return self._log.after(position)

    async def close(self) -> None:
        """Write what waits, then end."""
        self._over = True
        await asyncio.to_thread(self._log.close)

    def give_up(self) -> None:
        """Write nothing more: whoever waits is told so at once."""
        self._over = True
        self._log.give_up()
        for future in self._futures.values():
            if not future.done():
                future.set_exception(NotKeptError(OVER))
        self._futures.clear()

    def _apply(self, event: Event) -> None:
        try:
            self._applied(event)
        except Exception:  # it is kept: one that cannot be taken up must not hold up the others
            logger.exception("an event could not be taken up: %s", event.id)

    def _told(self, written: list[Written], error: Exception | None) -> None:
        self._loop.call_soon_threadsafe(self._tell, written, error)

    def _tell(self, written: list[Written], error: Exception | None) -> None:
        for each in written:
            if each.new:
                self._apply(each.event)
            future = self._futures.pop(id(each.event), None)
            if future is None or future.done():
                continue
            if error is None:
                future.set_result(each.new)
            else:
                future.set_exception(NotKeptError(str(error)))
