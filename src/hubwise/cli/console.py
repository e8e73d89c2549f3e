"""Where words go: results to stdout, everything else to stderr, and JSON alone when asked for."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

# A file or a pipe has no width of its own: give tables room.
results = Console(width=None if sys.stdout.isatty() else 140)
messages = Console(stderr=True)


def put_json(value: object) -> None:
    """Write ``value`` to stdout as JSON; what is no finite number becomes ``null``."""
    typer.echo(json.dumps(_finite(value), indent=2, allow_nan=False))


def _finite(value: object) -> object:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {key: _finite(item) for key, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
        case _:
            return value


class Bar:
    """A progress bar that can be told how far the work is."""

    def __init__(self, progress: Progress) -> None:
        """A bar in ``progress``, of unknown length until it is told."""
        self._progress = progress
        self._task = progress.add_task("starting", total=None)

    def __call__(self, done: int, total: int, what: str) -> None:
        """Show that ``done`` of ``total`` steps are made, ``what`` the last of them."""
        self._progress.update(self._task, completed=done, total=total, description=what)


@contextmanager
def progress_bar() -> Iterator[Bar]:
    """A bar on stderr for as long as the work lasts; nothing where stderr is no terminal."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=messages,
        transient=True,
        disable=not messages.is_terminal,
    ) as bar:
        yield Bar(bar)
