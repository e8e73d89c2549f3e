"""The grid side over HTTP: connections, their limits for a while, and the feeder behind them."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from hubwise.domain.events import LimitSaid
from hubwise.live import Site, acts
from hubwise.live.connection import Connection
from hubwise.live.feeder import FeederSeen, MissedNow
from hubwise.live.rights import Thing
from hubwise.live.tended import Tended
from hubwise.web import answers
from hubwise.web.acts import NOT_NOW, Number, in_utc, number
from hubwise.web.asking import Asking, Here, check, problems
from hubwise.web.problems import Asked

router = APIRouter(prefix="/api/v1", responses=problems)
Reason = Annotated[str, Field(min_length=1, max_length=acts.MOST_REASON)]


class BatteryItem(BaseModel):
    """A hub's station battery: power into it, as told and as seen; empty where it says nothing."""

    answers: bool
    told_kw: str
    power_kw: str | None
    energy_kwh: str | None
    capacity_kwh: str | None

    @classmethod
    def of(cls, found: Tended) -> BatteryItem:
        """What is known of it."""
        last = found.last if found.answers else None
        return cls(
            answers=found.answers,
            told_kw=f"{found.told_kw:.3f}",
            power_kw=f"{last.power_kw:.3f}" if last else None,
            energy_kwh=f"{last.energy_kwh:.3f}" if last else None,
            capacity_kwh=f"{last.capacity_kwh:.3f}" if last else None,
        )


class PeakItem(BaseModel):
    """A hub's highest quarter of an hour of the billing period so far, and what a kW of it costs.

    ``begins_at`` is empty where it has drawn nothing yet, as far as is known.
    """

    period: str
    peak_kw: str
    begins_at: str | None
    demand_charge: str

    @classmethod
    def of(cls, hub: str, site: Site) -> PeakItem | None:
        """Nothing where power costs nothing."""
        demand = site.settings.demand.get(hub)
        if demand is None:
            return None
        period, found = demand.period(site.now(), site.settings.zone), site.books.peaks
        kw = found.kw(hub, period)
        return cls(
            period=period,
            peak_kw=f"{kw:.3f}",
            begins_at=answers.in_utc(found.highest[hub].begins) if kw else None,
            demand_charge=f"{demand.charge:g}",
        )


class HubItem(BaseModel):
    """A hub's connection; a meter's power is empty where there is none or it says nothing."""

    hub: str
    connection_kw: str
    limit_kw: str | None
    metered: bool
    meter_lost: bool
    power_kw: str | None
    others_kw: str
    room_kw: str
    battery: BatteryItem | None
    peak: PeakItem | None

    @classmethod
    def of(cls, hub: str, found: Connection, now: datetime, peak: PeakItem | None) -> HubItem:
        """What is known of it at a time."""
        last = found.last
        return cls(
            hub=hub,
            connection_kw=f"{found.carries_kw:g}",
            limit_kw=None if found.limit_kw == math.inf else f"{found.limit_kw:g}",
            metered=found.metered,
            meter_lost=found.is_lost(now),
            power_kw=f"{last.power_kw:.3f}" if last else None,
            others_kw=f"{found.others_kw:.3f}",
            room_kw=f"{found.room_kw:.3f}",
            battery=BatteryItem.of(found.battery) if found.battery else None,
            peak=peak,
        )


class Hubs(BaseModel):
    """Hubs by name."""

    items: list[HubItem]


class LimitAsked(Asked):
    """The most that a hub may draw from the grid for a while [kW]; from now on if not told."""

    most_kw: Number
    until: datetime
    begins_at: datetime | None = None
    reason: Reason


class LimitItem(BaseModel):
    """A limit of a hub, who said it, and why."""

    limit: str
    hub: str
    most_kw: str
    begins_at: str
    until: str
    by: str
    reason: str

    @classmethod
    def of(cls, said: LimitSaid) -> LimitItem:
        """As it was said last."""
        return cls(
            limit=said.limit,
            hub=said.hub,
            most_kw=answers.in_text(said.most_kw),
            begins_at=answers.in_utc(said.begins_at),
            until=answers.in_utc(said.until),
            by=said.by,
            reason=said.why,
        )


class Limits(BaseModel):
    """Limits that hold or are to come, in the order of their beginnings."""

    items: list[LimitItem]


class MissedItem(BaseModel):
    """A limit of the feeder that would be broken: p.u., kW, or shares of a rating."""

    kind: str
    element: str
    value: str | None
    limit: str | None
    others_alone: bool

    @classmethod
    def of(cls, found: MissedNow) -> MissedItem:
        """As it was seen."""
        return cls(
            kind=found.kind,
            element=found.element,
            value=None if found.value is None else f"{found.value:.4f}",
            limit=None if found.limit is None else f"{found.limit:.4f}",
            others_alone=found.base_alone,
        )


class FlowItem(BaseModel):
    """The feeder under AC with what hubs would draw if nothing limited them."""

    at: str
    head_kw: str
    transformer_loading: str
    lowest_pu: str
    lowest_bus: str
    heaviest_loading: str
    heaviest_branch: str
    missed: list[MissedItem]
    allowed_kw: dict[str, str]
    holds: bool

    @classmethod
    def of(cls, seen: FeederSeen) -> FlowItem:
        """As it was seen last."""
        return cls(
            at=answers.in_utc(seen.at),
            head_kw=f"{seen.head_kw:.3f}",
            transformer_loading=f"{seen.head_loading:.4f}",
            lowest_pu=f"{seen.lowest_pu:.4f}",
            lowest_bus=seen.lowest_bus,
            heaviest_loading=f"{seen.heaviest:.4f}",
            heaviest_branch=seen.heaviest_branch,
            missed=[MissedItem.of(each) for each in seen.missed],
            allowed_kw={hub: f"{kw:.3f}" for hub, kw in seen.allowed_kw.items()},
            holds=seen.holds,
        )


class FeederAnswer(BaseModel):
    """Connections, limits, and the network behind them where the site says one (``flow``)."""

    at: str
    hubs: list[HubItem]
    limits: list[LimitItem]
    flow: FlowItem | None


@router.get("/hubs")
async def hubs(here: Here, actor: Asking) -> Hubs:
    """Every hub's connection: what it carries, what its meter says, what is left to chargers."""
    check(actor, Thing("hubs"))
    return Hubs(items=_hubs(here))


@router.get("/limits")
async def limits(here: Here, actor: Asking) -> Limits:
    """What hubs may draw for a while, as far as the grid limits them; operators only."""
    check(actor, Thing("limits"))
    return Limits(items=_limits(here))


@router.post("/hubs/{hub}/limits", status_code=201, responses=NOT_NOW)
async def limit(here: Here, actor: Asking, hub: str, asked: LimitAsked) -> LimitItem:
    """Have a hub draw no more than so much from the grid for a while; operators only."""
    check(actor, Thing("limits"), "change")
    begins_at = in_utc(asked.begins_at, "begins_at") or here.site.now()
    until = in_utc(asked.until, "until")
    assert until is not None
    given = acts.Limit(hub, number(asked.most_kw), begins_at, until, asked.reason)
    try:
        return LimitItem.of(await acts.limit(here.site, actor, given))
    except acts.NotNowError as error:
        raise HTTPException(409, str(error)) from error


@router.delete("/limits/{limit}", responses=NOT_NOW)
async def lift(
    here: Here,
    actor: Asking,
    limit: str,
    reason: Annotated[str, Query(min_length=1, max_length=acts.MOST_REASON)],
) -> Limits:
    """Take a limit back: it ends now; operators only."""
    check(actor, Thing("limits"), "change")
    said = here.site.books.limits.get(limit)
    if said is None or said.until <= here.site.now():
        raise HTTPException(404, f"there is no limit {limit!r} that holds or is to come")
    try:
        await acts.lift(here.site, actor, said, reason)
    except acts.NotNowError as error:
        raise HTTPException(409, str(error)) from error
    return Limits(items=_limits(here))


@router.get("/feeder")
async def feeder(here: Here, actor: Asking) -> FeederAnswer:
    """Connections, their limits, and how the network behind them stands; operators only."""
    check(actor, Thing("feeder"))
    seen = None if here.feeder is None else here.feeder.seen
    return FeederAnswer(
        at=answers.in_utc(here.site.now()),
        hubs=_hubs(here),
        limits=_limits(here),
        flow=None if seen is None else FlowItem.of(seen),
    )


def _hubs(here: Here) -> list[HubItem]:
    site, now = here.site, here.site.now()
    places = site.connections.items()
    return [HubItem.of(hub, each, now, PeakItem.of(hub, site)) for hub, each in places]


def _limits(here: Here) -> list[LimitItem]:
    now = here.site.now()
    standing = [each for each in here.site.books.limits.values() if each.until > now]
    return [LimitItem.of(it) for it in sorted(standing, key=lambda it: (it.begins_at, it.limit))]
