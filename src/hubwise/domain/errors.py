"""Errors for people: each with its place, what is wrong, and what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Issue:
    """One thing that is wrong with a scenario.

    Parameters
    ----------
    file
        Name of the file in the scenario's folder, or the folder itself.
    where
        ``row 7`` of a table (counted as a spreadsheet does), or a key's path such as ``hubs[2]``;
        empty where the whole file is meant.
    field
        Column or key; empty where none is meant.
    wrong
        What is wrong.
    right
        What would be right.
    """

    file: str
    where: str
    field: str
    wrong: str
    right: str

    def __str__(self) -> str:
        """The problem as one sentence."""
        place = ", ".join(part for part in (self.file, self.where, self.field) if part)
        return f"{place}: {self.wrong}; {self.right}"


class ScenarioError(ValueError):
    """A scenario that cannot be used; ``problems`` holds everything that is wrong with it."""

    def __init__(self, issues: Iterable[Issue]) -> None:
        """Keep the problems, and list them in the message."""
        self.issues = tuple(issues)
        count = f"{len(self.issues)} problem{'s' if len(self.issues) != 1 else ''}"
        lines = [f"{k}. {issue}" for k, issue in enumerate(self.issues, 1)]
        super().__init__("\n".join([f"{count}:", *lines]))

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[tuple[Issue, ...]]]:
        """Come through to another process whole."""
        return type(self), (self.issues,)


class FolderError(ValueError):
    """A folder that cannot be read as what it should be; ``issues`` holds all that is wrong."""

    def __init__(self, folder: Path, issues: Iterable[str], kind: str) -> None:
        """Tell of all ``issues`` at once; ``kind`` is what it should be, such as ``a plan``."""
        self.folder, self.issues = folder, tuple(issues)
        super().__init__("\n".join([f"{folder} is not {kind} that can be read:", *self.issues]))


def in_order(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Each problem once: files as they come, and the rows of a table from top to bottom."""
    once = list(dict.fromkeys(issues))
    files = list(dict.fromkeys(issue.file for issue in once))
    return tuple(sorted(once, key=lambda issue: (files.index(issue.file), _row(issue))))


def _row(issue: Issue) -> int:
    number = re.match(r"row (\d+)", issue.where)
    return int(number.group(1)) if number else 0


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Advice for an unknown word: the closest known one, or all of them."""
    names = list(known)
    close = closest(word, names)
    return f"did you mean {close!r}?" if close else f"known are {listed(names)}"


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like ``word``, capitals or not, if any is."""
    return next(iter(nearest(word, known, 1)), None)


def nearest(word: str, known: Iterable[str], most: int) -> list[str]:
    """The known words most like ``word``, capitals or not; of those that are as like the first."""
    names = {name.lower(): name for name in known}
    near = set(get_close_matches(word.lower(), names, n=max(len(names), 1)))
    like = SequenceMatcher(b=word.lower())

    def likeness(name: str) -> float:
        like.set_seq1(name)
        return like.ratio()

    found = sorted((name for name in names if name in near), key=likeness, reverse=True)
    return [names[name] for name in found[:most]]


def listed(items: Iterable[object], most: int = 12) -> str:
    """``items`` as a short list for a sentence: at most ``most``, then how many more."""
    words = [str(item) for item in items]
    shown = ", ".join(words[:most])
    return f"{shown} and {len(words) - most} more" if len(words) > most else shown


def ranges(numbers: Iterable[int]) -> str:
    """Whole numbers in order with runs shortened, such as ``1-33, 40``."""
    runs: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        start = runs.pop()[0] if runs and number == runs[-1][1] + 1 else number
        runs.append((start, number))
    return listed(str(a) if a == b else f"{a}-{b}" for a, b in runs)
