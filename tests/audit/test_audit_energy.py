"""The audit derives how ties were broken, and what energy left in batteries is worth."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pytest

from hubwise.audit import Status, audit_record, energy
from hubwise.domain import Promises
from hubwise.plan import make_plan
from hubwise.record import EnergyLeft, write


@pytest.mark.parametrize("key", [field.name for field in fields(EnergyLeft)])
def test_a_lie_about_energy_left_fails(plan, scenario, tmp_path, key) -> None:
    """Each figure, off by a thousandth, is found."""
    found = plan.result.energy
    told = replace(found, **{key: (getattr(found, key) or 0.0) + 1e-3})
    lie = replace(plan, result=replace(plan.result, energy=told))
    failures = audit_record(write(lie, tmp_path / "plan"), scenario).failures
    assert "summary: energy" in {check.name for check in failures}


def test_unequal_energy_is_missed(scenario, tmp_path) -> None:
    """Where a scenario demands equal energy and sessions require less, the audit says so."""
    demands = replace(scenario.situation.promises, equal_energy=True)
    fleet = scenario.situation.fleet
    full = replace(fleet, arrival_kwh=0.9 * fleet.max_kwh, required_kwh=0.5 * fleet.max_kwh)
    careless = scenario.having(promises=demands, fleet=full)
    made = make_plan(careless)
    missed = audit_record(write(made, tmp_path / "plan"), careless).having(Status.MISSED)
    assert "promises: equal energy" in {check.name for check in missed}


def test_a_promise_that_counts_energy_is_judged_so(scenario, tmp_path) -> None:
    """Kept in money and not with what cars lack, it is missed."""
    fleet, some = scenario.situation.fleet, np.arange(len(scenario.situation.fleet)) % 3 == 0
    arrival = np.where(some, 0.9 * fleet.max_kwh, fleet.arrival_kwh)
    required = np.where(some, 0.5 * fleet.max_kwh, fleet.required_kwh)
    fuller = replace(fleet, arrival_kwh=arrival, required_kwh=required)
    found = make_plan(scenario.having(fleet=fuller, promises=Promises(saving=0.9)))
    energy, ratios = found.result.energy, found.result.ratios
    assert energy.energy_fair_cost_ratio > ratios.participant_cost_ratio + 0.01
    between = 0.5 * (energy.energy_fair_cost_ratio + ratios.participant_cost_ratio)
    plain = scenario.having(fleet=fuller, promises=Promises(saving=between))
    counting = plain.having(promises=replace(plain.situation.promises, counts_energy=True))
    for given, due in ((plain, set()), (counting, {"promises: saving"})):
        made = make_plan(given, tariff=found.tariff)
        report = audit_record(write(made, tmp_path / "plan"), given)
        assert {check.name for check in report.having(Status.MISSED)} == due
        assert report.ok


def test_a_kept_promise_that_counts_energy_passes(scenario, tmp_path) -> None:
    """Its plan tells no bound, and an audit asks for none."""
    given = scenario.having(promises=Promises(saving=1.0, counts_energy=True))
    made = make_plan(given, tariff=make_plan(scenario).tariff)
    assert not made.result.shortcomings.advice
    assert made.result.bounds.profit_bound is None
    assert not audit_record(write(made, tmp_path / "plan"), given).failures


@pytest.mark.parametrize("told", ["spread", None])
def test_a_lie_about_ties_fails(scenario, tmp_path, told) -> None:
    """Ties said to be broken in another way than the strategy's own are found."""
    folder = write(make_plan(scenario, strategy="passive-random"), tmp_path / "plan")
    assert audit_record(folder, scenario).ok
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    summary["results"][0]["ties"] = told
    (folder / "summary.json").write_text(json.dumps(summary), "utf-8")
    failures = audit_record(folder, scenario).failures
    assert "summary: ties" in {check.name for check in failures}


def _evidence(market: SimpleNamespace) -> SimpleNamespace:
    return SimpleNamespace(scenario=SimpleNamespace(situation=SimpleNamespace(market=market)))


def test_energy_left_is_never_worth_less_than_nothing() -> None:
    """Where the cheapest price is below zero, a kWh left is worth nothing, not a debt."""
    market = SimpleNamespace(
        energy_left_price=None,
        reference_price=np.array([-0.3, 0.2]),
        purchase_price=np.array([-0.5, 0.1]),
    )
    assert energy.prices(_evidence(market)) == (0.0, 0.0)
    dear = SimpleNamespace(**{**vars(market), "reference_price": np.array([0.4, 0.2])})
    assert energy.prices(_evidence(dear)) == (0.2, 0.0)
