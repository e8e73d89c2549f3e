"""A site's chargers, meters and batteries as its ports: commanded by who serves it, nobody else."""

from __future__ import annotations

from dataclasses import dataclass

from hubwise.cli.tenure import Tenure
from hubwise.domain.devices import BatteryState, DevicePlace, Register
from hubwise.edge.modbus import (
    Link,
    ModbusBattery,
    ModbusMeter,
    Points,
    mapped_points,
    sunspec_points,
)
from hubwise.edge.ocpp import OcppServer, Step
from hubwise.edge.simulated import SimulatedBattery
from hubwise.live import Settings
from hubwise.live.ports import Clock, Followed, SetPoint, StationBattery


@dataclass(frozen=True, slots=True)
class Chargers:
    """The OCPP server as the site's port; whoever may be followed by another commands nobody."""

    server: OcppServer
    tenure: Tenure

    async def follow(self, setpoint: SetPoint) -> Followed:
        """Send a set-point and say what became of it."""
        if not self.tenure.holds:
            return Followed.UNREACHABLE
        steps = (Step(0, setpoint.most_kw), *(Step(*each) for each in setpoint.later))
        said = await self.server.follow(
            setpoint.station, setpoint.evse, setpoint.transaction, steps
        )
        return Followed(said.value)

    def gives_back(self, station: str, evse: int, transaction: str) -> bool:
        """Whether station and car are known to give energy back to set-points."""
        return self.server.gives_back(station, evse, transaction)

    def is_connected(self, station: str) -> bool:
        """Whether a station can be reached now."""
        return self.server.is_connected(station)


@dataclass(frozen=True, slots=True)
class HeldBattery:
    """A station battery that is commanded while nobody else can serve the site."""

    battery: StationBattery
    tenure: Tenure

    async def state(self) -> BatteryState:
        """What it says of itself."""
        return await self.battery.state()

    async def follow(self, kw: float, seconds: int) -> float:
        """Charge with so much for so long; what it was told [kW]."""
        if not self.tenure.holds:
            raise ConnectionAbortedError(103, "another process may serve the site")
        return await self.battery.follow(kw, seconds)


def _points_of(place: DevicePlace, setpoint: Register | None = None) -> Points:
    """How a device is asked: by the registers that are named, or by SunSpec's models."""
    link = Link(place.host, place.port, place.unit)
    if place.registers:
        return mapped_points(link, place.registers, setpoint)
    return sunspec_points(link)


def meters_of(settings: Settings, clock: Clock) -> dict[str, ModbusMeter]:
    """The meters at the connections, each asked over Modbus."""
    found = {}
    for hub, place in settings.meters.items():
        name = f"meter of hub {hub}"
        found[hub] = ModbusMeter(name, _points_of(place), clock.now, place.reverse)
    return found


def batteries_of(settings: Settings, clock: Clock, tenure: Tenure) -> dict[str, HeldBattery]:
    """The hubs' own batteries: over Modbus, or simulated."""
    found: dict[str, HeldBattery] = {}
    for hub, place in settings.batteries.items():
        kwh, kw = place.capacity_kwh, place.power_kw
        if place.at is None:
            assert kwh is not None
            assert kw is not None
            simulated = SimulatedBattery(clock.now, kwh, kw, place.efficiency)
            found[hub] = HeldBattery(simulated, tenure)
            continue
        name, points = f"battery of hub {hub}", _points_of(place.at, place.setpoint)
        found[hub] = HeldBattery(ModbusBattery(name, points, clock.now, kwh, kw, kw), tenure)
    return found
