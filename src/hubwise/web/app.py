"""The HTTP API: every route asks `may` before it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import PlainTextResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CollectorRegistry, generate_latest
from starlette.exceptions import HTTPException

import hubwise
from hubwise.domain.events import BillPosted, Event
from hubwise.live import Actor, Session, Site, may
from hubwise.live.ports import Known
from hubwise.live.rights import Role, Thing
from hubwise.web import answers
from hubwise.web.problems import add_problems

MOST = 1_000


class Ledger(Protocol):
    """Reads what was posted."""

    async def of_kind(self, kind: str, after: int, most: int) -> Sequence[tuple[int, Event]]:
        """Events of a kind behind a position, in order."""
        ...


@dataclass(frozen=True, slots=True)
class World:
    """What the API answers from.

    Parameters
    ----------
    site, ledger
        The running site, and its posted bills.
    actor_of
        Whose token it is.
    all_stations
        Everything registered.
    registry
        What is measured.
    """

    site: Site
    ledger: Ledger
    actor_of: Callable[[str], Awaitable[Actor | None]]
    all_stations: Callable[[], Awaitable[Sequence[Known]]]
    registry: CollectorRegistry


bearer = HTTPBearer(auto_error=False)
Said = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


def _world(request: Request) -> World:
    world = request.app.state.world
    assert isinstance(world, World)
    return world


Here = Annotated[World, Depends(_world)]


async def _actor(here: Here, said: Said) -> Actor:
    """Who asks; whoever is not known hears 401."""
    actor = await here.actor_of(said.credentials) if said else None
    if actor is None:
        raise HTTPException(401, "give a token: Authorization: Bearer TOKEN")
    return actor


Asking = Annotated[Actor, Depends(_actor)]
After = Annotated[str, Query(max_length=600, description="As `next` said.")]
Most = Annotated[int, Query(ge=1, le=MOST)]
_problems: dict[int | str, dict[str, object]] = {
    code: {"description": what, "content": {"application/problem+json": {}}}
    for code, what in ((401, "Who asks is not known"), (403, "Not yours"), (404, "Not there"))
}
router = APIRouter(prefix="/api/v1", responses=_problems)


def _check(actor: Actor, thing: Thing) -> None:
    if not may(actor, "read", thing):
        raise HTTPException(403, f"{thing.kind} of others are not yours to read")


async def _found(here: World, actor: Actor, name: str, kind: str) -> Session:
    """A session that the actor may read; to whom it is not theirs, it is not there."""
    session = here.site.books.sessions.get(name)
    account = await here.site.account_of(session.id_token) if session else ""
    if session is None or not may(actor, "read", Thing(kind, account)):
        raise HTTPException(404, f"there is no session {name!r}")
    return session


@router.get("/health", responses={503: {"description": "Control does not run"}})
async def health(here: Here) -> answers.Health:
    """Whether control runs; asks for no token."""
    assert may(None, "read", Thing("health"))
    if not here.site.controls:
        raise HTTPException(503, "control does not run")
    books = here.site.books
    connected = sum(here.site.is_connected(station) for station in books.stations)
    return answers.Health(status="ok", stations_connected=connected)


@router.get("/stations")
async def stations(here: Here, actor: Asking) -> answers.Stations:
    """Every station that is registered."""
    _check(actor, Thing("stations"))
    known = await here.all_stations()
    return answers.Stations(items=[_station(here.site, each) for each in known])


def _station(site: Site, known: Known) -> answers.StationItem:
    said = site.books.stations.get(known.station)
    return answers.StationItem(
        station=known.station,
        hub=known.hub,
        max_kw=f"{known.max_kw:g}",
        protocol=said.protocol or None if said else None,
        connected=site.is_connected(known.station),
        vendor=said.vendor or None if said else None,
        model=said.model or None if said else None,
        firmware=said.firmware or None if said else None,
        booted_at=answers.in_utc(said.booted_at) if said and said.booted_at else None,
        connectors=dict(said.status) if said else {},
        sessions=sorted(site.books.running.get(known.station, {})),
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
    _check(actor, Thing("sessions", actor.account))
    items: list[answers.SessionItem] = []
    behind = not after
    for session in [*here.site.books.sessions.values()]:
        if not behind or (station is not None and session.station != station):
            behind = behind or session.session == after
            continue
        if len(items) == most:
            return answers.Sessions(items=items, next=items[-1].session)
        account = await here.site.account_of(session.id_token)
        if may(actor, "read", Thing("session", account)):
            items.append(answers.SessionItem.of(await here.site.account(session)))
    return answers.Sessions(items=items)


@router.get("/sessions/{session:path}/meter-values")
async def meter_values(here: Here, actor: Asking, session: str) -> answers.MeterValues:
    """Every energy sample of a session; what is not billed from says why."""
    found = await _found(here, actor, session, "meter-values")
    readings = await here.site.readings(found)
    return answers.MeterValues(items=[answers.MeterValue.of(each) for each in readings])


@router.get("/sessions/{session:path}/bill")
async def bill(here: Here, actor: Asking, session: str) -> answers.Bill:
    """A session's bill; until it is final, what it would be now."""
    found = await _found(here, actor, session, "bill")
    return answers.Bill.of(await here.site.account(found))


@router.get("/ledger/entries")
async def entries(
    here: Here, actor: Asking, after: Annotated[int, Query(ge=0, le=2**62)] = 0, most: Most = 1_000
) -> answers.Entries:
    """What was posted, an operator's all, a driver's own."""
    _check(actor, Thing("entries", actor.account))
    found = await here.ledger.of_kind("bill", after, most)
    items: list[answers.EntryItem] = []
    for position, posted in found:
        assert isinstance(posted, BillPosted)
        if may(actor, "read", Thing("entries", posted.driver)):
            items += answers.EntryItem.all_of(position, posted)
    return answers.Entries(items=items, next=str(found[-1][0]) if len(found) == most else None)


@router.get("/prices")
async def prices(here: Here, actor: Asking) -> answers.Prices:
    """What is offered now to whoever plugs in; it is kept to the end of that stay."""
    _check(actor, Thing("prices"))
    offered, settings = here.site.books.prices_at(here.site.now()), here.site.settings
    return answers.Prices.of(offered, settings.currency, settings.zone.key)


@router.get("/hubs")
async def hubs(here: Here, actor: Asking) -> answers.Hubs:
    """Every hub's connection: what it carries, what its meter says, what is left to chargers."""
    _check(actor, Thing("hubs"))
    now = here.site.now()
    found = here.site.connections.items()
    return answers.Hubs(items=[answers.HubItem.of(hub, each, now) for hub, each in found])


@router.get("/plan")
async def plan(
    here: Here, actor: Asking, hours: Annotated[int, Query(ge=1, le=24)] = 6
) -> answers.Plans:
    """What cars do by plan in the hours to come, and why; hubs without a plan are left out."""
    _check(actor, Thing("plan"))
    found = here.site.plans.items()
    return answers.Plans(items=[answers.HubPlanItem.of(hub, each, hours) for hub, each in found])


@router.get("/alarms")
async def alarms(here: Here, actor: Asking) -> answers.Alarms:
    """What an operator has to know, newest first."""
    _check(actor, Thing("alarms"))
    return answers.Alarms(
        items=[
            answers.AlarmItem(
                alarm=each.id,
                at=answers.in_utc(each.received_at),
                station=each.station,
                what=each.what,
                detail=each.detail,
            )
            for each in reversed(here.site.books.alarms)
        ]
    )


async def metrics(request: Request) -> PlainTextResponse:
    """Figures for Prometheus: of the site as a whole, of nobody in particular."""
    text = generate_latest(_world(request).registry).decode()
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def make_app(world: World) -> FastAPI:
    """The API of a site."""
    app = FastAPI(title="Hubwise", version=hubwise.__version__, docs_url=None, redoc_url=None)
    app.state.world = world
    app.include_router(router)
    app.add_route("/metrics", metrics, include_in_schema=False)
    add_problems(app)
    return app


__all__ = ["Role", "World", "make_app"]
