"""A served site with drivers, whose cars stand at stations of a thread of its own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from browser import CHROMIUM
from hubwise.live.deciding import decided
from hubwise.live.outlook import SLOTS, Outlook, Stay, Wanted
from hubwise.store import SignIns, SiteKey, database_url, open_engine
from live_site import EXPORT, Served, Station, event, here, make_site, sample

BOOT = {"chargingStation": {"vendorName": "V", "model": "M"}, "reason": "PowerUp"}
web = [
    pytest.mark.web,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
]


@dataclass
class Living:
    """A site that is served, and its stations."""

    served: Served
    loop: asyncio.AbstractEventLoop
    stations: dict[str, Station] = field(default_factory=dict)
    closing: list[Any] = field(default_factory=list)

    @property
    def base(self) -> str:
        return self.served.ready["http"]

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def connect(self, name: str, replies: dict[str, Any] | None = None) -> None:
        async def work() -> None:
            entered = self.served.station(name)
            self.stations[name] = await entered.__aenter__()
            self.stations[name].replies.update(replies or {})
            self.closing.append(entered)
            await self.stations[name].said("BootNotification", BOOT)

        self.do(work())

    def say(self, name: str, *said: dict[str, Any]) -> None:
        async def work() -> None:
            for each in said:
                await self.stations[name].said("TransactionEvent", each)

        self.do(work())

    def call(self, name: str, action: str, payload: dict[str, Any]) -> None:
        self.do(self.stations[name].said(action, payload))

    def stay(
        self,
        name: str,
        tag: str,
        minutes: list[tuple[float, float, float]],
        *,
        ends: bool = False,
        replies: dict[str, Any] | None = None,
    ) -> str:
        """A stay by (minutes before now, kWh charged, kWh given back); its session."""
        self.connect(name, replies)
        now = datetime.now(UTC)
        said = []
        for number, (before, charged, back) in enumerate(minutes):
            last = ends and number == len(minutes) - 1
            kind = "Ended" if last else "Updated" if number else "Started"
            values = [sample(100.0 + charged), sample(10.0 + back, EXPORT)]
            token = {
                "idToken": {"idToken": tag, "type": "ISO14443"},
                "evse": {"id": 1, "connectorId": 1},
            }
            more = token if number == 0 else {}
            at = now - timedelta(minutes=before)
            said.append(event(kind, number, at, values, f"T-{name}", **more))
        self.say(name, *said)
        return f"{name}:T-{name}"

    def wish(self, session: str, **wanted: object) -> None:
        """An operator's word for the driver."""
        self.change("PUT", f"/sessions/{session}/preferences", wanted)

    def change(self, verb: str, path: str, body: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.served.token}"}
        url = f"{self.base}/api/v1{path}"
        answer = httpx.request(verb, url, json=body, headers=headers, timeout=20)
        assert answer.status_code < 300, answer.text
        return answer

    def planned(self, session: str, seconds: float = 240.0) -> None:
        """Wait until the plan knows a session."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            plans = self.served.items("/plan")
            if any(each["session"] == session for plan in plans for each in plan["slots"]):
                return
            time.sleep(0.3)
        raise AssertionError(f"no plan: {self.served.items('/alarms')}, {self.served.said()}")

    def limit_of(self, name: str, at_least: float = 6_900, seconds: float = 15.0) -> float:
        """What a station was told last that it may draw [W]; a while is waited for so much."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if (found := _limit(self.stations[name])) >= at_least:
                break
            time.sleep(0.2)
        return found

    def link(self, driver: str) -> str:
        return here("driver", "link", self.served.folder, driver).strip()

    def cookie(self, driver: str = "", name: str = "") -> httpx.Client:
        """A client that is signed in as a driver, or an operator of a name."""
        client = httpx.Client(base_url=self.base, timeout=20, headers={"Origin": self.base})
        client.cookies["hubwise"] = self.secret(driver, name)
        return client

    def secret(self, driver: str = "", name: str = "") -> str:
        """A sign-in, put where the site looks: ways in are limited to so many a minute."""
        engine = open_engine(database_url(self.served.folder))
        doors = SignIns(engine, SiteKey.read(self.served.folder))
        role = "driver" if driver else "operator"
        secret = doors.begin(role, driver, name, datetime.now(UTC))
        engine.dispose()
        return secret


def _limit(station: Station) -> float:
    said = station.heard("SetChargingProfile")
    if not said:
        return 0.0
    schedule = said[-1]["chargingProfile"]["chargingSchedule"][0]
    return float(schedule["chargingSchedulePeriod"][0]["limit"])


def compile_planner() -> None:
    """Have compiled what decides, and kept on disk: a site waits 30 s for its first decision."""
    now = datetime.now(UTC)
    wanted = Wanted(now + timedelta(hours=5), 10.0, 12.0, -5.0)
    stays = tuple(Stay(f"s{k}", wanted, 0.5, 7.0, 7.0 * k, 0) for k in range(2))
    prices = (tuple([0.3] * (SLOTS // 2) + [0.2] * (SLOTS // 2)),)
    decided(Outlook(now, now, 43.0, prices, prices, prices[0], prices[0], 0.02, "EUR", stays))


@contextmanager
def living(
    folder: Path,
    stations: list[str],
    drivers: dict[str, list[str]],
    before: Callable[[], None] = lambda: None,
) -> Iterator[Living]:
    """Serve a new site with stations and drivers, by their tags, while it is used; ``before`` is
    done to its folder first."""
    served = make_site(folder, stations)
    before()
    for driver, tags in drivers.items():
        said = [word for tag in tags for word in ("--id-token", tag)]
        here("driver", "add", folder, driver, *said)
    served.start()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    made = Living(served, loop)
    try:
        yield made
    finally:
        for each in made.closing:
            made.do(each.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
        served.stop()
