"""A site that runs: hears events, keeps them, settles sessions, has control told of them."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hubwise.domain.events import (
    Acted,
    Alarmed,
    BillPosted,
    Booted,
    Connected,
    Event,
    LimitSaid,
    NeedsSaid,
    Phase,
    PriceList,
    PricesPosted,
    PurchaseNoted,
    TransactionSaid,
    WishSaid,
)
from hubwise.domain.lists import Followed
from hubwise.domain.screen import Cost
from hubwise.live.clocks import is_set
from hubwise.live.connection import Connection
from hubwise.live.controller import Controller
from hubwise.live.facts import missing_notes, tag_noted
from hubwise.live.fold import Books, Session, SessionStatus, messages_of
from hubwise.live.market import MarketWatch
from hubwise.live.names import named_list, short
from hubwise.live.planning import Decide, HubPlan, Planner
from hubwise.live.ports import (
    Chargers,
    Clock,
    Known,
    Log,
    Meter,
    People,
    PriceSource,
    StationBattery,
)
from hubwise.live.registers import EXPORT, IMPORT, Reading
from hubwise.live.running import Running
from hubwise.live.settings import Settings
from hubwise.live.settle import Settlement, Terms, by_figures, correct, make_bill, settle
from hubwise.live.troubles import BOOKS, LOOK_SECONDS, Troubles, Watch, first_line

LATE = timedelta(minutes=5)
# Settlements under way at once: more would make answers to meter values wait.
SETTLING_AT_ONCE = 2
AGAIN_SECONDS = 5.0
# What so many sessions that ended last came to is at hand.
MOST_OVER = 4_000
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Account:
    """A session, how far its books are, what stands against a bill, and what it is so far."""

    session: Session
    status: SessionStatus
    doubts: tuple[str, ...]
    bill: BillPosted


class Site:
    """One running site.

    Parameters
    ----------
    settings, log, people, clock
        What the operator says, and ports.
    """

    def __init__(self, settings: Settings, log: Log, people: People, clock: Clock) -> None:
        """Nothing happens yet."""
        self.settings = settings
        self.books = Books()
        self._log, self._people, self._clock = log, people, clock
        self.troubles = Troubles(clock)
        self._controller = Controller(self.books, settings, people, clock, self.troubles)
        self._beginning: dict[str, asyncio.Task[str]] = {}
        self._settling: dict[str, asyncio.Task[None]] = {}
        self._due: asyncio.Queue[Session] = asyncio.Queue()
        self._told: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._running = False
        self._position = 0
        self._costs: dict[str, Running] = {}
        self._over: deque[str] = deque()

    async def start(
        self,
        chargers: Chargers,
        meters: Mapping[str, Meter] | None = None,
        batteries: Mapping[str, StationBattery] | None = None,
        decide: Decide | None = None,
        source: PriceSource | None = None,
    ) -> None:
        """Take up the log, post the prices, settle what was left, then control.

        ``meters``, ``batteries``: by hub, at its connection and behind it. ``decide``: how hubs are
        planned; without it all is under the safe rule. ``source``: of the market's prices.
        """
        self.take_up()
        await self._post_prices()
        for session in self.books.sessions.values():
            if session.complete and session.settled_at != session.state:
                self._due.put_nowait(session)
        for _ in range(SETTLING_AT_ONCE):
            self._spawn(self._settle_due())
        self._controller.chargers = chargers
        for hub, meter in (meters or {}).items():
            self._spawn(self._controller.measure(hub, meter))
        for hub, battery in (batteries or {}).items():
            self._spawn(self._controller.tend(hub, battery))
        if decide is not None and self.settings.planning.decides:
            self._spawn(self._controller.plan(self._planner(decide)))
        if source is not None:
            self._spawn(self._market(source).run())
        self._spawn(self._controller.run())
        self._spawn(self._watch())
        self._spawn(self._controller.note_peaks(self.hear))
        self._running = True

    def take_up(self) -> None:
        """Take up what the log holds by now and was not taken up before: another process's events.

        Only before the start; from then on ``applied`` is told.
        """
        for position, event in self._log.after(self._position):
            self.books.apply(event)
            self._position = position

    async def stop(self) -> None:
        """End what runs."""
        self._running = False
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def controls(self) -> bool:
        """Whether control runs."""
        return self._running and self._controller.is_alive()

    @property
    def connections(self) -> Mapping[str, Connection]:
        """By hub: what its connection carries, and leaves to chargers."""
        return self._controller.connections

    def allow(self, hub_kw: Mapping[str, float]) -> None:
        """What the feeder lets hubs draw [kW]."""
        self._controller.allow(hub_kw)

    def now(self) -> datetime:
        """The site's time, in UTC."""
        return self._clock.now()

    def is_connected(self, station: str) -> bool:
        """Whether a station can be reached now."""
        chargers = self._controller.chargers
        return chargers is not None and chargers.is_connected(station)

    async def hear(self, event: Event, *more: Event) -> bool:
        """Keep an event, true if it is new; returns when it is durable, raises if it is not.

        With it goes what belongs to it, all or none: an act and what follows from it.
        """
        try:
            return await self._log.append(event, *more)
        except Exception as error:
            self.troubles.begin(BOOKS, first_line(error))
            raise

    def alarms(self) -> list[tuple[Alarmed, bool]]:
        """What an operator has to know, newest first, and whether it still stands."""
        standing = {each.id for each in self.troubles.standing.values()}
        known = [*self.books.alarms, *self.troubles.waiting]
        return [(each, each.id in standing) for each in reversed(known)]

    def applied(self, event: Event) -> None:
        """Take up a new event that is durable now. Called once each, in order."""
        found = self.books.apply(event)
        if found is not None:
            assert isinstance(event, TransactionSaid)
            self._after(event, *found)
        elif isinstance(event, NeedsSaid):
            self._controller.ask(event.station, event.evse)
        elif isinstance(event, PurchaseNoted | PricesPosted | LimitSaid):
            self._plan_anew()
        elif isinstance(event, WishSaid):
            self._controller.look(event.session.partition(":")[0])
        elif isinstance(event, Connected | Booted):
            self._controller.look(event.station)

    async def begin(self, said: TransactionSaid) -> str:
        """The number of a 1.6 transaction; the same for every repetition of its beginning.

        Where a station's clock was not set, two beginnings may read the same: after the end of the
        first it is another one.
        """
        while (given := self.books.numbers_given.get(said.id)) is not None:
            session = self.books.session_of(said.station, given)
            if is_set(said.at, said.received_at) or session is None or session.ended is None:
                return given
            said = replace(said, id=f"{said.id}'")
        task = self._beginning.get(said.id)
        if task is None:
            task = asyncio.create_task(self._begin(said))
            self._beginning[said.id] = task
            task.add_done_callback(lambda _: self._beginning.pop(said.id, None))
        return await asyncio.shield(task)

    async def accepts(self, id_token: str) -> bool:
        """Whether a tag may charge."""
        known = await self._people.driver_of(id_token)
        return known is not None or self.settings.accepts_unknown

    async def cost(self, station: str, transaction: str) -> Cost | None:
        """What a session comes to so far; none if nobody knows."""
        session = self.books.session_of(station, transaction)
        if session is None or session.started is None:
            return None
        running = await self.running(session)
        return running.cost(self.now(), session.stands)

    async def running(self, session: Session) -> Running:
        """What a session comes to so far; looked into once, then kept up."""
        running = self._costs.get(session.session)
        if running is None:
            settled, terms, _ = await self._look_into(session)
            running = Running.of(settled, terms)
            if session.ended is None:
                self._costs[session.session] = running
        return running

    def _forget_cost(self, session: Session, running: Running) -> None:
        """Of sessions that are over, a few are asked for again at once; not if all must be read."""
        if session.ended is None:
            return
        self._over.append(session.session)
        gone = [self._over.popleft()] if len(self._over) > MOST_OVER else []
        for name in gone if running.whole else [*gone, session.session]:
            self._costs.pop(name, None)

    async def stored(self, session: Session) -> tuple[float, float]:
        """What a session has charged and given back so far, at the meter [kWh]."""
        kwh = (await self.running(session)).kwh
        return float(kwh[IMPORT]), float(kwh[EXPORT])

    @property
    def plans(self) -> Mapping[str, HubPlan]:
        """By hub: what was decided last."""
        planner = self._controller.planner
        return {} if planner is None else planner.plans

    async def tried(self, wish: WishSaid) -> HubPlan | None:
        """What would be decided if a driver said so; none where nothing is planned."""
        planner, session = self._controller.planner, self.books.sessions[wish.session]
        if planner is None:
            return None
        return await planner.tried((await self.known(session.station)).hub, wish)

    def _planner(self, decide: Decide) -> Planner:
        chargers = self._controller.chargers
        assert chargers is not None
        return Planner(
            self.books,
            self.settings,
            self._clock,
            decide=decide,
            stored=self.stored,
            gives_back=lambda it: chargers.gives_back(it.station, it.evse or 1, it.transaction),
            most_kw=self._controller.most_kw,
            troubles=self.troubles,
        )

    def posted(self) -> tuple[PriceList, str]:
        """The prices offered now, and their currency."""
        return self.books.prices_at(self.now()), self.settings.currency

    def knows(self, station: str, transaction: str) -> bool:
        """Whether a station was given this number for a transaction."""
        return self.books.knows_number(station, transaction)

    async def account_of(self, id_token: str) -> str:
        """Whose account a tag is."""
        driver = await self._people.driver_of(id_token)
        return f"driver:{driver}" if driver else f"token:{id_token}"

    async def whose(self, session: Session) -> str:
        """Whose account a session is: of whom was billed, or else whose tag it is now."""
        stood = session.stands
        return stood.driver if stood else await self.account_of(session.id_token)

    async def settled(self, session: Session) -> None:
        """Post a session's bill, if it can be; otherwise remember that it cannot."""
        if not session.complete or session.settled_at == session.state:
            return
        task = self._settling.get(session.session)
        if task is None:
            task = asyncio.create_task(self._settle(session))
            self._settling[session.session] = task
            task.add_done_callback(lambda _: self._settling.pop(session.session, None))
        await asyncio.shield(task)

    async def account(self, session: Session) -> Account:
        """What a session comes to: the bill that stands, or what it would be now."""
        await self.settled(session)
        if session.stands is not None:
            return Account(session, session.status, (), session.stands)
        settled, terms, _ = await self._look_into(session)
        account = await self.whose(session)
        bill = self._draft(session, settled, terms, account)
        return Account(session, session.status, settled.doubts, bill)

    async def readings(self, session: Session) -> tuple[Reading, ...]:
        """Every energy sample of a session, accepted or with its reason."""
        settled, _, _ = await self._look_into(session)
        return settled.found

    async def act(self, act: Acted) -> Account:
        """Keep an operator's figures of a session and post what follows from them."""
        session = self.books.sessions[act.what]
        await self.hear(act)
        return await self.account(session)

    async def wish(self, wish: WishSaid, *acts: Acted) -> None:
        """Keep a driver's wish, with the act that said it; whose tag it is stands before it."""
        session = self.books.sessions[wish.session]
        account = await self.account_of(session.id_token)
        known = await self._people.station(session.station)
        terms = self._terms(session, known)
        await self._note(session, known, terms, account)
        await self.hear(*acts, wish)

    async def known(self, station: str) -> Known:
        """What is registered of a station now."""
        return await self._people.station(station)

    async def _watch(self) -> None:
        watch = Watch(self.troubles, self._clock, self._log.check, self._log.append)
        while True:
            try:
                busy = [station for station, found in self.books.running.items() if found]
                await watch.look(busy, self.is_connected)
            except Exception:
                logger.exception("the watch failed; it looks again")
            await self._clock.sleep(LOOK_SECONDS * self._clock.speed)

    async def _settle_due(self) -> None:
        """Settle what is complete, one after the other; what fails, again later."""
        while True:
            session = await self._due.get()
            try:
                await self.settled(session)
            except Exception as error:
                logger.warning("%s is not settled yet: %s", session.session, error)
                await self._clock.sleep(AGAIN_SECONDS)
                self._due.put_nowait(session)

    async def _begin(self, said: TransactionSaid) -> str:
        self.books.highest_number += 1
        said = replace(said, transaction=str(self.books.highest_number))
        await self.hear(said)
        return self.books.numbers_given[said.id]

    async def _settle(self, session: Session) -> None:
        state = session.state
        settled, terms, known = await self._look_into(session)
        if settled.doubts:
            session.blocked, session.settled_at = True, state
            if not session.billed:
                what = f"{session.session}: {settled.doubts[0]}"
                await self._alarm("session quarantined", what, session.station, str(state[0]))
            return
        stood = session.stands
        account = await self.whose(session)
        if stood is None or stood.lines != settled.lines:
            await self._note(session, known, terms, account)
            if session.state != state:
                return
            await self._post(session, self._draft(session, settled, terms, account))
        session.settled_at = state

    async def _note(self, session: Session, known: Known, terms: Terms, account: str) -> None:
        """Whatever the bill rests on is in the log before it."""
        tag = tag_noted("" if session.billed else session.id_token, account, self.now())
        while notes := [*missing_notes(self.books, known, terms, tag)]:
            for note in notes:
                await self.hear(note)

    async def _post(self, session: Session, bill: BillPosted) -> None:
        stood = session.stands
        if stood is None:
            await self.hear(bill)
            return
        number, act = len(session.corrections) + 1, session.act
        because = act.why if act and act.id == bill.act else "meter values that came later"
        await self.hear(correct(stood, bill, number, because))

    async def _look_into(self, session: Session) -> tuple[Settlement, Terms, Known]:
        """What a session comes to, by its messages or by an operator's act."""
        act, heard = session.act, session.heard
        found = await self._log.of_transaction(session.station, session.transaction)
        messages = messages_of(session, found, heard)
        known = await self._people.station(session.station)
        terms = self._terms(session, known)
        settled = await asyncio.to_thread(settle, messages, terms)
        if act is not None and act.figures is not None:
            settled = by_figures(settled, act.figures, terms)
        return settled, terms, known

    def _terms(self, session: Session, known: Known) -> Terms:
        prices = self.books.prices_at(session.plugged_in)
        return Terms(self.settings.currency, self.settings.zone, prices, known.max_kw)

    def _draft(
        self, session: Session, settled: Settlement, terms: Terms, account: str
    ) -> BillPosted:
        names = (session.session, session.station, session.transaction)
        heard, act = session.state
        made = make_bill(settled, terms, names, account, self.now())
        return replace(made, heard=heard, act=act)

    def _after(self, said: TransactionSaid, session: Session, counts: bool) -> None:
        if not counts and not session.billed:
            what = f"{session.session}: message {said.seq_no} came twice and differs"
            self._spawn(self._alarm("messages contradict each other", what, said.station, said.id))
        if counts and (running := self._costs.get(session.session)) is not None:
            running.take(said)
            self._controller.count(said, session, running.net_kwh)
            self._forget_cost(session, running)
        if session.billed:
            what = f"{session.session}: message {said.seq_no} after its bill was final"
            self._spawn(self._alarm("message after the end", what, said.station, said.id))
        if session.complete:
            self._due.put_nowait(session)
        if said.phase is not Phase.UPDATED:
            self._controller.look(said.station)
        late = said.received_at - said.at > LATE
        if not said.offline and (late or not is_set(said.at, said.received_at)):
            told, here = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (said.at, said.received_at))
            off = f"says {told} at {here}"
            hour = f"{said.received_at:%Y%m%d%H}"
            if f"{said.station}|{hour}" not in self._told:
                self._told = {
                    *(key for key in self._told if key.endswith(hour)),
                    f"{said.station}|{hour}",
                }
                self._spawn(self._alarm("clock differs", off, said.station, hour))

    async def _alarm(self, what: str, detail: str, station: str, once: str) -> None:
        key = f"alarm|{what}|{station}|{once}"
        await self.hear(Alarmed(short(key), station, self.now(), what, detail))

    async def post(self, prices: PriceList, how: Followed | None = None) -> None:
        """Offer a list of the site's own from now on, where it is another one."""
        prices, own = named_list(prices), self.books.offered.own
        if not own or own[-1].prices != prices:
            now = self.now()
            key = f"prices|{prices.list_id}|{now.isoformat()}"
            await self.hear(PricesPosted(key, "", now, prices, how))

    async def _post_prices(self) -> None:
        """The list of the settings; where the market's is followed, until that is known."""
        known = self.books.purchase.latest is not None
        if not (self.settings.margins and known and self.books.offered.own):
            await self.post(self.settings.prices)

    def _market(self, source: PriceSource) -> MarketWatch:
        assert self.settings.market is not None
        said = (self.books, self.settings, self._clock, self.troubles, self.settings.market)
        return MarketWatch(*said, source, self.hear, self.post)

    def _plan_anew(self) -> None:
        """What energy costs, what is offered, or what may be drawn is otherwise than before."""
        planner = self._controller.planner
        if planner is not None:
            for hub in self.settings.connection_kw:
                planner.ask(hub)

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("a task of the site failed", exc_info=task.exception())
