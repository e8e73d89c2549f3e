"""``hubwise scenario``: make one, check one, import one's own data."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
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
from hubwise.scenario.session_formats import MEANINGS

app = typer.Typer(
    name="scenario",
    no_args_is_help=True,
    add_completion=False,
    help="Make, check and import scenarios.",
)

# Options of an import that have a flag of their own.
_OWN = ("zone", "days", "columns", "cars", "chargers")
_ASSUMED = [key for key in ImportOptions.model_fields if key not in _OWN]

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
    sessions: Annotated[Path, typer.Option(help="Charging sessions as downloaded; see above.")],
    prices: Annotated[
        Path, typer.Option(help="Prices as downloaded: ENTSO-E, SMARD, Octopus, plain CSV, ...")
    ],
    day: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="Day whose sessions are taken.")
    ],
    zone: Annotated[str, typer.Option(help="The site's time zone, such as Europe/Amsterdam.")],
    out: Annotated[Path, typer.Option(help="Folder to make.")],
    price_day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day whose prices are taken, if another."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="How many days, from the first on.")] = 1,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=HEADER",
            help='What a column of the sessions means, such as arrival="Start Date"; repeat for '
            "several, and for a date and a time of one moment. Names: " + ", ".join(MEANINGS) + ".",
        ),
    ] = None,
    cars: Annotated[
        Path | None,
        typer.Option(help="Table of cars, by driver or vehicle."),
    ] = None,
    chargers: Annotated[
        Path | None, typer.Option(help="Table of chargers, by id: hub, kw, two_way.")
    ] = None,
    curve: Annotated[
        str | None,
        typer.Option(metavar="given|hold", help="hold: a price holds over points left out (A03)."),
    ] = None,
    assume: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="What the files do not tell, where the default is not right; repeat for several. "
            "Keys: " + ", ".join(_ASSUMED) + ".",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a scenario of real charging sessions and real prices, of a day or of several.

    Sessions are read as they are downloaded from ACN-Data, ElaadNL, ChargePoint, ChargePlace
    Scotland (Dundee), OCPI and evcc, or from a table whose columns --column names; CSV of any
    delimiter, XLSX, Parquet or JSON. Which rows were left out, and why, is told.
    """
    options = dict(_assumption(text) for text in assume or ())
    named = _columns(column or ())
    tables = {"cars": cars, "chargers": chargers}
    options |= {key: str(path) for key, path in tables.items() if path is not None}
    options |= {} if curve is None else {"curve": curve}
    with explained(as_json=as_json):
        given = import_sessions(
            sessions,
            prices,
            out,
            day=day.date(),
            price_day=price_day.date() if price_day else None,
            zone=zone,
            days=days,
            columns=named,
            **options,
        )
    _show(given, as_json=as_json)


def _columns(texts: Sequence[str]) -> dict[str, list[str]]:
    """``name=header``, each name with its headers in order."""
    named: dict[str, list[str]] = {}
    for text in texts:
        name, equals, header = text.partition("=")
        if not equals or not header.strip():
            raise typer.BadParameter(f"{text!r} is not NAME=HEADER", param_hint="--column")
        named.setdefault(name.strip(), []).append(header.strip().strip('"'))
    return named


def _assumption(text: str) -> tuple[str, object]:
    """``key=value``, the value as TOML writes it; what is no TOML is taken as text."""
    key, equals, value = text.partition("=")
    if not equals or key.strip() in _OWN:
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
    first: date = horizon.local_start
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
