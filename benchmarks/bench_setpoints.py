"""Set-points to every station of a site at once: from the decision to the acknowledgement."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import Random
from typing import IO

from benchmarks.figure import Figure
from benchmarks.served import BOOT, PASSWORD, meter_values, new_site, quantile, started
from hubwise.edge.simulated import Link

STATIONS, QUICK_STATIONS = 2_000, 200
ROUNDS, BETWEEN = 5, 5.0
CONNECTS = 100  # in a second
EVERY = 10.0


def bench(quick: bool) -> Iterator[Figure]:
    """The slowest of several rounds, and what answers to meter values had to wait meanwhile."""
    stations = QUICK_STATIONS if quick else STATIONS
    names = [f"B{number:05}" for number in range(stations)]
    with new_site(names) as folder:
        words = [sys.executable, "-m", "benchmarks.setpoint_server", str(folder)]
        with started(words) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["ocpp"]
            rounds, answers = asyncio.run(_all(url, names, (process.stdin, process.stdout)))
    how = (
        f"the OCPP server and the site's log on SQLite in one process; {stations:,} stations (2.1) "
        f"on the same machine send an event each {EVERY:g} s; {ROUNDS} rounds of a set-point each"
    )
    slowest = max(float(each["p99"]) for each in rounds)
    missed = sum(int(each["missed"]) for each in rounds)
    yield Figure("set-points: not acknowledged", missed, "", how, ("at most", 0))
    yield Figure("set-points: to acknowledgement, 99 %", slowest, "s", how, ("at most", 1))
    middle = max(float(each["p50"]) for each in rounds)
    yield Figure("set-points: to acknowledgement, median", middle, "s", how)
    waited = quantile(answers, 0.99)
    yield Figure("set-points: answers meanwhile, 99 %", waited, "ms", how, ("at most", 100))


async def _all(
    url: str, names: list[str], pipes: tuple[IO[str], IO[str]]
) -> tuple[list[dict[str, float]], list[float]]:
    answers: list[float] = []
    stations = [
        asyncio.create_task(_station(url, name, number / CONNECTS, answers))
        for number, name in enumerate(names)
    ]
    await asyncio.sleep(len(names) / CONNECTS + EVERY + 5.0)
    answers.clear()
    rounds: list[dict[str, float]] = []
    for _ in range(ROUNDS):
        print("go", file=pipes[0], flush=True)
        rounds.append(json.loads(await asyncio.to_thread(pipes[1].readline)))
        await asyncio.sleep(BETWEEN)
    for each in stations:
        each.cancel()
    await asyncio.gather(*stations, return_exceptions=True)
    return rounds, answers


async def _station(url: str, name: str, after: float, answers: list[float]) -> None:
    await asyncio.sleep(after)
    accept = {"status": "Accepted"}
    link = Link(url, name, PASSWORD, "ocpp2.1", lambda *_: accept, Random(name))
    running = asyncio.create_task(link.run())
    link.seconds = answers.append
    try:
        await link.say("BootNotification", BOOT)
        for number in count():
            await link.say("TransactionEvent", meter_values(number, "T"))
            await asyncio.sleep(EVERY)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def stations_of(folder: Path) -> list[str]:
    """Who was written into the table beside a site."""
    lines = (folder.parent / "stations.csv").read_text().splitlines()[1:]
    return [line.split(",")[0] for line in lines]
