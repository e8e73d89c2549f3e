"""``hubwise site``, ``station``, ``driver``, ``user`` and ``token``: who and what a site is."""

from __future__ import annotations

import csv
import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from hubwise.cli.console import messages
from hubwise.cli.failure import explained
from hubwise.cli.passwords import Renewals
from hubwise.cli.tls import WITHOUT
from hubwise.domain.errors import Issue, ScenarioError, listed
from hubwise.edge.ocpp.authority import make_authority
from hubwise.live.rights import Role
from hubwise.live.settings import NAME, read_settings
from hubwise.store import Registry, SignIns, SiteKey, StationRow, database_url, open_engine
from hubwise.store.sign_ins import MOST_PASSWORD, SHORTEST_PASSWORD

Folder = Annotated[Path, typer.Argument(metavar="SITE", help="The site's folder.")]
MOST_NAME = 255
GOOD_PASSWORD = 16
# A small hub to begin with; what an operator will change stands first.
SITE = """\
name = "{name}"
currency = "EUR"
zone = "Europe/Berlin"      # prices follow this clock

[hubs.main]
connection_kw = 43.0        # what all its chargers may draw together

[hubs.main.battery]         # where it is a real one: modbus = "192.168.1.6:502"
simulated = true
capacity_kwh = 60.0
power_kw = 25.0

[prices]                    # a kWh, by hour of the day; posted anew when you change them and serve
charge = [
    0.28, 0.28, 0.28, 0.28, 0.28, 0.30, 0.36, 0.40, 0.40, 0.36, 0.32, 0.30,
    0.28, 0.28, 0.30, 0.34, 0.40, 0.46, 0.48, 0.48, 0.44, 0.38, 0.32, 0.30,
]
discharge = [
    0.20, 0.20, 0.20, 0.20, 0.20, 0.22, 0.28, 0.32, 0.32, 0.28, 0.24, 0.22,
    0.20, 0.20, 0.22, 0.26, 0.34, 0.40, 0.42, 0.42, 0.38, 0.30, 0.24, 0.22,
]

[access]
unknown_tokens = "accept"   # or "refuse": only drivers that were added may charge
"""


def _group(name: str, what: str) -> typer.Typer:
    made = typer.Typer(name=name, no_args_is_help=True, add_completion=False, help=what)
    made.callback()(lambda: None)
    return made


site = _group("site", "Make a site that can be served.")
station = _group("station", "Which stations may connect; also while the site is served.")
driver = _group("driver", "Who charges.")
user = _group("user", "Who runs the site with a browser.")
token = _group("token", "Who may ask over HTTP.")
app = typer.Typer(add_completion=False)
for _each in (site, station, driver, user, token):
    app.add_typer(_each)


def open_registry(folder: Path, store: str | None = None) -> Registry:
    """Who is known at a site.

    Raises
    ------
    ScenarioError, OSError
        Where the folder is no site.
    """
    if not (folder / NAME).exists():
        right = f"make one: hubwise site new {folder}"
        raise ScenarioError([Issue(str(folder), "", "", "is no site", right)])
    return Registry(open_engine(database_url(folder, store)), SiteKey.read(folder), operator())


def operator() -> str:
    """Who asks on the command line: the name that the system knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "operator"


@site.command("new")
def new(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")]) -> None:
    """A new site: settings to edit, a key, an empty database."""
    with explained(as_json=False):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise FileExistsError(17, "is not empty", str(folder))
        (folder / NAME).write_text(
            SITE.format(name=folder.resolve().name.replace('"', "")), "utf-8"
        )
        SiteKey.create(folder)
        read_settings(folder)
        open_engine(database_url(folder)).dispose()
    messages.print(
        f"Made {folder}; hubwise serve {folder} runs it.", highlight=False, soft_wrap=True
    )


@site.command("authority")
def authority(folder: Folder) -> None:
    """A certificate authority for stations' certificates: authority.pem and authority.key."""
    with explained(as_json=False):
        open_registry(folder)
        try:
            made = make_authority(folder, read_settings(folder).name)
        except ModuleNotFoundError as error:
            raise ScenarioError([Issue("", "", "", *WITHOUT)]) from error
        words = f"hubwise serve {folder} --client-ca {made[0]} --client-ca-key {made[1]}"
        messages.print(f"Made; {words} …", highlight=False, markup=False, soft_wrap=True)


@site.command("correct")
def correct(
    folder: Folder,
    session: Annotated[str, typer.Argument(metavar="SESSION", help="STATION:TRANSACTION.")],
    reason: Annotated[str, typer.Option(help="Why; kept with your name.")],
    charged_kwh: Annotated[str, typer.Option(help="What was charged [kWh].")],
    discharged_kwh: Annotated[str, typer.Option(help="What was given back [kWh].")] = "0",
    began_at: Annotated[
        str | None, typer.Option(help="Since when it flowed: 2026-03-02T10:00:00Z; else all along.")
    ] = None,
    ended_at: Annotated[str | None, typer.Option(help="Until when.")] = None,
) -> None:
    """Bill a session by your own figures, quarantined or final; the site has to be served.

    A bill that stood is kept, and taken back by entries of its own; the act is kept with your name
    and reason.
    """
    from hubwise.cli.asking import asking
    from hubwise.cli.served import where_served

    with explained(as_json=False):
        http = where_served(folder)["http"]
        times = {"began_at": began_at, "ended_at": ended_at}
        said: dict[str, object] = {name: at for name, at in times.items() if at}
        said |= {"charged_kwh": charged_kwh, "discharged_kwh": discharged_kwh, "reason": reason}
        with asking(folder) as ask:
            bill = ask(f"{http}/api/v1/sessions/{quote(session)}/corrections", said)
        assert isinstance(bill, dict)
        stands = bill["corrections"][-1] if bill["corrections"] else bill
        typer.echo(f"{session}: {bill['status']}, {stands['net']} {stands['currency']}")


@station.command("add")
def add_station(
    folder: Folder,
    name: Annotated[str | None, typer.Argument(metavar="STATION_ID")] = None,
    password: Annotated[
        str | None, typer.Option(help="What it connects with; best random.")
    ] = None,
    hub: Annotated[str | None, typer.Option(help="Its hub; else the site's first.")] = None,
    max_kw: Annotated[float, typer.Option(help="The most kW that it draws or gives.")] = 7.0,
    file: Annotated[
        Path | None,
        typer.Option(help="A CSV of many: station, password and, if you like, hub and max_kw."),
    ] = None,
) -> None:
    """Add stations, or change those that are there."""
    with explained(as_json=False):
        hubs = read_settings(folder).connection_kw if (folder / NAME).exists() else {}
        registry = open_registry(folder)
        if (file is None) == (name is None):
            wrong = "one station, or a file of many"
            raise ScenarioError([Issue("", "", "", wrong, "give STATION_ID, or --file")])
        said = {"station": name, "password": password, "hub": hub, "max_kw": str(max_kw)}
        rows = [said] if file is None else _rows(file, said)
        found = _checked(rows, hubs, str(file or ""))
        registry.add_stations(found)
        if weak := [row.station for row in found if len(row.password) < GOOD_PASSWORD]:
            said_of = f"a password of fewer than {GOOD_PASSWORD} characters can be guessed"
            messages.print(
                f"{listed(weak)}: {said_of}", highlight=False, markup=False, soft_wrap=True
            )


def _rows(file: Path, said: dict[str, str | None]) -> list[dict[str, str | None]]:
    """Rows of a table; what it does not say is as on the command line."""
    with file.open(encoding="utf-8-sig", newline="") as opened:
        found = [
            {name: text for name, text in row.items() if text} for row in csv.DictReader(opened)
        ]
    return [{**said, **row} for row in found]


def _checked(
    rows: list[dict[str, str | None]], hubs: dict[str, float], file: str
) -> list[StationRow]:
    issues: list[Issue] = []
    made = []
    for number, row in enumerate(rows, start=2):
        name, password = row["station"] or "", row["password"] or ""
        hub = row["hub"] or next(iter(hubs), "")
        faults = [
            ("station", name, bool(name) and len(name) <= MOST_NAME and _plain(name), "a name"),
            (
                "password",
                "***" if password else "",
                password.isprintable() and bool(password),
                f"at least {GOOD_PASSWORD} random characters",
            ),
            ("hub", hub, hub in hubs, f"one of {', '.join(hubs)}"),
            ("max_kw", row["max_kw"], 0 < _number(row["max_kw"]) <= 10_000, "kW above 0"),
        ]
        where = f"row {number}" if file else ""
        issues += [
            Issue(file, where, field, f"{said!r}", right)
            for field, said, fine, right in faults
            if not fine
        ]
        made.append(StationRow(name, password, hub, _number(row["max_kw"])))
    if issues:
        raise ScenarioError(issues)
    return made


def _plain(text: str) -> bool:
    return text.isprintable() and ":" not in text and "/" not in text


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")


@station.command("renew")
def renew_password(
    folder: Folder,
    names: Annotated[list[str], typer.Argument(metavar="STATION_ID...")],
) -> None:
    """Give stations new passwords over OCPP, as soon as they are connected."""
    with explained(as_json=False):
        registry = open_registry(folder)
        lost = [name for name in names if registry.find(name) is None]
        if lost:
            right = f"hubwise station list {folder}"
            raise ScenarioError([Issue("", "", "", f"not known: {listed(lost)}", right)])
        for name in names:
            Renewals(folder).put(name, "")


@station.command("list")
def list_stations(folder: Folder) -> None:
    """Every station that may connect: name, hub, most kW."""
    with explained(as_json=False):
        for each in open_registry(folder).all_stations():
            typer.echo(f"{each.station},{each.hub},{each.max_kw:g}")


@driver.command("add")
def add_driver(
    folder: Folder,
    name: Annotated[str, typer.Argument(metavar="DRIVER")],
    id_token: Annotated[
        list[str] | None, typer.Option("--id-token", help="A tag that stands for them; repeatable.")
    ] = None,
) -> None:
    """Add a driver, or another tag of one."""
    with explained(as_json=False):
        _must_be_name(name)
        if empty := [tag for tag in id_token or () if not tag.strip()]:
            raise ScenarioError([Issue("--id-token", "", "", f"{empty[0]!r}", "a tag to be read")])
        open_registry(folder).add_driver(name, id_token or ())


@driver.command("link")
def link(
    folder: Folder,
    name: Annotated[str, typer.Argument(metavar="DRIVER")],
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where drivers reach the site; else where it is served."),
    ] = None,
) -> None:
    """Print a link that signs a browser in as the driver, once, within 15 minutes."""
    from hubwise.cli.served import where_served

    with explained(as_json=False):
        registry = open_registry(folder)
        _must_be_known(folder, registry, name)
        place = url or str(where_served(folder)["http"])
        secret = SignIns(registry.engine, registry.key).make_link(name, datetime.now(UTC))
        typer.echo(f"{place.rstrip('/')}/in/{secret}")


@driver.command("car")
def car(
    folder: Folder,
    name: Annotated[str, typer.Argument(metavar="DRIVER")],
    capacity_kwh: Annotated[
        float, typer.Option(min=1, max=10_000, help="What its battery holds [kWh].")
    ],
    km_per_kwh: Annotated[
        float, typer.Option(min=0.1, max=100, help="How far a kWh brings it [km].")
    ],
) -> None:
    """Say what a driver's car is: pages then show its range."""
    with explained(as_json=False):
        registry = open_registry(folder)
        _must_be_known(folder, registry, name)
        registry.put_car(name, capacity_kwh, km_per_kwh)


@user.command("add")
def add_user(
    folder: Folder,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    password_file: Annotated[
        Path | None,
        typer.Option(help="The password, on the first line of a file; else you are asked for it."),
    ] = None,
) -> None:
    """Let an operator sign in with a browser; their password anew if they could before."""
    with explained(as_json=False):
        _must_be_name(name)
        registry = open_registry(folder)
        password = (
            password_file.read_text("utf-8").splitlines()[0]
            if password_file
            else str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
        )
        if not SHORTEST_PASSWORD <= len(password) <= MOST_PASSWORD:
            wrong, right = f"{len(password)} characters", f"{SHORTEST_PASSWORD} at least"
            raise ScenarioError([Issue("password", "", "", wrong, right)])
        SignIns(registry.engine, registry.key).put_user(name, password)


@user.command("remove")
def remove_user(folder: Folder, name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Let an operator sign in no more, and sign out all of their browsers."""
    with explained(as_json=False):
        registry = open_registry(folder)
        if not SignIns(registry.engine, registry.key).drop_user(name):
            raise ScenarioError([Issue("", "", "", f"{name!r} is not known", "a user's name")])


@token.command("create")
def create_token(
    folder: Folder,
    role: Annotated[Role, typer.Option(help="What its bearer may do.")],
    of: Annotated[str | None, typer.Option("--driver", help="Whose, where a driver's.")] = None,
    name: Annotated[
        str, typer.Option(help="An operator's name, which stands in the list of acts.")
    ] = "",
) -> None:
    """Print a new token, which is kept nowhere, and nothing else."""
    with explained(as_json=False):
        registry = open_registry(folder)
        if (role is Role.DRIVER) != (of is not None):
            right = "give --driver with --role driver, and with no other"
            raise ScenarioError([Issue("--driver", "", "", f"{of!r} and role {role}", right)])
        if of is not None:
            _must_be_known(folder, registry, of)
        typer.echo(registry.create_token(role, of or "", name=name))


@token.command("revoke")
def revoke_tokens(
    folder: Folder,
    of: Annotated[str, typer.Option("--driver", help="Every token of this driver.")] = "",
    name: Annotated[str, typer.Option(help="Every token of the operator of this name.")] = "",
) -> None:
    """Forget tokens that were lost or given to somebody who left; also while the site is served."""
    with explained(as_json=False):
        if bool(of) == bool(name):
            right = "say whose: --driver, or --name of an operator"
            raise ScenarioError([Issue("--driver, --name", "", "", f"{of!r}, {name!r}", right)])
        typer.echo(f"{open_registry(folder).revoke_tokens(of, name)} tokens open nothing any more")


def _must_be_known(folder: Path, registry: Registry, driver: str) -> None:
    if not registry.has_driver(driver):
        right = f"hubwise driver add {folder} {driver}"
        raise ScenarioError([Issue("", "", "", f"{driver!r} is not known", right)])


def _must_be_name(name: str) -> None:
    if not name or len(name) > MOST_NAME or not _plain(name):
        raise ScenarioError([Issue("", "", "", f"{name!r}", "a name without / and :")])
