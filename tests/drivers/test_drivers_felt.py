"""What drivers feel, list by list and group by group; charging at once, slot by slot."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import fleet_of, mixed_fleet
from hubwise.domain import Horizon, SlotBounds, Tariff, Term, Terms
from hubwise.drivers import (
    batteries_of,
    best_response,
    felt_prices,
    felt_tariff,
    uncoordinated,
)

seeds = st.integers(0, 2**32 - 1)
SLOTS, SIZE, LISTS = 10, 12, 4
HORIZON = Horizon(datetime(2025, 5, 14, tzinfo=UTC), SLOTS, 30)


def drawn(seed: int):
    """Drivers on lists and in groups drawn at will, and what each list and group is worth."""
    rng = np.random.default_rng(seed)
    fleet = mixed_fleet(rng, SIZE, 2, SLOTS).offered(rng.integers(0, LISTS, SIZE))
    fleet = replace(fleet, group=rng.integers(0, 3, SIZE))
    charge = rng.uniform(0.2, 1.0, (LISTS, SLOTS))
    worth = rng.uniform(0.0, 0.05, (2, 3, SLOTS))
    only = seed % 3
    term = Term.of(
        "club", 3, SLOTS,
        charge_to_driver=worth[0] * (only != 1), discharge_to_driver=worth[1] * (only != 0),
        charge_to_operator=worth[1],
    )  # fmt: skip
    return fleet, Tariff(charge, 0.5 * charge), Terms((term,)), term


@given(seeds)
def test_everybody_feels_its_list_and_its_group(seed: int) -> None:
    """The posted price less what charging brings, and with what discharging brings."""
    fleet, tariff, terms, term = drawn(seed)
    batteries, *felt = felt_prices(batteries_of(fleet, HORIZON), tariff, terms.sums(SLOTS))
    offered, other = felt_tariff(fleet, tariff, terms.sums(SLOTS))
    for i in range(SIZE):
        row, group = fleet.lists[i], fleet.group[i]
        charge = tariff.charge_price[row] - term.charge_to_driver[group]
        discharge = tariff.discharge_price[row] + term.discharge_to_driver[group]
        for array, k, expected in (
            (felt[0], batteries.price_list[i], charge),
            (felt[1], batteries.price_list[i], discharge),
            (other.charge_price, offered.lists[i], charge),
            (other.discharge_price, offered.lists[i], discharge),
        ):
            np.testing.assert_array_equal(array[k], expected)


def test_what_only_the_operator_receives_nobody_feels() -> None:
    """Posted prices and lists stay as they are."""
    fleet, tariff, _, _ = drawn(2)
    term = Term.of("grant", 1, SLOTS, charge_to_operator=0.1, lump_to_driver=1.0)
    batteries = batteries_of(fleet, HORIZON)
    found = felt_prices(batteries, tariff, Terms((term,)).sums(SLOTS))
    assert found[0] is batteries
    assert felt_tariff(fleet, tariff, Terms((term,)).sums(SLOTS)) == (fleet, tariff)
    assert found[1] is tariff.charge_price
    assert found[2] is tariff.discharge_price


@pytest.mark.parametrize("lists", [[0, 4], [-1, 3], [4, -1]])
def test_lists_that_are_not_there_are_refused(lists: list[int]) -> None:
    """By number, before compiled code reads past the end; the last list is there."""
    tariff, fleet = Tariff(*np.ones((2, LISTS, SLOTS))), fleet_of(2, SLOTS)
    best_response(fleet.offered(np.array([0, 3])), tariff, HORIZON)
    best_response(fleet.select(np.zeros(2, bool)), tariff, HORIZON)
    wrong = max(lists) if max(lists) >= LISTS else min(lists)
    with pytest.raises(ValueError, match=f"price list {wrong}, .* holds lists 0 to 3"):
        best_response(fleet.offered(np.array(lists)), tariff, HORIZON)
    with pytest.raises(ValueError, match="price list"):
        felt_tariff(fleet.offered(np.array(lists)), tariff, Terms().sums(SLOTS))
    batteries = batteries_of(fleet.offered(np.array(lists)), HORIZON)
    with pytest.raises(ValueError, match="price list"):
        felt_prices(batteries, tariff, Terms().sums(SLOTS))


@given(seeds, st.booleans())
@settings(max_examples=50)
def test_charging_at_once_begins_at_once(seed: int, bounded: bool) -> None:
    """Full power from the first slot on, up to what is needed, and nothing afterwards."""
    rng = np.random.default_rng(seed)
    fleet = mixed_fleet(rng, SIZE, 2, SLOTS)
    full = np.full((SIZE, SLOTS), np.inf)
    if bounded:
        most = fleet.charge_kw_max[:, None] * rng.uniform(0.0, 1.0, (SIZE, SLOTS))
        full = most.copy()
        fleet = replace(fleet, bounds=SlotBounds(most, 0.0 * most, most - 1e9, most + 1e9))
    schedule = uncoordinated(fleet, HORIZON)
    for i in range(SIZE):
        energy, target = fleet.arrival_kwh[i], max(fleet.required_kwh[i], fleet.reserve_kwh[i])
        for t in range(SLOTS):
            here = fleet.arrival_slot[i] <= t < fleet.departure_slot[i]
            power = min(fleet.charge_kw_max[i], full[i, t]) if here else 0.0
            gain = min(0.5 * fleet.charge_efficiency[i] * power, max(target - energy, 0.0))
            energy += gain
            assert schedule.energy_kwh[i, t] == pytest.approx(energy)
            drawn_kw = gain / (0.5 * fleet.charge_efficiency[i])
            assert schedule.charge_kw[i, t] == pytest.approx(drawn_kw, abs=1e-9)
    assert not schedule.discharge_kw.any()


def test_all_cores_answer_as_one() -> None:
    """More sessions than a core takes at a time: the same schedules and costs, to the bit."""
    rng = np.random.default_rng(4)
    fleet = mixed_fleet(rng, 71, 2, SLOTS)
    charge = np.round(rng.uniform(0.1, 1.0, (2, SLOTS)), 1)
    tariff = Tariff(charge, 0.6 * charge)
    one, many = (best_response(fleet, tariff, HORIZON, parallel=each) for each in (False, True))
    for name in ("charge_kw", "discharge_kw", "energy_kwh"):
        np.testing.assert_array_equal(getattr(one[0], name), getattr(many[0], name))
    np.testing.assert_array_equal(one[1], many[1])


def test_batteries_say_what_sessions_are() -> None:
    """Powers become energies inside the battery; they answer to posted prices, in one future."""
    fleet = fleet_of(
        2, SLOTS, charge_efficiency=0.9, discharge_efficiency=0.8, discharge_kw_max=4.0,
        required_kwh=np.array([30.0, 99.0]), reserve_kwh=np.array([35.0, 10.0]),
        arrival_kwh=np.array([20.0, 58.0]),
    )  # fmt: skip
    made = batteries_of(fleet, HORIZON)
    np.testing.assert_allclose(made.up, [[3.15], [3.15]])
    np.testing.assert_allclose(made.down, [[2.5], [2.5]])
    np.testing.assert_allclose(made.most, [[57.0], [58.0]])
    np.testing.assert_allclose(made.target, [35.0, 58.0])
    assert made.first_future.tolist() == [0, 0]
    assert made.last_future.tolist() == [1, 1]
    assert made.own.tolist() == made.weight.tolist() == [1.0, 1.0]


def test_a_reserve_is_reached_at_once_whoever_came_before() -> None:
    """At one price all day a car still charges to its reserve first; nothing is left of others."""
    fleet = fleet_of(
        2, SLOTS, arrival_kwh=np.array([30.0, 28.0]), reserve_kwh=30.0,
        required_kwh=np.array([30.0, 40.0]), charge_efficiency=1.0, hub=np.array([0, 1]),
    )  # fmt: skip
    charge = np.stack([np.linspace(0.2, 0.9, SLOTS), np.full(SLOTS, 0.5)])
    schedule, _ = best_response(fleet, Tariff(charge, 0.0 * charge), HORIZON)
    assert (schedule.energy_kwh >= 30.0 - 1e-9).all()
    assert schedule.energy_kwh[1, 0] == pytest.approx(30.0)
    assert schedule.energy_kwh[1, -1] == pytest.approx(40.0)
