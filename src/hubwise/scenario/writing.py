"""Folders out: written beside their place and moved there when complete."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hubwise.scenario.door import PACKAGED
from hubwise.scenario.errors import Problem, ScenarioError


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into, which becomes ``folder`` if nothing goes wrong.

    Raises
    ------
    ScenarioError
        Where ``folder`` is there and not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ScenarioError([Problem(str(folder), "", "", "is not empty", "give a new folder")])
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".hubwise-", dir=folder.parent) as around:
        beside = Path(around) / folder.name
        beside.mkdir()
        yield beside
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
