"""What becomes of the rows of an import: none is lost, none is cut, each has its car and plug."""

from __future__ import annotations

import csv
import re
import tomllib
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from hubwise.cli import app
from hubwise.domain import Scenario
from hubwise.scenario import Issue, ScenarioError, import_sessions
from hubwise.scenario.files import HorizonSection

PRICES = Path(__file__).parent / "data" / "prices_hourly_mwh.csv"
JUNE, ZONE = date(2024, 6, 3), "Europe/Amsterdam"
HEADER = "session,driver,arrival,departure,energy_kwh"
GOOD = "ok,ann,2024-06-03 08:10,2024-06-03 16:40,18.2"


def made(folder: Path, *rows: str, header: str = HEADER, **options: Any) -> Scenario:
    table = folder / "sessions.csv"
    table.write_text("\n".join([header, *rows, ""]), "utf-8")
    told: dict[str, Any] = {"day": JUNE, "zone": ZONE} | options
    return import_sessions(table, PRICES, folder / "site", **told)


def written(folder: Path) -> dict[str, dict[str, str]]:
    """The sessions of the folder that an import wrote, by id."""
    with (folder / "site" / "sessions.csv").open(encoding="utf-8") as file:
        return {row["session"]: row for row in csv.DictReader(file)}


def asked(row: dict[str, str]) -> float:
    """The energy that a written session asks of the horizon, at the charger [kWh]."""
    kwh = float(row["required_kwh"]) - float(row["arrival_kwh"])
    return kwh / float(row["charge_efficiency"])


def told(scenario: Scenario) -> tuple[int, int, int, int]:
    """Rows, planned, of other days and skipped, as the notes tell."""
    (note,) = (each for each in scenario.notes if " in the file " in each)
    found = re.fullmatch(
        r"Of (\d+) rows? in the file (\d+) are planned, (\d+) of other days and (\d+) skipped\.",
        note,
    )
    assert found is not None
    return tuple(map(int, found.groups()))  # type: ignore[return-value]


def test_every_row_is_counted(tmp_path: Path) -> None:
    """Of 140 rows 120 are of other days: said in so many words."""
    start = datetime(2024, 6, 3, 8)
    rows = [
        f"s{k},d{k},{begins},{begins + timedelta(hours=4)},9"
        for k in range(140)
        for begins in [start + timedelta(days=k // 20)]
    ]
    assert told(made(tmp_path, *rows)) == (140, 20, 120, 0)


MOMENTS = ["2024-06-03 08:10", "2024-06-03 16:40", "2024-06-04 02:00", "2024-06-02 20:00", ""]
CELL = st.sampled_from(
    [*MOMENTS, "2024-06-01 08:00", "2024-06-03T10:00Z", "2024-06-03 08:12", "0", "7.5", "-3", "x"]
)
ROWS = st.lists(st.tuples(st.sampled_from(["", "a", "b", "ok"]), CELL, CELL, CELL), max_size=12)


@given(rows=ROWS)
@settings(max_examples=40)
def test_no_row_is_lost_whatever_is_in_it(rows: list[tuple[str, ...]]) -> None:
    """Planned, skipped and other days' rows are all rows; what stops has its row named."""
    lines = [f"{session},x,{','.join(cells)}" for session, *cells in rows]
    issues: tuple[Issue, ...] = ()
    with TemporaryDirectory() as folder:
        try:
            scenario = made(Path(folder), GOOD, *lines)
        except ScenarioError as error:
            issues = error.issues
        if not issues:
            count, planned, elsewhere, skipped = told(scenario)
            reasons = [int(note.split()[0]) for note in scenario.notes if " skipped: " in note]
            assert count == len(rows) + 1 == planned + elsewhere + skipped
            assert sum(reasons) == skipped
            assert planned == len(scenario.situation.fleet) == len(written(Path(folder)))
    assert all(issue.where.startswith("row ") for issue in issues)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("b,bob,2024-06-03 09:00,,9", "has not ended"),
        ("b,bob,2024-06-03 09:00,0001-01-01 00:00:00,9", "has not ended"),
        ("b,bob,2024-06-03 09:00,2024-06-03 12:00,", "no energy told"),
        ("b,bob,2024-06-03 09:00,2024-06-03 12:00,0", "no energy asked for"),
        ("b,bob,2024-06-03 09:00,2024-06-03 08:00,9", "departs before it arrives"),
        ("b,bob,,,9", "its arrival is not told or cannot be read"),
        ("Total,,sum,,987.5", "its arrival is not told or cannot be read"),
        (GOOD, "there twice"),
    ],
)
def test_each_reason_is_told(tmp_path: Path, row: str, reason: str) -> None:
    """A row that is left out is counted with why, and the others are planned."""
    scenario = made(tmp_path, GOOD, row)
    assert f"1 skipped: {reason}." in scenario.notes
    assert told(scenario) == (2, 1, 0, 1)


def test_minutes_count(tmp_path: Path) -> None:
    """A stay of 19 minutes, no whole slot among them, is planned with all 19."""
    scenario = made(tmp_path, GOOD, "b,bob,2024-06-03 09:01,2024-06-03 09:20,9")
    fleet, horizon = scenario.situation.fleet, scenario.situation.horizon
    row = fleet.session.tolist().index("b")
    minutes = horizon.slot_minutes * fleet.presence(horizon.slots)[row]
    assert minutes[minutes > 0] == pytest.approx([14, 5])
    assert any("asked for more than the stay brings" in note for note in scenario.notes)


def test_what_is_wrong_on_other_days_does_not_stop(tmp_path: Path) -> None:
    """It is counted, with its row; the same on the day itself refuses the import, with its row."""
    scenario = made(tmp_path, GOOD, "b,bob,2024-06-10 09:00,2024-06-10 12:00,much")
    assert told(scenario) == (2, 1, 1, 0)
    assert any("row 3 (energy_kwh: 'much' is not a number)" in note for note in scenario.notes)
    with pytest.raises(ScenarioError) as raised:
        made(tmp_path, GOOD, "b,bob,2024-06-03 09:00,2024-06-03 12:00,much", "c,,noon,,1")
    (issue,) = raised.value.issues
    assert (issue.where, issue.field) == ("row 3", "energy_kwh")


def test_a_row_that_is_not_whole_matters_as_its_day_does(tmp_path: Path) -> None:
    """A line below the table is counted and told; half a row of the day refuses the import."""
    scenario = made(tmp_path, GOOD, "Total: 1 session")
    assert told(scenario) == (2, 1, 0, 1)
    assert any("row 3 (has 1 cells" in note for note in scenario.notes)
    with pytest.raises(ScenarioError) as raised:
        made(tmp_path, GOOD, "b,bob,2024-06-03 09:00,2024-06-03 12:00")
    (issue,) = raised.value.issues
    assert (issue.where, issue.wrong) == ("row 3", "has 4 cells")


def test_chargers_may_count_their_sessions_each_from_one(tmp_path: Path) -> None:
    """One id at two plugs is two stays; both are planned, under ids of their own."""
    header = "session,plug,arrival,departure,energy_kwh"
    stay = "2024-06-03 09:00,2024-06-03 12:00,9"
    scenario = made(tmp_path, f"1,P1,{stay}", f"1,P2,{stay}", header=header)
    assert list(scenario.situation.fleet.session) == ["1", "1-row-3"]


def test_a_car_is_at_one_place_at_a_time(tmp_path: Path) -> None:
    """Who is at two plugs at once drives two cars, and a note says that this was assumed."""
    rows = [
        "a,ann,2024-06-03 08:00,2024-06-03 12:00,9",
        "b,ann,2024-06-03 11:00,2024-06-03 14:00,9",
        "c,ann,2024-06-03 12:00,2024-06-03 15:00,9",
    ]
    scenario = made(tmp_path, *rows)
    assert list(scenario.situation.fleet.driver_name) == ["ann", "ann (car 2)", "ann"]
    assert any(note.startswith("1 of 3 sessions overlap another") for note in scenario.notes)


@pytest.mark.parametrize(
    ("departure", "share"),
    [("2024-06-05 07:00", 0.0), ("2024-06-04 02:00", 30 - 2 * 7), ("2024-06-04 00:00", 30)],
)
def test_a_stay_over_midnight_is_not_cut_with_its_energy(
    tmp_path: Path, departure: str, share: float
) -> None:
    """Today has to bring what the rest of the stay cannot; the whole stay is on record."""
    scenario = made(tmp_path, f"m,ann,2024-06-03 18:00,{departure},30")
    row = written(tmp_path)["m"]
    assert asked(row) == pytest.approx(share, abs=1e-5)
    assert row["departure"] == "2024-06-04T00:00:00+02:00"
    assert datetime.fromisoformat(row["actual_departure"]).replace(
        tzinfo=None
    ) == datetime.fromisoformat(departure)
    assert not any("shortfall" in note for note in scenario.notes)
    assert any("past the end" in n for n in scenario.notes) == (departure > "2024-06-04 00:00")
    # The car comes with what it lacks in all, not with what it lacks today.
    assert float(row["arrival_kwh"]) == pytest.approx(67.5 - 30 * 0.95)


def test_a_stay_on_both_sides_asks_for_the_middle(tmp_path: Path) -> None:
    """13 hours before and 1 hour after the day at 7 kW leave 2 of 100 kWh of a battery's 105."""
    made(
        tmp_path,
        "m,ann,2024-06-02 11:00,2024-06-04 01:00,100",
        capacity_kwh=140.0,
        reserve_share=0.0,
    )
    assert asked(written(tmp_path)["m"]) == pytest.approx(100 - 13 * 7 - 7)


def test_cars_and_chargers_are_joined_by_id(tmp_path: Path) -> None:
    """A driver's car and a plug's power go before what is assumed; unknown ids are named."""
    cars, chargers = tmp_path / "cars.csv", tmp_path / "chargers.csv"
    cars.write_text(
        "driver;type;capacity_kwh;charge_kw_max;discharge_kw_max;chemistry;wear_cost\n"
        "ann;Leaf;40;7,4;6;LMO;0,11\n;Zoe;52;22;;;\nzed;;60;11;;;\n"
    )
    chargers.write_text("plug,hub,kw,two_way\nP1,north,22,true\nP2/1,south,3.7,false\nP9,x,1,\n")
    header = "session,driver,vehicle,plug,connector,arrival,departure,energy_kwh"
    stay = "2024-06-03 09:00,2024-06-03 12:00,9"
    scenario = made(
        tmp_path,
        f"a,ann,Leaf,P1,1,{stay}",
        f"b,bob,Zoe,P2,1,{stay}",
        f"c,cid,Mini,P2,2,{stay}",
        header=header,
        cars=str(cars),
        chargers=str(chargers),
    )
    a, b, c = written(tmp_path).values()
    keys = ("hub", "capacity_kwh", "charge_kw_max", "discharge_kw_max", "chemistry", "wear_cost")
    assert [a[key] for key in keys] == ["north", "40.0", "7.4", "6.0", "LMO", "0.11"]
    assert [b[key] for key in keys] == ["south", "52.0", "3.7", "0.0", "NMC", "0.05"]
    assert [c[key] for key in keys] == ["site", "75.0", "7.0", "0.0", "NMC", "0.05"]
    assert scenario.situation.rules.discharge_price_max.max() > 0  # ann's car can sell
    notes = "\n".join(scenario.notes)
    assert "1 of 3 sessions are not in cars.csv: cid." in notes
    assert "1 of 3 sessions are not in chargers.csv: P2/2." in notes
    assert "1 rows of cars.csv are of no session here: zed." in notes
    assert "1 rows of chargers.csv are of no session here: P9." in notes


@pytest.mark.parametrize(
    ("car", "charger", "option", "powers"),
    [
        ("7.4,", "22,", False, ["7.4", "0.0"]),
        ("7.4,", "22,", True, ["7.4", "7.4"]),
        ("7.4,", "22,true", False, ["7.4", "7.4"]),
        ("7.4,6", "22,true", False, ["7.4", "6.0"]),
        ("7.4,6", "3.7,true", False, ["3.7", "3.7"]),
        ("7.4,6", "22,false", True, ["7.4", "0.0"]),
        (",6", ",", False, ["7.0", "6.0"]),
        (",", ",", True, ["7.0", "7.0"]),
        ("11,", ",", False, ["11.0", "0.0"]),
    ],
)
def test_power_is_what_both_car_and_charger_can(
    tmp_path: Path, car: str, charger: str, option: bool, powers: list[str]
) -> None:
    """The lower of the two that are told; both ways only where neither is said to be one-way."""
    cars, chargers = tmp_path / "cars.csv", tmp_path / "chargers.csv"
    cars.write_text(f"driver,charge_kw_max,discharge_kw_max\nann,{car}\n")
    chargers.write_text(f"charger,kw,two_way\nP1,{charger}\n")
    stay = "ann,P1,2024-06-03 09:00,2024-06-03 12:00,9"
    columns = {"plug": "Box"}
    tables = {"cars": str(cars), "chargers": str(chargers), "two_way": option, "columns": columns}
    made(tmp_path, stay, header="driver,Box,arrival,departure,energy_kwh", **tables)
    (row,) = written(tmp_path).values()
    assert [row["charge_kw_max"], row["discharge_kw_max"]] == powers


def test_a_mistake_in_a_table_of_cars_is_named(tmp_path: Path) -> None:
    """A cell that is no number, a car that is there twice and a column that nobody knows."""
    cars = tmp_path / "cars.csv"
    cars.write_text("driver,capacity_kwh,colour\nann,big,red\nbob,50,red\nbob,60,red\n")
    with pytest.raises(ScenarioError) as raised:
        made(tmp_path, GOOD, cars=str(cars))
    assert [(issue.where, issue.field) for issue in raised.value.issues] == [
        ("row 1", "colour"),
        ("row 2", "capacity_kwh"),
        ("row 4", "car"),
    ]


def test_the_command_tells_what_was_left_out(tmp_path: Path) -> None:
    """Counts and reasons stand in the command's output; columns are named on its line."""
    table = tmp_path / "sessions.csv"
    table.write_text(
        "Start Date,End Date,kWh\n2024-06-03 08:10,2024-06-03 16:40,9\n"
        "2024-06-03 09:00,,3\n2024-06-07 09:00,2024-06-07 12:00,3\n"
    )
    call = f"scenario import --sessions {table} --prices {PRICES} --day 2024-06-03 --zone {ZONE}"
    named = ["arrival=Start Date", 'departure="End Date"', "energy_kwh=kWh"]
    flags = [part for each in named for part in ("--column", each)]
    result = CliRunner().invoke(app, [*call.split(), "--out", str(tmp_path / "site"), *flags])
    assert result.exit_code == 0, result.output
    assert "Of 3 rows in the file 1 are planned, 1 of other days and 1 skipped." in result.output
    assert "1 skipped: has not ended." in result.output


@pytest.mark.skipif(
    "days" not in HorizonSection.model_fields, reason="a scenario has one day until it has several"
)
def test_several_days_are_one_site(tmp_path: Path) -> None:
    """Stays over the midnights within are whole; one past the last is asked for its share."""
    prices = tmp_path / "prices.csv"
    first = datetime(2024, 6, 2, 22)
    hours = "".join(f"{first + timedelta(hours=k):%Y-%m-%dT%H:00Z},50\n" for k in range(72))
    prices.write_text("start_utc,price_eur_per_mwh\n" + hours)
    table = tmp_path / "sessions.csv"
    rows = [GOOD, "n,bob,2024-06-03 22:00,2024-06-04 07:00,30", "o,cid,2024-06-05 22:00,"]
    table.write_text("\n".join([HEADER, *rows[:2], rows[2] + "2024-06-06 01:00,20", ""]))
    scenario = import_sessions(table, prices, tmp_path / "site", day=JUNE, zone=ZONE, days=3)
    horizon = tomllib.loads((tmp_path / "site" / "scenario.toml").read_text())["horizon"]
    assert horizon["days"] == 3
    assert scenario.situation.horizon.slots == 3 * 96
    assert np.array_equal(scenario.situation.fleet.departure_slot, [67, 124, 288])
    assert asked(written(tmp_path)["n"]) == pytest.approx(30)
    assert asked(written(tmp_path)["o"]) == pytest.approx(20 - 7)


def test_curves_of_cars_are_carried(tmp_path: Path) -> None:
    """Names in any letters; two cars of one curve share it, and who has none takes full power."""
    cars = tmp_path / "cars.csv"
    cars.write_text(
        "Driver;Capacity (kWh);Taper\nann;60;0.5:1 0.8:0.4 1:0.1\nbob;60;0.9:1 1:0.3\n"
        "cid;60;0.5:1 0.8:0.4 1:0.1\ndan;60;\n".replace(" (kWh)", "_kWh")
    )
    stay = "2024-06-03 09:00,2024-06-03 12:00,9"
    rows = [f"{who},{stay}" for who in ("ann", "bob", "cid", "dan")]
    scenario = made(tmp_path, *rows, header="driver,arrival,departure,energy_kwh", cars=str(cars))
    names = [row["taper"] for row in written(tmp_path).values()]
    assert names[0] == names[2] != names[1]
    assert names[3] == ""
    taper = scenario.situation.fleet.taper
    assert taper is not None
    assert taper.soc[0].tolist() == [0.5, 0.8, 1.0]
    assert taper.share[1][:2].tolist() == [1.0, 0.3]


@pytest.mark.parametrize("points", ["ccs", "0.8:0.9 1:0.2", "0.8:1 0.7:0.2", "0.8:1 1:1.2"])
def test_a_curve_that_is_none_is_named(tmp_path: Path, points: str) -> None:
    """In the table of cars, whatever is wrong with it."""
    cars = tmp_path / "cars.csv"
    cars.write_text(f"driver,taper\nann,{points}\n")
    with pytest.raises(ScenarioError) as raised:
        made(tmp_path, GOOD, cars=str(cars))
    assert {issue.field for issue in raised.value.issues} == {"taper"}
    assert "0.8:1 1:0.2" in raised.value.issues[0].right


def test_a_hub_that_is_perhaps_a_slip_is_noted(tmp_path) -> None:
    """One row of many names another hub by a letter; hubs that differ in numbers are two."""
    hubs = [*["north"] * 6, *["north-2"] * 6, "norht", "North-2", "south", "north-3"]
    rows = [f"s{k},d{k},2024-06-03 08:10,2024-06-03 16:40,18.2,{hub}" for k, hub in enumerate(hubs)]
    scenario = made(tmp_path, *rows, header=f"{HEADER},hub")
    noted = [note for note in scenario.notes if "if they are one" in note]
    assert [re.findall(r"'([^']+)'", note) for note in noted] == [
        ["norht", "north"],
        ["North-2", "north-2"],
    ]
    assert "has 1 of the sessions and 'north' 6" in noted[0]
