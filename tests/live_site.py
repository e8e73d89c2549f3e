"""A served site in a process of its own, and stations with real sockets."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from typer.testing import CliRunner
from websockets.asyncio.client import connect

from hubwise.cli import app

PASSWORD = "a-secret-of-16-or-more"
COMMAND = [sys.executable, "-W", "error", "-c", "from hubwise.cli import main; main()"]
PLAIN = [sys.executable, "-c", "from hubwise.cli import main; main()"]
IMPORT = "Energy.Active.Import.Register"
EXPORT = "Energy.Active.Export.Register"
T0 = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def hubwise(*words: object, fails: bool = False) -> str:
    """Run a command; what it prints."""
    done = subprocess.run(
        [*PLAIN, *map(str, words)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode != 0) == fails, done.stderr
    return done.stderr if fails else done.stdout


def here(*words: object) -> str:
    """The same in this process, which takes a tenth of the time."""
    done = CliRunner().invoke(app, [*map(str, words)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    gc.collect()  # as at a process's end, connections to the database are closed
    return done.stdout


@dataclass
class Served:
    """A site and the process that serves it."""

    folder: Path
    store: str | None = None
    process: subprocess.Popen[str] | None = None
    ready: dict[str, str] = field(default_factory=dict)
    token: str = ""
    ports: tuple[int, int] = (0, 0)
    extra: list[str] = field(default_factory=list)
    program: list[str] = field(default_factory=lambda: PLAIN)

    def begin(self) -> None:
        """Start the process, and wait for nothing."""
        ports = ("--ocpp-port", str(self.ports[0]), "--http-port", str(self.ports[1]))
        words = [
            "serve",
            str(self.folder),
            *ports,
            *(("--store", self.store) if self.store else ()),
        ]
        with (self.folder / "stderr").open("a") as errors:
            self.process = subprocess.Popen(
                [*self.program, *words, *self.extra],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def start(self) -> Served:
        self.begin()
        line = self.process.stdout.readline()
        assert line, self.said()
        self.ready = json.loads(line)
        self.ports = tuple(
            int(self.ready[name].split(":")[2].split("/")[0]) for name in ("ocpp", "http")
        )
        return self

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(10)
        self.process.stdout.close()
        return code

    def said(self) -> str:
        return (self.folder / "stderr").read_text()

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        self.process.stdout.close()

    def get(self, path: str, token: str | None = None, **query: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        url = f"{self.ready['http']}/api/v1{path}"
        return httpx.get(url, headers=headers, params=query, timeout=20)

    def items(self, path: str, **query: object) -> list[dict[str, Any]]:
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    def session(self, station: str) -> dict[str, Any]:
        found = self.items("/sessions", station=station)
        assert len(found) == 1, found
        return found[0]

    def bill(self, station: str) -> dict[str, Any]:
        return self.get(f"/sessions/{self.session(station)['session']}/bill").json()

    @asynccontextmanager
    async def station(self, name: str, protocol: str = "ocpp2.1", password: str = PASSWORD):
        async with connect(
            f"{self.ready['ocpp']}/{name}",
            subprotocols=[protocol],
            additional_headers={"Authorization": basic(name, password)},
            open_timeout=20,
            compression=None,
        ) as socket:
            station = Station(socket)
            try:
                yield station
            finally:
                station.end()


def make_site(folder: Path, stations: Sequence[str], store: str | None = None) -> Served:
    """A new site that knows stations, 7 kW each, all on one connection."""
    here("site", "new", folder)
    table = folder.parent / f"{folder.name}.csv"
    rows = [f"{name},{PASSWORD}" for name in stations]
    table.write_text("\n".join(["station,password", *rows]))
    here("station", "add", folder, "--file", table)
    token = here("token", "create", folder, "--role", "operator").strip()
    return Served(folder, store, token=token)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Station:
    """A station's end of a socket: calls, and answers to what the site asks."""

    def __init__(self, socket) -> None:
        self.socket = socket
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, asyncio.Future[list[Any]]] = {}
        self.stray: asyncio.Queue[list[Any]] = asyncio.Queue()
        self.number = 0
        self.replies: dict[str, Any] = {}  # what is answered, or what makes it of a payload
        self.task = asyncio.create_task(self.read())

    async def read(self) -> None:
        async for raw in self.socket:
            frame = json.loads(raw)
            if frame[0] == 2:
                self.asked.append((frame[2], frame[3]))
                await self.reply(*frame[1:4])
            elif frame[1] in self.answers:
                self.answers.pop(frame[1]).set_result(frame)
            else:
                self.stray.put_nowait(frame)

    async def reply(self, name: str, action: str, payload: dict[str, Any]) -> None:
        made = self.replies.get(action, {"status": "Accepted"})
        made = made(payload) if callable(made) else made
        frame = [3, name, made] if isinstance(made, dict) else [4, name, made, "", {}]
        await self.socket.send(json.dumps(frame))

    async def hears(self, action: str, count: int = 1, seconds: float = 6.0) -> dict[str, Any]:
        """The payload of a call of the site's that has come, or comes soon: the count-th of it."""
        async with asyncio.timeout(seconds):
            while len(found := [said for each, said in self.asked if each == action]) < count:
                await asyncio.sleep(0.02)
        return found[count - 1]

    def heard(self, action: str) -> list[dict[str, Any]]:
        return [said for each, said in self.asked if each == action]

    async def call(self, action: str, payload: object, name: str | None = None) -> list[Any]:
        self.number += 1
        name = name or str(self.number)
        self.answers[name] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps([2, name, action, payload]))
        return await asyncio.wait_for(self.answers.get(name) or _never(), 20)

    async def said(self, action: str, payload: object) -> dict[str, Any]:
        """A call that is answered by a result."""
        frame = await self.call(action, payload)
        assert frame[0] == 3, frame
        return frame[2]

    async def raw(self, text: str | bytes) -> list[Any]:
        await self.socket.send(text)
        return await asyncio.wait_for(self.stray.get(), 20)

    def end(self) -> None:
        self.task.cancel()


async def _never() -> list[Any]:
    raise AssertionError


def in_words(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def sample(kwh: float, measurand: str = IMPORT, **more: object) -> dict[str, Any]:
    unit = {"unitOfMeasure": {"unit": "kWh"}}
    return {"value": kwh, "measurand": measurand, **unit, **more}


def event(
    kind: str,
    number: int,
    at: datetime,
    samples: Sequence[dict[str, Any]],
    name: str = "T1",
    **more: object,
) -> dict[str, Any]:
    """A TransactionEvent of 2.x."""
    trigger = {"Started": "CablePluggedIn", "Updated": "MeterValuePeriodic", "Ended": "EVDeparted"}
    made = {
        "eventType": kind,
        "timestamp": in_words(at),
        "triggerReason": trigger[kind],
        "seqNo": number,
        "transactionInfo": {"transactionId": name},
        **more,
    }
    if samples:
        made["meterValue"] = [{"timestamp": in_words(at), "sampledValue": list(samples)}]
    return made


def stay(name: str = "T1", start: float = 100.0, at: datetime = T0) -> list[dict[str, Any]]:
    """An hour at 6 kW, then a quarter at 4 kW back: six messages."""
    made = []
    for number, (minutes, charged, back) in enumerate(
        [
            (0, 0.0, 0.0),
            (15, 1.5, 0.0),
            (30, 3.0, 0.0),
            (60, 6.0, 0.0),
            (70, 6.0, 0.5),
            (75, 6.0, 1.0),
        ]
    ):
        kind = "Started" if number == 0 else "Ended" if number == 5 else "Updated"
        values = [sample(start + charged), sample(10.0 + back, EXPORT)]
        token = {
            "idToken": {"idToken": "TAG", "type": "ISO14443"},
            "evse": {"id": 1, "connectorId": 1},
        }
        more = token if number == 0 else {}
        made.append(event(kind, number, at + timedelta(minutes=minutes), values, name, **more))
    return made
