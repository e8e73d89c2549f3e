"""What a schedule does to the fleet's batteries, and what a kWh drawn therefore costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hubwise.battery.cells import MODELS, Model
from hubwise.battery.day import days_soc, drawn_kwh, without_discharging
from hubwise.battery.life import Lost, new, repeat
from hubwise.battery.stress import battery_stress
from hubwise.domain import BatteryFacts, Fleet, Horizon, Schedule
from hubwise.domain.arrays import Array, Index, Names

DAYS_A_YEAR = 365.0
# Less than this drawn is rounding, not use [kWh].
CRUMB_KWH = 1e-6
# Sessions that are looked at together: memory stays small however large the fleet.
BATCH = 4096


@dataclass(frozen=True, slots=True)
class Ageing:
    """What the planned day does to every battery; columns of shape (sessions,).

    The day is repeated for the years of `BatteryFacts`, and everything is an average day of those.

    Parameters
    ----------
    session, driver, chemistry, temperature_c
        Of the fleet.
    equivalent_full_cycles_driving
        Throughput of the day, in full cycles, had the battery not been discharged to the grid.
    equivalent_full_cycles_v2g
        What discharging to the grid adds to it.
    fade_driving
        Capacity lost in the day, calendar and driving, had the battery not been discharged to the
        grid, as a share of the capacity when new.
    fade_v2g
        What discharging to the grid adds to it; below zero where resting less full saves more
        than the cycles take.
    drawn_kwh
        Energy drawn from the battery for the grid [kWh].
    wear_nonlinear
        Worth of ``fade_v2g`` [currency]; NaN where no pack price is known.
    warranty_used
        Energy drawn in the battery's life, this day's included, as a share of what the warranty
        covers.
    """

    session: Names
    driver: Names
    chemistry: Names
    temperature_c: Array
    equivalent_full_cycles_driving: Array
    equivalent_full_cycles_v2g: Array
    fade_driving: Array
    fade_v2g: Array
    drawn_kwh: Array
    wear_nonlinear: Array
    warranty_used: Array

    def wear_price(self, before: Array) -> Array:
        """What a kWh drawn costs in capacity; shape (sessions,) [currency/kWh].

        Parameters
        ----------
        before
            Price that sessions keep which draw nothing: no use, no evidence.
        """
        used = self.drawn_kwh > CRUMB_KWH
        price: Array = np.divide(self.wear_nonlinear, self.drawn_kwh, before.copy(), where=used)
        return price


def fleet_ageing(fleet: Fleet, schedule: Schedule, horizon: Horizon, facts: BatteryFacts) -> Ageing:
    """What a schedule does to the fleet's batteries.

    Parameters
    ----------
    fleet, horizon
        Who is scheduled, and when.
    schedule
        What every session does.
    facts
        Which cells, at which price, for how long.

    Raises
    ------
    KeyError
        A chemistry has no cell; the scenario's door refuses those.
    """
    size, days = len(fleet), horizon.slots * horizon.slot_hours / 24.0
    cycles, fade = np.zeros((2, size)), np.zeros((2, size))
    for model, rows in cells_of(fleet, facts):
        own = fleet.select(rows)
        stays = schedule.select(rows)
        cycles[:, rows], fade[:, rows] = _fade(model, own, stays, horizon, facts.years)
    drawn = drawn_kwh(fleet, schedule, horizon)
    extra = np.where(drawn > CRUMB_KWH, fade[1] - fade[0], 0.0)
    driven = fleet.driving_kwh_per_day * days
    return Ageing(
        session=fleet.session,
        driver=fleet.driver_name,
        chemistry=fleet.chemistry,
        temperature_c=fleet.temperature_c,
        equivalent_full_cycles_driving=cycles[0],
        equivalent_full_cycles_v2g=cycles[1] - cycles[0],
        fade_driving=fade[0],
        fade_v2g=extra,
        drawn_kwh=drawn,
        wear_nonlinear=extra * worth_of_capacity(fleet, facts),
        warranty_used=(fleet.throughput_kwh + driven + drawn) / fleet.warranty_kwh,
    )


def worth_of_capacity(fleet: Fleet, facts: BatteryFacts) -> Array:
    """What losing all capacity would cost at the rate of losing some; shape (sessions,) [currency].

    A pack loses its worth over the capacity from new to its end of life.
    """
    prices = dict(facts.pack_price)
    price = np.array([prices.get(str(name), np.nan) for name in fleet.chemistry])
    worth: Array = price * fleet.capacity_kwh / (1.0 - facts.end_of_life)
    return worth


def cells_of(fleet: Fleet, facts: BatteryFacts) -> Iterator[tuple[Model, Index]]:
    """The model of every chemistry in the fleet, and the sessions that have it, in batches."""
    cells = dict(facts.cells)
    for chemistry in np.unique(fleet.chemistry):
        rows = np.flatnonzero(fleet.chemistry == chemistry)
        for begin in range(0, len(rows), BATCH):
            yield MODELS[cells[str(chemistry)]], rows[begin : begin + BATCH]


def _fade(
    model: Model, fleet: Fleet, schedule: Schedule, horizon: Horizon, years: float
) -> tuple[Array, Array]:
    """Full cycles and fade of the horizon, without and with discharging; shapes (2, sessions)."""
    hours = np.linspace(0.0, horizon.slots * horizon.slot_hours, horizon.slots + 1)
    span = horizon.slots * horizon.slot_hours / 24.0 / (years * DAYS_A_YEAR)

    def lives(own: Fleet, energy: Array, start: Lost | None) -> tuple[Array, Array, Lost]:
        day = battery_stress(days_soc(own, energy, horizon), own.temperature_c, hours)
        if start is None:
            aged = own.age_years * DAYS_A_YEAR
            start = repeat(model, day, aged) if np.any(aged > 0.0) else new(len(own))
        end = repeat(model, day, np.full(len(own), years * DAYS_A_YEAR), start)
        return day.full_cycles, (end.capacity - start.capacity) * span, start

    cycles, fade, start = lives(fleet, without_discharging(fleet, schedule), None)
    both_cycles, both_fade = np.stack([cycles, cycles]), np.stack([fade, fade])
    used = np.flatnonzero(schedule.discharge_kw.any(axis=1))
    if used.size:
        begun = Lost(start.calendar[used], start.cycles[used], start.electrode[used])
        energy = schedule.energy_kwh[used]
        both_cycles[1, used], both_fade[1, used], _ = lives(fleet.select(used), energy, begun)
    return both_cycles, both_fade
