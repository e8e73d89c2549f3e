"""What is left in batteries at the end, against the uncoordinated day, and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.domain import Schedule, Situation, StationSchedule


@dataclass(frozen=True, slots=True)
class EnergyLeft:
    """Energy in batteries at the end beyond the uncoordinated day's; negative where it is less.

    Parameters
    ----------
    kwh, station_kwh
        In participants' cars at their departures, and in station batteries [kWh].
    value, station_value
        What buying it costs, losses of charging included [currency].
    """

    kwh: float
    station_kwh: float
    value: float
    station_value: float


def energy_left(
    situation: Situation, schedule: Schedule, uncoordinated: Schedule, stations: StationSchedule
) -> EnergyLeft:
    """What participants and stations are left with, beyond the uncoordinated day.

    Priced at `hubwise.domain.Market.energy_left`. On the uncoordinated day station batteries stay
    as they began. Where the scenario says itself what their energy is worth at the end, the account
    counts it, and it is not counted again.

    Parameters
    ----------
    situation
        Who takes part, and prices.
    schedule, uncoordinated
        What every session does, and does uncoordinated.
    stations
        What station batteries do.
    """
    fleet, hubs = situation.fleet, situation.hubs
    price, station_price = situation.market.energy_left
    more = schedule.energy_kwh[:, -1] - uncoordinated.energy_kwh[:, -1]
    more = np.where(fleet.participating, more, 0.0)
    stored = stations.energy_kwh[:, -1] - hubs.battery_initial_kwh
    counted = np.broadcast_to(hubs.battery_end_value, len(hubs)) > 0.0
    bought = np.where(counted, 0.0, stored / hubs.battery_charge_efficiency)
    return EnergyLeft(
        kwh=float(more.sum()),
        station_kwh=float(stored.sum()),
        value=price * float((more / fleet.charge_efficiency).sum()),
        station_value=station_price * float(bought.sum()),
    )
