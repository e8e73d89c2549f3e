"""Sessions as they are downloaded: every system's form is read, each clock and energy right."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from hubwise.domain import Scenario
from hubwise.scenario import ScenarioError, import_sessions
from hubwise.scenario.foreign_sessions import ForeignStay, Told, read_foreign_sessions
from hubwise.scenario.reading import Reader
from session_exports import SITE, WRITERS, Export, at

DATA = Path(__file__).parent / "data"
PRICES = DATA / "prices_hourly_mwh.csv"
JUNE, ZONE = date(2024, 6, 3), "Europe/Amsterdam"
ONE = [Export("881", "77", at("2024-06-03T08:10"), at("2024-06-03T16:40"), 18.25)]


def imported(sessions: Path, folder: Path, **options: Any) -> Scenario:
    told: dict[str, Any] = {"day": JUNE, "zone": ZONE} | options
    return import_sessions(sessions, PRICES, folder / "site", **told)


def written(folder: Path) -> list[dict[str, str]]:
    """The sessions of the folder that an import wrote."""
    with (folder / "site" / "sessions.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read(path: Path, **told: Any) -> tuple[ForeignStay, ...]:
    reader = Reader(Path())
    found = read_foreign_sessions(reader, str(path), Told(site_zone=ZONE, **told))
    assert found is not None, reader.issues
    assert not reader.issues
    return found.stays


def asked(row: dict[str, str]) -> float:
    """The energy that a written session asks of the horizon, at the charger [kWh]."""
    kwh = float(row["required_kwh"]) - float(row["arrival_kwh"])
    return kwh / float(row["charge_efficiency"])


def utc(moment: datetime | None) -> datetime:
    """A moment in UTC; without a zone it is on the site's clock."""
    assert moment is not None
    return (moment if moment.tzinfo else moment.replace(tzinfo=SITE)).astimezone(UTC)


@pytest.mark.parametrize("kind", WRITERS)
def test_every_form_is_read_as_it_is_downloaded(tmp_path: Path, kind: str) -> None:
    """One session, 08:10 to 16:40 in a Dutch summer, whatever clock its system writes."""
    name, write = WRITERS[kind]
    write(ONE, tmp_path / name)
    scenario = imported(tmp_path / name, tmp_path)
    (row,) = written(tmp_path)
    assert row["arrival"] == "2024-06-03T08:10:00+02:00"
    assert row["actual_departure"] == "2024-06-03T16:40:00+02:00"
    assert row["driver"] == "77"
    assert asked(row) == pytest.approx(18.25)
    assert "Of 1 row in the file 1 are planned, 0 of other days and 0 skipped." in scenario.notes


@pytest.mark.parametrize("kind", WRITERS)
def test_a_file_is_known_by_what_it_shows(tmp_path: Path, kind: str) -> None:
    """Its name says nothing: not even what kind of file it is."""
    write = WRITERS[kind][1]
    write(ONE, tmp_path / "export.xlsx")
    (tmp_path / "export.xlsx").rename(tmp_path / "export.dat")
    (stay,) = read(tmp_path / "export.dat")
    assert utc(stay.arrival) == ONE[0].arrival


MINUTE = timedelta(minutes=1)
# Not in the nights in which a clock without an offset shows an hour twice or leaps over one.
ARRIVALS = st.datetimes(datetime(2021, 1, 1), datetime(2025, 12, 31)).filter(
    lambda moment: not (moment.month in (3, 10, 11) and moment.hour < 12)
)
EXPORTS = st.lists(
    st.builds(
        lambda arrival, minutes, kwh: (arrival.replace(second=0, microsecond=0), minutes, kwh),
        ARRIVALS,
        st.integers(1, 4_000),
        st.integers(1, 99_999),
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("kind", WRITERS)
@given(drawn=EXPORTS)
@settings(max_examples=25)
def test_what_is_written_is_read_back(kind: str, drawn: list[tuple[datetime, int, int]]) -> None:
    """Sessions drawn at random come back from every form with their minutes and watt-hours.

    The last is one on the 28th, which tells the order of day and month; a file in which none does
    is read in the order that is usual where it comes from.
    """
    exports = [
        Export(f"id{k}", f"driver{k}", start.replace(tzinfo=UTC), end.replace(tzinfo=UTC), wh / 1e3)
        for k, (start, minutes, wh) in enumerate([*drawn, (datetime(2022, 6, 28, 12), 60, 7_500)])
        for end in [start + minutes * MINUTE]
        if end.month not in (3, 10, 11)
    ]
    name, write = WRITERS[kind]
    with TemporaryDirectory() as folder:
        write(exports, Path(folder) / name)
        stays = read(Path(folder) / name)
    assert [utc(stay.arrival) for stay in stays] == [each.arrival for each in exports]
    assert [utc(stay.departure) for stay in stays] == [each.departure for each in exports]
    found = np.array([stay.energy_kwh for stay in stays], dtype=float)
    assert_allclose(found, np.array([each.energy_kwh for each in exports]))
    assert [stay.driver for stay in stays] == [each.driver for each in exports]
    assert not any(stay.problems for stay in stays)


def test_a_clock_time_with_an_offset_is_that_instant(tmp_path: Path) -> None:
    """06:10Z is 08:10 in a Dutch summer, in the stated departure's column as well."""
    table = tmp_path / "sessions.csv"
    table.write_text(
        "arrival,departure,stated_departure,energy_kwh\n"
        "2024-06-03T06:10Z,2024-06-03T09:40:00-05:00,2024-06-03 17:00,9\n"
    )
    imported(table, tmp_path)
    (row,) = written(tmp_path)
    assert row["arrival"] == "2024-06-03T08:10:00+02:00"
    assert row["actual_departure"] == "2024-06-03T16:40:00+02:00"
    assert row["departure"] == "2024-06-03T17:00:00+02:00"


@pytest.mark.parametrize("kind", ["ocpi", "elaad"])
def test_clocks_in_utc_hang_on_no_wall(tmp_path: Path, kind: str) -> None:
    """On the prices of another day a car comes when the site's clock showed, not UTC's."""
    name, write = WRITERS[kind]
    winter = Export("1", "2", at("2024-01-15T08:10"), at("2024-01-15T12:00"), 9.0)
    write([winter], tmp_path / name)
    imported(tmp_path / name, tmp_path, day=date(2024, 1, 15), price_day=JUNE)
    assert written(tmp_path)[0]["arrival"] == "2024-06-03T08:10:00+02:00"


def test_another_days_clock_is_that_of_the_place(tmp_path: Path) -> None:
    """ACN-Data writes GMT and names its zone: 07:10 in California comes at 07:10."""
    name, write = WRITERS["acn"]
    start = datetime(2024, 1, 15, 15, 10, tzinfo=UTC)
    write([Export("1", "2", start, start + timedelta(hours=4), 9.0)], tmp_path / name)
    imported(tmp_path / name, tmp_path, day=date(2024, 1, 15), price_day=JUNE)
    assert written(tmp_path)[0]["arrival"] == "2024-06-03T07:10:00+02:00"


def test_the_option_tells_the_zone_of_stamps_without_one(tmp_path: Path) -> None:
    """A table that somebody knows to be in UTC is read so, and a note says it."""
    table = tmp_path / "sessions.csv"
    table.write_text("arrival,departure,energy_kwh\n2024-06-03 06:10,2024-06-03 14:40,9\n")
    scenario = imported(table, tmp_path, sessions_zone="UTC")
    assert written(tmp_path)[0]["arrival"] == "2024-06-03T08:10:00+02:00"
    assert "Stamps without an offset are read on the clock of UTC." in scenario.notes


def test_the_hour_that_comes_twice(tmp_path: Path) -> None:
    """02:50 to 02:20 in the night of the change is half an hour, not a stay that runs backwards."""
    table = tmp_path / "sessions.csv"
    table.write_text("arrival,departure,energy_kwh\n2024-10-27 02:50,2024-10-27 02:20,2\n")
    imported(table, tmp_path, day=date(2024, 10, 27))
    (row,) = written(tmp_path)
    assert row["arrival"] == "2024-10-27T02:50:00+02:00"
    assert row["departure"] == "2024-10-27T02:20:00+01:00"


def test_a_file_without_departures_is_read_by_its_durations(tmp_path: Path) -> None:
    """ElaadNL's connected hours, where the end is left out."""
    table = tmp_path / "sessions.csv"
    table.write_text(
        "TransactionId;UTCTransactionStart;ConnectedTime;TotalEnergy\n1;03-06-2024 06:10;8,5;18,2\n"
    )
    imported(table, tmp_path)
    assert written(tmp_path)[0]["departure"] == "2024-06-03T16:40:00+02:00"


def test_what_drivers_said_goes_before_what_they_got(tmp_path: Path) -> None:
    """ACN's last user input counts; without any, what was delivered is planned with, and told."""
    items = [
        {
            "connectionTime": "Mon, 03 Jun 2024 06:10:00 GMT",
            "disconnectTime": "Mon, 03 Jun 2024 14:40:00 GMT",
            "kWhDelivered": 11.0,
            "sessionID": session,
            "userInputs": said,
        }
        for session, said in [
            ("said", [{"kWhRequested": 5}, {"kWhRequested": 20, "minutesAvailable": 300}]),
            ("silent", None),
        ]
    ]
    (tmp_path / "acn.json").write_text(json.dumps({"_items": items}))
    scenario = imported(tmp_path / "acn.json", tmp_path)
    said, silent = written(tmp_path)
    assert (asked(said), said["departure"]) == (pytest.approx(20), "2024-06-03T13:10:00+02:00")
    assert (asked(silent), silent["departure"]) == (pytest.approx(11), "2024-06-03T16:40:00+02:00")
    assert any(note.startswith("1 rows do not tell what was asked") for note in scenario.notes)


def test_columns_of_any_table_can_be_named(tmp_path: Path) -> None:
    """Titles above the header, a semicolon, a decimal comma, an old code page, parts of moments."""
    table = tmp_path / "lader.csv"
    text = (
        "Auszug vom Juni;;;;;\nFahrer;Tag;Anfang;Tag bis;Ende;Energie für Auto\n"
        "Müller;3.6.2024;08:10;3.6.2024;16:40;18,25\nMaier;3.6.2024;09:00;3.6.2024;11:00;1.018,5\n"
    )
    table.write_bytes(text.encode("cp1252"))
    columns = {
        "arrival": ["Tag", "Anfang"],
        "departure": ["Tag bis", "Ende"],
        "energy_kwh": "Energie für Auto",
        "driver": "Fahrer",
    }
    imported(table, tmp_path, columns=columns)
    first, second = written(tmp_path)
    assert (first["arrival"], first["driver"]) == ("2024-06-03T08:10:00+02:00", "Müller")
    assert asked(first) == pytest.approx(18.25)
    assert read(table, columns={k: [v] if isinstance(v, str) else v for k, v in columns.items()})[
        1
    ].energy_kwh == pytest.approx(1018.5)
    assert second["driver"] == "Maier"


def test_an_unknown_table_is_refused_with_what_to_say(tmp_path: Path) -> None:
    """What is missing is named, all at once, with the columns there are and the option to use."""
    table = tmp_path / "sessions.csv"
    table.write_text("Came,Went,Used\n2024-06-03 08:10,2024-06-03 16:40,9\n")
    with pytest.raises(ScenarioError) as raised:
        imported(table, tmp_path)
    assert [issue.field for issue in raised.value.issues] == ["arrival", "departure", "energy_kwh"]
    assert all("Came, Went, Used" in issue.right for issue in raised.value.issues)
    assert all(f"--column {issue.field}=" in issue.right for issue in raised.value.issues)


def test_a_column_told_wrongly_is_named(tmp_path: Path) -> None:
    """A meaning that is none and a header that is not there are told together."""
    table = tmp_path / "sessions.csv"
    table.write_text("Plug-in,departure,energy_kwh\n2024-06-03 08:10,2024-06-03 16:40,9\n")
    with pytest.raises(ScenarioError) as raised:
        imported(table, tmp_path, columns={"arival": "Plug-in", "arrival": "Plugin time"})
    assert [issue.field for issue in raised.value.issues] == ["arival", "Plugin time"]
    assert "did you mean 'arrival'?" in raised.value.issues[0].right


def test_dates_that_nothing_tells_can_be_told(tmp_path: Path) -> None:
    """6/3/2024 is the third of June where somebody says so, the sixth of March by Dutch habit."""
    table = tmp_path / "sessions.csv"
    table.write_text("arrival,departure,energy_kwh\n6/3/2024 8:10 AM,6/3/2024 4:40 PM,9\n")
    with pytest.raises(ScenarioError, match="2024-03-06"):
        imported(table, tmp_path)
    imported(table, tmp_path, date_order="mdy")
    assert written(tmp_path)[0]["departure"] == "2024-06-03T16:40:00+02:00"


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("Energy (Wh)", "18250"),
        ("energy_wh", "18250"),
        ("Energy", "18250 Wh"),
        ("MWh", "0.01825"),
        ("Energy", "18.25"),
        ("Energy", "18.25 kWh"),
        ("Energy [kWh]", "18.25"),
    ],
)
def test_energies_are_in_the_unit_that_is_told(tmp_path: Path, header: str, cell: str) -> None:
    """By the column's name or in the cell; without one they are kWh."""
    table = tmp_path / "sessions.csv"
    table.write_text(
        f"arrival,departure,{header}\n2024-06-03 08:10,2024-06-03 16:40,{cell}\n", "utf-8"
    )
    (stay,) = read(table, columns={"energy_kwh": [header]})
    assert stay.energy_kwh == pytest.approx(18.25)


def test_a_forgotten_unit_is_asked_about(tmp_path: Path) -> None:
    """18,250 kWh for a car is told with what is usual."""
    table = tmp_path / "sessions.csv"
    table.write_text("arrival,departure,energy_kwh\n2024-06-03 08:10,2024-06-03 16:40,18250\n")
    scenario = imported(table, tmp_path)
    assert any("5 to 100 kWh are usual, as if in Wh." in note for note in scenario.notes)


@pytest.mark.parametrize("text", ["[]", '{"_items": []}', '{"data": [], "links": {}}', "[1, 2]"])
def test_json_without_sessions_says_so(tmp_path: Path, text: str) -> None:
    """An empty page of an API is one plain problem, whatever is around it."""
    (tmp_path / "page.json").write_text(text)
    with pytest.raises(ScenarioError) as raised:
        imported(tmp_path / "page.json", tmp_path)
    (issue,) = raised.value.issues
    assert issue.wrong == "holds no sessions"


def test_a_single_record_is_read(tmp_path: Path) -> None:
    """One charge detail record by itself, not the list of charging periods within it."""
    WRITERS["ocpi"][1](ONE, tmp_path / "page.json")
    (record,) = json.loads((tmp_path / "page.json").read_text())["data"]
    (tmp_path / "cdr.json").write_text(json.dumps(record))
    (stay,) = read(tmp_path / "cdr.json")
    assert (utc(stay.arrival), stay.energy_kwh) == (ONE[0].arrival, ONE[0].energy_kwh)
    assert (stay.hub, stay.plugs) == ("LOC9", ("E7/1", "E7"))
