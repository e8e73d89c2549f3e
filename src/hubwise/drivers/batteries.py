"""A fleet as the kernels see it: one record of batteries."""

from __future__ import annotations

import numpy as np

from hubwise.domain import Fleet, Horizon
from hubwise.domain.arrays import Array
from hubwise.drivers import kernel
from hubwise.drivers.kernel import Batteries


def batteries_of(fleet: Fleet, horizon: Horizon) -> Batteries:
    """The batteries of a fleet, answering to posted prices; see `Batteries`."""
    charge_kw, discharge_kw, least, most = _bounds(fleet, horizon.slots)
    hours, size = horizon.slot_hours, len(fleet)
    up = fleet.charge_efficiency[:, None] * charge_kw * hours
    down = discharge_kw * hours / fleet.discharge_efficiency[:, None]
    zeros, ones = np.zeros(size, np.int64), np.ones(size, np.int64)
    made = Batteries(
        hub=fleet.hub,
        spot=fleet.spots,
        price_list=fleet.lists,
        group=fleet.groups,
        arrival=fleet.arrival_slot,
        departure=fleet.departure_slot,
        first_future=zeros,
        last_future=ones,
        up=up,
        down=down,
        least=least,
        most=most,
        charge_kw=charge_kw,
        discharge_kw=discharge_kw,
        start=fleet.arrival_kwh,
        target=np.maximum(fleet.required_kwh, fleet.reserve_kwh),
        charge_eff=fleet.charge_efficiency,
        discharge_eff=fleet.discharge_efficiency,
        wear=fleet.wear_cost,
        surplus=fleet.surplus_value,
        limit=fleet.discharge_limit_kwh,
        own=np.ones(size),
        weight=np.ones(size),
    )
    return made._replace(target=np.minimum(made.target, _reachable(fleet, made)))


def least_at_departure(fleet: Fleet, horizon: Horizon) -> Array:
    """Least energy at departure; shape (sessions,) [kWh].

    The required energy (or the reserve, where that is more), or all that the stay allows.
    """
    return batteries_of(fleet, horizon).target


def _bounds(fleet: Fleet, slots: int) -> tuple[Array, Array, Array, Array]:
    """Most power each way, least and most energy; (sessions, w), w = 1 where nothing changes.

    In a slot that a stay uses in part, powers are its share of what they are.
    """
    charge, discharge = fleet.charge_kw_max[:, None], fleet.discharge_kw_max[:, None]
    least = fleet.reserve_kwh[:, None]
    # A vehicle that arrives fuller than its maximum may stay so.
    most = np.maximum(fleet.max_kwh, fleet.arrival_kwh)[:, None]
    told = fleet.bounds
    if told is not None:
        charge = np.minimum(charge, told.charge_kw)
        discharge = np.minimum(discharge, told.discharge_kw)
        least, most = np.maximum(least, told.least_kwh), np.minimum(most, told.most_kwh)
    if not fleet.inside_slots:
        return charge, discharge, least, most
    share = fleet.presence(slots)
    nothing = np.zeros_like(share)
    return charge * share, discharge * share, least + nothing, most + nothing


def _reachable(fleet: Fleet, batteries: Batteries) -> Array:
    """Most energy that can be in the battery at departure; shape (sessions,) [kWh]."""
    if batteries.up.shape[1] == 1 and (fleet.arrival_kwh <= batteries.most[:, 0]).all():
        stay = fleet.departure_slot - fleet.arrival_slot
        full: Array = fleet.arrival_kwh + batteries.up[:, 0] * stay
        return np.minimum(batteries.most[:, 0], full)
    reached = np.empty(len(fleet))
    kernel.most_at_departure(batteries, reached)
    return reached
