"""The rows of a site's database, read by its own driver and only read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

PAGE = 2_000
EVENTS = "SELECT position, id, kind, station, transaction_id, received_at, body FROM events"
SEALS = "SELECT position, many, seal FROM seals ORDER BY position"
ACTS = "SELECT event, who, verb, what, why FROM acts ORDER BY number"


class Cursor(Protocol):
    """What both drivers give."""

    def execute(self, query: str, /) -> object:
        """Ask."""
        ...

    def fetchmany(self, size: int, /) -> Sequence[Sequence[object]]:
        """Some of the answer's rows; none at its end."""
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the events, as it is."""

    position: int
    id: str
    kind: str
    station: str
    transaction: str
    received_at: str
    body: bytes

    @property
    def place(self) -> str:
        """For a report."""
        return f"event {self.position} ({self.kind} {self.id[:60]})"


@dataclass(frozen=True, slots=True)
class Database:
    """A database at one moment: what is written while it is read is not seen."""

    cursor: Cursor

    def events(self) -> Iterator[Row]:
        """Every event in the order of positions."""
        for row in self._rows(f"{EVENTS} ORDER BY position"):
            position, name, kind, station, transaction, at, body = row
            assert isinstance(position, int)
            said = bytes(body) if isinstance(body, bytes | memoryview) else str(body).encode()
            texts = (str(name), str(kind), str(station), str(transaction), str(at))
            yield Row(position, *texts, said)

    def seals(self) -> dict[int, tuple[int, str]]:
        """How many events a seal holds, and its digits, by its last position."""
        return {int(str(at)): (int(str(many)), str(seal)) for at, many, seal in self._rows(SEALS)}

    def acts(self) -> list[tuple[str, ...]]:
        """Acts of operators: event, who, verb, what, why."""
        return [tuple(str(each) for each in row) for row in self._rows(ACTS)]

    def _rows(self, asked: str) -> Iterator[Sequence[object]]:
        self.cursor.execute(asked)
        while page := self.cursor.fetchmany(PAGE):
            yield from page


@contextmanager
def opened(folder: Path, url: str | None) -> Iterator[Database]:
    """The database of a site: as asked, as it was last served, or in its own folder.

    Raises
    ------
    ValueError
        Where it cannot be opened, or is none that a site has.
    """
    kept = folder / "store.url"
    url = url or (kept.read_text("utf-8").strip() if kept.exists() else None)
    if url is None or url.startswith("sqlite:///"):
        place = folder / "site.db" if url is None else Path(url.removeprefix("sqlite:///"))
        with _of_sqlite(place) as found:
            yield found
    elif url.startswith("postgres"):
        with _of_postgresql(url) as found:
            yield found
    else:
        raise ValueError("no database that is known here; sqlite:/// and postgresql:// are")


@contextmanager
def _of_sqlite(place: Path) -> Iterator[Database]:
    try:
        connection = sqlite3.connect(f"file:{quote(str(place))}?mode=ro", uri=True)
        try:
            connection.execute("BEGIN")
            connection.execute("SELECT 1 FROM events LIMIT 1").fetchall()
            yield Database(connection.cursor())
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise ValueError(f"{place}: {error}") from error


@contextmanager
def _of_postgresql(url: str) -> Iterator[Database]:
    import psycopg  # part of the extra ``serve``

    head, _, rest = url.partition("://")
    try:
        with psycopg.connect(f"{head.split('+')[0]}://{rest}") as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            with connection.cursor() as cursor:
                yield Database(cursor)
    except psycopg.Error as error:
        raise ValueError(str(error).splitlines()[0]) from error
