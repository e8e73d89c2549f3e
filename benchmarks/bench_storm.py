"""Every station of a site comes back within 3 s, plain and over TLS, while others go on."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from benchmarks.figure import Figure
from benchmarks.served import (
    BOOT,
    PASSWORD,
    certificate,
    meter_values,
    new_site,
    quantile,
    served,
    trusting,
)
from hubwise.edge.simulated import Link
from hubwise.edge.simulated.sayings import in_words

STATIONS, QUICK_STATIONS, OTHERS = 2_000, 200, 100
WITHIN = 3.0
PATIENCE = 60.0


@dataclass(slots=True)
class Storm:
    """What was measured: who booted and when, and how long others' answers took [s]."""

    booted: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)


def bench(quick: bool) -> Iterator[Figure]:
    """All booted, how soon, and whether others noticed."""
    stations = QUICK_STATIONS if quick else STATIONS
    for name, storm in _storms(stations):
        how = (
            f"hubwise serve on SQLite; {stations:,} stations (2.1) connect within {WITHIN:g} s, "
            f"{name}, and boot; {OTHERS} others send an event each second meanwhile"
        )
        missing = stations - len(storm.booted)
        yield Figure(f"storm, {name}: stations not booted", missing, "", how, ("at most", 0))
        last = max(storm.booted, default=float("nan"))
        yield Figure(f"storm, {name}: last booted after", last, "s", how)
        others = quantile(storm.answers, 0.99)
        yield Figure(f"storm, {name}: others' answers, 99 %", others, "ms", how, ("at most", 300))


def _storms(stations: int) -> Iterator[tuple[str, Storm]]:
    names = [f"B{number:05}" for number in range(stations + OTHERS)]
    with new_site(names) as folder:
        with served(folder) as site:
            yield "plain", asyncio.run(_storm(site.ready["ocpp"], names, None))
        if (files := certificate(folder)) is not None:
            options = ("--tls-cert", str(files[0]), "--tls-key", str(files[1]))
            with served(folder, *options) as site:
                url = site.ready["ocpp"].replace("127.0.0.1", "localhost")
                yield "TLS", asyncio.run(_storm(url, names, trusting(files[0])))


async def _storm(url: str, names: list[str], tls: ssl.SSLContext | None) -> Storm:
    storm = Storm()
    others = [asyncio.create_task(_other(url, name, tls, storm)) for name in names[:OTHERS]]
    await asyncio.sleep(5.0)
    storm.answers.clear()
    began = asyncio.get_running_loop().time()
    coming = [
        asyncio.create_task(_comes(url, name, tls, began + number * WITHIN / len(names), storm))
        for number, name in enumerate(names[OTHERS:])
    ]
    await asyncio.wait(coming, timeout=PATIENCE)
    await asyncio.sleep(2.0)
    for task in (*coming, *others):
        task.cancel()
    await asyncio.gather(*coming, *others, return_exceptions=True)
    return storm


def _link(url: str, name: str, tls: ssl.SSLContext | None) -> Link:
    accept = {"status": "Accepted"}
    return Link(url, name, PASSWORD, "ocpp2.1", lambda *_: accept, Random(name), tls)


async def _comes(url: str, name: str, tls: ssl.SSLContext | None, at: float, storm: Storm) -> None:
    loop = asyncio.get_running_loop()
    link = _link(url, name, tls)
    await asyncio.sleep(at - loop.time())
    running = asyncio.create_task(link.run())
    try:
        await link.say("BootNotification", BOOT)
        storm.booted.append(loop.time() - at)
        await running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _other(url: str, name: str, tls: ssl.SSLContext | None, storm: Storm) -> None:
    link = _link(url, name, tls)
    running = asyncio.create_task(link.run())
    link.seconds = storm.answers.append
    try:
        await link.say("BootNotification", BOOT)
        for number in range(1_000_000):
            await link.say(
                "TransactionEvent", meter_values(number, f"T{in_words(datetime.now(UTC))[:13]}")
            )
            await asyncio.sleep(1.0)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
