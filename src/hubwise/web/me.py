"""A driver's own stay over HTTP: the figures that the pages show, read from the same function."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from hubwise.domain.modes import Mode
from hubwise.live import Actor, Role, Session, may
from hubwise.live.acts import NotNowError, Preferences, prefer
from hubwise.live.mine import Ahead, Money, MyStay, my_stay, sessions_of
from hubwise.live.rights import Thing
from hubwise.live.trial import in_mode, try_wish
from hubwise.web.acts import NOT_NOW, PreferencesAsked, preferences_of
from hubwise.web.answers import WhyItem, in_text, in_utc, money
from hubwise.web.asking import Here, World, check, problems
from hubwise.web.limits import wait_for
from hubwise.web.lines import stream_of
from hubwise.web.pages.templating import words_of
from hubwise.web.pages.who import Either
from hubwise.web.sayings import Car, Told
from hubwise.web.words import Words

router = APIRouter(prefix="/api/v1/me", responses=problems)
Which = Annotated[str | None, Query(max_length=600, description="A session; else the latest.")]


class SlotItem(BaseModel):
    """A slot ahead: prices a kWh, and by plan power, energy since plug-in, and why."""

    start: str
    until: str
    charge: str
    discharge: str
    kw: str | None
    energy_kwh: str | None
    why: WhyItem | None

    @classmethod
    def of(cls, each: Ahead) -> SlotItem:
        """A slot."""
        return cls(
            start=in_utc(each.start),
            until=in_utc(each.until),
            charge=in_text(each.charge),
            discharge=in_text(each.discharge),
            kw=None if each.kw is None else f"{each.kw:.3f}",
            energy_kwh=None if each.stored_kwh is None else f"{each.stored_kwh:.3f}",
            why=None if each.why is None else WhyItem.of(each.why),
        )


class MoneyItem(BaseModel):
    """What a stay comes to, in whole cents; ``wear`` is nobody's bill."""

    paid: str
    earned: str
    net: str
    wear: str

    @classmethod
    def of(cls, found: Money) -> MoneyItem:
        """Amounts."""
        return cls(
            paid=money(found.paid),
            earned=money(found.earned),
            net=money(found.net),
            wear=money(found.wear),
        )


class FlowItem(BaseModel):
    """Power at a time, below 0 given back; ``source``: ``meter`` or ``plan``."""

    kw: str
    at: str
    source: str


class WishItem(BaseModel):
    """What the driver asked for [kWh]."""

    departure_at: str | None
    energy_kwh: str
    required_kwh: str
    reserve_kwh: str
    mode: str


class MyStayItem(BaseModel):
    """A stay of a driver's: ``reference`` is what charging at once would have cost.

    Energies without a state of charge count from plug-in; with ``held_kwh``, what the battery held
    then, ``energy_kwh`` is what is in it now.
    """

    session: str
    hub: str
    bay: str
    state: str
    status: str
    at: str
    heard_at: str | None
    zone: str
    currency: str
    arrival: str
    ended_at: str | None
    departure_stated: str | None
    flow: FlowItem | None
    charged_kwh: str
    discharged_kwh: str
    held_kwh: str | None
    energy_kwh: str | None
    capacity_kwh: str | None
    km_per_kwh: str | None
    range_km: str | None
    required_kwh: str | None
    reserve_kwh: str | None
    so_far: MoneyItem
    expected: MoneyItem | None
    reference: str | None
    saving: str | None
    provisional: bool
    doubts: list[str]
    slots: list[SlotItem]
    wish: WishItem | None

    @classmethod
    def of(cls, told: Told) -> MyStayItem:
        """A stay."""
        stay, car, now = told.stay, told.car, told.now_kwh
        held = float(stay.held_kwh or 0)
        wanted = stay.wanted
        return cls(
            session=stay.session,
            hub=stay.hub,
            bay=stay.station,
            state=stay.doing.value,
            status=stay.status.value,
            at=in_utc(stay.at),
            heard_at=in_utc(stay.heard_at) if stay.heard_at else None,
            zone=str(told.words.zone),
            currency=stay.currency,
            arrival=in_utc(stay.began_at),
            ended_at=in_utc(stay.ended_at) if stay.ended_at else None,
            departure_stated=in_utc(stay.leaves_at) if stay.leaves_at else None,
            flow=_flow(stay),
            charged_kwh=in_text(stay.charged_kwh),
            discharged_kwh=in_text(stay.discharged_kwh),
            held_kwh=in_text(stay.held_kwh) if stay.held_kwh is not None else None,
            energy_kwh=None if now is None else f"{now:.3f}",
            capacity_kwh=f"{car.capacity_kwh:g}" if car else None,
            km_per_kwh=f"{car.km_per_kwh:g}" if car else None,
            range_km=f"{now * car.km_per_kwh:.0f}" if car and now is not None else None,
            required_kwh=None if wanted is None else f"{wanted.required_kwh + held:.3f}",
            reserve_kwh=None if wanted is None else f"{max(wanted.least_kwh + held, 0.0):.3f}",
            so_far=MoneyItem.of(stay.so_far),
            expected=MoneyItem.of(stay.expected) if stay.expected else None,
            reference=_money(stay.at_once),
            saving=_money(stay.saving),
            provisional=stay.status != "final",
            doubts=list(stay.doubts),
            slots=[SlotItem.of(each) for each in stay.ahead],
            wish=_wish(stay),
        )


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else money(amount)


def _flow(stay: MyStay) -> FlowItem | None:
    found = stay.flow
    if found is None:
        return None
    return FlowItem(kw=f"{found.kw:.3f}", at=in_utc(found.at), source=found.source)


def _wish(stay: MyStay) -> WishItem | None:
    wish = stay.wish
    if wish is None:
        return None
    return WishItem(
        departure_at=in_utc(wish.departure_at) if wish.departure_at else None,
        energy_kwh=in_text(wish.energy_kwh),
        required_kwh=in_text(wish.required_kwh),
        reserve_kwh=in_text(wish.reserve_kwh),
        mode=wish.mode.value,
    )


async def own_sessions(here: World, actor: Actor) -> list[Session]:
    """A driver's sessions, the latest first; of nobody else's."""
    check(actor, Thing("stay", actor.account))
    if actor.role is not Role.DRIVER:
        raise HTTPException(403, "this is a driver's own page; an operator has no stay")
    found = sessions_of(here.site, await here.doors.tags_of(actor.driver))
    # A tag may have changed hands: what was billed to another is theirs.
    return [each for each in found if each.stands is None or each.stands.driver == actor.account]


async def own_session(here: World, actor: Actor, which: str | None) -> Session | None:
    """The session that is asked for, or the latest; 404 where it is not the driver's."""
    found = await own_sessions(here, actor)
    if which is None:
        return found[0] if found else None
    mine = next((each for each in found if each.session == which), None)
    if mine is None:
        raise HTTPException(404, f"there is no stay {which!r} of yours")
    return mine


async def told(here: World, actor: Actor, words: Words, session: Session) -> Told:
    """A session as its driver is told it."""
    assert may(actor, "read", Thing("car", actor.account))
    car = await here.doors.car_of(actor.driver)
    return Told(words, await my_stay(here.site, session), Car(*car) if car else None)


@router.get("/stay")
async def stay(request: Request, here: Here, actor: Either, session: Which = None) -> MyStayItem:
    """A driver's stay under way, or the last one."""
    found = await own_session(here, actor, session)
    if found is None:
        raise HTTPException(404, "you have not been here yet")
    return MyStayItem.of(await told(here, actor, words_of(request), found))


class TrialItem(BaseModel):
    """A stay as it stands, and as it would; ``cannot``: what was asked for and cannot be.

    ``ready_at``: from when on the car has what it needs. Nothing is kept where ``dry_run`` is true.
    """

    dry_run: bool
    before: MyStayItem
    after: MyStayItem
    ready_at: str | None
    cannot: list[str]


class OverrideAsked(BaseModel):
    """How the stay's energy is to be had: as it pays, without giving any back, or at once."""

    mode: Mode


DryRun = Annotated[bool, Query(description="Say only what it would change.")]


@router.post("/stay/wishes", responses=NOT_NOW)
async def wishes(
    request: Request, here: Here, actor: Either, asked: PreferencesAsked, dry_run: DryRun = False
) -> TrialItem:
    """Say what is wanted of the stay under way; before it is kept, what it changes."""
    session = await _changed(here, actor)
    return await _tried(request, here, actor, session, (preferences_of(asked), dry_run))


@router.post("/stay/override", responses=NOT_NOW)
async def override(
    request: Request, here: Here, actor: Either, asked: OverrideAsked, dry_run: DryRun = False
) -> TrialItem:
    """Charge now, give nothing back, or go back to the plan; before it is kept, what it costs."""
    session = await _changed(here, actor)
    return await _tried(request, here, actor, session, (in_mode(session, asked.mode), dry_run))


async def _changed(here: World, actor: Actor) -> Session:
    check(actor, Thing("stay", actor.account), "change")
    session = await own_session(here, actor, None)
    if session is None or session.ended is not None:
        raise HTTPException(409, "you have no stay under way")
    wait_for(here.rates.wishes, actor.driver)
    return session


async def _tried(
    request: Request,
    here: World,
    actor: Actor,
    session: Session,
    asked: tuple[Preferences, bool],
) -> TrialItem:
    preferences, dry_run = asked
    car, words = await here.doors.car_of(actor.driver), words_of(request)
    try:
        trial = await try_wish(here.site, session, actor, preferences)
        if not dry_run:
            await prefer(here.site, session, actor, preferences)
    except NotNowError as error:
        raise HTTPException(409, str(error)) from error
    except TimeoutError as error:
        raise HTTPException(503, "this could not be worked out just now; ask again") from error
    before, after = (
        Told(words, each, Car(*car) if car else None) for each in (trial.before, trial.after)
    )
    ready_at = trial.after.ready_at
    return TrialItem(
        dry_run=dry_run,
        before=MyStayItem.of(before),
        after=MyStayItem.of(after),
        ready_at=in_utc(ready_at) if ready_at else None,
        cannot=after.cannot,
    )


@router.get("/stay/live", response_class=StreamingResponse)
async def live(
    request: Request, here: Here, actor: Either, session: Which = None
) -> StreamingResponse:
    """The same as it changes (``text/event-stream``); texts in the reader's language."""
    found = await own_session(here, actor, session)
    if found is None:
        raise HTTPException(404, "you have not been here yet")
    words = words_of(request)

    async def line() -> str:
        return _line(await told(here, actor, words, found))

    return stream_of(request, here, actor, line)


def _line(told: Told) -> str:
    """What changes by itself, as figures and as texts; ``page`` when all has to be drawn anew."""
    stay, now = told.stay, told.now_kwh
    texts = {
        "state": told.state,
        "power": told.power,
        "heard": told.heard,
        "level": told.level,
        "rate": told.rate,
        "why": told.why,
        **{f"{each.kind}-now": each.now for each in told.money},
        **{f"{each.kind}-then": each.then for each in told.money},
    }
    drawn = [
        *(each.kind for each in told.money),
        stay.session,
        stay.doing,
        stay.status,
        str(stay.wish),
        len(stay.ahead),
    ]
    plan = [f"{each.kw}" for each in stay.ahead]
    return json.dumps(
        {
            "at": in_utc(stay.at),
            "state": stay.doing.value,
            "kw": None if stay.flow is None else round(stay.flow.kw, 3),
            "energy_kwh": None if now is None else round(now, 3),
            "paid": money(stay.so_far.paid),
            "earned": money(stay.so_far.earned),
            "texts": texts,
            "page": f"{hash((*map(str, drawn), *plan)):x}",
        },
        ensure_ascii=False,
    )
