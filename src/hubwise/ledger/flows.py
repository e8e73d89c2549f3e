"""What flows through every hub's meters: vehicles, station battery, solar, grid connection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.domain import PHASES, Fleet, Hubs, Schedule, StationSchedule, connection_spots
from hubwise.domain.arrays import Array, Index


@dataclass(frozen=True, slots=True)
class HubFlows:
    """Power at every hub's AC bar; every array has shape (hubs, slots).

    Parameters
    ----------
    ev_charge_kw, ev_discharge_kw
        All vehicles at the hub, participating or not [kW].
    battery_charge_kw, battery_discharge_kw
        The station battery [kW].
    battery_kwh
        Energy in the station battery at the end of the slot [kWh].
    solar_kw
        Solar power used, after curtailment [kW].
    standby_kw
        What two-way chargers draw while they are awake [kW].
    """

    ev_charge_kw: Array
    ev_discharge_kw: Array
    battery_charge_kw: Array
    battery_discharge_kw: Array
    battery_kwh: Array
    solar_kw: Array
    standby_kw: Array

    @property
    def net_kw(self) -> Array:
        """Net draw at the grid connection, import positive; shape (hubs, slots) [kW]."""
        vehicles = self.ev_charge_kw - self.ev_discharge_kw
        battery = self.battery_charge_kw - self.battery_discharge_kw
        return vehicles + battery - self.solar_kw + self.standby_kw

    @property
    def import_kw(self) -> Array:
        """Drawn at the grid connection; shape (hubs, slots) [kW]."""
        return np.maximum(self.net_kw, 0.0)

    @property
    def export_kw(self) -> Array:
        """Sold at the grid connection; shape (hubs, slots) [kW]."""
        return np.maximum(-self.net_kw, 0.0)


def hub_flows(hubs: int, fleet: Fleet, schedule: Schedule, stations: StationSchedule) -> HubFlows:
    """Add up what sessions and stations do at each of ``hubs`` hubs."""
    return HubFlows(
        ev_charge_kw=sum_by_hub(hubs, fleet.hub, schedule.charge_kw),
        ev_discharge_kw=sum_by_hub(hubs, fleet.hub, schedule.discharge_kw),
        battery_charge_kw=stations.charge_kw,
        battery_discharge_kw=stations.discharge_kw,
        battery_kwh=stations.energy_kwh,
        solar_kw=stations.solar_kw,
        standby_kw=awake_kw(stations),
    )


def awake_kw(stations: StationSchedule) -> Array:
    """What two-way chargers draw while they are awake; shape (hubs, slots) [kW]."""
    told = stations.standby_kw
    return np.zeros_like(stations.solar_kw) if told is None else told


def sum_by_hub(hubs: int, hub: Index, per_session: Array) -> Array:
    """Sum of (sessions, slots) by the sessions' hub index; shape (hubs, slots)."""
    # Whoever only bills, as a running site does, compiles nothing.
    from hubwise.ledger.kernel import add_rows

    total = np.zeros((hubs, per_session.shape[1]))
    add_rows(hub, per_session, total)
    return total


def line_flows(hubs: Hubs, fleet: Fleet, schedule: Schedule, stations: StationSchedule) -> Array:
    """What flows through every circuit and phase (see `Hubs.lines`); (lines, slots) [kW]."""
    lines = hubs.lines
    stored = stations.charge_kw - stations.discharge_kw - stations.solar_kw + awake_kw(stations)
    power = schedule.charge_kw - schedule.discharge_kw
    at = np.concatenate([fleet.spots, connection_spots(len(hubs))])
    return lines.loads(at, np.concatenate([power, stored]))


def solar_within_limits(hubs: Hubs, fleet: Fleet, schedule: Schedule) -> tuple[Array, Array]:
    """The least and the most solar power that connections ask for; both (hubs, slots) [kW].

    Stations are at rest. As much as keeps what is drawn within the connection and its fuses, and no
    more than they carry back. Solar feeds three phases alike, cars may load one: what the phase
    asks for that is fullest, and what the phase bears that has least of them.
    """
    idle = np.zeros_like(hubs.solar_kw)
    rest, lines = StationSchedule(idle, idle, idle, idle), hubs.lines
    draw = hub_flows(len(hubs), fleet, schedule, rest).net_kw
    least, most = draw - hubs.most_import_kw[:, None], np.full(idle.shape, np.inf)
    if len(lines):
        loads, limit = line_flows(hubs, fleet, schedule, rest), lines.limit_kw[:, None]
        phases = np.flatnonzero((lines.circuit < 0) & (lines.phase > 0))
        three, hub = len(PHASES), lines.hub[phases]
        np.maximum.at(least, hub, three * (loads - limit)[phases])
        np.minimum.at(most, hub, three * (loads + limit)[phases])
    return np.maximum(least, 0.0), np.maximum(most, 0.0)
