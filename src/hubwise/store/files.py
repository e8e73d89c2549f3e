"""Whether SQLite's file is still the one that was opened: what was deleted still takes commits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine


@dataclass(frozen=True, slots=True)
class DatabaseFile:
    """A database's file as it was opened; of a database without one, nothing."""

    place: Path | None = None
    same: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, engine: Engine) -> DatabaseFile:
        """The file of an engine, where it has one by now."""
        name = engine.url.database if engine.dialect.name == "sqlite" else None
        place = Path(name).absolute() if name else None
        if place is None or not place.is_file():
            return cls()
        found = place.stat()
        return cls(place, (found.st_dev, found.st_ino))

    def look(self) -> None:
        """Look whether it is there.

        Raises
        ------
        OSError
            Where it was deleted or moved, or another one stands in its place: what is written
            to it is lost.
        """
        if self.place is None:
            return
        try:
            found = self.place.stat()
        except OSError as error:
            raise OSError(f"{self.place} is gone: put it back") from error
        if (found.st_dev, found.st_ino) != self.same:
            raise OSError(f"{self.place} is another file than was opened: start `serve` anew")
