"""Energy left in batteries: against the uncoordinated day, at a stated price, and once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwise.domain import Schedule, StationSchedule
from hubwise.ledger import energy_left

seeds = st.integers(0, 2**32 - 1)


def drawn(small_situation, seed: int):
    """A situation some of whose drivers take part, and ends of batteries drawn at will."""
    rng = np.random.default_rng(seed)
    situation = small_situation(seed, sessions=5)
    fleet = situation.fleet.with_participating(rng.random(5) < 0.6)
    market = replace(
        situation.market, energy_left_price=float(rng.uniform(0.0, 2.0)) if seed % 2 else None
    )
    slots, hubs = situation.horizon.slots, len(situation.hubs)
    ends = (rng.uniform(0.0, 60.0, (5, slots)) for _ in range(2))
    planned, before = (Schedule(np.zeros((5, slots)), np.zeros((5, slots)), end) for end in ends)
    idle = np.zeros((hubs, slots))
    stations = StationSchedule(idle, idle, rng.uniform(0.0, 20.0, (hubs, slots)), idle)
    return replace(situation, fleet=fleet, market=market), planned, before, stations


@given(seeds)
def test_it_is_what_buying_it_costs(small_situation, seed) -> None:
    """Car by car and station by station: what is bought, losses of charging and all."""
    situation, planned, before, stations = drawn(small_situation, seed)
    fleet, hubs, market = situation.fleet, situation.hubs, situation.market
    found = energy_left(situation, planned, before, stations)
    price = market.energy_left_price
    car = min(market.reference_price) if price is None else price
    station = min(market.purchase_price) if price is None else price
    kwh = value = stored = worth = 0.0
    for i in range(len(fleet)):
        if fleet.participating[i]:
            more = planned.energy_kwh[i, -1] - before.energy_kwh[i, -1]
            kwh, value = kwh + more, value + car * more / fleet.charge_efficiency[i]
    for h in range(len(hubs)):
        more = stations.energy_kwh[h, -1] - hubs.battery_initial_kwh[h]
        stored, worth = stored + more, worth + station * more / hubs.battery_charge_efficiency[h]
    assert (found.kwh, found.value) == pytest.approx((kwh, value))
    assert (found.station_kwh, found.station_value) == pytest.approx((stored, worth))


@given(seeds)
def test_what_the_account_counts_is_not_counted_twice(small_situation, seed) -> None:
    """A station whose energy has a worth at the end is in the account's stock already."""
    situation, planned, before, stations = drawn(small_situation, seed)
    worth = np.array([0.0, 0.3])
    hubs = replace(situation.hubs, battery_end_value=worth)
    found = energy_left(replace(situation, hubs=hubs), planned, before, stations)
    first = stations.energy_kwh[0, -1] - hubs.battery_initial_kwh[0]
    price = situation.market.energy_left[1]
    assert found.station_value == pytest.approx(price * first / hubs.battery_charge_efficiency[0])


def test_negative_prices_make_nothing_of_it(small_situation) -> None:
    """Where the lowest price is below nothing, energy left is worth nothing, and no cost."""
    market = small_situation(1).market
    low = replace(market, reference_price=market.reference_price - 9.0)
    assert low.energy_left[0] == 0.0
    assert market.energy_left == (min(market.reference_price), min(market.purchase_price))
    assert replace(low, energy_left_price=0.5).energy_left == (0.5, 0.5)
