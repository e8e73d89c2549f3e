"""The two thresholds of every slot: charge below the one, give back above the other."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from hubwise.domain import Fleet, Horizon, Schedule, Tariff
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.drivers import worth
from hubwise.drivers.batteries import batteries_of
from hubwise.drivers.response import best_response, check_lists


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What energy in the battery is worth, and what follows from it; arrays (sessions, slots).

    The worth of a kWh that is in the battery at the end of a slot is all between two bounds; nan
    outside stays. Every cheapest schedule charges at full power where the price is below
    ``charge_below`` and not at all where it is above, gives back at full power where it is paid
    more than ``give_back_above`` and not at all where it is paid less.

    Parameters
    ----------
    lowest, highest
        Bounds of that worth; infinite where no price of the stay bounds it [currency/kWh].
    spared
        What a kWh less of the driver's discharge limit would cost; shape (sessions,)
        [currency/kWh].
    charge_below, give_back_above
        Prices at the charger; ``inf`` where a car charges whatever it costs [currency/kWh].
    may_charge, may_give_back
        Whether other schedules that are as cheap charge otherwise, or give back otherwise: where
        prices are at a threshold, and the stay leaves a choice.
    """

    lowest: Array
    highest: Array
    spared: Array
    charge_below: Array
    give_back_above: Array
    may_charge: Flags
    may_give_back: Flags


def thresholds_of(
    fleet: Fleet, tariff: Tariff, horizon: Horizon, schedule: Schedule | None = None
) -> Thresholds:
    """The thresholds of every session at prices that its driver feels.

    They do not depend on which of the cheapest schedules is looked at, but for which slots of a
    used up discharge limit are told to be free.

    Parameters
    ----------
    fleet, tariff, horizon
        As for `best_response`.
    schedule
        A cheapest schedule of every session; the best responses where ``None``. Thresholds and
        bounds of who has another one, or none that it may have, are nan.
    """
    check_lists(fleet.lists, tariff)
    if schedule is None:
        schedule, _ = best_response(fleet, tariff, horizon, parallel=False)
    shape = len(fleet), horizon.slots
    change = np.diff(schedule.energy_kwh, axis=1, prepend=fleet.arrival_kwh[:, None])
    lowest, highest = np.full((2, *shape), np.nan)
    spared, turn = np.zeros(len(fleet)), np.zeros(shape, np.int64)
    worth.explain(
        batteries_of(fleet, horizon), tariff.charge_price, tariff.discharge_price, change, lowest,
        highest, spared, turn,
    )  # fmt: skip
    value = _amid(lowest, highest)
    drawn = fleet.wear_cost + spared
    return Thresholds(
        lowest,
        highest,
        spared,
        charge_below=value * fleet.charge_efficiency[:, None],
        give_back_above=(value + drawn[:, None]) / fleet.discharge_efficiency[:, None],
        may_charge=turn & worth.CHARGING > 0,
        may_give_back=turn & worth.DRAWING > 0,
    )


def thresholds_beside(
    fleet: Fleet, tariff: Tariff, horizon: Horizon, schedule: Schedule
) -> Thresholds:
    """The same of every session, whatever its schedule: found from that where it is cheapest."""
    found = thresholds_of(fleet, tariff, horizon, schedule)
    dearer = np.isnan(found.lowest[np.arange(len(fleet)), fleet.arrival_slot])
    if dearer.any():
        others = thresholds_of(fleet.select(dearer), tariff, horizon)
        for each in fields(Thresholds):
            getattr(found, each.name)[dearer] = getattr(others, each.name)
    return found


def contradicted(
    fleet: Fleet, tariff: Tariff, horizon: Horizon, found: Thresholds, schedule: Schedule
) -> Index:
    """Sign of what a schedule does beside its thresholds; shape (sessions, slots).

    1 where it charges too much or gives back too little, -1 where it charges too little or gives
    back too much, by more than `hubwise.drivers.worth.TURN` a slot; 0 where it does as they say.
    """
    batteries, hours = batteries_of(fleet, horizon), horizon.slot_hours
    charge, discharge = tariff.charge_price[fleet.lists], tariff.discharge_price[fleet.lists]
    most = np.broadcast_to(batteries.charge_kw, charge.shape)
    most_back = np.broadcast_to(batteries.discharge_kw, charge.shape)
    small, near = worth.TURN / hours, worth.TIE
    kw, back_kw = schedule.charge_kw, schedule.discharge_kw
    below, above = found.charge_below, found.give_back_above
    more = ((kw > small) & (charge > below + near)) | (
        (back_kw < most_back - small) & (discharge > above + near)
    )
    less = ((kw < most - small) & (charge < below - near)) | (
        (back_kw > small) & (discharge < above - near)
    )
    sign: Index = (more.astype(np.int64) - less) * ~np.isnan(found.lowest)
    return sign


def _amid(lowest: Array, highest: Array) -> Array:
    """A worth that is amid its bounds, so that no price seems to be at it that need not be."""
    with np.errstate(invalid="ignore"):
        middle = 0.5 * (lowest + highest)
    value: Array = np.where(np.isneginf(lowest), highest, middle)
    return value
