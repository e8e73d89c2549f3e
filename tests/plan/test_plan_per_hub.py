"""Prices of each hub's own, from the search to the audit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hubwise.audit import audit_record
from hubwise.domain import Promises, Scenario
from hubwise.plan import make_plan
from hubwise.record import write


@pytest.fixture(scope="module")
def apart(small_scenario) -> Scenario:
    """A small day on which each hub posts its own prices in blocks; one is short of power."""
    scenario = small_scenario(4, sessions=16)
    limits = np.where(np.arange(len(scenario.situation.hubs)) == 0, 12.0, 500.0)
    hubs = replace(scenario.situation.hubs, import_limit_kw=limits)
    rules = replace(scenario.situation.rules, family="time-of-use", per_hub=True)
    search, promises = replace(scenario.search, evaluations=60), Promises(saving=0.8)
    return scenario.having(hubs=hubs, rules=rules, promises=promises, search=search)


def test_hubs_may_differ_and_the_audit_agrees(apart: Scenario, tmp_path: Path) -> None:
    """A plan with prices hub by hub holds in every check."""
    made = make_plan(apart)
    assert np.abs(np.diff(made.tariff.charge_price, axis=0)).max() > 0.0
    assert audit_record(write(made, tmp_path / "plan"), apart).ok


def test_hubs_that_differ_unasked_are_noted(apart: Scenario, tmp_path: Path) -> None:
    """Where all hubs are to post the same prices, the audit finds the hub that does not."""
    alike = apart.having(rules=replace(apart.situation.rules, per_hub=False))
    made = make_plan(alike)
    charge = made.tariff.charge_price.copy()
    charge[1] -= 0.01
    folder = write(replace(made, tariff=replace(made.tariff, charge_price=charge)), tmp_path / "p")
    assert "prices: family" in {check.name for check in audit_record(folder, alike).failures}


def test_freedom_of_hubs_costs_nothing(apart: Scenario) -> None:
    """Hub by hub, the plan earns hardly less than with the same prices at all hubs."""
    alike = apart.having(rules=replace(apart.situation.rules, per_hub=False))
    together = make_plan(alike).account.profit
    assert make_plan(apart).account.profit >= together - 0.01 * abs(together)
