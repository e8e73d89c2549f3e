"""Killed at random moments, with stations that say again what was not answered: the same books."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random
from typing import Any

from hubwise.edge.simulated import Link
from live_site import PASSWORD, T0, Served, make_site, stay

KILLS = 10


def test_kills_lose_nothing_and_double_nothing(tmp_path) -> None:
    """Ten kills at random moments: each stay billed once, as if nothing had happened."""
    names = [f"S{number}" for number in range(6)]
    site = make_site(tmp_path / "here", names).start()
    said = asyncio.run(_all_stays(site, names, Random(3)))
    assert said >= 6 * 2
    check_books(site, names, said)
    assert site.stop() == 0


async def _all_stays(site: Served, names: list[str], draw: Random) -> int:
    done: dict[str, int] = dict.fromkeys(names, 0)
    over = asyncio.Event()
    tasks = [asyncio.create_task(_stays(site, name, done, over)) for name in names]
    for _ in range(KILLS):
        await asyncio.sleep(draw.uniform(0.05, 1.2))
        site.kill()
        await asyncio.to_thread(site.start)
    over.set()
    await asyncio.gather(*tasks)
    return sum(done.values())


async def _stays(site: Served, name: str, done: dict[str, int], over: asyncio.Event) -> None:
    """One stay after the other, each message until it is answered."""
    link = Link(
        site.ready["ocpp"],
        name,
        PASSWORD,
        "ocpp2.1",
        lambda *_: {"status": "Accepted"},
        Random(name),
    )
    running = asyncio.create_task(link.run())
    while not over.is_set() or done[name] < 2:
        number = done[name]
        at = T0 + timedelta(hours=2 * number)
        for each in stay(f"T{number}", 100.0 + 6.0 * number, at):
            await link.say("TransactionEvent", each)
        done[name] += 1
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def every(site: Served, path: str) -> list[dict[str, Any]]:
    """All items, page by page."""
    found, page = [], site.get(path, most=500).json()
    while page["next"]:
        found += page["items"]
        page = site.get(path, most=500, after=page["next"]).json()
    return found + page["items"]


def check_books(site: Served, names: list[str], said: int) -> None:
    """Every session final, 6 kWh and 1 kWh back; two entries each, none twice."""
    sessions, entries = every(site, "/sessions"), every(site, "/ledger/entries")
    assert len(sessions) == said
    assert {each["station"] for each in sessions} == set(names)
    for each in sessions:
        assert (each["status"], each["charged_kwh"], each["discharged_kwh"]) == ("final", "6", "1")
    assert len(entries) == 2 * said
    assert len({each["entry"] for each in entries}) == len(entries)
