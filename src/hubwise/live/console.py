"""What an operator sees first: what needs a hand, what cars do, and what hubs draw."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from hubwise.domain.events import Alarmed
from hubwise.live.fold import Session
from hubwise.live.mine import Doing, doing_of, flow_of
from hubwise.live.site import Site


@dataclass(frozen=True, slots=True)
class CarSeen:
    """A car that is here.

    Parameters
    ----------
    session, hub, station
        Which, and where.
    doing
        What it does.
    kw, planned_kw
        Power by the meter, or by plan where that was not read; and by plan, if there is one [kW].
    heard_at
        When its meter was last read.
    since
        Plug-in.
    """

    session: str
    hub: str
    station: str
    doing: Doing
    kw: float | None
    planned_kw: float | None
    heard_at: datetime | None
    since: datetime


@dataclass(frozen=True, slots=True)
class HubSeen:
    """A hub's connection: what flows, what it may draw [kW], and how many cars are there."""

    hub: str
    kw: float
    most_kw: float
    carries_kw: float
    metered: bool
    cars: int


@dataclass(frozen=True, slots=True)
class Console:
    """A site at a time.

    Parameters
    ----------
    at
        When.
    alarms
        What stands, the newest first.
    cars, hubs
        What is here.
    """

    at: datetime
    alarms: tuple[Alarmed, ...]
    cars: tuple[CarSeen, ...]
    hubs: tuple[HubSeen, ...]

    def count(self, doing: Doing) -> int:
        """How many cars do that."""
        return sum(each.doing is doing for each in self.cars)

    @property
    def kw(self) -> float:
        """What all cars draw together [kW]."""
        return sum(each.kw or 0.0 for each in self.cars)


async def console_of(site: Site) -> Console:
    """The site as it stands."""
    sessions = [each for there in site.books.running.values() for each in there.values()]
    cars = [await _car(site, each) for each in sessions]
    here = Counter(each.hub for each in cars)
    hubs = [
        HubSeen(
            hub=name,
            kw=sum(each.kw or 0.0 for each in cars if each.hub == name)
            if place.last is None
            else place.last.power_kw,
            most_kw=place.most_kw,
            carries_kw=place.carries_kw,
            metered=place.last is not None,
            cars=here[name],
        )
        for name, place in site.connections.items()
    ]
    alarms = tuple(each for each, stands in site.alarms() if stands)
    cars.sort(key=lambda each: (each.hub, each.station))
    return Console(site.now(), alarms, tuple(cars), tuple(hubs))


async def _car(site: Site, session: Session) -> CarSeen:
    now, known = site.now(), await site.known(session.station)
    plan, running = site.plans.get(known.hub), await site.running(session)
    planned = None if plan is None else plan.at(now).get(session.session)
    flow = flow_of(running, planned, now)
    connected = site.is_connected(session.station)
    return CarSeen(
        session=session.session,
        hub=known.hub,
        station=session.station,
        doing=doing_of(session, flow, connected, planned=planned is not None),
        kw=None if flow is None else flow.kw,
        planned_kw=planned,
        heard_at=running.read_at,
        since=session.plugged_in,
    )
