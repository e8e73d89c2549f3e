"""The log of events: one writer thread, many events in one durable commit, read by position."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import islice
from operator import itemgetter
from queue import SimpleQueue

import msgspec
from sqlalchemy import Connection, Engine, Select, select
from sqlalchemy.dialects import postgresql, sqlite

from hubwise.domain.events import KIND_OF, KINDS, Acted, Event
from hubwise.store.files import DatabaseFile
from hubwise.store.seals import Sealer
from hubwise.store.tables import acts, events, seals

MOST = 2_000
Told = Callable[[list["Written"], Exception | None], None]


@dataclass(frozen=True, slots=True)
class Written:
    """An event that was to be kept, and whether it was new."""

    event: Event
    position: int
    new: bool


class EventLog:
    """Appends events once by their id and reads them in the order of their positions.

    Positions grow; some are left out. One process at a time appends to a log.

    Parameters
    ----------
    engine
        The database.
    told
        Called from the writer's thread after each commit with what it held, in order, or with
        what was not kept and why.
    key
        What commits are sealed with.
    fence
        Called first in each commit's transaction; raises where this process may write no more.
    """

    def __init__(
        self,
        engine: Engine,
        told: Told,
        key: bytes = b"",
        fence: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        """The writer starts at once."""
        self._engine, self._fence = engine, fence
        self._given_up = False
        self._file = DatabaseFile.of(engine)
        self._sealer = Sealer(key)
        self._told = told
        self._waiting: SimpleQueue[tuple[Event, ...] | None] = SimpleQueue()
        self._encode = msgspec.json.Encoder()
        self._decoders = {kind: msgspec.json.Decoder(made) for kind, made in KINDS.items()}
        self._next: int | None = None
        kind = postgresql if engine.dialect.name == "postgresql" else sqlite
        inserting = kind.insert(events).on_conflict_do_nothing(index_elements=["id"])
        self._insert = inserting.execution_options(preserve_rowcount=True)
        self._thread = threading.Thread(target=self._write_all, name="writer", daemon=True)
        self._thread.start()

    def append(self, event: Event, *more: Event) -> None:
        """Hand events to the writer, all kept or none; ``told`` says when they are durable."""
        self._waiting.put((event, *more))

    def close(self) -> None:
        """Write what waits, then end."""
        self._waiting.put(None)
        self._thread.join()

    def give_up(self) -> None:
        """Write nothing more, also of what waits; a commit that is under way may still be kept."""
        self._given_up = True
        self._waiting.put(None)

    def after(self, position: int) -> Iterator[tuple[int, Event]]:
        """Every event behind a position, in order."""
        return self._read(select(events).where(events.c.position > position))

    def of_transaction(self, station: str, transaction: str) -> list[tuple[int, Event]]:
        """What is known of a station's transaction, in order; bills are none of it."""
        # The kind is looked at here: asked for it too, SQLite goes through every transaction that
        # there is, by the index of kinds.
        found = select(events).where(
            events.c.station == station, events.c.transaction_id == transaction
        )
        return [it for it in self._read(found) if KIND_OF[type(it[1])] == "transaction"]

    def of_kind(self, kind: str, after: int = 0, most: int = 1_000) -> list[tuple[int, Event]]:
        """Events of a kind behind a position, in order."""
        return self.of_kinds((kind,), after, most)

    def of_kinds(
        self, kinds: Sequence[str], after: int = 0, most: int = 1_000
    ) -> list[tuple[int, Event]]:
        """Events of some kinds behind a position, in order; of all kinds without any."""
        behind = select(events).where(events.c.position > after)
        if not kinds:
            return list(self._read(behind, most))
        # Each kind by itself is read in order; asked for many, a database sorts all that is behind.
        each = [list(self._read(behind.where(events.c.kind == kind), most)) for kind in kinds]
        return list(islice(heapq.merge(*each, key=itemgetter(0)), most))

    def last(self) -> int:
        """The last position; 0 where there is none."""
        with self._engine.connect() as connection:
            asked = select(events.c.position).order_by(events.c.position.desc()).limit(1)
            return int(connection.execute(asked).scalar() or 0)

    def check(self) -> None:
        """Ask the database for something; raises where it is gone."""
        self._file.look()
        with self._engine.connect() as connection:
            connection.execute(select(seals.c.position).limit(1)).first()

    def find(self, event_id: str) -> Event | None:
        """The event of this id."""
        found = list(self._read(select(events).where(events.c.id == event_id)))
        return found[0][1] if found else None

    def _read(
        self, asked: Select[*tuple[object, ...]], most: int | None = None
    ) -> Iterator[tuple[int, Event]]:
        asked = asked.order_by(events.c.position).limit(most)
        with self._engine.connect() as connection:
            for row in connection.execution_options(yield_per=1_000).execute(asked):
                yield int(row.position), self._decoders[row.kind].decode(row.body)

    def _write_all(self) -> None:
        going = True
        while going:
            batch = [self._waiting.get()]
            while len(batch) < MOST and not self._waiting.empty():
                batch.append(self._waiting.get())
            going = None not in batch
            kept = [event for events in batch if events is not None for event in events]
            if kept and not self._given_up:
                self._write_one(kept)

    def _write_one(self, batch: list[Event]) -> None:
        try:
            written = self._commit(batch)
        except Exception as error:  # whatever it is, nobody is told that it was kept
            self._next = None
            self._sealer.forget()
            self._told([Written(event, 0, False) for event in batch], error)
        else:
            self._told(written, None)

    def _commit(self, batch: list[Event]) -> list[Written]:
        """All that is new in one commit; who is known already is asked only where somebody is."""
        with self._engine.begin() as connection:
            self._fence(connection)
            self._file.look()
            if self._next is None:
                last = select(events.c.position).order_by(events.c.position.desc()).limit(1)
                self._next = int(connection.execute(last).scalar() or 0) + 1
            first: dict[str, int] = {}
            rows: list[dict[str, object]] = []
            for event in batch:
                if event.id not in first:
                    first[event.id] = self._next + len(rows)
                    rows.append(self._row(event, first[event.id]))
            inserted = connection.execute(self._insert, rows).rowcount
            there = dict(first) if inserted == len(rows) else _positions(connection, list(first))
            new = [row for row in rows if there[str(row["id"])] == row["position"]]
            self._sealer.seal(connection, new)
            did = [each for each in batch if isinstance(each, Acted)]
            _list_acts(connection, did, first, there)
        self._next += len(rows)
        written = []
        for event in batch:  # new is what stands where it was put, the first time that it comes up
            position = there[event.id]
            written.append(Written(event, position, first.pop(event.id, None) == position))
        return written

    def _row(self, event: Event, position: int) -> dict[str, object]:
        return {
            "position": position,
            "id": event.id,
            "kind": KIND_OF[type(event)],
            "station": event.station,
            "transaction_id": getattr(event, "transaction", ""),
            "received_at": event.received_at.astimezone(UTC).isoformat(),
            "body": self._encode.encode(event),
        }


def _positions(connection: Connection, ids: list[str]) -> dict[str, int]:
    """Where events stand, by id."""
    found: dict[str, int] = {}
    for at in range(0, len(ids), 500):
        asked = select(events.c.id, events.c.position).where(events.c.id.in_(ids[at : at + 500]))
        found.update((str(row.id), int(row.position)) for row in connection.execute(asked))
    return found


def _list_acts(
    connection: Connection, batch: list[Acted], first: dict[str, int], there: dict[str, int]
) -> None:
    """New acts of operators, beside those that are registrations."""
    for act in {each.id: each for each in batch if there[each.id] == first.get(each.id)}.values():
        row = {
            "at": act.received_at.astimezone(UTC).isoformat(),
            **{name: getattr(act, name) for name in ("who", "verb", "what", "why")},
            "event": act.id,
        }
        connection.execute(acts.insert().values(row))
