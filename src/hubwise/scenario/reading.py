"""Files in: bytes, text and TOML, with everything that is wrong with them collected."""

from __future__ import annotations

import gzip
import re
import tomllib
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from hubwise.scenario.errors import Issue, listed
from hubwise.scenario.messages import explain, path

TOML = "scenario.toml"

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the files of one folder; what is wrong goes to ``problems`` and reading goes on."""

    folder: Path
    issues: list[Issue] = field(default_factory=list)

    def wrong(self, file: str, where: str, field: str, wrong: str, right: str) -> None:
        """Note one problem."""
        self.issues.append(Issue(file, where, field, wrong, right))

    def content(self, name: str) -> bytes | None:
        """What is in a file, or nothing where it cannot be read."""
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            there = sorted(p.name for p in self.folder.iterdir()) if self.folder.is_dir() else []
            right = f"the folder holds {listed(there)}" if there else "the folder is not there"
            missing = isinstance(error, FileNotFoundError)
            self.wrong(name, "", "", "is not there" if missing else "cannot be read", right)
            return None

    def text(self, name: str) -> str | None:
        """A file's text, which is UTF-8; unpacked where the name ends in ``.gz``."""
        content = self.content(name)
        if content is None:
            return None
        try:
            packed = name.endswith(".gz")
            content = gzip.decompress(content) if packed else content
            return content.decode("utf-8-sig")
        except (gzip.BadGzipFile, EOFError, zlib.error):
            self.wrong(name, "", "", "cannot be unpacked", "pack it again with gzip")
            return None
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            self.wrong(name, f"line {line}", "", "is not UTF-8 text", "save the file as UTF-8")
            return None

    def toml(self, name: str = TOML) -> dict[str, object] | None:
        """A TOML file as it stands, or nothing where it cannot be read."""
        text = self.text(name)
        if text is None:
            return None
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            line = re.search(r"line (\d+)", str(error))
            where = f"line {line.group(1)}" if line else "end of the file"
            wrong = f"is not valid TOML: {str(error).split(' (at ')[0]}"
            self.wrong(name, where, "", wrong, "the notation is explained at https://toml.io")
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
