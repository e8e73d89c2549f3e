"""A driver's own stay: what it does, why, and what it comes to. Pages and the API read this."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from math import ceil

from hubwise.domain.events import PriceList, WishSaid
from hubwise.domain.modes import Mode
from hubwise.domain.why import Spoken
from hubwise.ledger.books import minor_unit
from hubwise.live.fold import Session, SessionStatus
from hubwise.live.outlook import EFFICIENCY, SLOT, Wanted
from hubwise.live.planning import GOOD_FOR, HubPlan, stored_kwh
from hubwise.live.registers import EXPORT, IMPORT
from hubwise.live.running import Running
from hubwise.live.settle import Terms, line
from hubwise.live.site import Site
from hubwise.live.wanted import said_of

# Less than this neither charges nor gives back [kW].
STILL_KW = 0.05
HOUR = timedelta(hours=1)
# A battery's level is not known better than that [kWh].
NEAR_KWH = 0.1


class Doing(StrEnum):
    """What a car does."""

    STARTING = "starting"
    CHARGING = "charging"
    EARNING = "earning"
    WAITING = "waiting"
    LOST = "lost"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Money:
    """What a stay comes to, each rounded once to the currency's smallest unit [currency].

    Parameters
    ----------
    paid, earned
        For what was charged, and for what was given back.
    wear
        What the driver's own battery is worn by giving back; nobody is billed for it.
    """

    paid: Decimal
    earned: Decimal
    wear: Decimal

    @property
    def net(self) -> Decimal:
        """What the driver pays in the end."""
        return self.paid - self.earned

    @property
    def cost(self) -> Decimal:
        """The same with what the battery is worn."""
        return self.paid - self.earned + self.wear


@dataclass(frozen=True, slots=True)
class Flow:
    """Power at a time: below 0, given back [kW]; ``source`` is ``meter`` or ``plan``."""

    kw: float
    at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Ahead:
    """A slot to come, as far as the car stays.

    Parameters
    ----------
    start, until
        Within the slot.
    charge, discharge
        Prices of a kWh [currency].
    kw
        By plan; none where nothing is planned [kW].
    stored_kwh
        What was put in since plug-in when it ends, losses taken off; likewise [kWh].
    why
        Why it does that, where it is known.
    """

    start: datetime
    until: datetime
    charge: Decimal
    discharge: Decimal
    kw: float | None = None
    stored_kwh: float | None = None
    why: Spoken | None = None


@dataclass(frozen=True, slots=True)
class MyStay:
    """All that a driver is told about a stay.

    Parameters
    ----------
    session, hub, station
        Which, and where.
    doing, status
        What the car does, and how far its books are.
    at, heard_at
        When this was said, and when the station's meter was last read.
    began_at, ended_at, leaves_at
        Plug-in, end, and departure as stated.
    flow
        Power now.
    charged_kwh, discharged_kwh, stored_kwh
        At the meter since plug-in, and what that put into the battery [kWh].
    held_kwh
        What the battery held at plug-in, if it was said [kWh].
    wanted, wish
        What the plan is to reach, and what the driver said, if anything.
    currency, so_far, expected, at_once
        Money by now, at departure if it goes as planned, and what charging at once from plug-in
        at the charger's full power would have cost for as much in the battery [currency].
    ahead
        Slots to come.
    max_kw
        The station's rated power [kW].
    doubts
        What stands against a bill.
    """

    session: str
    hub: str
    station: str
    doing: Doing
    status: SessionStatus
    at: datetime
    heard_at: datetime | None
    began_at: datetime
    ended_at: datetime | None
    leaves_at: datetime | None
    flow: Flow | None
    charged_kwh: Decimal
    discharged_kwh: Decimal
    stored_kwh: float
    held_kwh: Decimal | None
    wanted: Wanted | None
    wish: WishSaid | None
    currency: str
    so_far: Money
    expected: Money | None
    at_once: Decimal | None
    ahead: tuple[Ahead, ...]
    max_kw: float
    doubts: tuple[str, ...] = ()

    @property
    def ready_at(self) -> datetime | None:
        """At the end of which slot the car has what is asked for; none if it is not known."""
        wanted = self.wanted
        if wanted is None or not self.ahead or self.ahead[0].kw is None:
            return None
        if self.stored_kwh > wanted.required_kwh - NEAR_KWH:
            return self.at
        return next(
            (each.until for each in self.ahead
             if (each.stored_kwh or 0.0) > wanted.required_kwh - NEAR_KWH),
            None,
        )  # fmt: skip

    @property
    def short_kwh(self) -> float:
        """What will be missing at departure, if it goes as planned [kWh]."""
        if self.wanted is None or not self.ahead or self.ahead[-1].stored_kwh is None:
            return 0.0
        missing = self.wanted.required_kwh - self.ahead[-1].stored_kwh
        return missing if missing > NEAR_KWH else 0.0

    @property
    def comes_to(self) -> Money:
        """As planned, or what it is by now."""
        return self.expected or self.so_far

    @property
    def saving(self) -> Decimal | None:
        """Against charging at once, battery wear taken off [currency]."""
        return None if self.at_once is None else self.at_once - self.comes_to.cost


def sessions_of(site: Site, tags: Iterable[str]) -> list[Session]:
    """A driver's sessions by their tags, the newest first; those under way before all others."""
    found = [each for tag in tags for each in site.books.of_tag.get(tag, {}).values()]
    return sorted(found, key=lambda it: (it.ended is None, it.plugged_in), reverse=True)


async def my_stay(
    site: Site, session: Session, wish: WishSaid | None = None, plan: HubPlan | None = None
) -> MyStay:
    """A stay as it stands, or as it would with another wish and the plan that follows from it."""
    wish = wish or session.wish
    now, known = site.now(), await site.known(session.station)
    prices = site.books.prices_at(session.plugged_in)
    terms = Terms(site.settings.currency, site.settings.zone, prices, known.max_kw)
    running, account = await site.running(session), await _booked(site, session)
    wear = site.settings.planning.wear
    charged, discharged = account.kwh
    so_far = _money(terms, *account.amounts, float(discharged), wear)
    plan = plan or _plan_of(site, known.hub, session, now)
    at_once = wish is not None and wish.mode is Mode.CHARGE_NOW
    wanted = None if session.ended else said_of(site.books, session, now, wish)
    stored = stored_kwh(float(charged), float(discharged))
    ahead: tuple[Ahead, ...] = ()
    if at_once and wanted and not session.ended:
        ahead = tuple(_at_full_power(terms, (now, stored), wanted))
    elif not session.ended:
        ahead = tuple(_slots(terms, plan, session, (now, stored), wanted))
    known_ahead = bool(ahead) and ahead[0].kw is not None
    expected = _expected(terms, so_far, discharged, ahead, wear) if known_ahead else None
    flow = None if session.ended else flow_of(running, ahead[0].kw if ahead else None, now)
    end_kwh = ahead[-1].stored_kwh if known_ahead else stored
    return MyStay(
        session=session.session,
        hub=known.hub,
        station=session.station,
        doing=doing_of(session, flow, site.is_connected(session.station), planned=known_ahead),
        status=account.status,
        at=now,
        heard_at=running.read_at,
        began_at=session.plugged_in,
        ended_at=session.ended.at if session.ended else None,
        leaves_at=_leaves_at(wish, wanted),
        flow=flow,
        charged_kwh=charged,
        discharged_kwh=discharged,
        stored_kwh=stored,
        held_kwh=_held(wish),
        wanted=wanted,
        wish=wish,
        currency=terms.currency,
        so_far=so_far,
        expected=expected,
        at_once=_at_once(terms, end_kwh or 0.0, session.plugged_in)
        if session.ended or expected
        else None,
        ahead=ahead,
        max_kw=known.max_kw,
        doubts=account.doubts,
    )


@dataclass(frozen=True, slots=True)
class _Booked:
    """How far a stay's books are, energies by now [kWh] and amounts [currency]."""

    status: SessionStatus
    kwh: tuple[Decimal, Decimal]
    amounts: tuple[Decimal, Decimal]
    doubts: tuple[str, ...]


async def _booked(site: Site, session: Session) -> _Booked:
    """As its bill has it; while it runs as counted so far, where nothing came late or is odd."""
    running = await site.running(session)
    if session.ended is None and session.stands is None and running.whole:
        kwh, worth = running.kwh, running.amounts
        both = (kwh[IMPORT], kwh[EXPORT]), (worth[IMPORT], worth[EXPORT])
        return _Booked(session.status, *both, ())
    account = await site.account(session)
    bill = account.bill
    kwh_both = bill.charged_kwh, bill.discharged_kwh
    return _Booked(account.status, kwh_both, (bill.paid, bill.earned), account.doubts)


def offered_ahead(site: Site, hours: int = 24, prices: PriceList | None = None) -> Iterator[Ahead]:
    """What is offered now to whoever plugs in, or would be with other prices, by slot."""
    now, settings = site.now(), site.settings
    offered = site.books.prices_at(now) if prices is None else prices
    terms = Terms(settings.currency, settings.zone, offered, 0.0)
    yield from _priced(terms, now, now + hours * HOUR)


def _leaves_at(wish: WishSaid | None, wanted: Wanted | None) -> datetime | None:
    if wanted is not None:
        return wanted.departs_at
    return wish.departure_at if wish else None


def _held(wish: WishSaid | None) -> Decimal | None:
    return wish.energy_kwh if wish is not None and wish.energy_kwh > 0 else None


def _plan_of(site: Site, hub: str, session: Session, now: datetime) -> HubPlan | None:
    """The plan that the car is in, while it is good."""
    plan = site.plans.get(hub)
    if plan is None or session.ended or session.session not in plan.decided.cars:
        return None
    return plan if timedelta() <= now - plan.starts_at < GOOD_FOR else None


def _slots(
    terms: Terms,
    plan: HubPlan | None,
    session: Session,
    stands: tuple[datetime, float],
    wanted: Wanted | None,
) -> Iterator[Ahead]:
    """From now to departure, or a day; with what is planned."""
    now, stored = stands
    leaves = wanted.departs_at if wanted else now + 24 * HOUR
    found_in = () if plan is None else plan.slots_of(session.session, now, terms.zone)
    planned = {each.start: each for each in found_in}
    for each in _priced(terms, now, leaves):
        start = each.start - timedelta(seconds=each.start.timestamp() % SLOT.total_seconds())
        if (found := planned.get(start)) is None:
            yield each
            continue
        hours = (each.until - each.start) / HOUR
        stored += found.kw * hours * (EFFICIENCY if found.kw > 0 else 1 / EFFICIENCY)
        yield Ahead(
            each.start, each.until, each.charge, each.discharge, found.kw, stored, found.why
        )


def _at_full_power(terms: Terms, stands: tuple[datetime, float], wanted: Wanted) -> Iterator[Ahead]:
    """From now on as fast as charger and car can, until there is what is asked for."""
    now, stored = stands
    most_kw = min(terms.most_kw, wanted.charge_kw)
    for each in _priced(terms, now, wanted.departs_at):
        hours = (each.until - each.start) / HOUR
        kw = min(most_kw, max(wanted.required_kwh - stored, 0.0) / EFFICIENCY / hours)
        stored += kw * hours * EFFICIENCY
        yield replace(each, kw=kw, stored_kwh=stored)


def _priced(terms: Terms, begin: datetime, end: datetime) -> Iterator[Ahead]:
    """Quarters of an hour between two times, at the prices of a list."""
    first = begin - timedelta(seconds=begin.timestamp() % SLOT.total_seconds())
    for k in range(ceil((end - first) / SLOT)):
        start = first + k * SLOT
        prices = line(start, Decimal(), Decimal(), terms)
        span = max(start, begin), min(start + SLOT, end)
        yield Ahead(*span, prices.charge_price, prices.discharge_price)


def _money(
    terms: Terms, paid: Decimal, earned: Decimal, discharged_kwh: float, wear: float
) -> Money:
    worn = Decimal(str(wear * discharged_kwh / EFFICIENCY))
    return Money(_cents(terms, paid), _cents(terms, earned), _cents(terms, worn))


def _cents(terms: Terms, amount: Decimal) -> Decimal:
    return amount.quantize(minor_unit(terms.currency), ROUND_HALF_EVEN) + 0


def _expected(
    terms: Terms,
    so_far: Money,
    discharged_kwh: Decimal,
    ahead: Iterable[Ahead],
    wear: float,
) -> Money:
    """What it comes to at departure if it goes as planned."""
    paid, earned, drawn = so_far.paid, so_far.earned, float(discharged_kwh)
    for each in ahead:
        kwh = (each.kw or 0.0) * ((each.until - each.start) / HOUR)
        if kwh > 0:
            paid += Decimal(str(kwh)) * each.charge
        else:
            earned += Decimal(str(-kwh)) * each.discharge
            drawn -= kwh
    return _money(terms, paid, earned, drawn, wear)


def _at_once(terms: Terms, stored: float, begins: datetime) -> Decimal:
    """What so much in the battery costs at the charger's full power from a time on [currency]."""
    left, cost = max(stored, 0.0) / EFFICIENCY, Decimal()
    if not left or not terms.most_kw:
        return _cents(terms, cost)
    for each in _priced(terms, begins, begins + left / terms.most_kw * HOUR):
        kwh = min(terms.most_kw * ((each.until - each.start) / HOUR), left)
        cost += Decimal(str(kwh)) * each.charge
        left -= kwh
    return _cents(terms, cost)


def flow_of(running: Running, planned: float | None, now: datetime) -> Flow | None:
    """By the meter, if it was read since the slot began; else by plan [kW]."""
    read_at, begun = running.read_at, now - timedelta(seconds=now.timestamp() % 900)
    if read_at is not None and (planned is None or read_at >= begun):
        return Flow(running.flowing_kw, read_at, "meter")
    return None if planned is None else Flow(planned, now, "plan")


def doing_of(session: Session, flow: Flow | None, connected: bool, *, planned: bool) -> Doing:
    """What a car does, as far as is known."""
    if session.ended is not None:
        return Doing.ENDED
    if not connected:
        return Doing.LOST
    if flow is None or (flow.source == "meter" and not planned and not flow.kw):
        return Doing.STARTING
    if abs(flow.kw) < STILL_KW:
        return Doing.WAITING
    return Doing.CHARGING if flow.kw > 0 else Doing.EARNING
