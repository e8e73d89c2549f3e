"""Rules that an operator sets itself: the audit finds a posted tariff that breaks any of them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from hubwise.audit import audit_record
from hubwise.domain import Cap, Posting
from hubwise.plan import make_plan
from hubwise.pricing import make_family
from hubwise.record import Appendix, seal_again, write
from hubwise.scenario import load

RULES = Posting(
    charge_at_least_purchase=True,
    discharge_at_most_charge=True,
    step_max=0.05,
    levels_max=6.0,
    changes_max=9.0,
    keeps_order=True,
    fills_empty=True,
    cap=Cap.OCCUPIED,
)
CHECKS = {
    "prices: cap", "prices: purchase", "prices: pumping", "prices: steps", "prices: order",
    "prices: counts", "prices: filled",
}  # fmt: skip


@pytest.fixture(scope="module")
def ruled(tmp_path_factory):
    """The example under every rule, with a lawful tariff posted, and the folder of that plan."""
    given = load("example")
    rules = given.situation.rules
    most = np.full(given.situation.horizon.slots, given.situation.market.reference_price.max())
    rules = replace(rules, posting=RULES, decimals=2, charge_price_max=most, family="every-slot")
    scenario = given.having(rules=rules)
    family = make_family(scenario.situation)
    wanted = np.stack([family.high[0], np.minimum(family.high[1], 0.2)])
    made = make_plan(scenario, tariff=family.tariff(family.project(wanted)), held=True)
    folder = tmp_path_factory.mktemp("posting") / "plan"
    profit = made.result.money.operator_profit
    line = {"rule": "cap", "set_to": "occupied", "profit_without": profit + 2.0, "cost": 2.0}
    costs = Appendix("rule_costs", {"profit": profit, "rules": [line]})
    write(made, folder, costs)
    return scenario, folder


def failing(folder, scenario):
    """Names of the checks that fail."""
    return {check.name for check in audit_record(folder, scenario).failures}


def test_a_tariff_that_keeps_every_rule_holds(ruled) -> None:
    """Each rule has a check of its own, and all hold; so does what rules are said to cost."""
    scenario, folder = ruled
    report = audit_record(folder, scenario)
    assert report.ok
    assert {*CHECKS, "summary: rule costs"} <= {check.name for check in report.checks}


def posted(folder, scenario, edit):
    """The folder with other prices in every hub's list; ``edit`` is given charge and discharge."""
    file = folder / "prices.parquet"
    table = pl.read_parquet(file)
    hubs, slots = len(scenario.situation.hubs), scenario.situation.horizon.slots
    columns = [table[name].to_numpy().reshape(hubs, slots).copy() for name in KINDS]
    edit(*columns)
    changed = [pl.Series(name, each.ravel()) for name, each in zip(KINDS, columns, strict=True)]
    table.with_columns(*changed).write_parquet(file)
    seal_again(folder)


KINDS = ("charge_price", "discharge_price")


def _cheap(charge, _):
    charge[:] = 0.0


def _dear(charge, _):
    charge[:] = 0.99


def _pump(charge, discharge):
    discharge[:] = charge + 0.01


def _jump(charge, _):
    charge[:, 40:] += 0.2


def _upside_down(charge, _):
    charge[:] = charge.max() + charge.min() - charge


def _many(charge, _):
    charge[:, ::2] += 0.01


def _empty(_, discharge):
    discharge[:, :1] += 0.01


@pytest.mark.parametrize(
    ("edit", "check"),
    [
        (_cheap, "purchase"),
        (_dear, "cap"),
        (_pump, "pumping"),
        (_jump, "steps"),
        (_upside_down, "order"),
        (_many, "counts"),
        (_empty, "filled"),
    ],
)
def test_a_tariff_that_breaks_a_rule_is_found(ruled, tmp_path, edit, check) -> None:
    """By the check of that rule, however the folder was sealed afterwards."""
    scenario, folder = ruled
    copy = tmp_path / "plan"
    copy.mkdir()
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    posted(copy, scenario, edit)
    assert f"prices: {check}" in failing(copy, scenario)


def test_costs_that_do_not_follow_are_found(ruled, tmp_path) -> None:
    """A rule costs the profit without it less the plan's own."""
    scenario, folder = ruled
    copy = tmp_path / "plan"
    copy.mkdir()
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    summary = json.loads((copy / "summary.json").read_text(encoding="utf-8"))
    summary["rule_costs"]["rules"][0]["cost"] = 1.0
    (copy / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    seal_again(copy)
    assert "summary: rule costs" in failing(copy, scenario)
