"""Folders out: written beside their place and moved there when complete."""

from __future__ import annotations

import csv
import errno
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeGuard

from hubwise.domain.errors import Issue, ScenarioError
from hubwise.scenario.door import PACKAGED


@contextmanager
def told_of(place: Path) -> Iterator[None]:
    """A full disk is told with the place where there was no room."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            error.filename = str(place)
        raise


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into, which becomes ``folder`` if nothing goes wrong.

    Raises
    ------
    ScenarioError
        Where ``folder`` is there and not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ScenarioError([Issue(str(folder), "", "", "is not empty", "give a new folder")])
    parent = folder.resolve().parent
    parent.mkdir(parents=True, exist_ok=True)
    with told_of(folder), TemporaryDirectory(prefix=".hubwise-", dir=parent) as around:
        beside = Path(around) / "complete"
        beside.mkdir()
        yield beside
        if folder.exists():  # empty, and perhaps the one that the user stands in
            for file in beside.iterdir():
                file.replace(folder / file.name)
        else:
            beside.replace(folder)


def new(folder: str | Path) -> Path:
    """Write a small example scenario to edit, and return its folder.

    Raises
    ------
    ScenarioError
        Where ``folder`` is there and not empty.
    """
    with new_folder(Path(folder)) as beside:
        shutil.copytree(PACKAGED / "example", beside, dirs_exist_ok=True)
    return Path(folder)


def write_csv(file: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write a table whose columns are the first row's keys."""
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_toml(file: Path, content: Mapping[str, object]) -> None:
    """Write keys, then sections, then lists of sections, as TOML."""
    lines = [_pair(k, v) for k, v in content.items() if not _is_section(v)]
    for name, value in content.items():
        if _is_section(value):
            mark = "[{}]" if isinstance(value, Mapping) else "[[{}]]"
            for section in [value] if isinstance(value, Mapping) else value:
                lines += ["", mark.format(name), *[_pair(k, v) for k, v in section.items()]]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _is_section(value: object) -> TypeGuard[Mapping[str, object] | list[Mapping[str, object]]]:
    return isinstance(value, Mapping) or (
        isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)
    )


def _pair(key: str, value: object) -> str:
    return f"{key} = {_literal(value)}"


def _literal(value: object) -> str:
    """A value as TOML writes it; its texts are those of JSON."""
    if isinstance(value, list):
        return "[\n" + "".join(f"    {_literal(item)},\n" for item in value) + "]"
    if isinstance(value, str | bool):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return value.isoformat() if isinstance(value, date | time) else repr(value)
