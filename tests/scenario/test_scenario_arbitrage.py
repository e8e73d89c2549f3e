"""Same-slot arbitrage, told by the rule that refuses tariffs."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hubwise.domain import Fleet, Scenario, Tariff
from hubwise.domain.terms import Term, Terms
from hubwise.scenario import check_tariff, load, new
from hubwise.scenario.arbitrage import pays_for_pumping

EXAMPLE = load("example")
SHAPE = (len(EXAMPLE.situation.hubs), EXAMPLE.situation.horizon.slots)


def refused(charge: np.ndarray, discharge: np.ndarray, fleet: Fleet) -> set[str]:
    """The hubs and slots of a tariff's problems, of which each names a run."""
    issues = check_tariff(
        Tariff(charge, discharge), fleet, EXAMPLE.situation.hubs, EXAMPLE.situation.horizon
    )
    places = [re.match(r"(hub .+), slots? (\d+)(?:-(\d+))? \(", p.where) for p in issues]
    assert len({place.group(0) for place in places}) == len(places)
    return {
        f"{place.group(1)}, slot {t}"
        for place in places
        for t in range(int(place.group(2)), int(place.group(3) or place.group(2)) + 1)
    }


@given(seed=st.integers(0, 2**32 - 1))
def test_refused_exactly_where_somebody_gains(seed: int) -> None:
    """A hub's slot is named exactly where r*n*n > c + w*n holds for a session that is there."""
    rng = np.random.default_rng(seed)
    charge, discharge = rng.uniform(-0.1, 0.5, SHAPE), rng.uniform(-0.1, 0.6, SHAPE)
    fleet = EXAMPLE.situation.fleet.with_participating(
        rng.random(len(EXAMPLE.situation.fleet)) < 0.7
    )
    expected = set()
    for i in np.flatnonzero(fleet.participating & (fleet.discharge_kw_max > 0)):
        h, up, down = fleet.hub[i], fleet.charge_efficiency[i], fleet.discharge_efficiency[i]
        for t in range(fleet.arrival_slot[i], fleet.departure_slot[i]):
            if discharge[h, t] * up * down > charge[h, t] + fleet.wear_cost[i] * up:
                expected.add(f"hub {EXAMPLE.situation.hubs.name[h]}, slot {t}")
    assert refused(charge, discharge, fleet) == expected


def test_slots_in_a_row_are_one_problem() -> None:
    """One line a run, with its clock, and the slot with the lowest limit where they differ."""
    charge, discharge = np.full(SHAPE, 0.2), np.zeros(SHAPE)
    discharge[1, 30:50] = 1.0
    charge[1, 33] = 0.1
    tariff = Tariff(charge, discharge)
    (issue,) = check_tariff(
        tariff, EXAMPLE.situation.fleet, EXAMPLE.situation.hubs, EXAMPLE.situation.horizon
    )
    assert issue.where == "hub harbour, slots 30-49 (19:30-00:30)"
    assert issue.wrong.endswith("gain by buying at 0.1 and selling at once in slot 33")


def test_only_participating_two_way_sessions_count() -> None:
    """One-way chargers, and drivers who charge at once, have nothing to sell."""
    charge, discharge = np.full(SHAPE, 0.1), np.full(SHAPE, 1.0)
    nobody = EXAMPLE.situation.fleet.with_participating(
        np.zeros(len(EXAMPLE.situation.fleet), dtype=bool)
    )
    one_way = replace(
        EXAMPLE.situation.fleet, discharge_kw_max=np.zeros(len(EXAMPLE.situation.fleet))
    )
    assert refused(charge, discharge, EXAMPLE.situation.fleet)
    assert not refused(charge, discharge, nobody)
    assert not refused(charge, discharge, one_way)


def test_the_advice_is_the_highest_price_without_arbitrage() -> None:
    """At the price that a problem advises, nothing is left to refuse."""
    charge, discharge = np.full(SHAPE, 0.2), np.full(SHAPE, 1.0)
    tariff = Tariff(charge, discharge)
    issues = check_tariff(
        tariff, EXAMPLE.situation.fleet, EXAMPLE.situation.hubs, EXAMPLE.situation.horizon
    )
    advised = min(float(issue.right.split()[-1]) for issue in issues)
    assert not refused(charge, np.full(SHAPE, advised - 1e-5), EXAMPLE.situation.fleet)
    assert refused(charge, np.full(SHAPE, advised + 1e-5), EXAMPLE.situation.fleet)


def test_the_reference_tariff_without_selling_is_free_of_it() -> None:
    """ieee33's reference tariff, at which nothing is paid for discharging, tempts nobody."""
    scenario: Scenario = load("ieee33")
    shape = (len(scenario.situation.hubs), scenario.situation.horizon.slots)
    tariff = Tariff(
        np.broadcast_to(scenario.situation.market.reference_price, shape), np.zeros(shape)
    )
    assert (
        check_tariff(
            tariff, scenario.situation.fleet, scenario.situation.hubs, scenario.situation.horizon
        )
        == ()
    )


@given(seed=st.integers(0, 2**32 - 1))
def test_pumping_is_told_exactly_where_two_cars_gain(seed: int) -> None:
    """One car buys what another sells: the incentive pays for it where their money says so."""
    rng = np.random.default_rng(seed)
    situation = EXAMPLE.situation
    fleet, slots = situation.fleet, situation.horizon.slots
    price = rng.uniform(-0.1, 0.4, slots)
    paid = np.where(rng.random(slots) < 0.5, rng.uniform(0.0, 0.2, slots), 0.0)
    terms = Terms((Term.of("incentive", 1, slots, discharge_to_operator=paid),))
    expected, who = np.zeros(slots, dtype=bool), set()
    for i in np.flatnonzero(fleet.discharge_kw_max > 0):
        for t in range(fleet.arrival_slot[i], fleet.departure_slot[i]):
            sold = fleet.charge_efficiency[i] * fleet.discharge_efficiency[i]
            imported, worn = 1.0 - sold, fleet.charge_efficiency[i] * fleet.wear_cost[i]
            if paid[t] > 0.0 and sold * paid[t] - imported * price[t] - worn > 1e-9:
                expected[t] = True
                who.add(int(i))
    market = replace(situation.market, purchase_price=price)
    found, cars = pays_for_pumping(market, terms, fleet, situation.horizon)
    np.testing.assert_array_equal(found, expected)
    assert cars == len(who)


def test_an_incentive_that_pays_for_pumping_is_noted(tmp_path: Path) -> None:
    """With its hours, when the scenario is read."""
    folder = new(tmp_path / "s")
    toml = folder / "scenario.toml"
    said = '[[prices.incentives]]\nhours = ["18:00-20:00"]\nprice = {}\n\n[rules]\n'
    text = toml.read_text(encoding="utf-8")
    for price, noted in ((0.01, False), (0.9, True)):
        toml.write_text(text.replace("[rules]\n", said.format(price), 1), encoding="utf-8")
        notes = [note for note in load(folder).notes if "pays for pumping" in note]
        assert bool(notes) is noted
        assert all("18:00-20:00" in note for note in notes)
