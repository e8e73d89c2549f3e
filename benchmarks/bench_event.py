"""What an event costs where its transaction and its log are long, against short ones."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from types import SimpleNamespace
from typing import cast

import msgspec
from websockets.asyncio.server import ServerConnection

from benchmarks.figure import Figure
from benchmarks.served import new_site, post_prices
from hubwise.cli.desk import StationDesk
from hubwise.cli.serving import Neighbours, WallClock
from hubwise.edge.ocpp.connection import Connection
from hubwise.edge.ocpp.server import VERSIONS
from hubwise.edge.ocpp.steering import Steering
from hubwise.edge.ocpp.version import World
from hubwise.edge.simulated.sayings import in_words
from hubwise.live import Site, read_settings
from hubwise.live.fold import Session
from hubwise.store import Registry, SiteKey, WaitingLog, database_url, open_engine

LONG, QUICK_LONG, SHORT = 100_000, 10_000, 10
AT_ONCE, EVENTS, ROUNDS = 50, 500, 20


def bench(quick: bool) -> Iterator[Figure]:
    """Turn by turn in both, so that others' work on the machine meets both alike."""
    long = QUICK_LONG if quick else LONG
    cpu, wall, bill = asyncio.run(_ratios(long))
    how = (
        f"events of 4 samples, {AT_ONCE} at once, validated, committed to SQLite and taken up: in "
        f"a transaction of {long:,} events against one of {SHORT} (each round a new one); medians "
        f"of {ROUNDS} rounds of {EVENTS}, turn by turn"
    )
    yield Figure("event: CPU, long against short", cpu, "x", how, ("at most", 1.2))
    yield Figure("event: time, long against short", wall, "x", how, ("at most", 1.2))
    how = (
        f"the last event of a session of {SHORT}, with its bill, in a log of {long:,} events "
        f"against a new one; medians of {ROUNDS} rounds, turn by turn"
    )
    yield Figure("event: a bill, long log against short", bill, "x", how, ("at most", 1.2))


async def _ratios(long: int) -> tuple[float, float, float]:
    with new_site(["A"]) as one, new_site(["A"]) as other:
        old, new = Fed(one), Fed(other)
        for each in (old, new):
            await post_prices(each.site)
        while old.number < long:
            await old.feed(EVENTS)
        gc.collect()
        gc.freeze()
        spent: dict[str, list[tuple[float, float]]] = {"old": [], "new": []}
        for _ in range(ROUNDS):
            new.begin()
            await new.feed(SHORT)
            for name, fed in (("old", old), ("new", new)):
                before = process_time(), perf_counter()
                await fed.feed(EVENTS)
                spent[name].append((process_time() - before[0], perf_counter() - before[1]))
        bills = [(await old.bill(), await new.bill()) for _ in range(ROUNDS)]
        for each in (old, new):
            await each.log.close()
        gc.unfreeze()
    cpu, wall = (
        median(each[kind] for each in spent["old"]) / median(each[kind] for each in spent["new"])
        for kind in (0, 1)
    )
    one, other = zip(*bills, strict=True)
    return cpu, wall, median(one) / median(other)


class Fed:
    """A site's log and books, fed with the events of one transaction after the other."""

    def __init__(self, folder: Path) -> None:
        """Nothing was said yet."""
        engine = open_engine(database_url(folder))
        neighbours = Neighbours(Registry(engine, SiteKey.read(folder)))
        settings = read_settings(folder)
        self.log = WaitingLog(engine, lambda event: self.site.applied(event))
        self.site = Site(settings, self.log, neighbours, WallClock())
        desk = StationDesk(neighbours.registry, settings)
        steering = Steering("A", self.site, desk)
        world = World(self.site, desk, lambda *_: None)
        socket = cast(ServerConnection, SimpleNamespace())
        self.connection = Connection(socket, VERSIONS["ocpp2.1"], steering, world)
        self.transaction = self.number = 0
        self.began = datetime.now(UTC) - timedelta(days=2)

    def begin(self) -> None:
        """Another transaction."""
        self.transaction += 1
        self.number = 0

    async def feed(self, events: int) -> None:
        """The next events, so many at once."""
        for _ in range(max(events // AT_ONCE, 1)):
            some = range(min(AT_ONCE, events))
            frames = [self._frame(self.number + each) for each in some]
            self.number += len(frames)
            for answer in await asyncio.gather(*map(self.connection.answer_to, frames)):
                assert answer is not None
                assert answer[0] == 3, answer

    async def bill(self) -> float:
        """The CPU time from a session's last event to its bill [s]."""
        self.begin()
        await self.feed(SHORT)
        before = process_time()
        answer = await self.connection.answer_to(self._frame(SHORT, "Ended"))
        assert answer is not None
        assert answer[0] == 3, answer
        session = next(it for it in self.site.books.sessions.values() if self._is_last(it))
        await self.site.settled(session)
        assert session.stands is not None
        return process_time() - before

    def _is_last(self, session: Session) -> bool:
        return session.transaction == f"T{self.transaction}"

    def _frame(self, number: int, phase: str = "Updated") -> bytes:
        at = in_words(self.began + timedelta(seconds=number))
        values = [
            ("Energy.Active.Import.Register", 1_000_000 + number),
            ("Energy.Active.Export.Register", 5_000),
            ("Power.Active.Import", 3_600),
            ("SoC", 50),
        ]
        sampled = [{"measurand": measurand, "value": value} for measurand, value in values]
        said = {
            "eventType": phase if number else "Started",
            "timestamp": at,
            "triggerReason": "MeterValuePeriodic",
            "seqNo": number,
            "offline": True,
            "transactionInfo": {"transactionId": f"T{self.transaction}"},
            "evse": {"id": 1},
            "meterValue": [{"timestamp": at, "sampledValue": sampled}],
        }
        return msgspec.json.encode([2, f"{number}", "TransactionEvent", said])
