"""A plan that is wrong, yet billed and summed up without contradiction, fails where it is."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from hubwise.audit import AuditReport, Status, audit_record
from hubwise.domain import Promises, Schedule, StationSchedule, Tariff
from hubwise.drivers import batteries_of, best_response, schedule_cost, schedule_of, uncoordinated
from hubwise.plan import make_plan
from hubwise.record import write


def _changed(scenario, schedule, session, change_kwh):
    """The schedule with other changes of the battery's energy in one stay [kWh a slot]."""
    fleet, horizon = scenario.situation.fleet, scenario.situation.horizon
    changes = np.tile(change_kwh, (len(fleet), 1))
    new = schedule_of(batteries_of(fleet, horizon), changes, horizon)
    names = ("charge_kw", "discharge_kw", "energy_kwh")
    columns = [getattr(schedule, name).copy() for name in names]
    for column, name in zip(columns, names, strict=True):
        column[session] = getattr(new, name)[session]
    return Schedule(*columns)


def _changes(scenario, schedule, session):
    energy = np.append(scenario.situation.fleet.arrival_kwh[session], schedule.energy_kwh[session])
    return np.diff(energy)


def _stay(scenario, session):
    fleet = scenario.situation.fleet
    return int(fleet.arrival_slot[session]), int(fleet.departure_slot[session])


def _participant(scenario):
    """A two-way session that takes part and arrives above its reserve."""
    fleet = scenario.situation.fleet
    fits = fleet.participating & (fleet.discharge_kw_max > 0)
    return int(np.flatnonzero(fits & (fleet.arrival_kwh > fleet.reserve_kwh + 1))[0])


def test_parts_as_they_should_be(failures):
    """Unspoilt parts make a plan without a fault."""
    assert failures() == set()


def test_participants_who_are_not_given_a_best_response(failures, scenario):
    """Charging at once is no best response, and the audit knows the regret."""
    at_once = uncoordinated(scenario.situation.fleet, scenario.situation.horizon)
    assert "drivers: regret" in failures(schedule=at_once)


def test_a_best_response_that_is_none(failures, scenario, parts):
    """A cost that is called the least, and is not, is found by the linear program."""
    at_once = uncoordinated(scenario.situation.fleet, scenario.situation.horizon)
    cost = schedule_cost(
        scenario.situation.fleet, parts.tariff, at_once, scenario.situation.horizon
    )
    assert "drivers: best response" in failures(schedule=at_once, cost=cost)


def test_others_who_are_scheduled(failures, scenario, parts):
    """Drivers who do not take part charge at once, whatever would be better."""
    everybody, _ = best_response(scenario.situation.fleet, parts.tariff, scenario.situation.horizon)
    assert "drivers: others charge at once" in failures(schedule=everybody)


def test_a_session_below_its_reserve(failures, scenario, parts):
    """Drawing below the reserve and charging back in time is noticed."""
    session = _participant(scenario)
    first, end = _stay(scenario, session)
    change = _changes(scenario, parts.schedule, session)
    room = parts.schedule.energy_kwh[session] - scenario.situation.fleet.reserve_kwh[session]
    low = first + int(np.argmin(room[first : end - 1]))
    change[low] -= room[low] + 0.5
    change[low + 1] += room[low] + 0.5
    spoilt = _changed(scenario, parts.schedule, session, change)
    assert "drivers: reserve" in failures(schedule=spoilt)


def test_a_session_that_leaves_short(failures, scenario, parts):
    """Leaving with less than required, where the stay allows more, is noticed."""
    session = _participant(scenario)
    change = _changes(scenario, parts.schedule, session)
    change[_stay(scenario, session)[1] - 1] -= 0.5
    spoilt = _changed(scenario, parts.schedule, session, change)
    assert "drivers: required energy" in failures(schedule=spoilt)


def test_a_session_that_is_overcharged(failures, scenario, parts):
    """Energy above the driver's highest is noticed."""
    session = _participant(scenario)
    first, end = _stay(scenario, session)
    change = np.zeros(scenario.situation.horizon.slots)
    room = scenario.situation.fleet.max_kwh[session] - scenario.situation.fleet.arrival_kwh[session]
    change[first:end] = (room + 1.0) / (end - first)
    spoilt = _changed(scenario, parts.schedule, session, change)
    assert "drivers: highest energy" in failures(schedule=spoilt)


def test_more_power_than_the_charger_has(failures, scenario, parts):
    """Charging above the charger's limit is noticed, discharging where it is one-way likewise."""
    session = _participant(scenario)
    charge = parts.schedule.charge_kw.copy()
    first, _ = _stay(scenario, session)
    charge[session, first] = scenario.situation.fleet.charge_kw_max[session] + 0.1
    assert "drivers: power" in failures(schedule=replace(parts.schedule, charge_kw=charge))


def test_both_directions_at_once(failures, scenario, parts):
    """Charging and discharging in one slot is noticed even where the energies agree."""
    session = _participant(scenario)
    slot = int(np.argmax(parts.schedule.charge_kw[session]))
    fleet, schedule = scenario.situation.fleet, parts.schedule
    charge, discharge = schedule.charge_kw.copy(), schedule.discharge_kw.copy()
    charge[session, slot] -= 1.0
    round_trip = fleet.charge_efficiency[session] * fleet.discharge_efficiency[session]
    charge[session, slot] += 0.5
    discharge[session, slot] -= 0.5 * round_trip
    discharge[session, slot] = abs(discharge[session, slot])
    spoilt = replace(schedule, charge_kw=charge, discharge_kw=discharge)
    assert "drivers: one direction" in failures(schedule=spoilt)


def test_a_driver_limit_that_is_passed(failures, scenario, parts):
    """More drawn from the battery than the driver allows is noticed."""
    fleet = scenario.situation.fleet
    generous = replace(fleet, discharge_limit_kwh=np.full(len(fleet), np.inf))
    free, _ = best_response(generous, parts.tariff, scenario.situation.horizon)
    bounded = np.isfinite(fleet.discharge_limit_kwh)[:, None]
    names = ("charge_kw", "discharge_kw", "energy_kwh")
    mixed = [np.where(bounded, getattr(free, n), getattr(parts.schedule, n)) for n in names]
    assert "drivers: discharge limit" in failures(schedule=Schedule(*mixed))


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (lambda c, d: (c + 0.01, d), "prices: bounds"),
        (lambda c, d: (c, d - 1.0), "prices: bounds"),
        (lambda c, d: (c - 0.00001, d), "prices: decimals"),
        (lambda c, d: (c - 0.001 * (np.arange(c.shape[1]) % 4 == 1), d), "prices: family"),
        (lambda c, d: (c, d + c + 0.4), "prices: no arbitrage"),
        (lambda c, d: (3 * c, d), "drivers: no worse off"),
    ],
)
def test_a_tariff_that_the_rules_forbid(failures, parts, broken, rule):
    """Every rule for posted prices is checked."""
    tariff = Tariff(*broken(parts.tariff.charge_price, parts.tariff.discharge_price))
    assert rule in failures(tariff=tariff)


def test_stations_that_live_on_nothing(failures, scenario, parts):
    """A station battery that ends lower than it began, or overfull, is noticed."""
    hubs = scenario.situation.hubs
    for sign in (-1.0, 1.0):
        kw = np.zeros_like(hubs.solar_kw)
        kw[:, :40] = 0.5 * hubs.battery_kw[:, None]
        charge, discharge = (kw, 0 * kw) if sign > 0 else (0 * kw, kw)
        step = charge * hubs.battery_charge_efficiency[:, None]
        step -= discharge / hubs.battery_discharge_efficiency[:, None]
        energy = hubs.battery_initial_kwh[:, None] + np.cumsum(step, axis=1) / 4
        spoilt = StationSchedule(charge, discharge, energy, parts.stations.solar_kw)
        assert "stations: range" in failures(stations=spoilt)


def test_stations_that_are_too_strong(failures, scenario, parts):
    """A station battery above its power, or with energy from nowhere, is noticed."""
    charge = parts.stations.charge_kw + scenario.situation.hubs.battery_kw[:, None]
    assert failures(stations=replace(parts.stations, charge_kw=charge)) >= {
        "stations: power",
        "stations: energy",
    }


def test_more_solar_than_there_is(failures, scenario, parts):
    """Solar power that does not shine is noticed."""
    solar = scenario.situation.hubs.solar_kw + 0.01
    assert failures(stations=replace(parts.stations, solar_kw=solar)) == {"hubs: solar"}


def test_another_scenario(folder, scenario):
    """A plan is not audited against a scenario that it was not made for."""
    dearer = replace(
        scenario.situation.market, purchase_price=scenario.situation.market.purchase_price + 0.01
    )
    report = audit_record(folder, scenario.having(market=dearer))
    assert "summary: scenario" in {check.name for check in report.failures}


def test_a_promise_that_is_not_kept_is_missed_not_untrue(
    scenario, parts, tmp_path, assembled, unsearched
):
    """A truthful plan that misses its promises says so, and is still truthful."""
    promising = scenario.having(promises=Promises(saving=0.1, peak_valley=0.01))
    report = audit_record(write(assembled(promising, **vars(parts)), tmp_path / "plan"), promising)
    assert {check.name for check in report.failures} <= unsearched
    missed = {check.name for check in report.having(Status.MISSED)}
    assert missed >= {"promises: saving", "promises: peak-valley"}


def test_a_folder_that_is_none(tmp_path):
    """A place without a plan is a report that says so, not a crash."""
    report = audit_record(tmp_path / "nowhere")
    assert [check.name for check in report.failures] == ["folder: contract"]


def test_report_for_people_and_machines(folder, scenario):
    """The report prints as a table with every check, and goes through JSON unharmed."""
    report = audit_record(folder, scenario)
    assert isinstance(report, AuditReport)
    told = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert told["ok"] is True
    assert told["counts"]["holds"] == len(report.having(Status.HOLDS))
    text = str(report)
    assert all(check.name.split(":")[0] in text for check in report.checks)


def test_a_feeder_without_a_solution_in_some_slots(scenario, tmp_path):
    """Slots that no power flow solves are missed limits in a folder that is still truthful."""
    load_kw = scenario.situation.feeder.base_kw.copy()
    load_kw[:, 10:12] *= 60
    overloaded = scenario.having(feeder=replace(scenario.situation.feeder, base_kw=load_kw))
    made = make_plan(overloaded, strategy="uncoordinated")
    assert made.result.feeder.convergence_violations == 2
    report = audit_record(write(made, tmp_path / "plan"), overloaded)
    assert report.ok, str(report)
    assert "limits: voltage" in {check.name for check in report.having(Status.MISSED)}
