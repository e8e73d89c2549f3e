"""Stations over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from hubwise.live import Site
from hubwise.live.ports import Known
from hubwise.live.rights import Thing
from hubwise.web import answers
from hubwise.web.asking import Asking, Here, World, check, problems

router = APIRouter(prefix="/api/v1", responses=problems)


@router.get("/stations")
async def stations(here: Here, actor: Asking) -> answers.Stations:
    """Every station that is registered."""
    check(actor, Thing("stations"))
    return answers.Stations(items=await stations_of(here))


async def stations_of(here: World) -> list[answers.StationItem]:
    """All of them, with what is known of each."""
    return [_station(here.site, each) for each in await here.all_stations()]


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
