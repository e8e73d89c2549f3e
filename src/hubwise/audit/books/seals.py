"""Seals of commits, made again: each hashes its events behind the seal before it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from hubwise.audit.books.database import Row
from hubwise.audit.books.faults import Faults

BLOCK = 64
CHECK = "events: seals"


def read_key(folder: Path) -> bytes | None:
    """The site's key; none where there is no such file."""
    place = folder / "site.key"
    return bytes.fromhex(place.read_text("ascii")) if place.exists() else None


class Seals:
    """Goes along with the events and looks at each seal when its commit is over."""

    def __init__(self, key: bytes, seals: dict[int, tuple[int, str]], faults: Faults) -> None:
        """Nothing was seen yet."""
        key = sha256(key).digest() if len(key) > BLOCK else key
        self._inner = bytes(byte ^ 0x36 for byte in key.ljust(BLOCK, b"\0"))
        self._outer = bytes(byte ^ 0x5C for byte in key.ljust(BLOCK, b"\0"))
        self._seals, self._faults = seals, faults
        self._last, self._many, self._seen = "", 0, 0
        self._begin()

    def _begin(self) -> None:
        self._hash = sha256(self._inner + self._last.encode())
        self._many = 0

    def take(self, row: Row) -> None:
        """The next event."""
        for value in (row.position, row.id, row.kind, row.station, row.transaction):
            self._add(str(value).encode("utf-8", "replace"))
        self._add(row.received_at.encode())
        self._add(row.body)
        self._many += 1
        found = self._seals.get(row.position)
        if found is None:
            return
        self._seen += 1
        made = sha256(self._outer + self._hash.digest()).hexdigest()
        if found != (self._many, made):
            self._faults.add(CHECK, f"the commit that ends with event {row.position}", "is changed")
        self._last = found[1]
        self._begin()

    def end(self) -> None:
        """Nothing follows."""
        if self._many:
            self._faults.add(CHECK, f"the last {self._many} events", "are not sealed")
        if lost := len(self._seals) - self._seen:
            self._faults.add(CHECK, f"{lost} seals", "are of events that are not there")

    def _add(self, said: bytes) -> None:
        self._hash.update(f"{len(said)}:".encode() + said)
