"""Wishes on a session, of a driver, and none: which of them holds."""

from __future__ import annotations

import csv
import shutil
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwise.scenario import load, new
from hubwise.scenario.door import PACKAGED
from hubwise.scenario.writing import write_csv

NUMBERS = ("reserve_kwh", "discharge_limit_kwh", "fade_limit_per_year", "minimum_saving")
NEUTRAL = (0.0, np.inf, np.inf, 0.0)
some = st.one_of(st.none(), st.floats(0.0, 8.0))
wishes = st.fixed_dictionaries(
    {**dict.fromkeys(NUMBERS, some), "never_discharge": st.sampled_from([None, True, False])}
)


def site(folder: Path, sessions: dict[str, object], drivers: dict[str, object]) -> Path:
    """The example with wishes written on its first session, and for that session's driver."""
    new(folder)
    with (folder / "sessions.csv").open(encoding="utf-8") as table:
        rows = [row | {"reserve_kwh": ""} for row in csv.DictReader(table)]
    written = {key: "" if value is None else value for key, value in sessions.items()}
    empty = dict.fromkeys(written, "")
    rows = [empty | row | (written if k == 0 else {}) for k, row in enumerate(rows)]
    write_csv(folder / "sessions.csv", rows)
    own = {key: "" if value is None else value for key, value in drivers.items()}
    drivers_rows = [{"driver": row["driver"]} | dict.fromkeys(own, "") for row in rows]
    write_csv(folder / "drivers.csv", [drivers_rows[0] | own, *drivers_rows[1:]])
    toml = folder / "scenario.toml"
    toml.write_text(toml.read_text("utf-8") + '\n[drivers]\nfile = "drivers.csv"\n', "utf-8")
    return folder


@given(on_session=wishes, of_driver=wishes)
def test_a_session_goes_before_its_driver_and_that_before_the_default(
    tmp_path_factory: pytest.TempPathFactory,
    on_session: dict[str, object],
    of_driver: dict[str, object],
) -> None:
    """Every wish: the session's own if it has one, else the driver's, else none."""
    fleet = load(site(tmp_path_factory.mktemp("site") / "s", on_session, of_driver)).situation.fleet
    for key, neutral in zip(NUMBERS, NEUTRAL, strict=True):
        due = [value for value in (on_session[key], of_driver[key], neutral) if value is not None]
        assert getattr(fleet, key)[0] == due[0]
        assert getattr(fleet, key)[1] == neutral
    never = [wish["never_discharge"] for wish in (on_session, of_driver)]
    assert fleet.never_discharge[0] == next((said for said in never if said is not None), False)
    assert fleet.discharge_kw_max[0] == (0.0 if fleet.never_discharge[0] else 11.0)


@pytest.mark.parametrize(
    ("clock", "leaves"), [("07:45", "2025-05-15T07:45"), ("17:30", "2025-05-14T17:30")]
)
def test_a_driver_leaves_when_the_clock_next_shows_the_time(
    tmp_path: Path, clock: str, leaves: str
) -> None:
    """A departure that is a time of day is the next such time after the arrival, 16:40."""
    scenario = load(site(tmp_path / "s", {"departure": None}, {"departure": clock}))
    due = datetime.fromisoformat(leaves).replace(tzinfo=ZoneInfo("Europe/Amsterdam"))
    assert scenario.situation.fleet.departure_slot[0] == scenario.situation.horizon.slot_of(due)


def test_wishes_of_a_synthetic_fleet_change_no_draw(tmp_path: Path) -> None:
    """What stands in [fleet] holds for every session; the fleet is drawn as without it."""
    shutil.copytree(PACKAGED / "ieee33", tmp_path / "s")
    toml = tmp_path / "s" / "scenario.toml"
    text = toml.read_text("utf-8").replace("drivers_per_hub = 250", "drivers_per_hub = 20")
    toml.write_text(text, "utf-8")
    before = load(tmp_path / "s").situation.fleet
    asked = "discharge_limit_kwh = 6.0\nfade_limit_per_year = 0.002\nminimum_saving = 1.5\n"
    lines = asked + "never_discharge = true\ndrivers_per_hub"
    toml.write_text(text.replace("drivers_per_hub", lines), "utf-8")
    after = load(tmp_path / "s").situation.fleet
    for key, value in (
        ("discharge_limit_kwh", 6.0),
        ("fade_limit_per_year", 0.002),
        ("minimum_saving", 1.5),
        ("never_discharge", True),
        ("discharge_kw_max", 0.0),
    ):
        assert set(getattr(after, key)) == {value}
        assert set(getattr(before, key)) != {value}
    for key in ("arrival_slot", "arrival_kwh", "capacity_kwh", "chemistry", "wear_cost"):
        np.testing.assert_array_equal(getattr(after, key), getattr(before, key))
