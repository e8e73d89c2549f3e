"""Sites without feeder data: planned on what is known, and said so."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from hubwise.audit import audit_record
from hubwise.grid.redispatch import least_changes
from hubwise.plan import make_plan
from hubwise.record import write
from hubwise.scenario import check, load, new


def without_feeder(folder: Path) -> Path:
    """The example with nothing said of its feeder."""
    new(folder)
    toml = (folder / "scenario.toml").read_text("utf-8")
    toml = re.sub(r"\[feeder\].*?(?=\n\[)", "", toml, flags=re.S)
    (folder / "scenario.toml").write_text(re.sub(r"\nbus = \d+", "", toml), "utf-8")
    return folder


def test_a_site_needs_no_feeder(tmp_path: Path) -> None:
    """It is planned and audited, the connections' limits are kept, and what is assumed is noted."""
    scenario = load(without_feeder(tmp_path / "site"))
    assert any("No feeder is told of" in note for note in scenario.notes)
    plan = make_plan(scenario)
    assert sum(plan.result.feeder.broken().values()) == 0
    assert plan.result.feeder.min_voltage_pu > 0.99
    write(plan, tmp_path / "plan")
    report = audit_record(tmp_path / "plan", scenario)
    assert not [check for check in report.checks if check.status.value == "fails"]


def test_what_nobody_told_is_not_unusual(tmp_path: Path) -> None:
    """The wires that a large site is thought to stand behind are not found fault with."""
    folder = without_feeder(tmp_path / "site")
    toml = (folder / "scenario.toml").read_text("utf-8")
    large = re.sub(r"import_limit_kw = .*", "import_limit_kw = 90000.0", toml)
    (folder / "scenario.toml").write_text(large, "utf-8")
    assert not [note for note in load(folder).notes if note.startswith("Unusual: transformer")]


def test_a_hub_on_a_feeder_names_its_bus(tmp_path: Path) -> None:
    """Where there is a feeder, a hub without a bus is told, with what would be right."""
    new(tmp_path / "site")
    file = tmp_path / "site" / "scenario.toml"
    file.write_text(re.sub(r"\nbus = \d+", "", file.read_text("utf-8"), count=1), "utf-8")
    found = [(issue.field, issue.wrong) for issue in check(tmp_path / "site")]
    assert ("bus", "is missing") in found


def test_an_empty_hub_is_asked_for_nothing(small_situation) -> None:
    """Where nothing is at a hub in a slot, mending a limit leaves its power as it is."""
    situation = small_situation(1, station=False)
    # All cars at the first hub, and a transformer that is too small for the base load alone.
    fleet = replace(situation.fleet, hub=np.zeros(len(situation.fleet), np.int64))
    feeder = replace(situation.feeder, transformer_kva=float(situation.feeder.base_kw.sum(0).min()))
    tight = replace(situation, fleet=fleet, feeder=feeder)
    power = np.zeros((2, situation.horizon.slots))
    slots = np.arange(situation.horizon.slots)
    changed = least_changes(tight, power, slots)
    assert np.abs(changed[1]).max() == 0.0
    there = (slots >= fleet.arrival_slot[:, None]) & (slots < fleet.departure_slot[:, None])
    assert np.abs(changed[0][~there.any(axis=0)]).max(initial=0.0) == 0.0
    assert (changed[0] < 0.0).any()
