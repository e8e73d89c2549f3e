"""A site, wired: adapters into `live`, `live` into the API, all in one process and one loop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import resource
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from ssl import SSLContext

import uvicorn
from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily
from sqlalchemy import Engine
from starlette.types import ASGIApp

from hubwise.cli.deciding import DecidingProcess
from hubwise.cli.desk import StationDesk, recall_needs
from hubwise.cli.devices import Chargers, batteries_of, meters_of
from hubwise.cli.market import price_source
from hubwise.cli.neighbours import BrowserDoors, Neighbours
from hubwise.cli.passwords import PasswordGate, Renewals, renew_passwords
from hubwise.cli.served import MOST, Seat, seated
from hubwise.cli.tenure import KeyDiffersError, Tenure
from hubwise.cli.tls import Tls
from hubwise.cli.turns import Turns
from hubwise.domain.errors import Issue, ScenarioError
from hubwise.domain.events import Event
from hubwise.edge.ocpp import OcppServer
from hubwise.live import Settings, Site
from hubwise.live.feeder import Feeder, FeederWatch
from hubwise.live.troubles import HANDS
from hubwise.store import (
    Fence,
    Lease,
    Registry,
    SignIns,
    SiteKey,
    WaitingLog,
    database_url,
    open_engine,
)
from hubwise.store.engine import SQLITE, URL_FILE, make_engine
from hubwise.web import make_app
from hubwise.web.app import World
from hubwise.web.bell import Bell

STOP_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    folder: Path
    host: str
    ocpp_port: int
    http_port: int
    store: str | None
    tls: Tls
    speed: float
    feeder: Feeder | None = None


@dataclass(frozen=True, slots=True)
class WallClock:
    """The machine's clock, or one that began with it and runs faster."""

    speed: float = 1.0
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        """The time, in UTC."""
        return self.began + (datetime.now(UTC) - self.began) * self.speed

    async def sleep(self, seconds: float) -> None:
        """Wait; at least a twentieth of a real second [s]."""
        await asyncio.sleep(max(seconds / self.speed, 0.05))


class _Http(uvicorn.Server):
    """Signals are the whole process's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run(asked: Asked, settings: Settings, say: Callable[[str], None]) -> None:
    """Serve a site until SIGTERM or SIGINT.

    Raises
    ------
    OSError
        Where a port is taken, or the site is served already.
    """
    logging.getLogger("websockets").setLevel(logging.ERROR)
    _allow_sockets()
    several = not database_url(asked.folder, asked.store).startswith("sqlite")
    with seated(asked.folder, MOST if several else 1) as seat:
        engine = _open_books(asked)
        main = _serve(asked, settings, engine, seat, say)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(main)
        engine.dispose()


def _allow_sockets() -> None:
    """As many open files as this user may have: every station is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ModuleNotFoundError:  # there is none for Windows
        return None
    made: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return made


def _open_books(asked: Asked) -> Engine:
    """The database asked for; another one hears of whom the site's own knows."""
    url = database_url(asked.folder, asked.store)
    engine = open_engine(url)
    own = f"sqlite:///{asked.folder / SQLITE}"
    if asked.store and asked.store != own:
        key = SiteKey.read(asked.folder)
        if (asked.folder / SQLITE).exists():
            Registry(open_engine(own), key).copy_to(Registry(engine, key))
        place = os.open(asked.folder / URL_FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(place, "w") as file:
            file.write(asked.store)
    return engine


async def _serve(
    asked: Asked, settings: Settings, engine: Engine, seat: Seat, say: Callable[[str], None]
) -> None:
    key, clock, stop = SiteKey.read(asked.folder), WallClock(asked.speed), asyncio.Event()
    tenure = _tenure(engine, key, seat)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with (
        _listening(asked.host, asked.ocpp_port) as ocpp,
        _listening(asked.host, asked.http_port) as http,
    ):
        ready = _ready(asked, ocpp.getsockname()[1], http.getsockname()[1])
        turns = Turns(
            tenure,
            lambda: Wired(asked, settings, engine, (key, clock, tenure)),
            ocpp,
            asked.tls.context(),
            seat,
            {**ready, **_served_as(asked)},
            say,
        )
        async with _http(turns.front, http, asked):
            try:
                await turns.run(stop)
            except KeyDiffersError as error:
                raise _another_key(asked.folder, error) from error
    seat.file.unlink(missing_ok=True)


def _tenure(engine: Engine, key: SiteKey, seat: Seat) -> Tenure:
    """On PostgreSQL by a lease, whose connections are its own: none waits for another's."""
    name = f"{socket.gethostname()}:{os.getpid()}-{secrets.token_hex(2)}"
    if engine.dialect.name != "postgresql":
        return Tenure(name)
    lease = Lease(make_engine(engine.url), name, key.hash_of("lease", "", ""))
    return Tenure(name, lease, before=str(seat.read().get("name", "")))


def _another_key(folder: Path, error: KeyDiffersError) -> ScenarioError:
    wrong = f"is not the key of {error}, which serves this database"
    right = "copy that one's site.key here, or name another database"
    return ScenarioError([Issue(str(folder / "site.key"), "", "", wrong, right)])


class Wired:
    """A site from its adapters to its API, for one tenure.

    Parameters
    ----------
    asked, settings, engine, lasting
        What is asked for, the database, and what lasts longer: key, clock and tenure.
    """

    def __init__(
        self,
        asked: Asked,
        settings: Settings,
        engine: Engine,
        lasting: tuple[SiteKey, WallClock, Tenure],
    ) -> None:
        """Nothing happens yet."""
        key, self.clock, self.tenure = lasting
        self.folder = asked.folder
        self.settings, self.bell, self.fence = settings, Bell(), Fence()
        neighbours = Neighbours(Registry(engine, key))
        fenced = () if self.tenure.lease is None else (self.fence,)
        self.log = WaitingLog(engine, self._applied, key.key, *fenced)
        self.site = Site(settings, self.log, neighbours, self.clock)
        desk = StationDesk(neighbours.registry, settings)
        self.gate = PasswordGate(neighbours.registry, Renewals(asked.folder))
        self.server = OcppServer(self.site, self.gate, desk, asked.tls.signer(), asked.speed)
        asking = (neighbours.actor_of, neighbours.all_stations)
        self.feeder = _watched(asked.feeder, self.site, self.clock)
        world = World(
            self.site,
            self.log,
            *asking,
            _measured(self.site, self.server),
            neighbours.acts,
            BrowserDoors(SignIns(engine, key), neighbours.registry),
            bell=self.bell,
            processes=lambda: (self.tenure.active, self.tenure.standby),
            feeder=self.feeder,
        )
        self.app: ASGIApp = make_app(world)
        self.planner = DecidingProcess()
        self._beside: list[asyncio.Task[None]] = []

    def _applied(self, event: Event) -> None:
        self.site.applied(event)
        self.bell.ring()

    def take_up(self) -> None:
        """Take up what the log holds by now."""
        self.site.take_up()

    async def begin(self, listening: socket.socket, tls: SSLContext | None, term: int) -> None:
        """Control, and let stations in."""
        self.fence.term = term
        await self.site.start(
            Chargers(self.server, self.tenure),
            meters=meters_of(self.settings, self.clock),
            batteries=batteries_of(self.settings, self.clock, self.tenure),
            decide=self.planner.decide,
            source=price_source(self.folder, self.settings),
        )
        if self.tenure.taken_from:
            what = f"{self.tenure.name} serves the site in place of {self.tenure.taken_from}"
            self.site.troubles.happened(HANDS, f"{what}, in term {term}")
        await recall_needs(self.log, self.site.books, self.server)
        await self.server.start(listening, tls)
        _settle_collector()
        self._beside = [
            asyncio.create_task(renew_passwords(self.gate, self.server, self.site)),
            *([asyncio.create_task(self.feeder.run())] if self.feeder else []),
        ]

    async def end(self, *, kept: bool) -> None:
        """Let stations go; where the site may be another's by now, nothing more is written."""
        if not kept:
            self.log.give_up()
        for task in self._beside:
            task.cancel()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.server.stop(), STOP_SECONDS / 2)
        await self.site.stop()
        self.planner.stop()
        self.bell.stop()
        if kept:
            await self.log.close()


def _watched(feeder: Feeder | None, site: Site, clock: WallClock) -> FeederWatch | None:
    if feeder is None:
        return None
    return FeederWatch(feeder, clock, site.troubles, site.connections, site.allow)


def _listening(host: str, port: int) -> socket.socket:
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(kind, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        error.filename = f"{host}:{port}"
        raise
    return made


@contextlib.asynccontextmanager
async def _http(app: object, listening: socket.socket, asked: Asked) -> AsyncIterator[None]:
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_level="error",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=64 * 1024,
        server_header=False,
        ssl_certfile=asked.tls.certificate,
        ssl_keyfile=asked.tls.key,
    )
    server = _Http(config)
    task = asyncio.create_task(server.serve([listening]))
    while not server.started and not task.done():
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task


def _served_as(asked: Asked) -> dict[str, object]:
    certificate = asked.tls.certificate
    tls = {"tls_cert": str(certificate.resolve())} if certificate else {}
    return {"pid": os.getpid(), "speed": asked.speed, **tls}


def _ready(asked: Asked, ocpp_port: int, http_port: int) -> dict[str, str]:
    secure = "s" if asked.tls.certificate else ""
    host = f"[{asked.host}]" if ":" in asked.host else asked.host
    return {
        "event": "ready",
        "ocpp": f"ws{secure}://{host}:{ocpp_port}/ocpp",
        "http": f"http{secure}://{host}:{http_port}",
    }


def _settle_collector() -> None:
    """What was made at the start stays: the collector need not look at it again.

    Python's collector, as it is, made the slowest answers of 10,000 stations wait for a second.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _measured(site: Site, server: OcppServer) -> CollectorRegistry:
    registry = CollectorRegistry()
    Gauge("hubwise_stations_connected", "Stations connected", registry=registry).set_function(
        lambda: server.connected
    )
    Gauge("hubwise_sessions_running", "Sessions without an end", registry=registry).set_function(
        lambda: sum(len(each) for each in site.books.running.values())
    )
    Gauge("hubwise_control_running", "1 while control runs", registry=registry).set_function(
        lambda: float(site.controls)
    )
    Gauge("hubwise_troubles", "What is wrong now", registry=registry).set_function(
        lambda: float(len(site.troubles.standing))
    )
    answered = Histogram(
        "hubwise_ocpp_answer_seconds",
        "From a frame read to its answer, commit included",
        buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
        registry=registry,
    )
    server.counts.seconds = answered.observe
    registry.register(_Answers(server))
    return registry


@dataclass(frozen=True, slots=True)
class _Answers:
    """How calls of stations were answered, as a figure of Prometheus."""

    server: OcppServer

    def collect(self) -> Iterator[CounterMetricFamily]:
        """One count for each way."""
        family = CounterMetricFamily(
            "hubwise_ocpp_answers", "Calls by how they ended", labels=["how"]
        )
        for how, many in sorted(self.server.counts.answers.items()):
            family.add_metric([how], many)
        yield family
        yield CounterMetricFamily(
            "hubwise_ocpp_refused", "Handshakes refused", value=self.server.counts.refused
        )


__all__ = ["Asked", "run"]
