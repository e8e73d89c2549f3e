"""Synthetic fleets: sessions drawn from the distributions of ``[fleet]``."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from numpy.random import Generator

from hubwise.domain import Fleet, Horizon
from hubwise.domain.arrays import Array, Index, Names
from hubwise.domain.fleets import joined
from hubwise.scenario.clock import wall_hours
from hubwise.scenario.days import days_of
from hubwise.scenario.files import FleetSection

KM_PER_MILE = 1.609344


def draw_fleets(section: FleetSection, hubs: int, horizon: Horizon, rng: Generator) -> Fleet:
    """Draw a fleet for every day of the horizon, one after the other from one generator.

    Of several days, names of sessions and drivers end in the day's date.
    """
    days = days_of(horizon)
    if len(days) == 1:
        return draw_fleet(section, hubs, horizon, rng)
    fleets = []
    for day in days:
        drawn = draw_fleet(section, hubs, horizon.between(day.first, day.last), rng)
        dated = drawn.with_drivers(name=np.char.add(drawn.driver_name, f"-{day.date}"))
        fleets.append(
            replace(
                dated,
                session=np.char.add(drawn.session, f"-{day.date}"),
                arrival_slot=drawn.arrival_slot + day.first,
                departure_slot=drawn.departure_slot + day.first,
            )
        )
    return joined(fleets)


def draw_fleet(section: FleetSection, hubs: int, horizon: Horizon, rng: Generator) -> Fleet:
    """Draw ``section.drivers_per_hub`` sessions for each of ``hubs`` hubs.

    Every attribute is drawn for the whole fleet at once, in the order arrival, departure,
    distance, capacity, chemistry, wear, so that a seed gives one fleet.
    """
    count = hubs * section.drivers_per_hub
    arrival = rng.normal(section.arrival_hour.mean, section.arrival_hour.sd, count)
    departure = rng.normal(section.departure_hour.mean, section.departure_hour.sd, count)
    miles = rng.lognormal(section.distance_miles.log_mean, section.distance_miles.log_sd, count)
    capacity = rng.choice(np.array(section.capacities_kwh), count)
    chemistry, wear = _draw_cells(section, count, rng)

    driven = section.consumption_kwh_per_km * KM_PER_MILE * miles
    reserve = section.reserve_share * capacity
    at_arrival = np.maximum(section.leaving_share * capacity - driven, reserve)
    required = section.required_share * capacity
    first, last = _fit_stays(section, horizon, arrival, departure + 24.0, required - at_arrival)
    return Fleet.of(
        session=_names("s", count),
        driver=_names("d", count),
        hub=np.repeat(np.arange(hubs), section.drivers_per_hub),
        arrival_slot=first,
        departure_slot=last,
        capacity_kwh=capacity,
        arrival_kwh=at_arrival,
        required_kwh=required,
        reserve_kwh=reserve,
        max_kwh=section.max_share * capacity,
        charge_kw_max=np.full(count, section.charge_kw_max),
        discharge_kw_max=np.full(
            count, 0.0 if section.never_discharge else section.discharge_kw_max
        ),
        charge_efficiency=np.full(count, section.charge_efficiency),
        discharge_efficiency=np.full(count, section.discharge_efficiency),
        wear_cost=wear,
        discharge_limit_kwh=np.full(count, section.discharge_limit_kwh),
        surplus_value=np.zeros(count),
        chemistry=chemistry,
        temperature_c=np.full(count, section.temperature_c),
        age_years=np.full(count, section.age_years),
        throughput_kwh=np.full(count, section.throughput_kwh),
        warranty_kwh=np.full(count, section.warranty_kwh),
        driving_kwh_per_day=section.leaving_share * capacity - at_arrival,
        fade_limit_per_year=np.full(count, section.fade_limit_per_year),
        minimum_saving=np.full(count, section.minimum_saving),
        never_discharge=np.full(count, section.never_discharge),
        participating=np.zeros(count, dtype=bool),
    )


@cache
def _names(letter: str, count: int) -> Names:
    """Names of ``count`` sessions or drivers; made once for all draws, and not to be changed."""
    names = np.array([f"{letter}{k:05d}" for k in range(1, count + 1)])
    names.setflags(write=False)
    return names


def _draw_cells(section: FleetSection, count: int, rng: Generator) -> tuple[Names, Array]:
    shares = np.cumsum([cell.share for cell in section.chemistries])
    kind = np.searchsorted(shares[:-1], rng.random(count), side="right")
    low = np.array([cell.wear_cost.low for cell in section.chemistries])[kind]
    high = np.array([cell.wear_cost.high for cell in section.chemistries])[kind]
    names = np.array([cell.name for cell in section.chemistries])
    return names[kind], low + (high - low) * rng.random(count)


def _fit_stays(
    section: FleetSection, horizon: Horizon, arrival: Array, departure: Array, needed_kwh: Array
) -> tuple[Index, Index]:
    """First and last slots of stays that lie on the horizon and are long enough.

    Hours count from midnight of the horizon's first day. Arrivals round up and departures down to
    a slot; a stay too short for ``needed_kwh`` at full power first ends later, then starts earlier.
    """
    per_slot = section.charge_efficiency * section.charge_kw_max * horizon.slot_hours
    slots = np.maximum(np.ceil(needed_kwh / per_slot - 1e-9), 1).astype(np.int64)
    clock = wall_hours(horizon)
    first = np.searchsorted(clock, arrival, side="left").clip(0, horizon.slots - 1)
    last = (np.searchsorted(clock, departure, side="right") - 1).clip(1, horizon.slots)
    last = np.maximum(last, first + slots).clip(1, horizon.slots)
    return np.minimum(first, last - slots).clip(0), last
