"""``hubwise scenario``: make one, check one, import one's own data."""

from __future__ import annotations

import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from hubwise.cli.console import put_json, results
from hubwise.cli.failure import explained
from hubwise.domain import Scenario
from hubwise.scenario import (
    ImportOptions,
    Nation,
    fingerprint,
    import_sessions,
    is_nation,
    load,
    load_nation,
    new,
)

app = typer.Typer(
    name="scenario",
    no_args_is_help=True,
    add_completion=False,
    help="Make, check and import scenarios.",
)

AsJson = Annotated[bool, typer.Option("--json", help="Results as JSON on stdout, nothing else.")]


@app.command("new")
def new_scenario(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make.")],
    as_json: AsJson = False,
) -> None:
    """Write a small example to edit: one TOML file and the tables that it names."""
    with explained(as_json=as_json):
        made = new(folder)
    if as_json:
        put_json({"folder": str(made)})
    else:
        results.print(f"Edit {made / 'scenario.toml'}, then: hubwise scenario check {made}")


@app.command("check")
def check_scenario(
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="Packaged name or folder; or a nation's.")
    ],
    as_json: AsJson = False,
) -> None:
    """Say everything that is wrong with a scenario, all at once, or what is in it.

    A folder that holds nation.toml is checked with all the scenarios of its zones. Exit code 2 says
    that something is wrong.
    """
    with explained(as_json=as_json):
        given = load_nation(scenario) if is_nation(scenario) else load(scenario)
    if isinstance(given, Nation):
        _show_nation(given, as_json=as_json)
    else:
        _show(given, as_json=as_json)


@app.command("import")
def import_scenario(
    sessions: Annotated[Path, typer.Option(help="Charging sessions: ACN-Data or plain CSV.")],
    prices: Annotated[Path, typer.Option(help="Prices: start_utc and a price column.")],
    day: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="Day whose sessions are taken.")
    ],
    zone: Annotated[str, typer.Option(help="The site's time zone, such as Europe/Amsterdam.")],
    out: Annotated[Path, typer.Option(help="Folder to make.")],
    price_day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day whose prices are taken, if another."),
    ] = None,
    assume: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="What the files do not tell, where the default is not right; repeat for several. "
            "Keys: " + ", ".join(key for key in ImportOptions.model_fields if key != "zone") + ".",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a scenario of one day of real charging sessions on one day of real prices."""
    options = dict(_assumption(text) for text in assume or ())
    with explained(as_json=as_json):
        given = import_sessions(
            sessions,
            prices,
            out,
            day=day.date(),
            price_day=price_day.date() if price_day else None,
            zone=zone,
            **options,
        )
    _show(given, as_json=as_json)


def _assumption(text: str) -> tuple[str, object]:
    """``key=value``, the value as TOML writes it; what is no TOML is taken as text."""
    key, equals, value = text.partition("=")
    if not equals or key.strip() == "zone":
        wrong = "has an option of its own" if equals else "is not KEY=VALUE"
        raise typer.BadParameter(f"{text!r} {wrong}", param_hint="--assume")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def _show_nation(nation: Nation, *, as_json: bool) -> None:
    """What is in a nation that is fine."""
    kinds = [
        {"name": kind.name, "source": kind.source, "copies": kind.copies, "seed": kind.first_seed}
        for kind in nation.kinds
    ]
    if as_json:
        put_json({"nation": nation.name, "zones": len(nation), "kinds": kinds, "problems": []})
        return
    each = ", ".join(f"{kind['copies']:,} of {kind['name']}" for kind in kinds)
    results.print(f"{nation.name}: {len(nation):,} zones ({each}); nothing wrong", highlight=False)


def _show(scenario: Scenario, *, as_json: bool) -> None:
    """What is in a scenario that is fine."""
    horizon = scenario.situation.horizon
    first: date = horizon.local_starts()[0]
    facts: dict[str, object] = {
        "scenario": scenario.name,
        "source": scenario.source,
        "sessions": len(scenario.situation.fleet),
        "hubs": len(scenario.situation.hubs),
        "slots": horizon.slots,
        "start": first.isoformat(),
        "zone": horizon.zone,
        "fingerprint": fingerprint(scenario),
        "notes": list(scenario.notes),
        "problems": [],
    }
    if as_json:
        put_json(facts)
        return
    hubs = f"{len(scenario.situation.hubs)} hub{'s' if len(scenario.situation.hubs) > 1 else ''}"
    results.print(
        f"{scenario.name}: {len(scenario.situation.fleet):,} sessions at {hubs}, "
        f"{horizon.slots} slots of {horizon.slot_minutes} min from {first:%Y-%m-%d %H:%M} "
        f"({horizon.zone}); nothing wrong",
        highlight=False,
        soft_wrap=True,
    )
    for note in scenario.notes:
        results.print(f"  {note}", highlight=False, markup=False, soft_wrap=True)
