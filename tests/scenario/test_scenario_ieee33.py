"""The packaged reference scenario against the figures that it is defined by."""

from __future__ import annotations

from math import erf, exp, sqrt

import numpy as np
import pytest
from numpy.testing import assert_allclose

from hubwise.domain import Scenario
from hubwise.scenario import check, load
from hubwise.scenario.synthetic import KM_PER_MILE


@pytest.fixture(scope="module")
def ieee33() -> Scenario:
    return load("ieee33")


def hour(scenario: Scenario, values: np.ndarray, clock: float) -> float:
    """The value of the slot that starts at an hour of the local clock."""
    return float(values[np.flatnonzero(scenario.situation.horizon.local_hours() == clock)[0]])


def test_nothing_is_wrong_with_it() -> None:
    """What ships can be read."""
    assert check("ieee33") == ()


def test_feeder_is_the_published_one(ieee33: Scenario) -> None:
    """Baran & Wu 1989: 33 buses, 32 closed branches, 12.66 kV, 3,715 kW and 2,300 kvar."""
    feeder = ieee33.situation.feeder
    assert sorted(feeder.bus) == list(range(1, 34))
    assert len(feeder.from_bus) == 32
    assert feeder.nominal_kv == 12.66
    assert_allclose(feeder.base_kw.sum(axis=0).max(), 3715.0)
    assert_allclose(feeder.base_kvar.sum(axis=0).max(), 2300.0)
    assert list(feeder.ampacity_a) == [400.0] * 5 + [200.0] * 27


def test_base_case_is_the_published_one(ieee33: Scenario) -> None:
    """At the published loads a backward-forward sweep finds 202.68 kW and 0.9131 p.u. at bus 18."""
    feeder = ieee33.situation.feeder
    full = int(feeder.base_kw.sum(axis=0).argmax())
    z = (feeder.r_ohm + 1j * feeder.x_ohm) / feeder.nominal_kv**2
    load_mva = (feeder.base_kw + 1j * feeder.base_kvar)[:, full] / 1000.0
    up, down = feeder.from_bus - 1, feeder.to_bus - 1
    voltage = np.ones(33, dtype=complex)
    for _ in range(50):
        current = np.conj(load_mva / voltage)
        for k in np.argsort(-down):  # ends have higher numbers than what feeds them
            current[up[k]] += current[down[k]]
        for k in range(32):
            voltage[down[k]] = voltage[up[k]] - z[k] * current[down[k]]
    losses = float((np.abs(current[down]) ** 2 * z.real).sum() * 1000.0)
    assert losses == pytest.approx(202.68, abs=0.01)
    assert feeder.bus[np.abs(voltage).argmin()] == 18
    assert np.abs(voltage).min() == pytest.approx(0.9131, abs=5e-5)


@pytest.mark.parametrize("clock", [0.0, 7.25, 11.0, 15.0, 19.5, 23.75])
def test_load_follows_the_shape_of_the_design(ieee33: Scenario, clock: float) -> None:
    """Every bus follows one shape of the day, whose largest value is 1."""

    def shape(h: float) -> float:
        evening, noon = exp(-(((h - 19.5) / 2.8) ** 2)), exp(-(((h - 11) / 3.5) ** 2))
        return 0.5 + 0.5 * evening + 0.33 * noon + 0.10 * exp(-(((h - 15) / 3) ** 2))

    largest = max(shape(k / 4) for k in range(96))
    head = ieee33.situation.feeder.base_kw.sum(axis=0)
    assert hour(ieee33, head, clock) == pytest.approx(3715.0 * shape(clock) / largest, rel=1e-12)


@pytest.mark.parametrize(
    ("clock", "purchase"),
    [
        (12.0, 0.869), (14.75, 0.869), (15.0, 0.687), (18.0, 0.869), (20.75, 0.869),
        (21.0, 0.687), (23.0, 0.365), (6.75, 0.365), (7.0, 0.687), (10.0, 0.869), (11.75, 0.869),
    ],
)  # fmt: skip
def test_prices_change_at_the_hours_of_the_design(
    ieee33: Scenario, clock: float, purchase: float
) -> None:
    """Time-of-use prices; feed-in the same; the reference tariff 0.35 above."""
    market = ieee33.situation.market
    assert hour(ieee33, market.purchase_price, clock) == purchase
    assert hour(ieee33, market.feed_in_price, clock) == purchase
    assert hour(ieee33, market.reference_price, clock) == pytest.approx(purchase + 0.35)


def test_incentive_holds_in_the_evening_only(ieee33: Scenario) -> None:
    """0.20 CNY per kWh discharged in 18:00-21:00, nothing otherwise."""
    hours = ieee33.situation.horizon.local_hours()
    expected = np.where((hours >= 18) & (hours < 21), 0.20, 0.0)
    assert_allclose(ieee33.situation.terms.on_discharging(96), expected)


def test_rules_and_promises_are_those_of_the_design(ieee33: Scenario) -> None:
    """Charge price 0.20 to the reference tariff, discharge price 0-1.50, three named blocks."""
    rules = ieee33.situation.rules
    assert set(rules.charge_price_min) == {0.20}
    assert_allclose(rules.charge_price_max, ieee33.situation.market.reference_price)
    assert (set(rules.discharge_price_min), set(rules.discharge_price_max)) == ({0.0}, {1.5})
    assert rules.block_names == ("valley", "flat", "peak")
    of_block = np.array([0.365, 0.687, 0.869])[rules.block]
    assert_allclose(of_block, ieee33.situation.market.purchase_price)
    assert (ieee33.situation.promises.saving, ieee33.situation.promises.peak_valley) == (0.55, 0.68)


def test_six_hubs_have_250_drivers_each(ieee33: Scenario) -> None:
    """1,500 drivers, 250 a hub, at the design's buses; 80 % of them take part."""
    assert list(ieee33.situation.hubs.bus) == [4, 8, 14, 20, 24, 30]
    assert list(np.bincount(ieee33.situation.fleet.hub)) == [250] * 6
    assert ieee33.situation.fleet.participating.sum() == 1200


def test_energies_are_in_order(ieee33: Scenario) -> None:
    """0.20 (reserve) <= arrival <= 0.95 (max) of capacity, and 0.90 is required at departure."""
    fleet = ieee33.situation.fleet
    assert_allclose(fleet.reserve_kwh, 0.20 * fleet.capacity_kwh)
    assert_allclose(fleet.required_kwh, 0.90 * fleet.capacity_kwh)
    assert_allclose(fleet.max_kwh, 0.95 * fleet.capacity_kwh)
    assert np.all(fleet.arrival_kwh >= fleet.reserve_kwh)
    assert np.all(fleet.arrival_kwh <= fleet.max_kwh)


def test_every_stay_is_feasible(ieee33: Scenario) -> None:
    """Every stay lies on the horizon and reaches the required energy at full power."""
    fleet = ieee33.situation.fleet
    assert fleet.arrival_slot.min() >= 0
    assert fleet.departure_slot.max() <= ieee33.situation.horizon.slots
    slots = fleet.departure_slot - fleet.arrival_slot
    reached = fleet.arrival_kwh + slots * 0.25 * fleet.charge_kw_max * fleet.charge_efficiency
    assert np.all(reached >= fleet.required_kwh - 1e-9)


def share_below(draws: np.ndarray, at: float, mean: float, sd: float) -> float:
    """How far the share of draws below a point is from a normal one's, in standard errors."""
    p = 0.5 * (1.0 + erf((at - mean) / (sd * sqrt(2.0))))
    return float((np.mean(draws <= at) - p) / sqrt(p * (1.0 - p) / len(draws)))


def test_arrivals_follow_their_distribution(ieee33: Scenario) -> None:
    """N(17.6, 3.4) h where it is not clipped; 4.5 standard errors of a count of 1,500.

    A stay that was too short for its charge may have begun earlier; that happens at noon's end.
    """
    arrival = 12.0 + ieee33.situation.fleet.arrival_slot / 4
    for at in (13.0, 15.0, 17.0, 19.0, 21.0, 23.0):
        assert abs(share_below(arrival, at, 17.6, 3.4)) < 4.5, at


def test_departures_follow_their_distribution(ieee33: Scenario) -> None:
    """N(8.92, 3.24) h where it is not clipped to the second noon, rounded down to a slot."""
    departure = ieee33.situation.fleet.departure_slot / 4 - 12.0
    for at in (5.0, 7.0, 9.0, 11.0):
        rounding = 0.24  # a departure at 7:14 leaves the slot that ends at 7:00
        assert abs(share_below(departure, at, 8.92 - rounding / 2, 3.24)) < 4.5, at
    assert np.mean(departure == 12.0) == pytest.approx(1 - 0.8291, abs=0.04)


def test_distances_follow_their_distribution(ieee33: Scenario) -> None:
    """lognormal(3.2, 0.88) miles, read back from the energy at arrival: cars set out full."""
    fleet = ieee33.situation.fleet
    miles = (0.95 * fleet.capacity_kwh - fleet.arrival_kwh) / 0.17 / KM_PER_MILE
    assert np.median(miles) == pytest.approx(exp(3.2), rel=0.10)
    for at in (2.0, 2.8, 3.6, 4.2):
        assert abs(share_below(np.log(miles), at, 3.2, 0.88)) < 4.5, at


def test_vehicles_and_cells_have_their_shares(ieee33: Scenario) -> None:
    """Capacities equally likely, 60 % LFP, wear costs spread over their ranges."""
    fleet = ieee33.situation.fleet
    for capacity in (40.0, 50.0, 60.0, 75.0):
        assert np.mean(fleet.capacity_kwh == capacity) == pytest.approx(0.25, abs=0.05)
    assert np.mean(fleet.chemistry == "LFP") == pytest.approx(0.60, abs=0.055)
    for chemistry, low, high in (("LFP", 0.08, 0.20), ("NMC", 0.15, 0.40)):
        wear = fleet.wear_cost[fleet.chemistry == chemistry]
        assert low <= wear.min() < low + 0.02
        assert high - 0.02 < wear.max() <= high
        assert wear.mean() == pytest.approx((low + high) / 2, abs=0.015)


def test_assumptions_are_told(ieee33: Scenario) -> None:
    """What the published study leaves open is listed, and so are the sources."""
    told = " ".join(ieee33.assumptions)
    for word in ("6.3 MVA", "400 A", "1,000 kW", "half full", "0.35", "0.20 CNY"):
        assert word in told
    assert any("Baran" in source for source in ieee33.sources)
