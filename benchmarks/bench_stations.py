"""Stations on one process: meter values every 10 s, validated, durable before the answer."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from urllib.request import Request, urlopen

import psutil

from benchmarks.figure import Figure
from benchmarks.served import HUBWISE, PASSWORD, new_site, quantile, served
from hubwise.edge.simulated import Link
from hubwise.edge.simulated.sayings import in_words

STATIONS, SECONDS, EVERY = 2_000, 600, 10.0
QUICK_STATIONS, QUICK_SECONDS = 200, 30
CONNECTS = 100  # in a second


@dataclass(slots=True)
class Load:
    """What was measured.

    Parameters
    ----------
    answers
        From message to answer, while all were connected [s].
    leaving
        The same, when all cars leave at once [s].
    said
        Messages that were answered, by station.
    repeated
        Messages that had to be said again.
    lost
        Sessions that are not final, or whose bill is not what the meter showed.
    cpu_seconds, messages
        The server's, from its start to its end, and all that it answered.
    most_mb
        The server's largest resident memory [MB].
    """

    answers: list[float] = field(default_factory=list)
    leaving: list[float] = field(default_factory=list)
    said: dict[str, int] = field(default_factory=dict)
    repeated: int = 0
    lost: int = 0
    cpu_seconds: float = 0.0
    messages: int = 0
    most_mb: float = 0.0


def bench(quick: bool) -> Iterator[Figure]:
    """None lost, none said twice, and how long answers took."""
    stations, seconds = (QUICK_STATIONS, QUICK_SECONDS) if quick else (STATIONS, SECONDS)
    load = measure(stations, seconds)
    how = (
        f"hubwise serve on SQLite; {stations:,} simulated stations (2.1) on the same machine for "
        f"{seconds} s, a TransactionEvent of 4 samples each {EVERY:g} s, answered after its commit"
    )
    yield Figure("stations: sessions lost or billed wrongly", load.lost, "", how, ("at most", 0))
    yield Figure("stations: messages said again", load.repeated, "", how, ("at most", 0))
    yield Figure(
        "stations: answer, 99 %", quantile(load.answers, 0.99), "ms", how, ("at most", 100)
    )
    yield Figure("stations: answer, median", quantile(load.answers, 0.5), "ms", how)
    leave = f"{how}; then all leave at once"
    yield Figure("stations: answer, 99 %, all leave", quantile(load.leaving, 0.99), "ms", leave)
    yield Figure("stations: server's memory", load.most_mb, "MB", how, ("at most", 400))
    yield Figure(
        "stations: server's CPU", load.cpu_seconds / load.messages * 1_000, "ms/message", how
    )


def measure(stations: int, seconds: float, store: str | None = None) -> Load:
    """Serve a new site, load it, and look into its books."""
    names = [f"B{number:05}" for number in range(stations)]
    options = ("--store", store) if store else ()
    with new_site(names) as folder, served(folder, *options) as site:
        load = asyncio.run(_load(site.ready["ocpp"], names, seconds, site.process))
        load.cpu_seconds = sum(site.process.cpu_times()[:2])
        load.lost = _lost(folder, site.ready["http"], load)
    return load


async def _load(url: str, names: list[str], seconds: float, process: psutil.Process) -> Load:
    load = Load()
    begin = len(names) / CONNECTS
    until = asyncio.get_running_loop().time() + begin + seconds
    stations = [
        asyncio.create_task(_station(url, name, number / CONNECTS, (begin, until), load))
        for number, name in enumerate(names)
    ]
    watching = asyncio.create_task(_watch(process, load))
    await asyncio.gather(*stations)
    watching.cancel()
    return load


async def _watch(process: psutil.Process, load: Load) -> None:
    while True:
        load.most_mb = max(load.most_mb, process.memory_info().rss / 1e6)
        await asyncio.sleep(1.0)


async def _station(
    url: str, name: str, after: float, span: tuple[float, float], load: Load
) -> None:
    """Boot, then one stay: 6 kW, in steps of 10 s."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.sleep(after)
    link = Link(url, name, PASSWORD, "ocpp2.1", lambda *_: {"status": "Accepted"}, Random(name))
    running = asyncio.create_task(link.run())
    who = {"vendorName": "Bench", "model": "B"}
    await link.say("BootNotification", {"chargingStation": who, "reason": "PowerUp"})
    await link.say("TransactionEvent", _event("Started", 0))
    link.seconds = lambda took: load.answers.append(took) if loop.time() > began + span[0] else None
    number = 1
    while loop.time() < span[1]:
        await link.say("TransactionEvent", _event("Updated", number))
        number += 1
        await asyncio.sleep(EVERY)
    link.seconds = load.leaving.append
    await link.say("TransactionEvent", _event("Ended", number))
    load.said[name] = number
    load.messages += number + 2
    load.repeated += link.repeated
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def _event(kind: str, number: int) -> dict[str, object]:
    at = in_words(datetime.now(UTC))
    watt_hours = 1_000_000 + int(number * EVERY * 6_000 / 3_600)
    values = [
        ("Energy.Active.Import.Register", watt_hours),
        ("Energy.Active.Export.Register", 5_000),
        ("Power.Active.Import", 6_000),
        ("SoC", 50),
    ]
    sampled = [{"measurand": measurand, "value": value} for measurand, value in values]
    return {
        "eventType": kind,
        "timestamp": at,
        "triggerReason": "MeterValuePeriodic",
        "seqNo": number,
        "transactionInfo": {"transactionId": "T"},
        "evse": {"id": 1},
        "meterValue": [{"timestamp": at, "sampledValue": sampled}],
    }


def _lost(folder: Path, http: str, load: Load) -> int:
    """Stations whose session is not final with what their meter showed."""
    words = ["token", "create", str(folder), "--role", "operator"]
    done = subprocess.run([*HUBWISE, *words], check=True, capture_output=True, text=True)
    head = {"Authorization": f"Bearer {done.stdout.strip()}"}
    fine, after = set(), ""
    while True:
        asked = Request(f"{http}/api/v1/sessions?most=200&after={after}", headers=head)
        with urlopen(asked, timeout=120) as answer:
            page = json.load(answer)
        for each in page["items"]:
            shown = int(load.said[each["station"]] * EVERY * 6_000 / 3_600) / 1_000
            if each["status"] == "final" and abs(float(each["charged_kwh"]) - shown) < 1e-9:
                fine.add(each["station"])
        after = page["next"]
        if not after:
            return len(set(load.said) - fine)
