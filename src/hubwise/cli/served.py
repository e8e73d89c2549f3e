"""Which processes serve a site from a folder: each has a file that it locks while it lives.

On PostgreSQL there may be several, of which one is active; on SQLite there is one.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hubwise.domain.errors import Issue, ScenarioError

# Processes of one folder at most.
MOST = 9


@dataclass(frozen=True, slots=True)
class Seat:
    """A process's place in a folder.

    Parameters
    ----------
    folder, number
        Of the site, and which place; the first has the plain name.
    """

    folder: Path
    number: int = 1

    @property
    def lock(self) -> Path:
        """Locked by whoever sits here."""
        return self.folder / f"serving{self._nth}.lock"

    @property
    def file(self) -> Path:
        """Where it is served."""
        return self.folder / f"serving{self._nth}.json"

    @property
    def _nth(self) -> str:
        return "" if self.number == 1 else f"-{self.number}"

    def read(self) -> dict[str, object]:
        """What whoever sits here said last, or who sat here before and was killed."""
        try:
            said: dict[str, object] = json.loads(self.file.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return said

    def write(self, said: dict[str, object]) -> None:
        """Say it, in one piece."""
        made = self.file.with_suffix(".new")
        made.write_text(json.dumps(said), "utf-8")
        made.replace(self.file)

    def is_taken(self) -> bool:
        """Whether somebody sits here who lives."""
        if not self.lock.exists():
            return False
        with self.lock.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False


@contextlib.contextmanager
def seated(folder: Path, most: int) -> Iterator[Seat]:
    """Take the first place that is free.

    Raises
    ------
    BlockingIOError
        Where none is.
    """
    for number in range(1, most + 1):
        seat = Seat(folder, number)
        with seat.lock.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield seat
            return
    raise BlockingIOError(11, "is served already", str(folder))


def served(folder: Path) -> list[dict[str, object]]:
    """What living processes said, the one that is active first."""
    seats = [Seat(folder, number) for number in range(1, MOST + 1)]
    found = [said for seat in seats if seat.is_taken() and (said := seat.read())]
    return sorted(found, key=lambda said: not said.get("controls", True))


def where_served(folder: Path) -> dict[str, object]:
    """What the process said that serves a site from here; where all were killed, the last one.

    Raises
    ------
    ScenarioError
        Where it is not served.
    """
    found = [*served(folder), Seat(folder).read()]
    if not found[0]:
        right = f"hubwise serve {folder}"
        raise ScenarioError([Issue(str(folder), "", "", "is not served", right)])
    return found[0]
