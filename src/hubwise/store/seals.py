"""Seals: each commit's events, hashed by the site's key behind all that was sealed before."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from sqlalchemy import Connection, insert, select

from hubwise.store.tables import events, seals

# What is sealed of an event, in this order; each as its length and its bytes.
SEALED = ("position", "id", "kind", "station", "transaction_id", "received_at", "body")


class Sealer:
    """Seals commits, one behind the other.

    Parameters
    ----------
    key
        The site's key; empty seals against accidents only.
    """

    def __init__(self, key: bytes) -> None:
        """The last seal is read with the first commit."""
        self._key = key
        self._last: str | None = None

    def forget(self) -> None:
        """What was sealed last may not have been kept."""
        self._last = None

    def seal(self, connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
        """Seal new rows, in the transaction that keeps them."""
        if not rows:
            return
        if self._last is None:
            self._last = self._read_last(connection, rows[0]["position"])
        self._last = self._put(connection, self._last, rows)

    def _read_last(self, connection: Connection, before: object) -> str:
        """The last seal; where there is none, what is there already is sealed as it is."""
        asked = select(seals.c.seal).order_by(seals.c.position.desc()).limit(1)
        found = connection.execute(asked).scalar()
        if found is not None:
            return str(found)
        there = select(events).where(events.c.position < before).order_by(events.c.position)
        old = [dict(row._mapping) for row in connection.execute(there)]
        return self._put(connection, "", old) if old else ""

    def _put(self, connection: Connection, last: str, rows: Sequence[Mapping[str, object]]) -> str:
        made = seal_of(self._key, last, rows)
        row = {"position": rows[-1]["position"], "many": len(rows), "seal": made}
        connection.execute(insert(seals).values(row))
        return made


def seal_of(key: bytes, last: str, rows: Iterable[Mapping[str, object]]) -> str:
    """The seal of rows behind the last one, as hexadecimal digits."""
    made = hmac.new(key, last.encode(), sha256)
    for row in rows:
        for name in SEALED:
            value = row[name]
            said = value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
            made.update(f"{len(said)}:".encode() + said)
    return made.hexdigest()
