"""A simulated station: cars come, draw what they are allowed, and leave."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from hubwise.edge.simulated.car import Car, draw_car
from hubwise.edge.simulated.link import Json, Link
from hubwise.edge.simulated.sayings import SPEECHES, Saying, Shown, Speech, allowed_kw, needs


@dataclass(frozen=True, slots=True)
class Habits:
    """How simulated stations behave.

    Parameters
    ----------
    speed
        Seconds of the simulated day in a second.
    every_seconds
        Between meter values, in the simulated day [s].
    faults
        Share of messages that are said twice, of cars that leave early, and, a tenth of it, of
        messages after which the connection is lost.
    idle_hours
        Between cars, at most [h].
    """

    speed: float = 1.0
    every_seconds: float = 60.0
    faults: float = 0.0
    idle_hours: float = 2.0


@dataclass(slots=True)
class Simulated:
    """One station.

    Parameters
    ----------
    name, link, protocol
        Who it is, its link, and what it speaks.
    draw, habits
        Its randomness, and how it behaves.
    allowed_kw
        The set-point that it follows [kW].
    imported, exported
        Its registers [Wh].
    delivered
        By transaction, what its meter showed at the beginning and end of each direction [Wh].
    """

    name: str
    link: Link | None
    protocol: str
    draw: Random
    habits: Habits
    allowed_kw: float = 1.4
    imported: float = 0.0
    exported: float = 0.0
    delivered: dict[str, tuple[int, int]] = field(default_factory=dict)
    _offset: timedelta = timedelta()
    _from: float = 0.0
    _since: datetime | None = None

    def answer(self, action: str, payload: Json) -> Json | None:
        """Follow set-points; other calls are not known here."""
        if action != "SetChargingProfile":
            return None
        self.allowed_kw = allowed_kw(payload, self.allowed_kw)
        return {"status": "Accepted"}

    async def run(self) -> None:
        """Boot, then one car after the other, until cancelled."""
        self.imported = float(self.draw.randrange(1_000_000))
        speech = SPEECHES[self.protocol]
        booted = await self._say(speech.boot())
        self._set_clock(str(booted["currentTime"]))
        number = 0
        while True:
            car = draw_car(self.draw, self.habits.faults)
            idle = self.draw.uniform(0.0, self.habits.idle_hours)
            if number == 0:  # as if the day had begun long ago
                idle, car.stay_hours = 0.1 * idle, car.stay_hours * self.draw.random()
            await self._wait(idle * 3_600)
            number += 1
            name = f"{self.name}-{self.draw.getrandbits(32):08x}-{number}"
            await self._serve(car, speech, name)

    async def _serve(self, car: Car, speech: Speech, name: str) -> None:
        began = int(self.imported), int(self.exported)
        begun = await self._say(speech.begin(self._shown(0.0), car.tag, name))
        name = str(begun.get("transactionId", name))
        leaves = self._now() + timedelta(hours=car.stay_hours)
        if self.protocol == "ocpp2.1":
            wants = (car.capacity_kwh - car.energy_kwh, 0.8 * car.energy_kwh)
            await self._say(needs(wants, car.most_kw, leaves))
        number = 1
        while self._now() < leaves:
            power = await self._draw_for(car, min(self.habits.every_seconds, self._left(leaves)))
            if self._now() < leaves:
                await self._say(speech.go_on(self._shown(power), name, number))
                number += 1
        await self._say(speech.end(self._shown(0.0), name, number))
        self.delivered[name] = int(self.imported) - began[0], int(self.exported) - began[1]

    async def _draw_for(self, car: Car, seconds: float) -> float:
        """Charge for a time of the simulated day; the mean power [W]."""
        before = self._now()
        allowed = self.allowed_kw
        await self._wait(seconds)
        hours = (self._now() - before).total_seconds() / 3_600
        kwh = car.follow(allowed, hours)
        self.imported += max(kwh, 0.0) * 1_000
        self.exported += max(-kwh, 0.0) * 1_000
        return kwh / hours * 1_000 if hours else 0.0

    async def _say(self, saying: Saying) -> Json:
        assert self.link is not None
        answer = await self.link.say(*saying)
        if self.draw.random() < self.habits.faults:
            await self.link.say(*saying)
        if self.draw.random() < self.habits.faults / 10:
            await self.link.drop()
        return answer

    def _shown(self, watts: float) -> Shown:
        return Shown(self._now(), int(self.imported), int(self.exported), round(watts, 1))

    def _set_clock(self, text: str) -> None:
        self._since = datetime.fromisoformat(text)
        self._from = asyncio.get_running_loop().time()

    def _now(self) -> datetime:
        assert self._since is not None
        passed = asyncio.get_running_loop().time() - self._from
        return self._since + timedelta(seconds=passed * self.habits.speed)

    def _left(self, until: datetime) -> float:
        return max(0.0, (until - self._now()).total_seconds())

    async def _wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.habits.speed)
