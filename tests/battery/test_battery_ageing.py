"""What schedules do to batteries: limits in which the answer is known, and properties."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.battery import MODELS, battery_stress, days_soc, fleet_ageing, leaving_range, repeat
from hubwise.domain import CELLS, BatteryFacts, Schedule
from hubwise.drivers import batteries_of, schedule_of, uncoordinated

FACTS = BatteryFacts(pack_price=(("LFP", 600.0), ("NMC", 900.0)))
HOURS = np.arange(25.0)


def lost_in_ten_years(cell, soc, celsius):
    day = battery_stress(np.asarray(soc, float)[None], np.array([float(celsius)]), HOURS)
    return repeat(MODELS[cell], day, np.array([3650.0]))


def cycling(depth):
    return 0.9 - depth * np.interp(HOURS, [0, 8, 16, 24], [0, 1, 0, 0])


@pytest.mark.parametrize("cell", MODELS)
def test_a_battery_at_rest_ages_by_the_calendar_only(cell):
    """Zero use leaves calendar ageing, which is not zero."""
    lost = lost_in_ten_years(cell, np.full(25, 0.6), 25.0)
    assert lost.calendar[0] > 0
    assert lost.cycles[0] == lost.electrode[0] == 0.0
    assert lost.capacity[0] == lost.calendar[0]


@pytest.mark.parametrize("cell", MODELS)
def test_heat_ages_a_battery_at_rest(cell):
    """Within the tested range, a warmer battery at rest loses more."""
    low, high = CELLS[cell].range.temperature_c
    lost = [
        lost_in_ten_years(cell, np.full(25, 0.6), t).capacity[0] for t in np.linspace(low, high, 5)
    ]
    assert (np.diff(lost) > 0).all()


@pytest.mark.parametrize("cell", MODELS)
def test_more_throughput_takes_more(cell):
    """At the same depth and states of charge, more cycles a day take more by cycling."""
    once = lost_in_ten_years(cell, cycling(0.6), 25.0)
    days = battery_stress(cycling(0.6)[None], np.array([25.0]), HOURS / 2)
    twice = repeat(MODELS[cell], days, np.array([3650.0]))
    assert twice.cycles[0] > once.cycles[0]


@pytest.mark.parametrize("cell", [cell for cell in MODELS if cell != "LMO-66Ah"])
def test_a_fuller_battery_ages_faster_at_rest(cell):
    """Resting full costs more than resting half empty."""
    full, half = (lost_in_ten_years(cell, np.full(25, s), 25.0).capacity[0] for s in (0.95, 0.4))
    assert full > half


@given(cell=st.sampled_from(list(MODELS)), depth=st.floats(0, 0.8), celsius=st.floats(15, 35))
@settings(max_examples=60, deadline=None)
def test_loss_grows_with_time(cell, depth, celsius):
    """Capacity never comes back."""
    day = battery_stress(cycling(depth)[None], np.array([celsius]), HOURS)
    lost = [repeat(MODELS[cell], day, np.array([days])).capacity[0] for days in (0, 30, 300, 3000)]
    assert lost[0] == 0.0
    assert (np.diff(lost) > 0).all()


def test_who_draws_nothing_has_no_wear(toy):
    """Charging alone is driving's: no cycles, no fade and no wear of V2G, and a price unchanged."""
    fleet, horizon = toy
    found = fleet_ageing(fleet, uncoordinated(fleet, horizon), horizon, FACTS)
    assert not found.equivalent_full_cycles_v2g.any()
    assert not found.fade_v2g.any()
    assert not found.wear_nonlinear.any()
    before = np.full(len(fleet), 0.123)
    np.testing.assert_array_equal(found.wear_price(before), before)


def test_the_day_closes(toy):
    """A day ends as full as it began: what driving draws, and charging brings, add up."""
    fleet, horizon = toy
    soc = days_soc(fleet, uncoordinated(fleet, horizon).energy_kwh, horizon)
    np.testing.assert_allclose(soc[:, 0], soc[:, -1])
    np.testing.assert_allclose(soc[:, 0], fleet.arrival_kwh / fleet.capacity_kwh)


def test_cycles_of_the_grid_are_what_was_drawn(toy):
    """V2G's full cycles are the energy drawn by the capacity, when all is put back."""
    fleet, horizon = toy
    found = fleet_ageing(fleet, two_way(fleet, horizon), horizon, FACTS)
    due = found.drawn_kwh / fleet.capacity_kwh
    assert (due > 0.05).all()
    np.testing.assert_allclose(found.equivalent_full_cycles_v2g, due)


def test_a_full_pack_price_is_the_worth_of_its_life(toy):
    """Wear is the pack's price by the share of its useful fade; half the price, half the wear."""
    fleet, horizon = toy
    schedule = two_way(fleet, horizon)
    found = fleet_ageing(fleet, schedule, horizon, FACTS)
    price = np.where(fleet.chemistry == "LFP", 600.0, 900.0)
    due = found.fade_v2g / 0.2 * price * fleet.capacity_kwh
    np.testing.assert_allclose(found.wear_nonlinear, due)
    np.testing.assert_allclose(found.wear_price(due) * found.drawn_kwh, found.wear_nonlinear)


def test_an_aged_battery_starts_where_it_stands(toy):
    """A battery that has lost most of what time takes fades more slowly than a new one."""
    fleet, horizon = toy
    old = fleet.with_drivers(age_years=np.full(len(fleet), 8.0))
    schedule = uncoordinated(fleet, horizon)
    young_fade = fleet_ageing(fleet, schedule, horizon, FACTS).fade_driving
    assert (fleet_ageing(old, schedule, horizon, FACTS).fade_driving < young_fade).all()


def test_leaving_the_range_is_said(toy):
    """Forty-nine degrees are outside the tests of both cells; sentences say so, with numbers."""
    fleet, horizon = toy
    hot = replace(fleet, temperature_c=np.full(len(fleet), 49.0))
    schedule = uncoordinated(fleet, horizon)
    said = [s for s in leaving_range(hot, schedule, horizon, FACTS) if "temperature" in s]
    assert [s.split()[3] for s in said] == ["LFP-250Ah", "NMC-75Ah"]
    assert all("10-45 °C" in s and "49" in s and "extrapolated" in s for s in said)
    mild = leaving_range(fleet, schedule, horizon, FACTS)
    assert not [s for s in mild if "temperature" in s]


def two_way(fleet, horizon) -> Schedule:
    """Draw half of what is there at arrival, rest, and charge it back and more before leaving."""
    change = np.zeros((len(fleet), horizon.slots))
    for i, (a, d) in enumerate(zip(fleet.arrival_slot, fleet.departure_slot, strict=True)):
        change[i, a : a + 18] = -0.02 * fleet.arrival_kwh[i]
        change[i, d - 40 : d] = (fleet.required_kwh - 0.64 * fleet.arrival_kwh)[i] / 40
    return schedule_of(batteries_of(fleet, horizon), change, horizon)
