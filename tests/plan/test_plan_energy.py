"""Plans that are fair in energy: told beside, demanded of every car, or counted in the promise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hubwise.domain import Promises
from hubwise.drivers import uncoordinated
from hubwise.plan import make_plan
from hubwise.scenario import fingerprint, with_equal_energy

SEEDS = (3, 13)


def scenario_of(small_scenario, seed: int, **promises):
    """Cars that arrive full enough to sell what they need not keep; a saving is promised."""
    scenario = small_scenario(seed, sessions=8, station=False)
    fleet = scenario.situation.fleet
    fuller = np.arange(len(fleet)) % 2 == 1
    fleet = replace(
        fleet,
        arrival_kwh=np.where(fuller, 0.8, 0.3) * fleet.capacity_kwh,
        required_kwh=0.6 * fleet.capacity_kwh,
        discharge_kw_max=np.full(len(fleet), 7.0),
        discharge_limit_kwh=np.full(len(fleet), np.inf),
    )
    return scenario.having(fleet=fleet, promises=Promises(**promises))


def more_kwh(plan) -> np.ndarray:
    situation = plan.scenario.situation
    before = uncoordinated(situation.fleet, situation.horizon).energy_kwh[:, -1]
    return (plan.schedule.energy_kwh[:, -1] - before)[situation.fleet.participating]


@pytest.mark.parametrize("seed", SEEDS)
def test_equal_energy_is_kept_by_every_car(small_scenario, seed) -> None:
    """Each car leaves with no less than uncoordinated, where without it some leave with less."""
    plain = scenario_of(small_scenario, seed, saving=0.9)
    assert more_kwh(make_plan(plain)).min() < -1.0
    fair = make_plan(with_equal_energy(plain))
    assert more_kwh(fair).min() >= -1e-9
    energy, money = fair.result.energy, fair.result.money
    assert energy.energy_left_kwh >= -1e-9
    assert energy.energy_fair_profit == pytest.approx(money.operator_profit)


def test_equal_energy_changes_nothing_uncoordinated(small_scenario) -> None:
    """What all would do uncoordinated, the yardstick, is the same to the bit."""
    plain = scenario_of(small_scenario, 3).situation
    fair = replace(plain, fleet=plain.fleet.leaving_no_less())
    days = (uncoordinated(it.fleet, it.horizon) for it in (plain, fair))
    one, other = (day.charge_kw for day in days)
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_promise_that_counts_energy_is_kept_so(small_scenario, seed) -> None:
    """What drivers pay once they have bought back what they lack is within the promise."""
    plain = make_plan(scenario_of(small_scenario, seed, saving=0.9))
    counted = make_plan(scenario_of(small_scenario, seed, saving=0.9, counts_energy=True))
    assert plain.result.energy.energy_fair_cost_ratio > 0.9
    assert counted.result.energy.energy_fair_cost_ratio <= 0.9
    assert not counted.result.advice
    assert counted.scenario.situation.promises.saving == 0.9
    assert counted.result.bounds.profit_bound is None


def test_a_missed_promise_says_so(small_scenario) -> None:
    """A plan that keeps the promise in money alone has advice where energy counts."""
    given = scenario_of(small_scenario, 3, saving=0.9)
    tariff = make_plan(given).tariff
    counts = given.having(promises=Promises(saving=0.9, counts_energy=True))
    assert make_plan(given, tariff=tariff).result.advice == ()
    assert any(
        "saving promise" in words for words in make_plan(counts, tariff=tariff).result.advice
    )


def test_cost_and_profit_are_set_right_in_turn(small_scenario) -> None:
    """Drivers' cost with it is more by what the operator's profit without it is less."""
    result = make_plan(scenario_of(small_scenario, 3, saving=0.9)).result
    energy, money = result.energy, result.money
    more = energy.energy_fair_participant_cost - money.participant_cost
    less = money.operator_profit - energy.energy_fair_profit
    assert more == pytest.approx(-energy.energy_left_value)
    assert less == pytest.approx(-energy.energy_left_value - energy.station_energy_left_value)


def test_what_is_not_asked_for_leaves_no_trace(small_scenario) -> None:
    """A fingerprint knows the new settings where they are used, and only there."""
    plain = scenario_of(small_scenario, 3)
    market = plain.situation.market
    others = (
        plain.having(promises=Promises(counts_energy=True)),
        plain.having(promises=Promises(equal_energy=True)),
        plain.having(market=replace(market, energy_left_price=0.0)),
    )
    prints = {fingerprint(plain), *map(fingerprint, others)}
    assert len(prints) == 4
