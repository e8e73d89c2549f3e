"""``hubwise simulate``: stations and cars of our own, for a site that is served."""

from __future__ import annotations

import asyncio
import secrets
import time
from pathlib import Path
from typing import Annotated

import typer

from hubwise.cli.console import messages
from hubwise.cli.failure import explained
from hubwise.cli.served import served, where_served
from hubwise.cli.site import Folder, open_registry
from hubwise.edge.simulated import Habits, Simulation, simulate
from hubwise.live import read_settings
from hubwise.store import StationRow

WAIT_SECONDS = 60
KW = 11.0


def simulate_command(
    folder: Folder,
    stations: Annotated[int, typer.Option(min=1, max=100_000, help="How many.")] = 12,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 1,
    minutes: Annotated[float | None, typer.Option(help="How long; else until Ctrl-C.")] = None,
    every: Annotated[
        float, typer.Option(min=1, help="Seconds of their day between meter values.")
    ] = 60.0,
    faults: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Share of messages said twice or out of order, and of cars that leave early or "
            "do not follow; a tenth of it of connections lost.",
        ),
    ] = 0.0,
    strange: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share of stations with wrong clocks or turned directions."
        ),
    ] = 0.0,
) -> None:
    """Simulate stations and cars at a served site; they are added to it as SIM-0001 and on."""
    with explained(as_json=False):
        ready = _ready(folder)
        hubs = list(read_settings(folder).connection_kw)
        said = {f"SIM-{number:04}": secrets.token_urlsafe(18) for number in range(1, stations + 1)}
        rows = [
            StationRow(name, password, hubs[number % len(hubs)], KW)
            for number, (name, password) in enumerate(said.items())
        ]
        open_registry(folder).add_stations(rows)
        speed = float(str(ready.get("speed", 1.0)))
        habits = Habits(speed, every, faults, strange)
        messages.print(f"{stations} stations, at {speed:g} times their speed", highlight=False)
        lasts = None if minutes is None else minutes * 60
        made = asyncio.run(simulate(str(ready["ocpp"]), said, seed, habits, lasts, _told))
        typer.echo(_summary(made))


def _told(so_far: Simulation) -> None:
    messages.print(_energy(so_far), highlight=False)


def _ready(folder: Path) -> dict[str, object]:
    """Where the site is served; it may be starting still."""
    until = time.monotonic() + WAIT_SECONDS
    while not served(folder) and time.monotonic() < until:
        time.sleep(0.2)
    return where_served(folder)


def _energy(made: Simulation) -> str:
    imported = sum(each[0] for each in made.delivered.values()) / 1_000
    exported = sum(each[1] for each in made.delivered.values()) / 1_000
    ended = len(made.delivered)
    return f"{ended} sessions ended, {imported:.1f} kWh charged, {exported:.1f} kWh back"


def _summary(made: Simulation) -> str:
    ordered = sorted(made.seconds)
    slow = ordered[int(0.99 * (len(ordered) - 1))] * 1_000 if ordered else 0.0
    return (
        f"{_energy(made)}; {len(ordered)} messages answered, 99 % within {slow:.0f} ms, "
        f"{made.repeated} said again"
    )
