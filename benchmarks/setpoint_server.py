"""A site's OCPP server and log without its control: set-points go out when a line comes in."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import sys
from pathlib import Path
from time import perf_counter

import uvloop

from benchmarks.bench_setpoints import stations_of
from benchmarks.served import post_prices, quantile
from hubwise.cli.desk import StationDesk
from hubwise.cli.passwords import PasswordGate, Renewals
from hubwise.cli.serving import Neighbours, WallClock
from hubwise.edge.ocpp import OcppServer, Outcome, Step
from hubwise.live import Site, read_settings
from hubwise.live.controller import AT_ONCE
from hubwise.store import Registry, SiteKey, WaitingLog, database_url, open_engine


async def main(folder: Path) -> None:
    """Serve until the input ends."""
    engine = open_engine(database_url(folder))
    neighbours = Neighbours(Registry(engine, SiteKey.read(folder)))
    settings = read_settings(folder)
    site: Site
    log = WaitingLog(engine, lambda event: site.applied(event))
    site = Site(settings, log, neighbours, WallClock())
    await post_prices(site)
    desk = StationDesk(neighbours.registry, settings)
    gate = PasswordGate(neighbours.registry, Renewals(folder))
    server = OcppServer(site, gate, desk)
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    await server.start(listening)
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    print(json.dumps({"ocpp": f"ws://127.0.0.1:{port}/ocpp"}), flush=True)
    kw = 1.0
    while await asyncio.to_thread(sys.stdin.readline):
        kw += 0.1
        print(json.dumps(await _round(server, stations_of(folder), kw)), flush=True)


async def _round(server: OcppServer, names: list[str], kw: float) -> dict[str, float]:
    """One decision for everybody; times from it to each acknowledgement [s]."""
    room, began, took = asyncio.Semaphore(AT_ONCE), perf_counter(), []

    async def one(name: str) -> None:
        async with room:
            outcome = await server.follow(name, 1, "T", (Step(0, kw),))
        if outcome is Outcome.FOLLOWED:
            took.append(perf_counter() - began)

    await asyncio.gather(*map(one, names))
    shares = {"p50": quantile(took, 0.5) / 1_000, "p99": quantile(took, 0.99) / 1_000}
    return {**shares, "missed": len(names) - len(took)}


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1])))
