"""Work that outlives an interruption: what is finished is kept, and taken up by the next run.

While the work lasts, its folder stands beside its place as ``NAME.unfinished``. It holds who it is,
a journal of the results so far, and whatever files belong to them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hubwise.record.folder import is_plan
from hubwise.record.place import (
    Holds,
    check_place,
    followed,
    put_in_place,
    reserved,
    whole_folder,
)

IDENTITY = "unfinished.json"
JOURNAL = "finished.jsonl"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A folder in the making.

    Parameters
    ----------
    folder
        To fill.
    """

    folder: Path

    def finished(self) -> dict[str, object]:
        """Results of the jobs that are finished, by the job's name."""
        journal = self.folder / JOURNAL
        lines = journal.read_text("utf-8").split("\n")[:-1] if journal.exists() else []
        return dict(json.loads(line) for line in lines)

    def keep(self, name: str, result: object) -> None:
        """Note a finished job; a kill in the middle of it leaves a line without an end."""
        line = json.dumps([name, result], allow_nan=False)
        with (self.folder / JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(f"{line}\n")


def unfinished_place(target: Path) -> Path:
    """Where a folder is made that will stand at ``target``."""
    place = followed(target)
    return place.with_name(f"{place.name}.unfinished")


@contextmanager
def unfinished(
    target: Path, holds: Holds, kind: str, identity: dict[str, object], *, fresh: bool
) -> Iterator[Unfinished]:
    """A folder to fill, which takes the place of ``target`` once filled.

    Broken off before, it stays where it is if anything in it is finished, and the next run with the
    same identity finds it as it was left.

    Parameters
    ----------
    target, holds, kind
        As in `hubwise.record.place.reserved`, whose errors these are, too.
    identity
        What results depend on; another one starts over.
    fresh
        Start over in any case.
    """
    with reserved(target, holds, kind) as place:
        beside = unfinished_place(place)
        check_place(beside, _in_the_making, f"{kind} in the making")
        with _taken_up(beside, identity, fresh=fresh) as work:
            yield work
        put_in_place(beside, place)
        for name in (IDENTITY, JOURNAL):
            (place / name).unlink(missing_ok=True)


@contextmanager
def _taken_up(beside: Path, identity: dict[str, object], *, fresh: bool) -> Iterator[Unfinished]:
    """The folder in the making, which vanishes where nothing in it was finished."""
    if fresh or _identity(beside) != identity:
        shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True, exist_ok=True)
    (beside / IDENTITY).write_text(json.dumps(identity, indent=2) + "\n", encoding="utf-8")
    _mend(beside / JOURNAL)
    try:
        yield Unfinished(beside)
    except BaseException:
        if not any(file.is_file() and file.name != IDENTITY for file in beside.rglob("*")):
            shutil.rmtree(beside)
        raise


def keep_plan(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a plan folder that a worker made."""
    with whole_folder(folder, is_plan, "a plan") as beside:
        for name, content in files.items():
            (beside / name).write_bytes(content)


def _in_the_making(folder: Path) -> bool:
    return (folder / IDENTITY).is_file()


def _identity(folder: Path) -> object:
    try:
        return json.loads((folder / IDENTITY).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _mend(journal: Path) -> None:
    """Cut off a line that a kill left without an end."""
    if journal.exists():
        text = journal.read_bytes()
        journal.write_bytes(text[: text.rfind(b"\n") + 1])
