"""Two processes on one PostgreSQL: one serves, the other stands by and takes over.

Real processes, sockets and a real database. Nothing that was answered is lost or doubled, whatever
became of the first: killed, asleep for longer than its lease, cut off from the database.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shutil
import signal
from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

import httpx
import pytest
from sqlalchemy import make_url, text
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from databases import server
from hubwise.cli.doctor import Places, examine
from hubwise.live.troubles import HANDS
from hubwise.store import LASTS_SECONDS
from hubwise.store.engine import make_engine
from live_faults import RoamingStays, alarms, books_of, undisturbed
from live_site import PASSWORD, T0, Served, basic, event, hubwise, make_site, sample

NAMES = [f"S{number}" for number in range(4)]
TAKEN_OVER_SECONDS = 30.0
# An answer that takes longer is late: ten times what one takes on a busy machine.
LATE_SECONDS = 1.0

# Links that were cut are left to the collector: it takes them here, not in another's test.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def _collected():
    yield
    gc.collect()


def health(site: Served) -> httpx.Response:
    return httpx.get(f"{site.ready['http']}/api/v1/health", timeout=20)


async def until(true: Callable[[], bool], seconds: float = TAKEN_OVER_SECONDS) -> float:
    """How long it took [s]."""
    began = monotonic()
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(true):
            await asyncio.sleep(0.2)
    return monotonic() - began


def serves(site: Served) -> Callable[[], bool]:
    return lambda: health(site).status_code == 200


def stands_by(site: Served) -> Callable[[], bool]:
    return lambda: health(site).json()["status"] == "standby"


def has_standby(site: Served) -> Callable[[], bool]:
    return lambda: health(site).json()["standby"] is not None


def twin(site: Served, folder, store: str) -> Served:
    """The same site on another machine: settings and key are copied, the books are not."""
    folder.mkdir()
    for name in ("site.toml", "site.key"):
        shutil.copy2(site.folder / name, folder / name)
    return Served(folder, store, token=site.token)


def urls(*sites: Served) -> list[str]:
    return [each.ready["ocpp"] for each in sites]


def check_books(site: Served, done: dict[str, int], other) -> None:
    """As if nothing had happened, and the audit finds nothing."""
    found = books_of(site)
    assert len(found[0]) == sum(done.values())
    assert {status for status, *_ in found[0].values()} == {"final"}
    assert found == undisturbed(other, done)
    hubwise("audit", site.folder, "--store", site.store)


def test_one_is_killed_and_the_other_has_its_stations(tmp_path) -> None:
    """Within 30 s; the first comes back to stand by, and has them again when the second ends."""
    with server(tmp_path / "pg") as made:
        url = made("two")
        one = make_site(tmp_path / "here", NAMES, url).start()
        other = twin(one, tmp_path / "there", url).start()
        done = asyncio.run(_killed(one, other))
        check_books(one, done, tmp_path / "undisturbed")
        assert one.stop() == 0


async def _killed(one: Served, other: Served) -> dict[str, int]:
    await _stand_by_is_seen(one, other)
    stays = RoamingStays(NAMES, urls=urls(one, other)).begin()
    await asyncio.sleep(2.0)
    one.kill()
    before, gone = dict(stays.done), health(other).json()["active"]
    took = await until(serves(other))
    print(f"control again after {took:.1f} s")
    await until(lambda: sum(each["connected"] for each in other.items("/stations")) == len(NAMES))
    await until(lambda: all(stays.done[name] > before[name] for name in NAMES))
    await until(lambda: len(alarms(other, HANDS)) == 1)
    assert gone in alarms(other, HANDS)[0]["detail"]
    await asyncio.to_thread(one.start)
    assert stands_by(one)()
    assert await asyncio.to_thread(other.stop) == 0
    took = await until(serves(one))
    print(f"control again after {took:.1f} s of an orderly end")
    assert took < LASTS_SECONDS
    return await stays.end()


async def _stand_by_is_seen(one: Served, other: Served) -> None:
    """Both say who is who; stations are told to try the other."""
    await until(has_standby(one))
    here, there = health(one), health(other)
    assert (here.status_code, there.status_code) == (200, 503)
    assert here.json()["active"] == there.json()["active"] != here.json()["standby"]
    assert here.json()["standby"] == there.json()["standby"]
    answer = await asyncio.to_thread(other.get, "/sessions")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.headers["content-type"] == "application/problem+json"
    with pytest.raises(InvalidStatus) as refused:
        await connect(
            f"{other.ready['ocpp']}/S0",
            subprotocols=["ocpp2.1"],
            additional_headers={"Authorization": basic("S0", PASSWORD)},
        )
    response = refused.value.response
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    said = await asyncio.to_thread(hubwise, "status", other.folder)
    assert "stands by" in said
    assert here.json()["active"] in said
    assert "active as" in await asyncio.to_thread(hubwise, "status", one.folder)
    for each, word in ((one, "control runs"), (other, "stands by")):
        found = [*examine(each.folder, Places("127.0.0.1", {}))]
        control = [symptom for symptom in found if symptom.check == "control"]
        assert [symptom.state for symptom in control] == ["fine"]
        assert word in control[0].found
    figures = httpx.get(f"{other.ready['http']}/metrics").text
    assert "hubwise_control_running 0.0" in figures


@pytest.mark.nightly
def test_one_sleeps_for_longer_than_its_lease(tmp_path) -> None:
    """SIGSTOP: what it hears when it wakes is neither kept nor answered; it stands by then."""
    with server(tmp_path / "pg") as made:
        one = make_site(tmp_path / "here", [*NAMES, "LATE"], made("sleeps")).start()
        # From one folder, as on one machine.
        other = Served(one.folder, one.store, token=one.token).start()
        done = asyncio.run(_slept(one, other))
        late = other.items("/sessions", station="LATE")
        check_books(other, done, tmp_path / "undisturbed")
        assert late == []
        assert [one.stop(), other.stop()] == [0, 0]
    assert not [*one.folder.glob("serving*.json")]


async def _slept(one: Served, other: Served) -> dict[str, int]:
    await until(has_standby(one))
    async with one.station("LATE") as late:
        stays = RoamingStays(NAMES, urls=urls(one, other)).begin()
        await asyncio.sleep(2.0)
        os.kill(one.process.pid, signal.SIGSTOP)
        token = {"idToken": {"idToken": "TAG", "type": "ISO14443"}, "evse": {"id": 1}}
        asking = asyncio.create_task(
            late.call("TransactionEvent", event("Started", 0, T0, [sample(1.0)], **token))
        )
        took = await until(serves(other))
        print(f"control again after {took:.1f} s")
        await asyncio.sleep(2.0)
        os.kill(one.process.pid, signal.SIGCONT)
        await until(stands_by(one))
        await asyncio.wait_for(late.socket.wait_closed(), 20)
        with suppress(asyncio.TimeoutError, ConnectionClosed):
            answered = await asyncio.wait_for(asking, 1)
            assert answered[0] == 4, answered  # an error at most: say it again
        assert serves(other)()
        return await stays.end()


@dataclass
class Wire:
    """Between a process and its database: slow, or cut."""

    to: str
    slow_seconds: float = 0.0
    cut: bool = False
    port: int = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_unix_connection(self.to)
        with suppress(ConnectionError):
            await asyncio.gather(self._pass(reader, outer), self._pass(inner, writer))
        for each in (outer, writer):
            each.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while said := await reader.read(65_536):
            await asyncio.sleep(self.slow_seconds)
            while self.cut:
                await asyncio.sleep(0.1)
            writer.write(said)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def wire(url: str):
    """A wire to a database's socket, and the URL at its other end."""
    parsed = make_url(url)
    folder = parsed.query["host"]
    made = Wire(f"{folder}/.s.PGSQL.{parsed.port or 5432}")
    async with await asyncio.start_server(made.take, "127.0.0.1", 0) as listening:
        made.port = listening.sockets[0].getsockname()[1]
        there = parsed.set(host="127.0.0.1", port=made.port, query={})
        yield made, there.render_as_string(hide_password=False)


@pytest.mark.nightly
def test_one_is_slow_and_then_cut_off_from_the_database(tmp_path) -> None:
    """Slow is no reason to give way; cut off is: it lets its stations go to the other."""
    with server(tmp_path / "pg") as made:
        url = made("cut")

        async def work() -> tuple[dict[str, int], Served]:
            async with wire(url) as (between, there):
                one = await asyncio.to_thread(make_site, tmp_path / "here", NAMES, there)
                await asyncio.to_thread(one.start)
                other = twin(one, tmp_path / "there", url)
                await asyncio.to_thread(other.start)
                return await _slow_and_cut(between, one, other), other

        done, other = asyncio.run(work())
        check_books(other, done, tmp_path / "undisturbed")
        assert other.stop() == 0


async def _slow_and_cut(between: Wire, one: Served, other: Served) -> dict[str, int]:
    await until(has_standby(one))
    stays = RoamingStays(NAMES, urls=urls(one, other)).begin()
    between.slow_seconds = 0.3
    await asyncio.sleep(LASTS_SECONDS + 5.0)
    assert (serves(one)(), stands_by(other)()) == (True, True)
    between.slow_seconds, between.cut = 0.0, True
    took = await until(serves(other))
    print(f"control again after {took:.1f} s")
    await until(stands_by(one))
    await until(lambda: sum(each["connected"] for each in other.items("/stations")) == len(NAMES))
    between.cut = False
    await until(lambda: health(one).json()["active"] == health(other).json()["active"])
    assert (serves(other)(), stands_by(one)()) == (True, True)
    done = await stays.end()
    assert await asyncio.to_thread(one.stop) == 0
    return done


def test_another_key_is_refused(tmp_path) -> None:
    """Two sites on one database, or a key that was not copied: said before anything is written."""
    with server(tmp_path / "pg") as made:
        url = made("keys")
        one = make_site(tmp_path / "here", NAMES, url).start()
        hubwise("site", "new", tmp_path / "there")
        ports = ("--ocpp-port", 0, "--http-port", 0)
        said = hubwise("serve", tmp_path / "there", "--store", url, *ports, fails=True)
        assert "site.key" in said
        assert health(one).json()["active"] in said
        one.kill()
        one.start()
        assert "standby_for" not in one.ready  # it need not wait for its own lease
        assert one.stop() == 0


def test_many_sites_in_one_database(tmp_path) -> None:
    """Each in a schema of its own, with its own key, lease and books."""
    with server(tmp_path / "pg") as made:
        url = made("many")
        engine = make_engine(url)
        with engine.begin() as connection:
            for name in ("a", "b"):
                connection.execute(text(f"CREATE SCHEMA {name}"))
        engine.dispose()
        sites = [
            make_site(tmp_path / name, [name], f"{url}&options=-csearch_path%3D{name}").start()
            for name in ("a", "b")
        ]
        assert [health(each).json()["standby"] for each in sites] == [None, None]
        stations = [[row["station"] for row in each.items("/stations")] for each in sites]
        assert stations == [["a"], ["b"]]
        assert [each.stop() for each in sites] == [0, 0]


@pytest.mark.nightly
def test_two_machines_stand_by_for_each_other(tmp_path) -> None:
    """Each serves one site of a database and waits for the other's. When one machine is gone, the
    other has its site within 30 s, and its own is served all the while as if nothing were."""
    with server(tmp_path / "pg") as made:
        url = made("machines")
        engine = make_engine(url)
        with engine.begin() as connection:
            for name in ("a", "b"):
                connection.execute(text(f"CREATE SCHEMA {name}"))
        engine.dispose()
        stores = {name: f"{url}&options=-csearch_path%3D{name}" for name in ("a", "b")}
        a_here = make_site(tmp_path / "a1", ["A"], stores["a"]).start()
        b_there = make_site(tmp_path / "b2", ["B"], stores["b"]).start()
        a_there = twin(a_here, tmp_path / "a2", stores["a"]).start()
        b_here = twin(b_there, tmp_path / "b1", stores["b"]).start()
        done, waits = asyncio.run(_one_machine_is_gone((a_here, b_here), (a_there, b_there)))
        assert health(b_there).json()["active"] == b_there_name(b_there)
        check_books(a_there, done, tmp_path / "undisturbed")
        hubwise("audit", b_there.folder, "--store", b_there.store)
        said = sorted(waits)
        p50, p99 = (1_000 * said[int(q * len(said))] for q in (0.5, 0.99))
        print(f"{len(said)} answers meanwhile: p50 {p50:.0f}, p99 {p99:.0f}, last {said[-1]:.2f} s")
        assert len(said) > 30
        assert said[-1] < LATE_SECONDS
        assert [a_there.stop(), b_there.stop()] == [0, 0]


def b_there_name(site: Served) -> str:
    """What a process calls itself."""
    return json.loads((site.folder / "serving.json").read_text())["name"]


async def _one_machine_is_gone(
    here: tuple[Served, Served], there: tuple[Served, Served]
) -> tuple[dict[str, int], list[float]]:
    """Stays roam at one site; at the other a station says meter values and waits for each."""
    (a_here, b_here), (a_there, b_there) = here, there
    for one in (a_here, b_there):
        await until(has_standby(one))
    terms = [health(each).json()["active"] for each in (b_there, b_here)]
    assert terms[0] == terms[1]
    stays = RoamingStays(["A"], urls=urls(a_here, a_there)).begin()
    waits: list[float] = []
    talking = asyncio.create_task(_talk(b_there, waits))
    await asyncio.sleep(2.0)
    a_here.kill()
    b_here.kill()
    took = await until(serves(a_there))
    await until(lambda: all(each["connected"] for each in a_there.items("/stations")))
    print(f"control again after {took:.1f} s; the other site was never without")
    await asyncio.sleep(2.0)
    assert health(b_there).status_code == 200
    talking.cancel()
    with suppress(asyncio.CancelledError):
        await talking
    return await stays.end(), waits


async def _talk(site: Served, waits: list[float]) -> None:
    """A meter value ten times a second, each sent when the one before is answered."""
    token = {"idToken": {"idToken": "TAG", "type": "ISO14443"}, "evse": {"id": 1}}
    async with site.station("B") as station:
        for number in range(100_000):
            kind, more = ("Updated", {}) if number else ("Started", token)
            began, register = monotonic(), 1.0 + number * 1e-4
            at = datetime.now(UTC)
            said = event(kind, number, at, [sample(register)], **more)
            await station.said("TransactionEvent", said)
            waits.append(monotonic() - began)
            await asyncio.sleep(0.1)
