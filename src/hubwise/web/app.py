"""HTTP: the API and the pages; every route asks `may` before it answers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import PlainTextResponse
from prometheus_client import generate_latest
from starlette.exceptions import HTTPException

import hubwise
from hubwise.domain.events import BillCorrected, BillPosted
from hubwise.live import may
from hubwise.live.market import described
from hubwise.live.rights import Role, Thing
from hubwise.web import (
    acts,
    answers,
    console,
    exports,
    feeder,
    grid,
    market,
    me,
    own_plan,
    prices,
    privacy,
    statements,
    stations,
    stream,
)
from hubwise.web.asking import (
    After,
    Asking,
    Here,
    Most,
    World,
    check,
    found,
    problems,
    world_of,
)
from hubwise.web.limits import Limits
from hubwise.web.pages import car, signing, statics, wishes
from hubwise.web.pages import check as check_page
from hubwise.web.pages import console as console_page
from hubwise.web.pages import feeder as feeder_page
from hubwise.web.pages import money as money_page
from hubwise.web.pages import prices as prices_page
from hubwise.web.pages import privacy as privacy_page
from hubwise.web.pages import statements as statements_page
from hubwise.web.pages import stations as stations_page
from hubwise.web.pages.errors import add_pages_of_errors
from hubwise.web.pages.guard import Guard
from hubwise.web.problems import add_problems

router = APIRouter(prefix="/api/v1", responses=problems)


@router.get("/health", responses={503: {"description": "Control does not run"}})
async def health(here: Here) -> answers.Health:
    """Whether control runs; asks for no token."""
    assert may(None, "read", Thing("health"))
    if not here.site.controls:
        raise HTTPException(503, "control does not run")
    books = here.site.books
    connected = sum(here.site.is_connected(station) for station in books.stations)
    troubles = sorted(here.site.troubles.standing)
    active, standby = (name or None for name in here.processes())
    return answers.Health(
        status="ok",
        stations_connected=connected,
        troubles=troubles,
        active=active,
        standby=standby,
    )


@router.get("/sessions")
async def sessions(
    here: Here,
    actor: Asking,
    station: Annotated[str | None, Query(max_length=255)] = None,
    after: After = "",
    most: Most = 100,
) -> answers.Sessions:
    """Sessions, an operator's all, a driver's own."""
    check(actor, Thing("sessions", actor.account))
    items: list[answers.SessionItem] = []
    behind = not after
    for session in [*here.site.books.sessions.values()]:
        if not behind or (station is not None and session.station != station):
            behind = behind or session.session == after
            continue
        if len(items) == most:
            return answers.Sessions(items=items, next=items[-1].session)
        account = await here.site.whose(session)
        if may(actor, "read", Thing("session", account)):
            items.append(answers.SessionItem.of(await here.site.account(session)))
    return answers.Sessions(items=items)


@router.get("/sessions/{session:path}/meter-values")
async def meter_values(here: Here, actor: Asking, session: str) -> answers.MeterValues:
    """Every energy sample of a session; what is not billed from says why."""
    readings = await here.site.readings(await found(here, actor, session, "meter-values"))
    return answers.MeterValues(items=[answers.MeterValue.of(each) for each in readings])


@router.get("/sessions/{session:path}/bill")
async def bill(here: Here, actor: Asking, session: str) -> answers.Bill:
    """A session's bill and its corrections; until it is final, what it would be now."""
    asked = await found(here, actor, session, "bill")
    return answers.Bill.of(await here.site.account(asked))


@router.get("/ledger/entries")
async def entries(
    here: Here, actor: Asking, after: Annotated[int, Query(ge=0, le=2**62)] = 0, most: Most = 1_000
) -> answers.Entries:
    """What was posted, an operator's all, a driver's own."""
    check(actor, Thing("entries", actor.account))
    rows = await here.ledger.of_kinds(("bill", "correction"), after, most)
    items: list[answers.EntryItem] = []
    for position, posted in rows:
        assert isinstance(posted, BillPosted | BillCorrected)
        bill = posted.bill if isinstance(posted, BillCorrected) else posted
        if may(actor, "read", Thing("entries", bill.driver)):
            items += answers.EntryItem.all_of(position, posted)
    return answers.Entries(items=items, next=str(rows[-1][0]) if len(rows) == most else None)


@router.get("/plan")
async def plan(
    here: Here, actor: Asking, hours: Annotated[int, Query(ge=1, le=24)] = 6
) -> answers.Plans:
    """What cars do by plan in the hours to come, and why; hubs without a plan are left out."""
    check(actor, Thing("plan"))
    site, now, zone = here.site, here.site.now(), here.site.settings.zone
    items = [
        answers.HubPlanItem.of(hub, each, hours, now, zone) for hub, each in site.plans.items()
    ]
    market = described(site.books.purchase, site.settings, now)
    return answers.Plans(items=items, market=market)


@router.get("/alarms")
async def alarms(here: Here, actor: Asking) -> answers.Alarms:
    """What an operator has to know, newest first."""
    check(actor, Thing("alarms"))
    return answers.Alarms(
        items=[
            answers.AlarmItem(
                alarm=each.id,
                at=answers.in_utc(each.received_at),
                station=each.station,
                what=each.what,
                detail=each.detail,
                stands=stands,
            )
            for each, stands in here.site.alarms()
        ]
    )


async def metrics(request: Request) -> PlainTextResponse:
    """Figures for Prometheus: of the site as a whole, of nobody in particular."""
    text = generate_latest(world_of(request).registry).decode()
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def make_app(world: World) -> FastAPI:
    """The API and the pages of a site."""
    app = FastAPI(title="Hubwise", version=hubwise.__version__, docs_url=None, redoc_url=None)
    app.state.world = world
    app.include_router(router)
    for each in (
        acts,
        stations,
        stations_page,
        console,
        console_page,
        exports,
        feeder,
        feeder_page,
        grid,
        market,
        me,
        own_plan,
        check_page,
        money_page,
        prices,
        prices_page,
        privacy,
        privacy_page,
        statements,
        statements_page,
        stream,
        car,
        signing,
        statics,
        wishes,
    ):
        app.include_router(each.router)
    app.add_route("/metrics", metrics, include_in_schema=False)
    add_problems(app)
    add_pages_of_errors(app)
    app.add_middleware(Limits, rates=world.rates)
    app.add_middleware(Guard)
    return app


__all__ = ["Role", "World", "make_app"]
