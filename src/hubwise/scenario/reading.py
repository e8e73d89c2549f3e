"""Files in: bytes, text and TOML, with everything that is wrong with them collected."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tomllib
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from hubwise.domain.errors import Issue, listed
from hubwise.scenario.messages import explain, path
from hubwise.scenario.toml_mistakes import mistake

TOML = "scenario.toml"
MOST_BYTES = 2**28
"""Most that is read of one file, unpacked: room for some million rows."""
MOST_ROWS, MOST_CELLS = 5_000_000, 20_000_000
"""Most rows and cells of a table, and most values of other notations."""

_NEEDLESS = "leave out the rows and columns that nobody needs"
_AT_MOST = f"give at most {MOST_BYTES:,}: {_NEEDLESS}"

_NOT_UTF8 = "is not UTF-8 text", "save the file as UTF-8"
# How files begin that are no text, what they are, and what to do about it.
_KINDS = {
    b"\x1f\x8b": ("is packed by gzip", "let its name end in .gz"),
    b"PAR1": ("is a Parquet file", "let its name end in .parquet"),
    b"PK": ("is an Excel workbook or a zip archive", "save its table as CSV, in UTF-8"),
    b"\xd0\xcf": ("is an Excel workbook", "save its table as CSV, in UTF-8"),
    b"%PDF": ("is a PDF", "give its table as CSV, in UTF-8"),
}

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the files of one folder; what is wrong goes to ``issues`` and reading goes on.

    Where it is ``enclosed``, only files within the folder are read, wherever links lead.
    """

    folder: Path
    issues: list[Issue] = field(default_factory=list)
    enclosed: bool = False

    def wrong(self, file: str, where: str, field: str, wrong: str, right: str) -> None:
        """Note one problem."""
        self.issues.append(Issue(file, where, field, wrong, right))

    def fits(self, name: str, rows: int, cells: int, *, of: str = "cells") -> bool:
        """Whether so many rows, and cells or values of another kind, are few enough to be read.

        Memory grows with them, whatever a file's size. What is too much is noted.
        """
        for count, most, what in ((rows, MOST_ROWS, "rows"), (cells, MOST_CELLS, of)):
            if count > most:
                right = f"give at most {most:,}: {_NEEDLESS}"
                self.wrong(name, "", "", f"has {count:,} {what}", right)
                return False
        return True

    def content(self, name: str) -> bytes | None:
        """What is in a file, or nothing where it cannot be read."""
        try:
            kind = (self.folder / name).stat()
            if not self._may_read(name, kind):
                return None
            return (self.folder / name).read_bytes()
        except (OSError, ValueError) as error:  # a name may hold what no file's name does
            there = sorted(p.name for p in self.folder.iterdir()) if self.folder.is_dir() else []
            right = f"the folder holds {listed(there)}" if there else "the folder is not there"
            missing = isinstance(error, FileNotFoundError | ValueError)
            self.wrong(name, "", "", "is not there" if missing else "cannot be read", right)
            return None

    def _may_read(self, name: str, kind: os.stat_result) -> bool:
        """Whether a file is one to read; a pipe is waited for, and is read once."""
        wrong, right = "", ""
        if self.enclosed and not self._within(name):
            wrong = "lies outside the scenario's folder"
            right = "put it into the folder, and name it there"
        elif stat.S_ISDIR(kind.st_mode):
            wrong, right = "is a folder", "name a file in it"
        elif not stat.S_ISREG(kind.st_mode):
            wrong, right = "is a pipe or a device, not a file", "write it to a file, and name that"
        elif kind.st_size > MOST_BYTES:
            wrong, right = f"holds {kind.st_size:,} bytes", _AT_MOST
        if wrong:
            self.wrong(name, "", "", wrong, right)
        return not wrong

    def _within(self, name: str) -> bool:
        around = self.folder.resolve()
        return (around / name).resolve().is_relative_to(around)

    def text(self, name: str) -> str | None:
        """A file's text, which is UTF-8; unpacked where the name ends in ``.gz``."""
        content = self.content(name)
        if content is None:
            return None
        try:
            if name.endswith(".gz"):
                with gzip.open(io.BytesIO(content)) as packed:
                    content = packed.read(MOST_BYTES + 1)
            if len(content) > MOST_BYTES:
                self.wrong(name, "", "", f"unpacks to more than {MOST_BYTES:,} bytes", _AT_MOST)
                return None
            return content.decode("utf-8-sig")
        except (gzip.BadGzipFile, EOFError, zlib.error):
            self.wrong(name, "", "", "cannot be unpacked", "pack it again with gzip")
            return None
        except UnicodeDecodeError as error:
            kind = next((known for known in _KINDS if content.startswith(known)), None)
            line = content[: error.start].count(b"\n") + 1
            where, said = ("", _KINDS[kind]) if kind else (f"line {line}", _NOT_UTF8)
            self.wrong(name, where, "", *said)
            return None

    def toml(self, name: str = TOML) -> dict[str, object] | None:
        """A TOML file as it stands, or nothing where it cannot be read."""
        text = self.text(name)
        if text is None:
            return None
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            where, wrong, right = mistake(text, error)
            self.wrong(name, where, "", wrong, right)
            return None

    def section(
        self,
        name: str,
        model: type[Model],
        raw: object,
        inherited: tuple[str, frozenset[str]] | None = None,
        file: str = TOML,
    ) -> Model | None:
        """``raw`` as a ``model``, or nothing where it is not one; ``name`` is its path.

        ``inherited`` names the section that other keys came from, and those keys.
        """
        try:
            return model.model_validate(raw)
        except ValidationError as error:
            for detail in error.errors():
                loc = detail["loc"]
                at = inherited[0] if inherited and loc and loc[0] in inherited[1] else name
                where, key = _place(at, loc)
                self.wrong(file, where, key, *explain(detail, model))
            return None


def _place(section: str, loc: tuple[int | str, ...]) -> tuple[str, str]:
    """The path of what holds an erroneous value, and the value's own key."""
    if not loc or isinstance(loc[-1], int):
        return path(loc, section), ""
    return path(loc[:-1], section), loc[-1]
