"""Options that several commands have."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from hubwise.pricing import METHODS

Source = Annotated[
    str,
    typer.Argument(
        metavar="SCENARIO",
        help="A packaged scenario (ieee33) or a folder; with @7 behind it, drawn from seed 7.",
    ),
]
Out = Annotated[Path, typer.Option("--out", help="Folder to write; whole or not at all.")]
AsJson = Annotated[bool, typer.Option("--json", help="Results as JSON on stdout, nothing else.")]


def _known_method(name: str | None) -> str | None:
    if name is not None and name not in ("auto", *METHODS):
        raise typer.BadParameter(f"{name!r} is none of auto, {', '.join(METHODS)}")
    return name


def _with_port(address: str | None) -> str | None:
    if address is not None and not address.rpartition(":")[2].isdigit():
        raise typer.BadParameter(f"{address!r} names no port: write it as tcp://HOST:8786")
    return address


Method = Annotated[
    str | None,
    typer.Option(
        callback=_known_method,
        help=f"Search method: auto, {', '.join(METHODS)}; else the scenario's own.",
    ),
]
Share = Annotated[
    float | None, typer.Option(min=0, max=1, help="Share of sessions that take part.")
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Processes side by side; else one a core, at most 2.")
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        callback=_with_port,
        help="A dask scheduler, such as tcp://10.0.0.5:8786, whose workers do the work instead.",
    ),
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Start over, where the same work was broken off before.")
]


def processes(workers: int | None) -> int:
    """Workers as asked for, or as many as there are cores, at most 2."""
    return workers or min(2, os.cpu_count() or 1)
