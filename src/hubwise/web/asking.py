"""Who asks, of what, and whether they may: what every route begins with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Protocol

from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException

from hubwise.domain.events import Event
from hubwise.live import Actor, Session, Site, may
from hubwise.live.feeder import FeederWatch
from hubwise.live.ports import Known
from hubwise.live.rights import Thing
from hubwise.store import ActRow, SignedIn
from hubwise.web.bell import Bell
from hubwise.web.limits import Rates

MOST = 1_000


class Ledger(Protocol):
    """Reads what was posted."""

    async def of_kinds(
        self, kinds: Sequence[str], after: int, most: int
    ) -> Sequence[tuple[int, Event]]:
        """Events of some kinds behind a position, in order; of all kinds without any."""
        ...

    async def last(self) -> int:
        """The last position."""
        ...


class Doors(Protocol):
    """Who is signed in with a browser, and what is known of drivers beside their bills."""

    async def who(self, secret: str) -> Actor | None:
        """Who is signed in by a cookie's secret."""
        ...

    async def driver_of_link(self, secret: str) -> str | None:
        """Whom a one-time link lets in, if it still does."""
        ...

    async def use_link(self, secret: str) -> str | None:
        """The secret of a new sign-in for a link, once."""
        ...

    async def check_password(self, name: str, password: str) -> str | None:
        """The secret of a new sign-in for an operator's password."""
        ...

    async def end(self, secret: str) -> None:
        """Sign a browser out."""
        ...

    async def end_all(self, actor: Actor) -> None:
        """Sign all browsers of somebody out."""
        ...

    async def sign_ins_of(self, driver: str) -> Sequence[SignedIn]:
        """Where a driver is signed in."""
        ...

    async def tokens_of(self, driver: str) -> Sequence[str]:
        """Until when each of a driver's tokens holds."""
        ...

    def form_token(self, secret: str) -> str:
        """What a form of a signed-in browser carries."""
        ...

    def is_form_token(self, secret: str, said: str) -> bool:
        """Whether a form was made for this browser."""
        ...

    async def tags_of(self, driver: str) -> Sequence[str]:
        """The tags that stand for a driver."""
        ...

    async def car_of(self, driver: str) -> tuple[float, float] | None:
        """What a driver said of the car: what it holds [kWh], and how far a kWh goes [km]."""
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
    acts
        Acts of operators behind a number, at most so many.
    doors
        How browsers get in.
    rates
        How much may be asked.
    bell
        Rings with every new event.
    processes
        Which process is active, and which stands by.
    feeder
        Looks at the feeder behind the hubs, if the site says one.
    """

    site: Site
    ledger: Ledger
    actor_of: Callable[[str], Awaitable[Actor | None]]
    all_stations: Callable[[], Awaitable[Sequence[Known]]]
    registry: CollectorRegistry
    acts: Callable[[int, int], Awaitable[Sequence[ActRow]]]
    doors: Doors
    rates: Rates = field(default_factory=Rates)
    bell: Bell = field(default_factory=Bell)
    processes: Callable[[], tuple[str, str]] = lambda: ("", "")
    feeder: FeederWatch | None = None


bearer = HTTPBearer(auto_error=False)
Said = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


def world_of(request: Request) -> World:
    """What the API answers from."""
    world = request.app.state.world
    assert isinstance(world, World)
    return world


Here = Annotated[World, Depends(world_of)]


async def actor_of(here: Here, said: Said) -> Actor:
    """Who asks; whoever is not known hears 401."""
    actor = await here.actor_of(said.credentials) if said else None
    if actor is None:
        raise HTTPException(401, "give a token: Authorization: Bearer TOKEN")
    return actor


Asking = Annotated[Actor, Depends(actor_of)]
After = Annotated[str, Query(max_length=600, description="As `next` said.")]
Most = Annotated[int, Query(ge=1, le=MOST)]
problems: dict[int | str, dict[str, object]] = {
    code: {"description": what, "content": {"application/problem+json": {}}}
    for code, what in (
        (401, "Who asks is not known"),
        (403, "Not yours"),
        (404, "Not there"),
        (429, "Too much at once; Retry-After says when"),
    )
}


def check(actor: Actor, thing: Thing, verb: str = "read") -> None:
    """Let them who may."""
    if not may(actor, verb, thing):
        raise HTTPException(403, f"{thing.kind} of others are not yours to {verb}")


async def found(here: World, actor: Actor, name: str, kind: str, verb: str = "read") -> Session:
    """A session that the actor may read, or change; to whom it is not theirs, it is not there."""
    session = here.site.books.sessions.get(name)
    account = await here.site.whose(session) if session else ""
    if session is None or not may(actor, "read", Thing(kind, account)):
        raise HTTPException(404, f"there is no session {name!r}")
    check(actor, Thing(kind, account), verb)
    return session
