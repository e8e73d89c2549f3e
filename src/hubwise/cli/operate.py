"""``hubwise doctor``, ``backup`` and ``restore``: what keeps a site running."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hubwise.cli.backup import read_backup, write_backup
from hubwise.cli.console import messages, put_json
from hubwise.cli.doctor import Places, Symptom, examine
from hubwise.cli.failure import ExitCode, explained
from hubwise.cli.serve import Port, database_explained
from hubwise.cli.site import Folder

app = typer.Typer(name="operate", add_completion=False)
Certificate = Annotated[
    list[Path] | None,
    typer.Option(help="A certificate to look at, PEM; repeatable. A served site names its own."),
]


@app.command("doctor")
def doctor(
    folder: Folder,
    host: Annotated[str, typer.Option(help="Where it is to listen.")] = "127.0.0.1",
    ocpp_port: Port = 9000,
    http_port: Port = 8080,
    certificate: Certificate = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Look at all that a site stands on: what is wrong, and what to do."""
    with explained(as_json=as_json):
        ports = {"OCPP": ocpp_port, "HTTP": http_port}
        found = [*examine(folder, Places(host, ports, tuple(certificate or ())))]
    ill = any(each.state == "wrong" for each in found)
    if as_json:
        put_json({"fine": not ill, "checks": [each.as_dict() for each in found]})
    else:
        for each in found:
            _say(each)
    raise typer.Exit(ExitCode.DOES_NOT_HOLD if ill else ExitCode.FINE)


def _say(symptom: Symptom) -> None:
    mark = {"fine": "✓", "note": "!", "wrong": "✗"}[symptom.state]
    advice = f" → {symptom.right}" if symptom.right else ""
    typer.echo(f"{mark} {symptom.check}: {symptom.found}{advice}")


@app.command("backup")
def backup(
    folder: Folder,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.")],
) -> None:
    """Write all of a site into one file, also while it is served; keep it secret."""
    with explained(as_json=False), database_explained():
        rows = write_backup(folder, file)
    said = f"{file}: {rows['events']} events, {rows['stations']} stations; it holds the site's key"
    messages.print(said, highlight=False, markup=False, soft_wrap=True)


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Of hubwise backup.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
    store: Annotated[
        str | None, typer.Option(metavar="URL", help="An empty postgresql://…; else SQLite.")
    ] = None,
) -> None:
    """Make a site of a backup, or nothing where the file is not whole."""
    with explained(as_json=False), database_explained():
        rows = read_backup(file, folder, store)
    said = f"{folder}: {rows['events']} events, {rows['stations']} stations; see to it that the"
    messages.print(
        f"{said} site it was made of is served no more",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
