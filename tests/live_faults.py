"""Stations that say again what was not answered, through whatever happens to a site meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from random import Random
from shutil import copytree
from time import monotonic
from typing import Any

import httpx

from hubwise.edge.simulated import Link
from hubwise.live.troubles import PLAN
from live_site import PASSWORD, T0, Served, in_words, make_site, stay

# A process that serves with a clock that is off by as many seconds as a file says.
OFF = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from hubwise.cli import main, serving
place, real = Path(sys.argv.pop(1)), serving.WallClock.now
serving.WallClock.now = lambda clock: real(clock) + timedelta(seconds=float(place.read_text()))
main()
"""


# What health says while the only hub of a small site has no plan.
NO_PLAN = f"{PLAN}: main"


@dataclass
class Stays:
    """Stations with one stay after the other, each message until it is answered."""

    names: list[str]
    url: str = ""
    done: dict[str, int] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    over: bool = False
    most: Mapping[str, int] | None = None
    pause: float = 0.02
    wants: bool = False
    told: Counter[str] = field(default_factory=Counter)

    def begin(self) -> Stays:
        """Connect; where there is no most, until the end."""
        self.done = dict.fromkeys(self.names, 0)
        self.tasks = [asyncio.create_task(self._stays(name)) for name in self.names]
        return self

    async def end(self, seconds: float = 60.0) -> dict[str, int]:
        """Each goes to the end of the stay that it is in; how many each had."""
        self.over = self.most is None
        async with asyncio.timeout(seconds):
            await asyncio.gather(*self.tasks)
        return self.done

    async def _stays(self, name: str) -> None:
        link = self.links[name] = self._link(name)
        running = asyncio.create_task(link.run())
        while self._goes_on(name):
            number = self.done[name]
            at = T0 + timedelta(hours=2 * number)
            if self.wants:
                await link.say("NotifyEVChargingNeeds", tomorrow())
            for each in stay(f"T{number}", 100.0 + 6.0 * number, at):
                await link.say("TransactionEvent", each)
                await asyncio.sleep(self.pause)
            self.done[name] += 1
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    def _link(self, name: str) -> Link:
        def answer(action: str, *_: object) -> dict[str, str]:
            self.told[action] += 1
            return {"status": "Accepted"}

        return Link(self.url, name, PASSWORD, "ocpp2.1", answer, Random(name))

    def _goes_on(self, name: str) -> bool:
        if self.most is not None:
            return self.done[name] < self.most[name]
        return not self.over or self.done[name] < 1


def tomorrow() -> dict[str, Any]:
    """What a car says that wants 12 kWh by then."""
    at = in_words(datetime.now(UTC) + timedelta(hours=20))
    needs = {"requestedEnergyTransfer": "AC_single_phase", "departureTime": at}
    needs["acChargingParameters"] = {
        "energyAmount": 12_000, "evMinCurrent": 6, "evMaxCurrent": 32, "evMaxVoltage": 230,
    }  # fmt: skip
    return {"evseId": 1, "chargingNeeds": needs}


class Roaming(Link):
    """A station with two addresses: where one does not let it in, it tries the other."""

    def __init__(self, urls: list[str], station: str) -> None:
        answer = {"status": "Accepted"}
        super().__init__(urls[0], station, PASSWORD, "ocpp2.1", lambda *_: answer, Random(station))
        self.urls = cycle(urls)

    async def _connected(self) -> None:
        self._url = next(self.urls)
        await super()._connected()


@dataclass
class RoamingStays(Stays):
    """Stays at stations with two addresses."""

    urls: list[str] = field(default_factory=list)

    def _link(self, name: str) -> Link:
        return Roaming(self.urls, name)


def every(site: Served, path: str) -> list[dict[str, Any]]:
    """All items, page by page."""
    found, page = [], site.get(path, most=100).json()
    while page["next"]:
        found += page["items"]
        page = site.get(path, most=100, after=page["next"]).json()
    return found + page["items"]


def books_of(site: Served) -> tuple[dict[str, Any], list[tuple[str, ...]]]:
    """Sessions with what was measured, and entries: nothing that names when or where it stood."""
    kept = ("status", "charged_kwh", "discharged_kwh", "started_at", "ended_at")
    sessions = {e["session"]: tuple(e[k] for k in kept) for e in every(site, "/sessions")}
    names = ("session", "debit", "credit", "amount")
    return sessions, sorted(tuple(e[n] for n in names) for e in every(site, "/ledger/entries"))


def say_all(site: Served, done: Mapping[str, int]) -> None:
    """So many stays of each station, one after the other."""

    async def work() -> None:
        await Stays(list(done), site.ready["ocpp"], most=done).begin().end(300.0)

    asyncio.run(work())


def undisturbed(folder: Path, done: Mapping[str, int]) -> tuple[dict[str, Any], list[Any]]:
    """The books of a site to which nothing happens and the same is said."""
    return calm(make_site(folder, list(done)), done)


def twin(site: Served, folder: Path) -> Served:
    """Another site like one that was never started."""
    copytree(site.folder, folder)
    return Served(folder, token=site.token)


def calm(site: Served, done: Mapping[str, int]) -> tuple[dict[str, Any], list[Any]]:
    """The books of a site to which nothing happens but so many stays."""
    site.start()
    say_all(site, done)
    found = books_of(site)
    assert site.stop() == 0
    return found


async def killed(site: Served, names: list[str], draw: Random, kills: int) -> dict[str, int]:
    """Stays meanwhile a site is killed so often: while it works, and while it starts."""
    stays = Stays(names, site.ready["ocpp"]).begin()
    for kill in range(kills):
        if kill % 20 == 19:
            print(f"{kill + 1} kills, {sum(stays.done.values())} stays", flush=True)
        await asyncio.sleep(draw.uniform(0.05, 1.2))
        site.kill()
        while draw.random() < 0.25:
            site.begin()
            await asyncio.sleep(draw.uniform(0.1, 2.0))
            site.kill()
        await asyncio.to_thread(site.start)
    return await stays.end()


def deciders(site: Served) -> list[int]:
    """Processes in which a site has hubs decided about."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == site.process.pid and "spawn_main" in (place / "cmdline").read_text():
                found.append(int(place.name))
    return found


async def planner_killed(site: Served, draw: Random, kills: int, most: float) -> int:
    """Kill the process that decides so often, while it starts, decides, or waits; how often it
    was told meanwhile that there is no plan. Control runs all the while."""
    told, killed = 0, 0
    while killed < kills:
        for pid in deciders(site):
            await asyncio.sleep(draw.uniform(0.0, most))
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
        said = await asyncio.to_thread(site.get, "/health")
        assert said.status_code == 200, said.text
        told += NO_PLAN in said.json()["troubles"]
        await asyncio.sleep(0.1)
    return told


async def struck(
    sites: tuple[Served, Served], names: list[str], draw: Random, blows: int
) -> dict[str, int]:
    """Stays meanwhile one of two is killed, or sleeps for a while; then one serves within 30 s."""
    urls = [each.ready["ocpp"] for each in sites]
    stays = RoamingStays(names, urls=urls, pause=0.4).begin()
    longest = 0.0
    for blow in range(blows):
        await asyncio.sleep(draw.uniform(0.5, 6.0))
        site, began = draw.choice(sites), monotonic()
        if draw.random() < 0.5:
            site.kill()
            back = asyncio.create_task(asyncio.to_thread(site.start))
        else:
            site.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(draw.uniform(0.5, 20.0))
            site.process.send_signal(signal.SIGCONT)
            back = asyncio.create_task(asyncio.sleep(0.0))
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(_any_serves, sites):
                await asyncio.sleep(0.2)
        longest = max(longest, monotonic() - began)
        await back
        said = f"blow {blow + 1}: {sum(stays.done.values())} stays, control again after"
        print(f"{said} {longest:.1f} s at most", flush=True)
    return await stays.end(120.0)


def _any_serves(sites: tuple[Served, ...]) -> bool:
    for each in sites:
        with suppress(httpx.TransportError):
            url = f"{each.ready['http']}/api/v1/health"
            if httpx.get(url, timeout=1).status_code == 200:
                return True
    return False


@dataclass
class Cable:
    """Between stations and a site: what is cut lets nothing through and tells nobody."""

    to: int
    cut: bool = False
    port: int = 0
    open: list[asyncio.StreamWriter] = field(default_factory=list)

    def mend(self) -> None:
        """Let through again; connections that were cut are gone on the stations' side only."""
        self.cut = False
        for each in self.open[::2]:
            each.close()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Someone connects."""
        if self.cut:
            writer.close()
            return
        inner, outer = await asyncio.open_connection("127.0.0.1", self.to)
        self.open += [writer, outer]
        with suppress(ConnectionError):
            await asyncio.gather(self._pass(reader, outer), self._pass(inner, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while said := await reader.read(65_536):
            if not self.cut:
                writer.write(said)
                await writer.drain()


@asynccontextmanager
async def cable(to: int):
    """A cable to a port."""
    made = Cable(to)
    async with await asyncio.start_server(made.take, "127.0.0.1", 0) as server:
        made.port = server.sockets[0].getsockname()[1]
        yield made
        for each in made.open:
            each.close()
        await asyncio.gather(*(each.wait_closed() for each in made.open), return_exceptions=True)


async def until(site: Served, what: str, *, stands: bool, seconds: float = 30.0) -> None:
    """Health says that something is wrong, or no more; control runs all the while."""
    async with asyncio.timeout(seconds):
        while True:
            said = await asyncio.to_thread(site.get, "/health")
            assert said.status_code == 200, said.text
            if (what in said.json()["troubles"]) == stands:
                return
            await asyncio.sleep(0.2)


def alarms(site: Served, what: str) -> list[dict[str, Any]]:
    """What was told of something, newest first."""
    return [each for each in site.items("/alarms") if each["what"] == what]
