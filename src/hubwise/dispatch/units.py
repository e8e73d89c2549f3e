"""Sessions and station batteries as rows of the dispatch kernel."""

from __future__ import annotations

import numpy as np

from hubwise.dispatch.kernel import Units
from hubwise.domain import Fleet, Horizon, Hubs, StationSchedule
from hubwise.domain.arrays import Array
from hubwise.drivers import bounds

# Weight of the marginal prices in a driver's choice among its cheapest schedules. Marginal prices
# stay of the order of 1 currency/kWh, a session moves some 100 kWh: regret stays near 1e-7.
TIE = 1e-9
# A station battery is dispatched as this many equal slices: their sets add up to the station's
# set, and going round small slices converges faster than moving one large block.
SLICES = 8


def session_units(fleet: Fleet, horizon: Horizon, *, own: bool) -> Units:
    """The sessions as units that answer to posted prices (``own``) or to the marginal prices."""
    limits = bounds(fleet, horizon.slot_hours)
    size = len(fleet)
    return Units(
        hub=fleet.hub,
        arrival=fleet.arrival_slot,
        departure=fleet.departure_slot,
        up=limits.up,
        down=limits.down,
        charge_eff=fleet.charge_efficiency,
        discharge_eff=fleet.discharge_efficiency,
        wear=fleet.wear_cost,
        start=fleet.arrival_kwh,
        target=limits.target,
        reserve=fleet.reserve_kwh,
        top=limits.top,
        surplus=fleet.surplus_value,
        limit=fleet.discharge_limit_kwh,
        own=np.full(size, float(own)),
        weight=np.full(size, TIE if own else 1.0),
        rewarded=np.ones(size),
        change=np.zeros((size, horizon.slots)),
        placed=np.zeros(size, np.bool_),
    )


def station_units(hubs: Hubs, horizon: Horizon) -> Units:
    """`SLICES` slices of every station battery."""
    hub = np.repeat(np.flatnonzero(hubs.battery_kwh > 0.0), SLICES)
    size = len(hub)
    power = hubs.battery_kw[hub] * horizon.slot_hours / SLICES
    start = hubs.battery_initial_kwh[hub] / SLICES
    return Units(
        hub=hub,
        arrival=np.zeros(size, np.int64),
        departure=np.full(size, horizon.slots),
        up=power * hubs.battery_charge_efficiency[hub],
        down=power / hubs.battery_discharge_efficiency[hub],
        charge_eff=hubs.battery_charge_efficiency[hub],
        discharge_eff=hubs.battery_discharge_efficiency[hub],
        wear=hubs.battery_wear_cost[hub],
        start=start,
        target=start,
        reserve=np.zeros(size),
        top=hubs.battery_kwh[hub] / SLICES,
        surplus=np.zeros(size),
        limit=np.full(size, np.inf),
        own=np.zeros(size),
        weight=np.ones(size),
        rewarded=np.zeros(size),
        change=np.zeros((size, horizon.slots)),
        placed=np.zeros(size, np.bool_),
    )


def concatenated(first: Units, second: Units) -> Units:
    """Both sets of units, ``first`` before ``second``."""
    return Units(*(np.concatenate(pair) for pair in zip(first, second, strict=True)))


def station_schedule(
    hubs: Hubs, horizon: Horizon, change_kwh: Array, solar_kw: Array
) -> StationSchedule:
    """The schedule of station batteries whose energy changes by ``change_kwh`` (hubs, slots)."""
    hours = horizon.slot_hours
    charge = np.maximum(change_kwh, 0.0) / (hubs.battery_charge_efficiency[:, None] * hours)
    discharge = np.maximum(-change_kwh, 0.0) * (hubs.battery_discharge_efficiency[:, None] / hours)
    return StationSchedule(
        np.minimum(charge, hubs.battery_kw[:, None]),
        np.minimum(discharge, hubs.battery_kw[:, None]),
        hubs.battery_initial_kwh[:, None] + np.cumsum(change_kwh, axis=1),
        solar_kw,
    )
