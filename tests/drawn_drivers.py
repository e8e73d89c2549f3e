"""Random sessions of every kind, and prices with ties, for the driver's problem."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from builders import fleet_of, with_slot_bounds
from hubwise.domain import Fleet, Horizon, Tariff


def random_fleet(rng: np.random.Generator, size: int, slots: int) -> Fleet:
    """Sessions of every kind: one-way, below reserve, unreachable target, overfull, limited."""
    arrival = rng.integers(0, slots, size)
    departure = rng.integers(arrival + 1, slots + 1)
    capacity = rng.uniform(10.0, 80.0, size)
    share = rng.uniform(0.0, 1.0, (4, size))
    return fleet_of(
        size,
        slots,
        hub=rng.integers(0, 2, size),
        arrival_slot=arrival,
        departure_slot=departure,
        capacity_kwh=capacity,
        arrival_kwh=capacity * share[0],
        required_kwh=capacity * share[1],
        reserve_kwh=capacity * 0.5 * share[2],
        max_kwh=capacity * (0.5 + 0.5 * share[3]),
        charge_kw_max=rng.uniform(1.0, 22.0, size),
        discharge_kw_max=rng.choice([0.0, 7.0, 11.0], size),
        charge_efficiency=rng.uniform(0.8, 1.0, size),
        discharge_efficiency=rng.uniform(0.8, 1.0, size),
        wear_cost=rng.uniform(0.0, 0.4, size),
        discharge_limit_kwh=rng.choice([np.inf, 0.0, 5.0, 12.0], size),
        surplus_value=rng.choice([0.0, 0.3], size),
    )


def random_tariff(rng: np.random.Generator, slots: int, levels: int) -> Tariff:
    """Prices with ties (few levels), negative ones among them, and no same-slot arbitrage."""
    charge = rng.choice(rng.uniform(-0.2, 1.2, levels), (2, slots))
    wanted = rng.choice(rng.uniform(0.0, 1.5, levels), (2, slots))
    return Tariff(charge, np.minimum(wanted, np.where(charge > 0, charge, charge / 0.64)))


def make(
    seed: int, size: int, slots: int, levels: int, *, changing: bool = False
) -> tuple[Fleet, Tariff, Horizon]:
    """Sessions, prices and slots; with bounds that change, and lists that others accepted."""
    rng = np.random.default_rng(seed)
    horizon = Horizon(datetime(2024, 1, 1, tzinfo=UTC), slots, 15)
    fleet, tariff = random_fleet(rng, size, slots), random_tariff(rng, slots, levels)
    if changing:
        fleet = with_slot_bounds(fleet, slots, rng).offered(rng.integers(0, 2, size))
        fleet = replace(fleet, discharge_limit_kwh=np.full(size, np.inf))
    return fleet, tariff, horizon
