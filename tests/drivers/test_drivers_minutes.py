"""Stays that begin and end inside slots: minutes count, no more and no less than there are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import fleet_of
from hubwise.audit.stays import charging_at_once_kwh, target_kwh
from hubwise.audit.stays import limits_of as audited_limits
from hubwise.domain import Fleet, Horizon, SlotBounds, Tariff
from hubwise.drivers import best_response, least_at_departure, schedule_cost, uncoordinated

seeds = st.integers(0, 2**32 - 1)
FINE = 3  # 5-minute slots in one of 15


def made(seed: int, *, size: int = 12, slots: int = 16) -> tuple[Fleet, Fleet, Horizon, Horizon]:
    """Stays on five-minute stamps, on slots of 15 minutes and of 5; all kinds of drivers."""
    rng = np.random.default_rng(seed)
    begins = rng.integers(0, FINE * slots - 1, size)
    ends = np.array([rng.integers(b + 1, min(b + 1 + 30, FINE * slots) + 1) for b in begins])
    capacity = rng.choice([20.0, 40.0], size)
    share = rng.uniform(0.0, 1.0, (4, size))
    columns = {
        "capacity_kwh": capacity,
        "arrival_kwh": capacity * share[0],
        "required_kwh": capacity * share[1],
        "reserve_kwh": capacity * 0.4 * share[2],
        "max_kwh": capacity * (0.5 + 0.5 * share[3]),
        "charge_kw_max": rng.uniform(3.0, 22.0, size),
        "discharge_kw_max": rng.choice([0.0, 7.0, 11.0], size),
        "wear_cost": rng.uniform(0.0, 0.2, size),
        "discharge_limit_kwh": rng.choice([np.inf, 2.0], size),
        "surplus_value": rng.choice([0.0, 0.3], size),
    }
    fine = fleet_of(size, FINE * slots, **columns).staying(begins, ends)
    coarse = fleet_of(size, slots, **columns).staying(begins / FINE, ends / FINE)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    return coarse, fine, Horizon(start, slots, 15), Horizon(start, FINE * slots, 5)


def tariff_of(seed: int, slots: int) -> Tariff:
    """Prices with ties and negative ones, and no same-slot arbitrage."""
    rng = np.random.default_rng(seed)
    charge = rng.choice(rng.uniform(-0.1, 1.0, 4), (1, slots))
    wanted = rng.choice(rng.uniform(0.0, 1.2, 4), (1, slots))
    return Tariff(charge, np.minimum(wanted, np.where(charge > 0, charge, charge / 0.64)))


@given(seeds)
def test_finer_slots_cost_the_same(seed) -> None:
    """The best response on slots that stamps lie inside costs what it costs on slots that fit."""
    coarse, fine, slots, finer = made(seed)
    tariff = tariff_of(seed, slots.slots)
    cut = Tariff(
        *(np.repeat(p, FINE, axis=1) for p in (tariff.charge_price, tariff.discharge_price))
    )
    schedule, cost = best_response(coarse, tariff, slots)
    _, exact = best_response(fine, cut, finer)
    assert cost == pytest.approx(exact, abs=1e-9)
    assert schedule_cost(coarse, tariff, schedule, slots) == pytest.approx(cost, abs=1e-9)
    most = coarse.presence(slots.slots)
    assert (schedule.charge_kw <= most * coarse.charge_kw_max[:, None] + 1e-9).all()
    assert (schedule.discharge_kw <= most * coarse.discharge_kw_max[:, None] + 1e-9).all()


@given(seeds)
def test_charging_at_once_uses_every_minute(seed) -> None:
    """Charging at once holds the same at every slot's end on coarse slots as on finer ones."""
    coarse, fine, slots, finer = made(seed)
    energy = uncoordinated(coarse, slots).energy_kwh
    there = np.arange(slots.slots) < coarse.departure_slot[:, None] - 1
    found = uncoordinated(fine, finer).energy_kwh[:, FINE - 1 :: FINE]
    assert energy[there] == pytest.approx(found[there], abs=1e-9)
    assert energy[:, -1] == pytest.approx(found[:, -1], abs=1e-9)
    assert least_at_departure(coarse, slots) == pytest.approx(least_at_departure(fine, finer))
    # The audit's own words for the same.
    assert charging_at_once_kwh(coarse, slots) == pytest.approx(energy, abs=1e-9)
    assert target_kwh(coarse, slots) == pytest.approx(least_at_departure(coarse, slots))


@pytest.mark.parametrize(("begins", "ends"), [(5.2, 5.9), (5.2, 6.4), (5.0, 5.5), (4.7, 9.1)])
def test_a_stay_gets_its_minutes(begins, ends) -> None:
    """Where more is wanted than can be had, a stay brings its minutes at full power, in no slot
    more than those in it."""
    horizon = Horizon(datetime(2024, 1, 1, tzinfo=UTC), 12, 15)
    fleet = fleet_of(1, 12, charge_kw_max=np.array([12.0]), required_kwh=np.array([60.0]))
    fleet = fleet.staying(np.array([begins]), np.array([ends]))
    brought = 0.25 * 12.0 * (ends - begins)
    put_in = uncoordinated(fleet, horizon).charge_kw
    assert 0.25 * put_in.sum() == pytest.approx(brought)
    assert put_in[0, int(begins)] == pytest.approx(
        12.0 * (min(ends, int(begins) + 1) - begins), abs=1e-9
    )
    assert audited_limits(fleet, horizon).charge_kw == pytest.approx(put_in)


def test_dimming_counts_while_the_car_is_there() -> None:
    """A bound on power holds while the car is there: in half a slot half as much can flow."""
    horizon = Horizon(datetime(2024, 1, 1, tzinfo=UTC), 4, 15)
    fleet = fleet_of(1, 4, charge_kw_max=np.array([12.0]), required_kwh=np.array([60.0]))
    fleet = fleet.staying(np.array([0.5]), np.array([2.0]))
    free = np.full((1, 4), np.inf)
    dimmed = replace(fleet, bounds=SlotBounds(np.full((1, 4), 4.0), free, -free, free))
    assert uncoordinated(dimmed, horizon).charge_kw[0] == pytest.approx([2.0, 4.0, 0.0, 0.0])
    assert audited_limits(dimmed, horizon).charge_kw[0] == pytest.approx([2.0, 4.0, 0.0, 0.0])
    # What a fuse leaves for charging at once is a mean over the slot already.
    fused = replace(fleet, at_once_kw=np.array([[1.5, 3.0, np.inf, np.inf]]))
    assert uncoordinated(fused, horizon).charge_kw[0] == pytest.approx([1.5, 3.0, 0.0, 0.0])
