"""What a site stands on, looked at without changing any of it."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import SQLAlchemyError

from hubwise.cli.asking import health_of
from hubwise.cli.certificates import last_day
from hubwise.cli.market import quoted_once
from hubwise.cli.served import Seat, served
from hubwise.domain.errors import Issue, ScenarioError, listed
from hubwise.live.clocks import QUARTER
from hubwise.live.settings import NAME, Settings, read_settings
from hubwise.store import database_url
from hubwise.store.engine import NEWEST, SQLITE, make_engine, version_of
from hubwise.store.tables import events, stations, tokens

State = Literal["fine", "note", "wrong"]
SECRETS = ("site.key", "renewals.json", "authority.key", "store.url")
PUBLIC = ("authority.pem",)
AHEAD = timedelta(minutes=1)
SOON = timedelta(days=30)
LEAST_BYTES, LITTLE_BYTES = 100 * 10**6, 10**9


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing that was looked at: how it is, what was found, and what to do."""

    check: str
    state: State
    found: str
    right: str = ""

    def as_dict(self) -> dict[str, str]:
        """As data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Places:
    """Where a site is to listen, by what is spoken there, and certificates to look at."""

    host: str
    ports: Mapping[str, int]
    certificates: tuple[Path, ...] = ()


def examine(folder: Path, places: Places) -> Iterator[Symptom]:
    """Look at everything.

    Raises
    ------
    ScenarioError
        Where the folder is no site.
    """
    if not (folder / NAME).exists():
        right = f"make one: hubwise site new {folder}"
        raise ScenarioError([Issue(str(folder), "", "", "is no site", right)])
    settings = yield from _settings(folder)
    hubs = None if settings is None else set(settings.connection_kw)
    yield from _secrets(folder)
    yield from _database(folder, hubs)
    yield from _disk(folder)
    if settings is not None and settings.market is not None:
        yield _market(folder, settings)
    processes = served(folder)
    for each in processes:
        yield from _health(each)
    if not processes:
        yield from _ports(folder, places)
    known = [folder / name for name in PUBLIC if (folder / name).exists()]
    own = [Path(str(each["tls_cert"])) for each in processes if each.get("tls_cert")]
    for place in (*own, *places.certificates, *known):
        yield _certificate(place)


def _settings(folder: Path) -> Generator[Symptom, None, Settings | None]:
    """Gives them, too."""
    try:
        found = read_settings(folder)
    except (ScenarioError, OSError) as error:
        issues = error.issues if isinstance(error, ScenarioError) else [error]
        for issue in issues:
            yield Symptom("settings", "wrong", str(issue), f"edit {folder / NAME}")
        return None
    yield Symptom("settings", "fine", f"{found.name}: hubs {listed(found.connection_kw)}")
    return found


def _market(folder: Path, settings: Settings) -> Symptom:
    """What the source of the market's prices says just now."""
    today, market = datetime.now(settings.zone).date(), settings.market
    assert market is not None
    if market.key_env and market.key_env not in os.environ:
        found = f"{market.key_env} is not set here: {market.name} is not asked"
        return Symptom(
            "market", "note", found, "set it where hubwise serve runs; GET /market tells"
        )
    try:
        quoted = asyncio.run(quoted_once(folder, settings, today))
    except ScenarioError as error:
        return Symptom("market", "wrong", listed(error.issues, most=3), "mend it, or [market]")
    except OSError as error:
        return Symptom("market", "wrong", f"{market.name}: {error}", "try by hand; mend [market]")
    assert quoted is not None
    until = (quoted.begins + len(quoted.prices) * QUARTER).astimezone(settings.zone)
    return Symptom("market", "fine", f"{market.name}: prices until {until:%Y-%m-%d %H:%M}")


def _secrets(folder: Path) -> Iterator[Symptom]:
    if not (folder / "site.key").exists():
        right = "restore a backup; without it no password and no token is known"
        yield Symptom("secrets", "wrong", "there is no site.key", right)
    there = [folder / name for name in SECRETS if (folder / name).exists()]
    open_to = [place for place in there if place.stat().st_mode & 0o077]
    for place in open_to:
        yield Symptom("secrets", "wrong", f"others may read {place}", f"chmod 600 {place}")
    if folder.stat().st_mode & 0o022:
        yield Symptom("secrets", "wrong", f"others may write into {folder}", f"chmod 700 {folder}")
    elif not open_to:
        yield Symptom("secrets", "fine", f"{listed(each.name for each in there)}: yours alone")


def _database(folder: Path, hubs: set[str] | None) -> Iterator[Symptom]:
    try:
        url = database_url(folder)
        if url.startswith("sqlite") and not (folder / SQLITE).exists():
            right = "restore a backup; serve would begin with empty books"
            yield Symptom("database", "wrong", f"there is no {folder / SQLITE}", right)
            return
        engine = make_engine(url)
        with engine.connect() as connection:
            yield from _version(connection)
            yield from _clock(connection)
            yield from _hubs(connection, hubs)
            row = {"token": "doctor", "role": "operator", "driver": "", "expires_at": "0"}
            connection.rollback()
            connection.execute(insert(tokens).values(row))
            connection.rollback()
        kind = engine.dialect.name
        engine.dispose()
    except (SQLAlchemyError, ValueError, OSError) as error:
        said = str(getattr(error, "orig", None) or error).splitlines()[0]
        right = "start it, or make it writable; stations are told to send again meanwhile"
        yield Symptom("database", "wrong", said, right)
    else:
        yield Symptom("database", "fine", f"{kind}: reached, and takes rows")


def _version(connection: Connection) -> Iterator[Symptom]:
    version = version_of(connection)
    if version is None or version < NEWEST:
        found = f"its tables are of version {version}, not {NEWEST}"
        yield Symptom("database", "note", found, "serve brings them up to date; backup first")
    elif version > NEWEST:
        found = f"its tables are of version {version}; this program knows {NEWEST}"
        yield Symptom("database", "wrong", found, "use the program that it was served with last")


def _clock(connection: Connection) -> Iterator[Symptom]:
    asked = select(events.c.received_at).order_by(events.c.position.desc()).limit(1)
    last = connection.execute(asked).scalar()
    now = datetime.now(UTC)
    if last is not None and datetime.fromisoformat(str(last)) > now + AHEAD:
        found = f"it is {now:%Y-%m-%d %H:%M:%S} UTC here, and the last event is of {last}"
        yield Symptom("clock", "wrong", found, "set the clock (timedatectl set-ntp true)")
    else:
        yield Symptom("clock", "fine", f"{now:%Y-%m-%d %H:%M:%S} UTC, not before the last event")


def _hubs(connection: Connection, hubs: set[str] | None) -> Iterator[Symptom]:
    rows = connection.execute(select(stations.c.station, stations.c.hub)).all()
    lost = [str(row.station) for row in rows if hubs is not None and row.hub not in hubs]
    if lost:
        found = f"stations at hubs that site.toml does not have: {listed(lost)}"
        yield Symptom("stations", "wrong", found, "add the hub, or the stations again with --hub")
    else:
        yield Symptom("stations", "fine" if rows else "note", f"{len(rows)} registered")


def _disk(folder: Path) -> Iterator[Symptom]:
    free = shutil.disk_usage(folder).free
    state: State = "wrong" if free < LEAST_BYTES else "note" if free < LITTLE_BYTES else "fine"
    right = "" if state == "fine" else "make room: a full disk keeps no meter value"
    yield Symptom("disk", state, f"{free / 1e9:.1f} GB free at {folder}", right)


def _health(one: Mapping[str, object]) -> Iterator[Symptom]:
    who = f"process {one['pid']} serves {one['ocpp']} and {one['http']}"
    try:
        said = health_of(str(one["http"]))
    except (OSError, ValueError) as error:
        right = "look at its log; start it anew: systemctl restart hubwise"
        yield Symptom("control", "wrong", f"{who}, but health says: {error}", right)
        return
    troubles = said.get("troubles", [])
    assert isinstance(troubles, list)
    if said["status"] == "standby":
        found = f"process {one['pid']} stands by at {one['ocpp']}"
        active = said.get("active")
        yield Symptom("control", "fine", f"{found}; {active or 'nobody yet'} is active")
    else:
        yield Symptom("control", "fine", f"{who}; control runs")
    for each in troubles:
        yield Symptom("control", "wrong", each, "docs/operate.md says what to do about it")


def _ports(folder: Path, places: Places) -> Iterator[Symptom]:
    if Seat(folder).file.exists():
        found = "the last process that served it was killed"
        yield Symptom("control", "note", found, f"hubwise serve {folder}; nothing is lost")
    for what, port in places.ports.items():
        kind = socket.AF_INET6 if ":" in places.host else socket.AF_INET
        with socket.socket(kind, socket.SOCK_STREAM) as made:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                made.bind((places.host, port))
            except OSError as error:
                who = _holder(port) or (error.strerror or str(error)).lower()
                right = f"end that, or serve with another --{what.lower()}-port"
                yield Symptom("ports", "wrong", f"{what} {places.host}:{port}: {who}", right)
            else:
                yield Symptom("ports", "fine", f"{what} {places.host}:{port} is free")


def _holder(port: int) -> str:
    """Who listens at a port; nothing where that cannot be seen."""
    import psutil

    try:
        for each in psutil.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port:
                name = psutil.Process(each.pid).name() if each.pid else "another user's process"
                return f"held by {name} (process {each.pid or '?'})"
    except (psutil.Error, OSError):
        return ""
    return ""


def _certificate(place: Path) -> Symptom:
    try:
        ends = last_day(place.read_text("ascii"))
    except (OSError, ValueError) as error:
        right = "name a certificate in PEM"
        return Symptom("certificates", "wrong", f"{place}: {error}", right)
    left = ends - datetime.now(UTC)
    found = f"{place}: ends {ends:%Y-%m-%d}, in {left.days} days"
    if left < timedelta(0):
        return Symptom("certificates", "wrong", f"{place}: ended {ends:%Y-%m-%d}", "renew it")
    if left < SOON:
        return Symptom("certificates", "note", found, "renew it, then start serve anew")
    return Symptom("certificates", "fine", found)
