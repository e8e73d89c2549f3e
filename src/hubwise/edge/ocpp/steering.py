"""One station, steered: a safe limit beneath, set-points above, and proof by its meter."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from hubwise.domain.events import Alarmed, Sample
from hubwise.edge.ocpp.abilities import Abilities, evses_of, questions
from hubwise.edge.ocpp.frames import Json, RefusedError, UnansweredError
from hubwise.edge.ocpp.listener import Desk, Listener, Standing
from hubwise.edge.ocpp.passwords import for_2, for_16, is_taken
from hubwise.edge.ocpp.profiles import Mode, Profile, Step, in_words, watts
from hubwise.edge.ocpp.screen import Screen
from hubwise.edge.ocpp.signs import Sign
from hubwise.edge.ocpp.stay import Stay
from hubwise.edge.ocpp.tariffs import Tariffs

# How long a station has to show by its meter that it gives, and how often it is asked meanwhile.
PROOF_SECONDS, PROOF_STEPS = 30.0, 3
# A station that says nothing of its boot is one that was connected before [s].
SILENT_SECONDS = 2.0
REPORT_SECONDS = 10.0
# A station that does not answer keeps nobody else waiting, but its own next call [s].
CALL_SECONDS = 15.0
MOST_STAYS = 64
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
logger = logging.getLogger(__name__)


class Outcome(StrEnum):
    """What became of a set-point."""

    FOLLOWED = "followed"
    CLIPPED = "clipped"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


class Link(Protocol):
    """A station that is connected."""

    @property
    def sets_points(self) -> bool:
        """Whether its version knows set-points, and not limits alone."""
        ...

    @property
    def has_variables(self) -> bool:
        """Whether its version knows variables."""
        ...

    def write(self, profile: Profile) -> Json:
        """SetChargingProfile as its version has it."""
        ...

    async def call(self, action: str, payload: Json, seconds: float) -> Json:
        """Call the station and wait so long [s]."""
        ...


class Steering:
    """How one station is steered, over as many connections as it takes.

    Parameters
    ----------
    station, listener, desk
        Which, who has the time and hears alarms, and who knows what the station may do.
    speed
        Of the site's clock.
    """

    def __init__(self, station: str, listener: Listener, desk: Desk, speed: float = 1.0) -> None:
        """Nothing is known yet."""
        self.station, self.abilities = station, Abilities()
        self.standing = Standing.ACCEPTED
        self.link: Link | None = None
        self.open = asyncio.Event()
        self.certificate_ends = False  # soon: a new one has to be asked for
        self._listener, self._desk, self._speed = listener, desk, speed
        self._stays: dict[int, Stay] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._reports = 0
        self._screen = Screen(self._answered)
        self._tariffs = Tariffs(
            self._answered, listener.posted, lambda: self.abilities.has_tariffs()
        )

    # What is heard.

    def need(self, evse: int, needs: Json) -> bool:
        """A car's needs; false where what it asks for is not to be had here."""
        self.see_evse(evse)
        stay = self._stay_at(evse)
        stay.need(needs)
        known = self.abilities.is_known(evse)
        return not (known and stay.gives_back and not self.abilities.is_two_way(evse))

    def recall(self, evse: int, transaction: str, needs: Json) -> None:
        """Needs that were said before the site was started anew."""
        self._stay_at(evse, transaction).need(needs)

    def meter(self, evse: int, transaction: str, samples: Sequence[Sample]) -> None:
        """Meter values of a running transaction, as they come."""
        stay = self._stay_of(evse, transaction)
        if stay is None or not samples:
            return
        opposite = stay.signs.see(samples, self._listener.now()) is Sign.OPPOSITE
        if opposite and not stay.doubted:
            stay.doubted = True
            asked = f"asked for {stay.signs.asked_kw:g} kW, its meter shows the other direction"
            self._spawn(self._stop_giving(stay, "energy flows the wrong way", asked))

    def end(self, transaction: str) -> None:
        """A transaction ended."""
        stay = self._stay_of(0, transaction)
        self._screen.end(transaction)
        if stay is not None:
            del self._stays[stay.evse]

    def stop(self, transaction: str) -> None:
        """A transaction of 1.6 ended: what it came to is told behind the answer."""
        self.end(transaction)
        self._spawn(self._show_cost(transaction, ended=True))

    def pulled(self, number: int) -> Json:
        """The station asks for the set-point of a dynamic profile."""
        for stay in self._stays.values():
            if stay.told is not None and stay.told.number == number and stay.told.dynamic:
                stay.told_at = self._listener.now()
                update = {"setpoint": watts(stay.told.steps[0].kw)}
                return {"status": "Accepted", "scheduleUpdate": update}
        return {"status": "Rejected"}

    def report(self, payload: Json) -> None:
        """A NotifyReport."""
        self._take_in(payload)
        for evse in evses_of(payload):
            self.see_evse(evse)

    def see_evse(self, evse: int) -> None:
        """An EVSE was heard of: it is asked what it can do, once."""
        if 0 <= evse <= MOST_STAYS and evse not in self.abilities.asked and self._asks:
            self.abilities.asked.add(evse)
            self._spawn(self._ask_about(evse))

    # Who is there.

    def connect(self, link: Link, *, begun: bool) -> None:
        """A new connection; no command goes out before the station has booted, once."""
        self.link = link
        self._tariffs.connect()
        if not begun:
            self.open.clear()
            self._spawn(self._open_later(link))

    def leave(self, link: Link) -> None:
        """A connection is gone."""
        if self.link is link:
            self.link = None

    def spoke(self) -> None:
        """A message that is no boot: the station has been running for longer than the site."""
        if not self.open.is_set() and self.standing is Standing.ACCEPTED:
            self.open.set()
            self._spawn(self._welcome())

    def certify(self, chain: str, asked: Json) -> None:
        """Send a signed certificate, after the answer to the request for it."""
        named = ("certificateType", "requestId")
        same = {name: asked[name] for name in named if name in asked}
        self._spawn(self._certify({"certificateChain": chain, **same}))

    async def _certify(self, signed: Json) -> None:
        answer = await self._called("CertificateSigned", signed)
        if answer.get("status") != "Accepted":
            now = self._listener.now()
            key, what = (
                f"{self.station}|certificate|{now.isoformat()}",
                "a certificate is not taken",
            )
            detail = "the station keeps the one that it has"
            await self._listener.hear(Alarmed(key, self.station, now, what, detail))

    def boot(self, standing: Standing) -> None:
        """A boot, and what is answered: it may have become another station, and forgotten all."""
        self.standing = standing
        for stay in self._stays.values():
            stay.told_at = stay.told_at and LONG_AGO
        before, self.abilities = self.abilities.asked, Abilities()
        self._tariffs.boot()
        if standing is not Standing.ACCEPTED:
            self.open.clear()
            return
        self.open.set()
        for evse in sorted(before):
            self.see_evse(evse)
        self._spawn(self._begin())

    async def _open_later(self, link: Link) -> None:
        await asyncio.sleep(SILENT_SECONDS)
        if self.link is link:
            self.spoke()

    async def _renew_certificate(self) -> None:
        """Have the station make a new key and ask for its certificate."""
        newer = self.link is not None and self.link.has_variables
        action = "TriggerMessage" if newer else "ExtendedTriggerMessage"
        message = "SignChargingStationCertificate" if newer else "SignChargePointCertificate"
        await self._called(action, {"requestedMessage": message})

    async def _welcome(self) -> None:
        with contextlib.suppress(RefusedError, UnansweredError):
            await self.trigger("BootNotification")
        await self._begin()

    # What is said.

    def gives_back(self, evse: int, transaction: str) -> bool:
        """Whether station and car give energy back to set-points."""
        stay = self._stays.get(evse)
        sets_points = self.link is not None and self.link.sets_points
        here = stay is not None and stay.transaction in ("", transaction) and stay.gives_back
        return sets_points and here and self.abilities.is_two_way(evse)

    async def _begin(self) -> None:
        """After boot: the limit that holds without a word from the site, then what it can do."""
        safe_kw = await self._desk.safe_kw(self.station)
        with contextlib.suppress(RefusedError, UnansweredError):
            await self._set(Profile(0, "", (Step(0, safe_kw),), self._listener.now()))
        if self.certificate_ends:
            await self._renew_certificate()
        if not self._asks:
            await self._screen.begin_old()
            return
        for evse in (0, *self._stays):
            self.see_evse(evse)
        await asyncio.sleep(self._pace(REPORT_SECONDS))
        self._screen.begin()
        await self._tariffs.follow()
        if not any(self.abilities.asked):
            self._reports += 1
            asked: Json = {"requestId": self._reports, "reportBase": "FullInventory"}
            await self._called("GetBaseReport", asked)

    async def follow(self, evse: int, transaction: str, steps: tuple[Step, ...]) -> Outcome:
        """Set power from now on [kW], below 0 to be given back, and say what became of it."""
        try:
            if not self.open.is_set():
                await asyncio.wait_for(self.open.wait(), 2 * SILENT_SECONDS)
            if not evse:
                profile = Profile(0, "", _none_back(steps), self._listener.now())
                return _outcome(await self._set(profile), steps, profile.steps)
            stay = self._stay_at(evse, transaction)
            async with stay.turn:
                if transaction and self.gives_back(evse, transaction):
                    return await self._set_point(stay, steps)
                return await self._set_limit(stay, steps)
        except (UnansweredError, TimeoutError):
            return Outcome.UNREACHABLE
        except RefusedError as refused:
            logger.info("%s refused: %s %s", self.station, refused.code, refused.what)
            return Outcome.REFUSED

    async def set_password(self, password: str) -> Outcome:
        """Give the station a password to connect with from the next time on."""
        if self.link is None or not self.open.is_set():
            return Outcome.UNREACHABLE
        newer = self.link.has_variables
        action, said = for_2(password) if newer else for_16(password)
        try:
            answer = await self._call(action, said)
        except UnansweredError:
            return Outcome.UNREACHABLE
        except RefusedError:
            return Outcome.REFUSED
        return Outcome.FOLLOWED if is_taken(answer) else Outcome.REFUSED

    async def renew(self) -> None:
        """Say again what was told a slot ago: without that it ends by itself."""
        now = self._listener.now()
        for stay in [each for each in self._stays.values() if each.is_due(now)]:
            if stay.turn.locked() or not self.open.is_set():
                continue
            async with stay.turn:
                with contextlib.suppress(RefusedError, UnansweredError):
                    await self._go_on(stay, now)
            await self._show_cost(stay.transaction)
        if self.open.is_set():
            await self._tariffs.follow()

    async def _show_cost(self, transaction: str, *, ended: bool = False) -> None:
        """Tell the station what a session comes to so far, or in the end (1.6)."""
        cost = await self._listener.cost(self.station, transaction)
        if cost is None or self.link is None:
            return
        if self.link.has_variables:
            await self._screen.tell(transaction, cost)
        else:
            await self._screen.tell_old(transaction, cost, ended=ended)

    def is_due(self, now: datetime) -> bool:
        """Whether something has to be said again."""
        due = any(each.is_due(now) for each in self._stays.values())
        return self.open.is_set() and (due or self._tariffs.is_behind())

    async def close(self) -> None:
        """End what is under way."""
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def trigger(self, message: str, evse: int = 0) -> bool:
        """Ask for a message."""
        where: Json = {"evse": {"id": evse}} if evse else {}
        answer = await self._called("TriggerMessage", {"requestedMessage": message, **where})
        return answer.get("status") == "Accepted"

    # How.

    async def _set_limit(self, stay: Stay, steps: tuple[Step, ...]) -> Outcome:
        sent = _none_back(steps)
        stops = stay.doubted and not any(each.kw > 0 for each in sent)
        mode = Mode.IDLE if stops else Mode.CHARGING
        now = self._listener.now()
        profile = Profile(stay.evse, stay.transaction, sent, now, mode)
        accepted = await self._tell(stay, profile)
        if accepted and stay.transaction:
            await self._invite(stay)
        return _outcome(accepted, steps, sent)

    async def _invite(self, stay: Stay) -> None:
        """Charging has begun safely: the car may go both ways now, if both can."""
        ways = self.abilities.two_way_transfers(stay.evse) & stay.could
        two_way = self.abilities.is_two_way(stay.evse) and not stay.doubted
        if stay.invited or stay.gives_back or not two_way or not ways:
            return
        stay.invited = True
        allowed = sorted({stay.transfer} | ways)
        asked: Json = {"transactionId": stay.transaction, "allowedEnergyTransfer": allowed}
        await self._called("NotifyAllowedEnergyTransfer", asked)

    async def _set_point(self, stay: Stay, steps: tuple[Step, ...]) -> Outcome:
        if stay.told is None:
            first = Profile(stay.evse, stay.transaction, _none_back(steps), self._listener.now())
            if not await self._tell(stay, first):
                return Outcome.REFUSED
        single = len(steps) == 1 and stay.pushes and not stay.picks
        if single and not await self._push(stay, steps[0].kw):
            stay.pushes = single = False
        if not single:
            now = self._listener.now()
            whole = Profile(stay.evse, stay.transaction, steps, now, Mode.CENTRAL)
            if not await self._tell(stay, whole):
                return Outcome.REFUSED
        if stay.signs.ask(steps[0].kw, self._listener.now()):
            self._spawn(self._prove(stay))
        return Outcome.FOLLOWED

    async def _push(self, stay: Stay, kw: float) -> bool:
        """One set-point: into the dynamic profile that is there, or with a new one."""
        now = self._listener.now()
        profile = Profile(
            stay.evse, stay.transaction, (Step(0, kw),), now, Mode.CENTRAL, dynamic=True
        )
        try:
            if not stay.takes_updates(now):
                return await self._tell(stay, profile)
            update: Json = {"setpoint": watts(kw)}
            asked: Json = {"chargingProfileId": profile.number, "scheduleUpdate": update}
            answer = await self._call("UpdateDynamicSchedule", asked)
        except RefusedError:
            return False
        if answer.get("status") == "Accepted":
            stay.tell(profile, now)
            return True
        return False

    async def _go_on(self, stay: Stay, now: datetime) -> None:
        profile = stay.goes_on(now)
        if profile is None:
            return
        if profile.dynamic and await self._push(stay, profile.steps[0].kw):
            return
        await self._tell(stay, replace(profile, dynamic=False))

    async def _prove(self, stay: Stay) -> None:
        """Give, and show it: else idle, and an alarm."""
        signs, since = stay.signs, stay.signs.since
        for _ in range(PROOF_STEPS):
            await asyncio.sleep(self._pace(PROOF_SECONDS / PROOF_STEPS))
            if signs.proven or stay.doubted or signs.since != since:
                return
            with contextlib.suppress(RefusedError, UnansweredError):
                await self.trigger("TransactionEvent", stay.evse)
        if not signs.proven and signs.since == since and not stay.doubted:
            stay.doubted = True
            what = f"asked for {signs.asked_kw:g} kW, its meter shows nothing of it"
            await self._stop_giving(stay, "a car does not give as asked", what)

    async def _stop_giving(self, stay: Stay, what: str, detail: str) -> None:
        now = self._listener.now()
        idle = Profile(stay.evse, stay.transaction, (Step(0, 0.0),), now, Mode.IDLE)
        async with stay.turn:
            with contextlib.suppress(RefusedError, UnansweredError):
                await self._tell(stay, idle)
        key = f"{self.station}|sign|{stay.evse}|{now.isoformat()}"
        place = f"EVSE {stay.evse}, {stay.transaction}: {detail}; it is idle since {in_words(now)}"
        await self._listener.hear(Alarmed(key, self.station, now, what, place))

    async def _tell(self, stay: Stay, profile: Profile) -> bool:
        accepted = await self._set(profile)
        if accepted:
            stay.tell(profile, self._listener.now())
        return accepted

    async def _set(self, profile: Profile) -> bool:
        if self.link is None:
            raise UnansweredError("not connected")
        answer = await self._call("SetChargingProfile", self.link.write(profile))
        return answer.get("status") == "Accepted"

    async def _ask_about(self, evse: int) -> None:
        for asked in questions(evse):
            self._take_in(await self._called("GetVariables", asked))

    def _take_in(self, payload: Json) -> None:
        with contextlib.suppress(msgspec.ValidationError):
            self.abilities.take_in(payload)

    async def _answered(self, action: str, payload: Json) -> Json | None:
        """What is answered; nothing if it is refused."""
        try:
            return await self._call(action, payload)
        except (RefusedError, UnansweredError) as error:
            logger.info("%s: %s: %s", self.station, action, error)
            return None

    async def _called(self, action: str, payload: Json) -> Json:
        return await self._answered(action, payload) or {}

    async def _call(self, action: str, payload: Json) -> Json:
        if self.link is None:
            raise UnansweredError("not connected")
        return await self.link.call(action, payload, CALL_SECONDS)

    def _stay_at(self, evse: int, transaction: str = "") -> Stay:
        """The car at an EVSE; another one where the transaction is another."""
        stay = self._stays.get(evse)
        if stay is None or (transaction and stay.transaction not in ("", transaction)):
            stay = self._stays[evse] = Stay(evse)
            while len(self._stays) > MOST_STAYS:
                del self._stays[next(iter(self._stays))]
        stay.transaction = transaction or stay.transaction
        return stay

    def _stay_of(self, evse: int, transaction: str) -> Stay | None:
        stay = self._stays.get(evse)
        if stay is not None and stay.transaction == transaction:
            return stay
        return next((e for e in self._stays.values() if e.transaction == transaction), None)

    @property
    def _asks(self) -> bool:
        return self.link is not None and self.link.has_variables and self.open.is_set()

    def _pace(self, seconds: float) -> float:
        """The site's seconds as the machine's; a station's answer takes its time at any speed."""
        return max(seconds / self._speed, 0.3)

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.warning("%s: %s", self.station, error)


def _none_back(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(replace(each, kw=max(each.kw, 0.0)) for each in steps)


def _outcome(accepted: bool, asked: tuple[Step, ...], sent: tuple[Step, ...]) -> Outcome:
    if not accepted:
        return Outcome.REFUSED
    return Outcome.FOLLOWED if asked == sent else Outcome.CLIPPED
