"""The network behind a site's hubs over HTTP: what it is, and how it stands in the day ahead."""

from __future__ import annotations

import asyncio
import math

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from hubwise.live.feeder import FeederShape, FeederStates
from hubwise.live.feeder_ahead import FeederAhead, feeder_ahead
from hubwise.live.rights import Thing
from hubwise.web import answers
from hubwise.web.asking import Here, World, check, problems
from hubwise.web.pages.who import Either

router = APIRouter(prefix="/api/v1", responses=problems)
NONE_TOLD = "this site says no feeder: [feeder] scenario in site.toml names one"


class BusItem(BaseModel):
    """A bus, and the hubs at it."""

    bus: str
    hubs: list[str]


class BranchItem(BaseModel):
    """A branch between two buses."""

    branch: str
    from_bus: str
    to_bus: str


class NetworkItem(BaseModel):
    """The network: buses, branches, and the voltages allowed."""

    buses: list[BusItem]
    branches: list[BranchItem]
    source_bus: str
    voltage_min_pu: str
    voltage_max_pu: str

    @classmethod
    def of(cls, shape: FeederShape) -> NetworkItem:
        """As the scenario has it."""
        at: dict[int, list[str]] = {}
        for hub, bus in shape.hubs.items():
            at.setdefault(bus, []).append(hub)
        low, high = shape.band_pu
        return cls(
            buses=[BusItem(bus=name, hubs=at.get(k, [])) for k, name in enumerate(shape.buses)],
            branches=[
                BranchItem(branch=name, from_bus=shape.buses[near], to_bus=shape.buses[far])
                for name, (near, far) in zip(shape.branches, shape.ends, strict=True)
            ],
            source_bus=shape.buses[shape.source],
            voltage_min_pu=f"{low:.4f}",
            voltage_max_pu=f"{high:.4f}",
        )


class StatesItem(BaseModel):
    """Slot by slot: power at the head and of hubs, voltage of every bus, loading of every branch.

    ``loading`` and ``transformer_loading`` are shares of limits; empty where no flow is found.
    """

    head_kw: list[str | None]
    transformer_loading: list[str | None]
    hub_kw: dict[str, list[str | None]]
    voltage_pu: list[list[str | None]]
    loading: list[list[str | None]]

    @classmethod
    def of(cls, found: FeederStates) -> StatesItem:
        """As the power flow found it."""
        return cls(
            head_kw=_shown(found.head_kw, 3),
            transformer_loading=_shown(found.head_loading, 4),
            hub_kw={hub: _shown(kw, 3) for hub, kw in found.hub_kw.items()},
            voltage_pu=[_shown(each, 4) for each in found.voltage_pu],
            loading=[_shown(each, 4) for each in found.loading],
        )


class FeederDayAnswer(BaseModel):
    """The day ahead on the feeder: as hubs are planned to draw, and without them."""

    zone: str
    at: list[str]
    network: NetworkItem
    plan: StatesItem
    without_hubs: StatesItem


def _shown(values: tuple[float, ...], digits: int) -> list[str | None]:
    return [f"{each:.{digits}f}" if math.isfinite(each) else None for each in values]


async def ahead_of(here: World) -> FeederAhead | None:
    """The day ahead, beside what else runs; none where the site says no feeder."""
    if here.feeder is None:
        return None
    site = here.site
    return await asyncio.to_thread(feeder_ahead, here.feeder.feeder, dict(site.plans), site.now())


@router.get("/feeder/day")
async def feeder_day(here: Here, actor: Either) -> FeederDayAnswer:
    """The network and how it stands in each quarter of the day ahead; operators only."""
    check(actor, Thing("feeder"))
    found = await ahead_of(here)
    if found is None:
        raise HTTPException(404, NONE_TOLD)
    return FeederDayAnswer(
        zone=str(here.site.settings.zone),
        at=[answers.in_utc(each) for each in found.plan.at],
        network=NetworkItem.of(found.shape),
        plan=StatesItem.of(found.plan),
        without_hubs=StatesItem.of(found.without),
    )
