"""Options that several commands have."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from hubwise.domain import DeviceTies, Scenario, Strategy
from hubwise.pricing import METHODS
from hubwise.scenario import Issue, ScenarioError, with_delegation

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
Delegating = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        help="Share of those who take part that let the platform choose among schedules that cost "
        "them the same; the others' own devices do. Else the scenario's own.",
    ),
]
Devices = Annotated[
    DeviceTies | None,
    typer.Option(
        help="Which of the schedules that cost a driver the same its own device takes: the "
        "earliest, or one that begins at a random moment. Else as the scenario says."
    ),
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


def delegated(
    scenario: Scenario, strategy: Strategy, share: float | None, ties: DeviceTies | None
) -> Scenario:
    """The scenario with who delegates, and devices, as the command line says.

    Raises
    ------
    ScenarioError
        Where the command line says so and the strategy leaves no platform to delegate to.
    """
    asked = "--delegating" if share is not None else "--device-ties" if ties is not None else ""
    if asked and strategy is not Strategy.HUBWISE:
        wrong = f"{strategy.value} has no platform that chooses for anybody"
        right = f"leave it out, or give --strategy {Strategy.HUBWISE.value}"
        raise ScenarioError([Issue(asked, "", "", wrong, right)])
    return with_delegation(scenario, share, ties, scenario.search.seed)
