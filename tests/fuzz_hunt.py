"""Noise against a served site: ``python -m fuzz_hunt --frames 100000 --bodies 100000``.

Real sockets, a real process: frames and requests that are nearly right, and some that are bytes.
Nothing may end it, no answer may say that something went wrong within, and memory stays flat.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import httpx
import psutil
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from live_site import PASSWORD, Served, basic, make_site
from station_messages import AT, known_to

PROTOCOLS = ("ocpp1.6", "ocpp2.0.1", "ocpp2.1")
# Requests from one address are limited, so that they come from several.
ADDRESSES = tuple(f"127.0.0.{k}" for k in range(2, 10))
# How much more memory the site may take between a tenth of the noise and all of it [MB].
FLAT_MB = 30.0
ODD: tuple[object, ...] = (
    None, True, 0, -1, 10**30, 1e308, "", "-1", "x" * 300, "\0", "NaN", "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59-23:00", "2026-03-02T10:00:00Z", {}, [], [[]], {"a": {"b": []}},
)  # fmt: skip
REPORT = ("NotifyReport", {"requestId": 1, "generatedAt": AT, "seqNo": 0})
BODIES = {
    "post": {"charged_kwh": "6", "discharged_kwh": "1", "reason": "looked", "ended_at": AT},
    "put": {"departure_at": AT, "energy_kwh": "20", "required_kwh": "5", "reserve_kwh": "1"},
}


@dataclass
class Found:
    """What came of it."""

    said: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def spoiled(draw: Random, value: object) -> object:
    """A value with up to three of its parts replaced or left out."""
    made = json.loads(json.dumps(value))
    for _ in range(draw.randint(0, 3)):
        where = made
        while isinstance(where, list | dict) and where:
            key = draw.choice(list(where) if isinstance(where, dict) else range(len(where)))
            inner = where[key]
            if isinstance(inner, list | dict) and inner and draw.random() < 0.7:
                where = inner
            elif draw.random() < 0.3:
                del where[key]
                break
            else:
                where[key] = deepcopy(draw.choice(ODD))
                break
    return made


def in_bytes(draw: Random, value: object) -> str | bytes:
    """As JSON; one in ten with some bytes turned."""
    text = json.dumps(value)
    if draw.random() < 0.9:
        return text
    raw = bytearray(text.encode())
    for _ in range(draw.randint(1, 4)):
        raw[draw.randrange(len(raw))] = draw.randrange(256)
    return bytes(raw)


async def frames(site: Served, station: str, seed: int, count: int, found: Found) -> None:
    """Send frames; behind each a heartbeat, whose answer says that the connection lives."""
    draw, sent, protocol = Random(f"{station} {seed}"), 0, PROTOCOLS[int(station[1:]) % 3]
    known = (*known_to(protocol, transaction=1), REPORT)
    headers = {"Authorization": basic(station, PASSWORD)}
    while sent < count:
        async with connect(
            f"{site.ready['ocpp']}/{station}", subprotocols=[protocol], compression=None,
            additional_headers=headers, open_timeout=30,
        ) as socket:  # fmt: skip
            try:
                while sent < count:
                    sent += 1
                    action, payload = draw.choice(known)
                    await socket.send(
                        in_bytes(draw, spoiled(draw, [2, f"f{sent}", action, payload]))
                    )
                    await socket.send(json.dumps([2, f"h{sent}", "Heartbeat", {}]))
                    await _until_answered(socket, f"h{sent}", found)
            except ConnectionClosed as error:
                code = error.rcvd.code if error.rcvd else 1006
                found.said[f"closed {code}"] += 1
                if code == 1011 or error.rcvd is None:
                    found.wrong.append(f"{station}: closed with {code}")


async def _until_answered(socket, name: str, found: Found) -> None:
    while True:
        frame = json.loads(await asyncio.wait_for(socket.recv(), 30))
        if frame[0] == 2:
            await socket.send(json.dumps([3, frame[1], {"status": "Accepted"}]))
            continue
        found.said["result" if frame[0] == 3 else f"error {frame[2]}"] += 1
        if frame[0] == 4 and frame[2] == "InternalError":
            found.wrong.append(json.dumps(frame))
        if frame[1] == name:
            return


def requests(draw: Random, paths: dict[str, dict[str, object]]) -> Iterator[httpx.Request]:
    """Requests to every route, with parameters and bodies that are nearly right."""
    routes = [(path, verb) for path, verbs in paths.items() for verb in verbs]
    routes = [each for each in routes if not each[0].endswith(("/events", "/live"))]
    names = ("S0:T1", "S0", "..", "%00", "x" * 200, "é", "S0%3AT1")
    while True:
        path, verb = draw.choice(routes)
        url = path.replace("{session}", draw.choice(names))
        asked = [str(draw.choice(ODD)) for _ in range(3)]
        names_of = ("most", "after", "station", "driver", "month", "hours", "since")
        query = dict(zip(draw.sample(names_of, 3), asked, strict=True))
        body = None
        if verb in BODIES:
            made = in_bytes(draw, spoiled(draw, BODIES[verb]))
            body = made.encode() if isinstance(made, str) else made
        yield httpx.Request(verb.upper(), f"http://site{url}", params=query, content=body)


async def bodies(site: Served, address: str, seed: int, count: int, found: Found) -> None:
    """Send requests from one address."""
    draw = Random(f"{address} {seed}")
    transport = httpx.AsyncHTTPTransport(local_address=address)
    headers = {"Authorization": f"Bearer {site.token}", "Content-Type": "application/json"}
    base = site.ready["http"]
    async with httpx.AsyncClient(transport=transport, headers=headers, timeout=60) as client:
        paths = (await client.get(f"{base}/openapi.json")).json()["paths"]
        for sent, made in enumerate(requests(draw, paths)):
            if sent == count:
                return
            url = base + made.url.raw_path.decode()
            answer = await client.request(made.method, url, content=made.content)
            while answer.status_code == 429:
                await asyncio.sleep(float(answer.headers["Retry-After"]))
                answer = await client.request(made.method, url, content=made.content)
            found.said[str(answer.status_code)] += 1
            if answer.status_code >= 500:
                found.wrong.append(f"{made.method} {url}: {answer.status_code} {answer.text[:200]}")


def hunt(
    folder: Path, frames_count: int, bodies_count: int, parts: int = 10
) -> tuple[Found, list[float]]:
    """All of the noise in so many parts; what came of it, and the memory after each [MB]."""
    stations = [f"S{k}" for k in range(len(PROTOCOLS) * 2)]
    site, found, memory = make_site(folder / "site", stations).start(), Found(), []

    async def part(seed: int) -> None:
        each = -(-frames_count // parts // len(stations))
        asked = -(-bodies_count // parts // len(ADDRESSES))
        await asyncio.gather(
            *(frames(site, name, seed, each, found) for name in stations),
            *(bodies(site, address, seed, asked, found) for address in ADDRESSES),
        )

    try:
        for seed in range(parts):
            asyncio.run(part(seed))
            memory.append(psutil.Process(site.process.pid).memory_info().rss / 1e6)
            assert site.get("/health").status_code == 200
    finally:
        code = site.stop()
    if code:
        found.wrong.append(f"it ended with {code}")
    found.wrong += [line for line in site.said().splitlines() if "Traceback" in line]
    return found, memory


def grown_mb(memory: Sequence[float]) -> float:
    """How much more it takes at the end than after a tenth [MB]."""
    return memory[-1] - memory[max(len(memory) // 10 - 1, 0)]


def main() -> int:
    """0 where nothing went wrong and memory was flat."""
    parser = argparse.ArgumentParser(prog="python -m fuzz_hunt", description=main.__doc__)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--bodies", type=int, default=100_000)
    options = parser.parse_args()
    with TemporaryDirectory() as made:
        found, memory = hunt(Path(made), options.frames, options.bodies)
    print(dict(found.said.most_common()))
    print("memory [MB]:", *(f"{each:.0f}" for each in memory))
    print(*found.wrong[:20], sep="\n")
    return int(bool(found.wrong) or grown_mb(memory) > FLAT_MB)


if __name__ == "__main__":
    raise SystemExit(main())
