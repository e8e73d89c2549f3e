"""Tables of sessions as they differ from system to system: one stay, written in many ways."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hubwise.scenario.foreign_sessions import ForeignStay, Told, read_foreign_sessions
from hubwise.scenario.reading import Reader
from workbooks import workbook

ZONE = "Europe/Amsterdam"
STAY = ("2025-05-14T06:10", "2025-05-14T14:40", 18.2)


def rows(
    folder: Path, content: str | bytes, zone: str = ZONE, **columns: str | list[str]
) -> tuple[ForeignStay, ...]:
    (folder / "file").write_bytes(content if isinstance(content, bytes) else content.encode())
    named = {key: [name] if isinstance(name, str) else name for key, name in columns.items()}
    reader = Reader(folder)
    found = read_foreign_sessions(reader, "file", Told(named, site_zone=zone))
    assert found is not None, reader.issues
    assert not reader.issues
    return found.stays


def told(stay: ForeignStay, zone: str = ZONE) -> tuple[str, str | None, float | None]:
    """Arrival and departure in UTC, and the energy."""
    assert not stay.problems

    def utc(moment: datetime | None) -> str | None:
        if moment is None:
            return None
        local = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
        return f"{local.astimezone(UTC):%Y-%m-%dT%H:%M}"

    arrival = utc(stay.arrival)
    assert arrival is not None
    return arrival, utc(stay.departure), stay.energy_kwh


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("Duration (min)", "510"),
        ("duration_minutes", "510"),
        ("Dauer [s]", "30600"),
        ("hours", "8.5"),
        ("d", "8.5"),
        ("d", "8:30"),
        ("d", "8:30:00"),
        ("d", "0 days 08:30:00"),
        ("d", "510 min"),
        ("d", "8 h 30 min"),
        ("d", "8 hours 30 minutes"),
        ("d", "8 Stunden und 30 Minuten"),
        ("d", '"8,5 h"'),
        ("d", "8h30m0s"),
        ("d", "PT8H30M"),
    ],
)
def test_durations_are_read_in_their_unit(tmp_path: Path, header: str, cell: str) -> None:
    """510 minutes are 8.5 hours and no three weeks, whoever tells the unit."""
    text = f"s,{header},kWh\n2025-05-14 08:10,{cell},18.2\n"
    (stay,) = rows(tmp_path, text, arrival="s", duration=header, energy_kwh="kWh")
    assert told(stay) == STAY


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("Duration", "8:30:00"),
        ("Duration (min)", "510"),
        ("Session duration", "8.5"),
        ("Dauer (h)", "8.5"),
        ("Durée (min)", "510"),
    ],
)
def test_a_usual_table_may_tell_how_long_a_stay_was(tmp_path: Path, header: str, cell: str) -> None:
    """No end is told, no column is: its duration is known by its name, too."""
    text = f"Start time,{header},Energy (kWh)\n2025-05-14 08:10,{cell},18.2\n"
    (stay,) = rows(tmp_path, text)
    assert told(stay) == STAY


@pytest.mark.parametrize("lasted", [timedelta(hours=8, minutes=30), time(8, 30)])
def test_durations_of_a_workbook_are_typed(tmp_path: Path, lasted: object) -> None:
    """As times of day up to 24 hours, as spans beyond."""
    content = workbook({"x": [["s", "d", "e"], [datetime(2025, 5, 14, 8, 10), lasted, 18.2]]})
    (stay,) = rows(tmp_path, content, arrival="s", duration="d", energy_kwh="e")
    assert told(stay) == STAY


@pytest.mark.parametrize("cell", ["99999999999", "99999999999:00:00", "9e99", "P", "h", "8 x"])
def test_a_duration_that_is_none_is_a_problem_of_its_row(tmp_path: Path, cell: str) -> None:
    """Whatever stands there, the row is named and no other is lost."""
    text = f"s,d,e\n2025-05-14 08:10,{cell},1\n2025-05-14 08:10,8:30,18.2\n"
    first, second = rows(tmp_path, text, arrival="s", duration="d", energy_kwh="e")
    assert [field for field, _, _ in first.problems] == ["d"]
    assert told(second) == STAY


def test_a_stated_time_beyond_any_calendar_is_a_problem(tmp_path: Path) -> None:
    """Of its row, too."""
    text = "s,e,kWh,m\n2025-05-14 08:10,2025-05-14 16:40,1,1e300\n"
    named = {"arrival": "s", "departure": "e", "energy_kwh": "kWh", "stated_minutes": "m"}
    (stay,) = rows(tmp_path, text, **named)
    assert [field for field, _, _ in stay.problems] == ["m"]


@pytest.mark.parametrize(
    ("start", "end", "came", "left"),
    [
        ("Start (UTC)", "End (UTC)", "06:10", "14:40"),
        ("start_utc", "end_utc", "06:10", "14:40"),
        ("start_utc", "end", "06:10", "16:40"),
        ("Start (America/New_York)", "end", "02:10", "16:40"),
        ("start", "end", "08:10", "16:40"),
    ],
)
def test_a_column_may_name_its_clock(
    tmp_path: Path, start: str, end: str, came: str, left: str
) -> None:
    """Each column for itself; the site's is for those that name none."""
    text = f"{start},{end},e\n2025-05-14 {came},2025-05-14 {left},18.2\n"
    (stay,) = rows(tmp_path, text, arrival=start, departure=end, energy_kwh="e")
    assert told(stay) == STAY


@pytest.mark.parametrize(
    ("header", "cell", "separator"),
    [
        ("Energie (Wh)", "18.200", ";"),
        ("Energie (Wh)", "18,200", ";"),
        ("Energie (Wh)", '"18,200"', ","),
        ("Energie (Wh)", "18200", ","),
        ("Energie (kWh)", "18,200", ";"),
        ("Energie (kWh)", "18.200", ";"),
    ],
)
def test_watt_hours_have_no_decimals(
    tmp_path: Path, header: str, cell: str, separator: str
) -> None:
    """Groups of three figures are thousands of Wh, and decimals of kWh."""
    text = separator.join(["Ankunft", "Abfahrt", header]) + "\n"
    text += separator.join(["2025-05-14 08:10", "2025-05-14 16:40", cell]) + "\n"
    (stay,) = rows(tmp_path, text)
    assert told(stay) == STAY


@pytest.mark.parametrize(
    ("header", "cell"),
    [("Power (W)", "7400"), ("P", "7400 W"), ("P [kW]", "7.4"), ("P", "7.4 kW"), ("P", "7.4")],
)
def test_powers_are_in_the_unit_that_is_told(tmp_path: Path, header: str, cell: str) -> None:
    """7,400 W are no megawatts."""
    text = f"a,b,e,{header}\n2025-05-14 08:10,2025-05-14 16:40,18.2,{cell}\n"
    named = {"arrival": "a", "departure": "b", "energy_kwh": "e", "charge_kw": header}
    (stay,) = rows(tmp_path, text, **named)
    assert stay.charge_kw == pytest.approx(7.4)


@pytest.mark.parametrize(
    "header",
    [
        "Start time,End time,Energy Added (kWh)",
        "Plug-in,Plug-out,kWh",
        "Ankunft,Abfahrt,Geladene Energie (kWh)",
        "Aankomst,Vertrek,Energie (kWh)",
        "Arrivée,Départ,Énergie (kWh)",
        "Inicio,Fin,Energía (kWh)",
    ],
)
def test_the_usual_names_are_known(tmp_path: Path, header: str) -> None:
    """In the languages that tables are in; what --column says goes before."""
    text = f"{header},other\n2025-05-14 08:10,2025-05-14 16:40,18.2,3\n"
    (stay,) = rows(tmp_path, text)
    assert told(stay) == STAY
    assert not stay.asked
    (stay,) = rows(tmp_path, text, energy_kwh="other")
    assert (stay.energy_kwh, stay.asked) == (3.0, True)


def test_chargepoint_as_a_city_publishes_it(tmp_path: Path) -> None:
    """Names without brackets and blanks, each stamp with its zone beside it."""
    header = "ObjectId,Station_Name,Start_Date___Time,Start_Time_Zone,End_Date___Time,End_Time_Zone"
    text = f"{header},Energy__kWh_\n1,B,5/14/2025 0:10,MDT,5/14/2025 8:40,MDT,18.2\n"
    (stay,) = rows(tmp_path, text, "America/Denver")
    assert told(stay) == STAY
    assert stay.hub == "B"


CDR = {"start_date_time": STAY[0] + "Z", "end_date_time": STAY[1] + "Z", "total_energy": 18.2}


def test_pages_and_lines_of_records_are_one_table(tmp_path: Path) -> None:
    """An answer a page, or a record a line; one that goes on has no end."""
    pages = [{"data": [CDR | {"id": k}], "status_code": 1000} for k in "ab"]
    lines = "\n".join(json.dumps(CDR | {"id": k}) for k in "ab")
    for content in (json.dumps(pages), lines):
        found = rows(tmp_path, content)
        assert [(stay.session, told(stay)) for stay in found] == [("a", STAY), ("b", STAY)]
    (stay,) = rows(tmp_path, json.dumps([{"start_date_time": CDR["start_date_time"], "kwh": 3}]))
    assert told(stay) == (STAY[0], None, 3.0)


def test_sessions_are_found_among_worksheets(tmp_path: Path) -> None:
    """Beside a longer sheet of meter values, whichever stands first."""
    came, left = (datetime.fromisoformat(f"2025-05-14T{clock}") for clock in ("06:10", "14:40"))
    header = ["TransactionId", "UTCTransactionStart", "UTCTransactionStop", "TotalEnergy"]
    meters = [["TransactionId", "UTCTime", "Value"], *([1, came, k] for k in range(30))]
    sheets = {"meters": meters, "transactions": [header, [1, came, left, 18.2]]}
    for order in (sheets, dict(reversed(sheets.items()))):
        (stay,) = rows(tmp_path, workbook(order))
        assert told(stay) == STAY


@pytest.mark.parametrize(("cell", "wrong"), [("-5", True), ("1e9", True), ("0", False)])
def test_a_power_that_no_charger_has_is_a_problem_of_its_row(
    tmp_path: Path, cell: str, wrong: bool
) -> None:
    """Below nothing or of a power station; where none flowed the charger's is not known."""
    text = f"a,b,e,P\n2025-05-14 08:10,2025-05-14 16:40,18.2,{cell}\n"
    (stay,) = rows(tmp_path, text, arrival="a", departure="b", energy_kwh="e", charge_kw="P")
    assert [field for field, _, _ in stay.problems] == ["P"] * wrong
    assert stay.charge_kw is None
