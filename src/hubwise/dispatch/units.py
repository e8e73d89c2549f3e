"""Sessions and station batteries as rows of the dispatch kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubwise.domain import Fleet, Horizon, Hubs, StationSchedule, connection_spots
from hubwise.domain.arrays import Array, Index
from hubwise.drivers import Batteries, batteries_of

# Weight of the marginal prices in a driver's choice among its cheapest schedules. Marginal prices
# stay of the order of 1 currency/kWh, a session moves some 100 kWh: regret stays near 1e-7.
TIE = 1e-9
# A station battery is dispatched as this many equal slices: their sets add up to the station's
# set, and going round small slices converges faster than moving one large block.
SLICES = 8


def session_units(fleet: Fleet, horizon: Horizon, *, own: bool) -> Batteries:
    """The sessions as units that answer to posted prices (``own``) or to the marginal prices."""
    size = len(fleet)
    return batteries_of(fleet, horizon)._replace(
        own=np.full(size, float(own)), weight=np.full(size, TIE if own else 1.0)
    )


def station_units(hubs: Hubs, horizon: Horizon, group: int = 0) -> Batteries:
    """`SLICES` slices of every station battery; ``group``: the group whose terms are nothing."""
    hub = np.repeat(np.flatnonzero(hubs.battery_kwh > 0.0), SLICES)
    size, slots = len(hub), horizon.slots
    power = hubs.battery_kw[hub] * horizon.slot_hours / SLICES
    start = hubs.battery_initial_kwh[hub] / SLICES
    top, target = hubs.battery_kwh[hub] / SLICES, hubs.least_final_kwh[hub] / SLICES
    up = power * hubs.battery_charge_efficiency[hub]
    down = power / hubs.battery_discharge_efficiency[hub]
    reachable = np.minimum(np.maximum(top, start), start + up * slots)
    return Batteries(
        hub=hub,
        spot=connection_spots(len(hubs))[hub],
        price_list=np.zeros(size, np.int64),
        group=np.full(size, group, np.int64),
        arrival=np.zeros(size, np.int64),
        departure=np.full(size, slots),
        first_future=np.zeros(size, np.int64),
        last_future=np.ones(size, np.int64),
        up=up[:, None],
        down=down[:, None],
        least=np.zeros((size, 1)),
        most=top[:, None],
        charge_kw=(hubs.battery_kw[hub] / SLICES)[:, None],
        discharge_kw=(hubs.battery_kw[hub] / SLICES)[:, None],
        start=start,
        target=np.minimum(target, reachable),
        charge_eff=hubs.battery_charge_efficiency[hub],
        discharge_eff=hubs.battery_discharge_efficiency[hub],
        wear=hubs.battery_wear_cost[hub],
        surplus=np.broadcast_to(hubs.battery_end_value, len(hubs))[hub].astype(float),
        limit=np.full(size, np.inf),
        own=np.zeros(size),
        weight=np.ones(size),
    )


def concatenated(first: Batteries, second: Batteries) -> Batteries:
    """Both sets of batteries, ``first`` before ``second``."""
    width = max(first.up.shape[1], second.up.shape[1])

    def wide(column: NDArray[Any]) -> NDArray[Any]:
        return column if column.ndim == 1 else np.broadcast_to(column, (len(column), width))

    return Batteries(
        *(np.concatenate([wide(a), wide(b)]) for a, b in zip(first, second, strict=True))
    )


def rows_of(units: Batteries, rows: Index) -> Batteries:
    """The batteries in ``rows``."""
    return Batteries(*(column[rows] for column in units))  # type: ignore[arg-type]


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
        hubs.standby_kw,
    )
