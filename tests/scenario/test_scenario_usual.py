"""Values that are hardly ever meant are noted with what is usual, and none that is usual is."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubwise.scenario import check, load, new

ODD = [
    ("scenario.toml", 'unit = "MWh"', 'unit = "kWh"', "prices: "),
    ("scenario.toml", "service_fee = 0.1", "service_fee = 10.1", "prices.service_fee: 10"),
    ("scenario.toml", "saving = 0", "saving = 95.0 #", "promises.saving: 95"),
    ("scenario.toml", "[prices]", "[prices]\ndemand_charge = 9.0", "prices.demand_charge: 9"),
    ("scenario.toml", "transformer_kva = ", "transformer_kva = 1000", "transformer_kva: "),
    ("sessions.csv", "2025-05-15 07:30,60,26", "2025-05-15 07:30,60000,26", "capacity_kwh: 1 of"),
    ("sessions.csv", "57,11,11,", "57,11000,11,", "charge_kw_max: "),
    ("sessions.csv", "0.95,0.95,0.03", "0.95,0.95,30", "wear_cost: "),
]


@pytest.mark.parametrize("name", ["example", "ieee33"])
def test_usual_values_are_not_noted(name: str) -> None:
    """The packaged scenarios have nothing unusual."""
    assert not [note for note in load(name).notes if note.startswith("Unusual")]


@pytest.mark.parametrize(("file", "old", "odd", "told"), ODD, ids=[case[3] for case in ODD])
def test_a_forgotten_unit_is_noted(
    tmp_path: Path, file: str, old: str, odd: str, told: str
) -> None:
    """Each is read, and a note names it with its value, what is usual, and what may be meant."""
    folder = new(tmp_path / "s")
    text = (folder / file).read_text("utf-8")
    text = text.replace("demand_charge", "#demand_charge") if "demand" in told else text
    text = text.replace("charge_price_min = 0", "charge_price_min = -1000")
    assert old in text
    (folder / file).write_text(text.replace(old, odd), "utf-8")
    found = [note for note in load(folder).notes if note.startswith(f"Unusual: {told}")]
    assert len(found) == 1
    assert "is usual; " in found[0]


@pytest.mark.parametrize("capacity", ["1e300", "1e308", "2e6"])
def test_a_capacity_that_no_car_has_is_refused(tmp_path: Path, capacity: str) -> None:
    """Numbers that nothing at a site can be are refused, not summed until they overflow."""
    folder = new(tmp_path / "s")
    text = (folder / "sessions.csv").read_text("utf-8")
    row = text.replace("2025-05-15 07:30,60,26", f"2025-05-15 07:30,{capacity},26")
    (folder / "sessions.csv").write_text(row, "utf-8")
    (issue,) = check(folder)
    assert (issue.where, issue.field) == ("row 2", "capacity_kwh")
