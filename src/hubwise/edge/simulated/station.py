"""A simulated station: cars come, draw or give what they are told, and leave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random

from hubwise.edge.simulated.car import BOTH_WAYS, LEAST_KW, ONE_WAY, Car, draw_car
from hubwise.edge.simulated.habits import Habits
from hubwise.edge.simulated.link import Json, Link
from hubwise.edge.simulated.orders import Order, Orders
from hubwise.edge.simulated.outbox import Outbox
from hubwise.edge.simulated.sayings import (
    SPEECHES,
    STATION_VARIABLES,
    Saying,
    Shown,
    Speech,
    needs,
    variables_of,
)
from hubwise.edge.simulated.tariffs import Tariffs

# A battery's power changes with its charge: energy is added up in steps of at most so long [h].
STEP_HOURS = 1 / 60
VARIABLES = {
    "Available": "true",
    "Enabled": "true",
    "SupportedOperationModes": "ChargingOnly,CentralSetpoint,Idle",
    "SupportedEnergyTransferModes": f"{ONE_WAY},{BOTH_WAYS}",
}
SINCE_1970 = timedelta(days=-20_500)


@dataclass(slots=True)
class Session:
    """A car that is plugged in: its transaction, and how many messages were made of it."""

    car: Car
    name: str
    leaves: datetime
    number: int = 0

    def count(self) -> int:
        """The next message's number."""
        self.number += 1
        return self.number - 1


@dataclass(slots=True)
class Simulated:
    """One station.

    Parameters
    ----------
    name, protocol
        Who it is, and what it speaks.
    draw, habits
        Its randomness, and how it behaves.
    link, outbox
        Its link, and what waits to be said.
    orders
        Its charging profiles.
    tariffs, charged_by
        Its default tariffs, and by transaction the one that was there when it began, if any.
    imported, exported
        Its registers [Wh].
    delivered
        By transaction, what its meter showed at the beginning and end of each direction [Wh].
    skew, turned
        How far its clock is off, and whether energy flows the other way than asked.
    """

    name: str
    protocol: str
    draw: Random
    habits: Habits
    link: Link = field(init=False)
    outbox: Outbox = field(init=False)
    orders: Orders = field(default_factory=lambda: Orders(Order(LEAST_KW)))
    tariffs: Tariffs = field(default_factory=Tariffs)
    charged_by: dict[str, str] = field(default_factory=dict)
    imported: float = 0.0
    exported: float = 0.0
    delivered: dict[str, tuple[int, int]] = field(default_factory=dict)
    skew: timedelta = timedelta()
    turned: bool = False
    _session: Session | None = None
    _numbers: dict[str, str] = field(default_factory=dict)
    _from: float = 0.0
    _since: datetime | None = None
    _flowed: datetime | None = None
    _offline: datetime | None = None

    def join(self, link: Link) -> None:
        """Take a link."""
        self.link = link
        mixes = self.protocol != "ocpp1.6"
        self.outbox = Outbox(link, self.draw, self.habits, mixes=mixes)

    # What the site asks.

    def answer(self, action: str, payload: Json) -> Json | None:
        """What a call is answered with; nothing where it is not known."""
        known: dict[str, Callable[[Json], Json]] = {
            "SetChargingProfile": lambda said: _status(self._ordered(self.orders.set, said)),
            "TriggerMessage": self._triggered,
        }
        if self.protocol != "ocpp1.6":
            known["GetVariables"] = self._variables
        if self.protocol == "ocpp2.1":
            known["UpdateDynamicSchedule"] = lambda said: _status(
                self._ordered(self.orders.update, said)
            )
            known["NotifyAllowedEnergyTransfer"] = self._allowed
            known["SetDefaultTariff"], known["GetTariffs"] = self.tariffs.set, self.tariffs.get
            known["ClearTariffs"] = self.tariffs.clear
        return known[action](payload) if action in known else None

    def _ordered(self, take: Callable[[Json, datetime], bool], payload: Json) -> bool:
        if self._since is None:
            return False
        self._flow()
        return take(payload, self._now())

    def _variables(self, asked: Json) -> Json:
        newest = self.protocol == "ocpp2.1"
        return variables_of(asked, VARIABLES if newest else {}, STATION_VARIABLES if newest else {})

    def _allowed(self, said: Json) -> Json:
        """A car that can go both ways asks for it now."""
        session, allowed = self._session, said.get("allowedEnergyTransfer")
        both = isinstance(allowed, list) and BOTH_WAYS in allowed
        if session is None or not both or BOTH_WAYS not in session.car.transfers:
            return {"status": "Rejected"}
        session.car.transfers = (BOTH_WAYS, ONE_WAY)
        self.outbox.put(partial(needs, session.car, session.leaves))
        return {"status": "Accepted"}

    def _triggered(self, said: Json) -> Json:
        session, asked = self._session, said.get("requestedMessage")
        if asked == "BootNotification":
            self.outbox.put(SPEECHES[self.protocol].boot)
        elif asked in ("TransactionEvent", "MeterValues") and session is not None:
            self._tell_meter(session, "Trigger")
        else:
            return {"status": "Rejected"}
        return {"status": "Accepted"}

    # What it does.

    async def run(self) -> None:
        """Boot, then one car after the other, until cancelled."""
        self.imported = float(self.draw.randrange(1_000_000))
        self._be_strange()
        await self._boot()
        sending = asyncio.create_task(self.outbox.run())
        try:
            number = 0
            while True:
                car = draw_car(self.draw, self.habits.faults)
                idle = self.draw.uniform(0.0, self.habits.idle_hours)
                if number == 0:  # as if the day had begun long ago
                    idle, car.stay_hours = 0.1 * idle, car.stay_hours * self.draw.random()
                await self._wait(idle * 3_600)
                number += 1
                await self._serve(car, f"{self.name}-{self.draw.getrandbits(32):08x}-{number}")
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    def _be_strange(self) -> None:
        if self.draw.random() < self.habits.strange:
            minutes = timedelta(minutes=self.draw.choice((-90, -20, 15)))
            self.skew = self.draw.choice((minutes, SINCE_1970, timedelta()))
            self.turned = not self.skew

    async def _boot(self) -> None:
        """As often as it takes to be accepted."""
        while True:
            booted = await self.link.say(*SPEECHES[self.protocol].boot())
            self._since = datetime.fromisoformat(str(booted["currentTime"]))
            self._from = asyncio.get_running_loop().time()
            if booted.get("status") == "Accepted":
                return
            await self._wait(float(str(booted.get("interval", 60))))

    async def _serve(self, car: Car, name: str) -> None:
        speech = SPEECHES[self.protocol]
        began = int(self.imported), int(self.exported)
        leaves = self._now() + timedelta(hours=car.stay_hours)
        session = self._session = Session(car, name, leaves)
        self._flowed = self._now()
        self._begin(session, speech)
        while (left := (leaves - self._now()).total_seconds()) > 0:
            await self._wait(min(self.habits.every_seconds, left))
            if self._now() < leaves:
                self._tell_meter(session)
        self._flow()
        shown, number = self._shown(0.0), session.count()
        self._session = None
        self.orders.end_session()
        self.outbox.put(lambda: speech.end(shown, self._named(name), number))
        await self.outbox.empty()
        self.delivered[self._named(name)] = (
            int(self.imported) - began[0],
            int(self.exported) - began[1],
        )

    def _begin(self, session: Session, speech: Speech) -> None:
        saying = speech.begin(self._shown(0.0), session.car.tag, session.name)
        session.count()
        if (tariff := self.tariffs.at(1)) is not None:
            self.charged_by[session.name] = str(tariff["tariffId"])
        self.outbox.put(lambda: saying, partial(self._begun, session.name))
        if self.protocol == "ocpp2.1":
            self.outbox.put(partial(needs, session.car, session.leaves))

    def _begun(self, name: str, answer: Json) -> None:
        """The site gives out numbers (1.6)."""
        if "transactionId" in answer:
            self._numbers[name] = str(answer["transactionId"])

    def _tell_meter(self, session: Session, trigger: str = "MeterValuePeriodic") -> None:
        shown, number = self._shown(self._flow() * 1_000), session.count()
        speech = SPEECHES[self.protocol]

        def made() -> Saying:
            return speech.go_on(shown, self._named(session.name), number, trigger)

        self.outbox.put(made)

    def _flow(self) -> float:
        """Let energy flow until now, as it was ordered since it last did; the power now [kW]."""
        now, session = self._now(), self._session
        began, self._flowed = self._flowed or now, now
        if session is None:
            return 0.0
        kw = session.car.answers_to(self._order(began))
        left = (now - began).total_seconds() / 3_600
        while left > 1e-9:
            hours = min(left, STEP_HOURS)
            left -= hours
            kw = session.car.answers_to(self._order(now - timedelta(hours=left)))
            kwh = session.car.follow(kw, hours)
            self.imported += max(kwh, 0.0) * 1_000
            self.exported += max(-kwh, 0.0) * 1_000
        return kw

    def _order(self, at: datetime) -> Order:
        if self.link.is_open:
            self._offline = None
        elif self._offline is None:
            self._offline = at
        away = at - self._offline if self._offline else timedelta()
        order = self.orders.now(at, away)
        kw = -order.kw if self.turned and order.sets else order.kw
        return order._replace(kw=kw if kw < 0 or kw >= LEAST_KW else 0.0)

    def _named(self, name: str) -> str:
        return self._numbers.get(name, name)

    def _shown(self, watts: float) -> Shown:
        at = self._now() + self.skew
        offline = not self.link.is_open
        return Shown(at, int(self.imported), int(self.exported), round(watts, 1), offline)

    def _now(self) -> datetime:
        assert self._since is not None
        passed = asyncio.get_running_loop().time() - self._from
        return self._since + timedelta(seconds=passed * self.habits.speed)

    async def _wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.habits.speed)


def _status(accepted: bool) -> Json:
    return {"status": "Accepted" if accepted else "Rejected"}
