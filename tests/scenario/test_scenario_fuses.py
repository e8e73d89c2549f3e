"""Fuses: charging at once takes turns behind them, and what cannot be had is told beforehand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import fleet_of, scenario_of, with_circuits
from hubwise.audit import audit_record
from hubwise.dispatch import make_baseline
from hubwise.drivers import uncoordinated
from hubwise.ledger import sum_by_hub
from hubwise.plan import make_plan
from hubwise.record import write
from hubwise.scenario.fuses import USED, behind_fuses

seeds = st.integers(0, 2**32 - 1)


def fused(small_situation, seed, most_kw, **kinds):
    """One-way cars at hubs with a fuse of ``most_kw``; what they ask, and what is said."""
    situation = small_situation(seed, station=False, **kinds)
    hubs = replace(situation.hubs, import_limit_kw=np.full(len(situation.hubs), most_kw))
    fleet = situation.fleet.one_way()
    fleet = replace(
        fleet,
        arrival_kwh=np.maximum(fleet.arrival_kwh, fleet.reserve_kwh),
        required_kwh=np.maximum(fleet.required_kwh, fleet.arrival_kwh),
    )
    shared, said = behind_fuses(fleet, hubs, situation.horizon)
    return replace(situation, hubs=hubs, fleet=shared), fleet, said


@given(seeds, st.floats(1.0, 60.0))
@settings(max_examples=60)
def test_charging_at_once_obeys_the_fuse(small_situation, seed, most_kw) -> None:
    """No slot of the yardstick passes a fuse, no power is left unused while somebody wants it."""
    situation, asked, _ = fused(small_situation, seed, most_kw)
    horizon, fleet, hubs = situation.horizon, situation.fleet, situation.hubs
    schedule = uncoordinated(fleet, horizon)
    draw = sum_by_hub(len(hubs), fleet.hub, schedule.charge_kw)
    assert (draw <= most_kw + 1e-6).all()
    # Whoever leaves with less than was asked, and could have had more power in a slot, waited for
    # others there: the fuse was used to the full.
    short = fleet.required_kwh < asked.required_kwh - 1e-3
    for i in np.flatnonzero(short):
        stay = slice(fleet.arrival_slot[i], fleet.departure_slot[i])
        waited = schedule.charge_kw[i, stay] < fleet.charge_kw_max[i] - 1e-6
        assert (draw[fleet.hub[i], stay][waited] >= USED * most_kw - 1e-6).all()


@given(seeds, st.floats(1.0, 60.0))
@settings(max_examples=60)
def test_what_is_promised_can_be_had(small_situation, seed, most_kw) -> None:
    """All leave with what is promised, together, behind the fuse; nobody is promised more."""
    situation, asked, said = fused(small_situation, seed, most_kw)
    fleet = situation.fleet
    leaves = uncoordinated(fleet, situation.horizon).energy_kwh[:, -1]
    free = uncoordinated(asked, situation.horizon).energy_kwh[:, -1]
    assert (leaves >= np.minimum(fleet.required_kwh, free) - 1e-6).all()
    assert (fleet.required_kwh <= asked.required_kwh + 1e-9).all()
    assert np.array_equal(fleet.wished_kwh, asked.required_kwh)
    less = (fleet.required_kwh < asked.required_kwh - 1e-6).any()
    assert any("promised" in one for one in said) == less


def test_a_wide_fuse_changes_nothing(small_situation) -> None:
    """Where all may charge at once, the fleet is the same, and nothing is said."""
    situation, asked, said = fused(small_situation, 1, 1e4)
    assert situation.fleet is asked
    assert said == ()


def test_who_would_miss_most_goes_first_and_the_rest_is_shared_alike(small_situation) -> None:
    """By hand: 10 kW for three cars of 10 kW; one has to have it all in its only hour."""
    situation = small_situation(0, sessions=3, hubs=1, station=False)
    ones = np.ones(3)
    fleet = replace(
        situation.fleet.one_way(),
        hub=np.zeros(3, np.int64),
        arrival_slot=np.zeros(3, np.int64),
        departure_slot=np.array([2, 24, 24]),
        arrival_kwh=20.0 * ones,
        required_kwh=np.array([30.0, 24.0, 24.0]),
        reserve_kwh=0.0 * ones,
        max_kwh=57.0 * ones,
        charge_kw_max=10.0 * ones,
        charge_efficiency=ones,
    )
    hubs = replace(situation.hubs, import_limit_kw=np.array([10.0 / USED]))
    shared, said = behind_fuses(fleet, hubs, situation.horizon)
    power = uncoordinated(shared, situation.horizon).charge_kw
    assert power[:, :2] == pytest.approx(np.array([[10.0, 10.0], [0.0, 0.0], [0.0, 0.0]]))
    # 4 kWh each: half an hour at 5 kW, and the rest.
    assert power[1:, 2:5] == pytest.approx(np.array([[5.0, 3.0, 0.0], [5.0, 3.0, 0.0]]))
    assert said == ()
    # With 4 kW for an hour, the first half goes to who can wait no longer, the second to all alike.
    hubs = replace(hubs, import_limit_kw=np.array([4.0 / USED]))
    shared, said = behind_fuses(
        replace(fleet, departure_slot=np.array([2, 2, 2])), hubs, situation.horizon
    )
    assert shared.required_kwh - 20.0 == pytest.approx([2.0 + 2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0])
    assert "promised" in said[0]
    assert "3 sessions" in said[0]


def test_the_plan_tells_who_gets_less(small_situation, tmp_path: Path) -> None:
    """A plan behind a tight fuse keeps it, and tells every driver what will be missing."""
    situation, asked, _ = fused(small_situation, 5, 6.0, sessions=10, hubs=1)
    less = situation.fleet.required_kwh < asked.required_kwh - 1e-6
    assert less.any()
    scenario = scenario_of(situation)
    plan = make_plan(scenario)
    assert plan.result.feeder.connection_violations == 0
    rows = [k for k, wish in enumerate(plan.wishes.wish) if wish == "required_kwh"]
    words = {plan.wishes.session[k]: plan.wishes.notice[k] for k in rows}
    names = set(situation.fleet.session[less].tolist())
    assert names <= {name for name, said in words.items() if "connection" in said}
    missing = float((asked.required_kwh - situation.fleet.required_kwh).sum())
    assert plan.result.departures.shortfall_kwh == pytest.approx(missing, abs=1e-3)
    assert make_baseline(plan.scenario.situation).hub_kw.max() <= 6.0 + 1e-6
    report = audit_record(write(plan, tmp_path / "plan"), plan.asked)
    assert not [str(check) for check in report.checks if check.status.value == "fails"]


@pytest.mark.parametrize("standby_kw", [0.0, 0.4])
def test_stand_by_of_two_way_chargers_is_left_room(small_situation, standby_kw) -> None:
    """What is shared out of a connection is less by what chargers draw that may give back."""
    situation = small_situation(3, station=False, solar=False, hubs=1)
    size = 6
    fleet = fleet_of(size, situation.horizon.slots, arrival_kwh=20.0, required_kwh=60.0)
    fleet = replace(
        fleet,
        discharge_kw_max=np.array([5.0, 5.0, 5.0, 0.0, 0.0, 0.0]),
        standby_kw=np.full(size, standby_kw),
    )
    hubs = replace(situation.hubs, import_limit_kw=np.array([15.0]))
    shared, _ = behind_fuses(fleet, hubs, situation.horizon)
    assert shared.at_once_kw is not None
    given = np.where(np.isfinite(shared.at_once_kw), shared.at_once_kw, 0.0).sum(axis=0)
    assert given.max() == pytest.approx(USED * (15.0 - 3 * standby_kw))


def test_a_car_alone_behind_a_weak_circuit_is_promised_what_it_carries(small_situation) -> None:
    """From the minute that it comes on, at no more than the circuit's power, and told the rest."""
    situation = with_circuits(small_situation(1, station=False, solar=False, hubs=1), phases=False)
    circuits = replace(situation.hubs.circuits, limit_kw=np.array([50.0, 6.0, 50.0]))
    hubs = replace(situation.hubs, circuits=circuits, import_limit_kw=np.array([50.0]))
    slots, hours = situation.horizon.slots, situation.horizon.slot_hours
    fleet = fleet_of(1, slots, charge_kw_max=22.0, arrival_kwh=10.0, required_kwh=60.0)
    fleet = replace(fleet, circuit=np.array([1])).staying(np.array([0.6]), np.array([3.0]))
    shared, said = behind_fuses(fleet, hubs, situation.horizon)
    had = 10.0 + fleet.charge_efficiency[0] * 6.0 * USED * 2.4 * hours
    most = 10.0 + fleet.charge_efficiency[0] * 22.0 * 2.4 * hours
    assert shared.charge_kw_max.tolist() == [6.0]
    assert shared.asked_kwh is not None
    assert shared.asked_kwh[0] == 60.0
    assert shared.required_kwh[0] == pytest.approx(had, abs=0.02 * hours) if most > had else 60.0
    assert any("carry to one car alone, the weakest 6 kW" in one for one in said)
    day = uncoordinated(shared, situation.horizon)
    assert day.energy_kwh[0, 2] >= shared.required_kwh[0] - 1e-6
    assert day.charge_kw[0, 0] <= 6.0 * 0.4 + 1e-9
