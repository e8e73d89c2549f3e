"""``hubwise serve``, ``status`` and ``simulate``: a site, running."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from hubwise.cli.asking import asking, health_of
from hubwise.cli.console import put_json
from hubwise.cli.failure import explained
from hubwise.cli.feeder import feeder_of
from hubwise.cli.served import where_served
from hubwise.cli.serving import Asked, run
from hubwise.cli.simulate import simulate_command
from hubwise.cli.site import Folder, open_registry
from hubwise.cli.tls import Tls
from hubwise.domain.errors import Issue, ScenarioError, listed
from hubwise.live import Settings, read_settings
from hubwise.live.settings import NAME
from hubwise.store import Registry

app = typer.Typer(name="serving", add_completion=False)
app.command("simulate")(simulate_command)
Port = Annotated[int, typer.Option(min=0, max=65_535, help="A port; 0 takes a free one.")]


@app.command("serve")
def serve(
    folder: Folder,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    ocpp_port: Port = 9000,
    http_port: Port = 8080,
    store: Annotated[
        str | None,
        typer.Option(metavar="URL", help="postgresql://…; else SQLite in the site's folder."),
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="The site's certificate, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key, PEM.")] = None,
    client_ca: Annotated[
        Path | None,
        typer.Option(help="Whose certificates stations have to show instead of passwords, PEM."),
    ] = None,
    client_ca_key: Annotated[
        Path | None, typer.Option(help="Its key: stations' certificates are renewed with it.")
    ] = None,
    speed: Annotated[
        float,
        typer.Option(
            min=1, max=600, help="Of the site's clock; above 1 for simulated stations only."
        ),
    ] = 1.0,
) -> None:
    """Run a site until it is told to stop; says on stdout when it is ready."""
    with explained(as_json=False), database_explained():
        tls = Tls(tls_cert, tls_key, client_ca, client_ca_key)
        tls.check()
        registry = open_registry(folder, store)
        settings = read_settings(folder)
        _check_hubs(folder, settings, registry)
        feeder = feeder_of(settings)
        asked = Asked(folder, host, ocpp_port, http_port, store, tls, speed, feeder)
        run(asked, settings, typer.echo)


def _check_hubs(folder: Path, settings: Settings, registry: Registry) -> None:
    """A station whose hub is not known would get no power."""
    known = settings.connection_kw
    lost = [each for each in registry.all_stations() if each.hub not in known]
    if lost:
        wrong = f"stations at hubs that are not known: {listed(each.station for each in lost)}"
        right = f"write [hubs.{lost[0].hub}], or add the stations again with --hub"
        raise ScenarioError([Issue(str(folder / NAME), "hubs", "", wrong, right)])


@app.command("status")
def status(
    folder: Folder,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """What a site that is served does now."""
    with explained(as_json=as_json), database_explained():
        ready = where_served(folder)
        health = health_of(str(ready["http"]))
        standby = health["status"] == "standby"
        found = {"health": health, **({} if standby else _asked_all(folder, str(ready["http"])))}
        if as_json:
            put_json({**ready, **found})
            return
        _show(ready, found)


def _asked_all(folder: Path, http: str) -> dict[str, object]:
    """What the API says."""
    with asking(folder) as ask:
        return {
            name: ask(f"{http}/api/v1/{name}", None)
            for name in ("stations", "sessions", "limits", "market", "prices", "hubs", "alarms")
        }


def _show(ready: dict[str, object], found: dict[str, object]) -> None:
    def items(name: str) -> list[dict[str, object]]:
        table = found[name]
        assert isinstance(table, dict)
        return list(table["items"])

    typer.echo(f"OCPP {ready['ocpp']}, HTTP {ready['http']}, process {ready['pid']}")
    health = found["health"]
    assert isinstance(health, dict)
    typer.echo(_duty(health))
    if health["status"] == "standby":
        return
    connected = [each for each in items("stations") if each["connected"]]
    typer.echo(f"{len(connected)} of {len(items('stations'))} stations connected")
    for each in items("limits"):
        span = f"{each['begins_at']} to {each['until']}"
        typer.echo(
            f"hub {each['hub']} draws at most {each['most_kw']} kW, {span}: {each['reason']}"
        )
    for each in items("hubs"):
        if isinstance(peak := each["peak"], dict):
            typer.echo(
                f"hub {each['hub']}: {peak['peak_kw']} kW in the highest quarter of an hour of "
                f"{peak['period']} so far, at {peak['demand_charge']} {_currency(found)}/kW"
            )
    typer.echo(_offered(found["prices"]))
    market = found["market"]
    assert isinstance(market, dict)
    if market["source"]:
        typer.echo(f"prices of {market['source']}: {market['said']}")
    for each in items("sessions"):
        if each["status"] != "final":
            back = float(str(each["discharged_kwh"]))
            given = f", {each['discharged_kwh']} kWh given back" if back else ""
            charged = f"{each['charged_kwh']} kWh charged{given}"
            typer.echo(f"{each['session']}: {each['status']}, {charged}")
    for each in items("alarms")[:10]:
        typer.echo(_alarm(each))


def _duty(health: dict[str, object]) -> str:
    """Who is active, and who stands by."""
    if health["status"] == "standby":
        return f"stands by as {health['standby']}; active: {health['active'] or 'nobody yet'}"
    return f"active as {health['active']}; stands by: {health['standby'] or 'nobody'}"


def _offered(prices: object) -> str:
    """Which list is offered, and by whom."""
    assert isinstance(prices, dict)
    until = f" until {prices['until']}" if prices["until"] else ""
    charge, discharge = (_span(prices[way]) for way in ("charge", "discharge"))
    spans = f"{charge} to charge, {discharge} to discharge"
    since = f"since {_second(prices['posted_at'])}{until}"
    return f"prices in {prices['currency']}/kWh: {spans}, by {prices['posted_by']} {since}"


def _span(prices: list[str]) -> str:
    least, most = (pick(map(float, prices)) for pick in (min, max))
    return f"{least:g}" if least == most else f"{least:g} to {most:g}"


def _second(at: object) -> str:
    """A moment to the second."""
    return f"{datetime.fromisoformat(str(at)):%Y-%m-%dT%H:%M:%SZ}"


def _currency(found: dict[str, object]) -> str:
    prices = found["prices"]
    assert isinstance(prices, dict)
    return str(prices["currency"])


def _alarm(each: dict[str, object]) -> str:
    """When, whose, what and why, in a line, and whether it stands; moments to the second."""
    said = (_second(each["at"]), each["station"], each["what"])
    stands = " (stands)" if each["stands"] else ""
    return f"{' '.join(str(part) for part in said if part)}: {each['detail']}{stands}"


@contextmanager
def database_explained() -> Iterator[None]:
    """A database that cannot be reached, in one line without its password."""
    try:
        yield
    except (SQLAlchemyError, ValueError) as error:
        if isinstance(error, ScenarioError):
            raise
        said = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise ScenarioError(
            [Issue("--store", "", "", said, "sqlite:/// or postgresql://")]
        ) from error
