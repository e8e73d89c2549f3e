"""Writers of charging sessions in the forms that other systems export, for tests to read back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl

SITE = ZoneInfo("Europe/Amsterdam")
PACIFIC = ZoneInfo("America/Los_Angeles")


@dataclass(frozen=True)
class Export:
    """A session as it was: moments in UTC to the minute, energy in kWh."""

    session: str
    driver: str
    arrival: datetime
    departure: datetime
    energy_kwh: float


Writer = Callable[[Sequence[Export], Path], None]


def elaad(sessions: Sequence[Export], path: Path, *, sep: str = ";", mark: str = ",") -> None:
    """ElaadNL's open transactions: UTC, day first, hours and energies with a decimal mark."""
    rows = [
        {
            "TransactionId": each.session,
            "ChargePoint": "003402",
            "Connector": "1",
            "UTCTransactionStart": f"{each.arrival:%d/%m/%Y %H:%M}",
            "UTCTransactionStop": f"{each.departure:%d/%m/%Y %H:%M}",
            "StartCard": each.driver,
            "ConnectedTime": f"{(each.departure - each.arrival).total_seconds() / 3600:.2f}",
            "ChargeTime": "1.00",
            "TotalEnergy": f"{each.energy_kwh:.3f}",
            "MaxPower": "11.0",
        }
        for each in sessions
    ]
    numbers = ("ConnectedTime", "ChargeTime", "TotalEnergy", "MaxPower")
    for row in rows:
        row |= {key: row[key].replace(".", mark) for key in numbers}
    _table(rows, path, sep)


def elaad_comma(sessions: Sequence[Export], path: Path) -> None:
    """The same with commas between cells and decimal points."""
    elaad(sessions, path, sep=",", mark=".")


def chargepoint(sessions: Sequence[Export], path: Path) -> None:
    """ChargePoint's report: month first, each stamp with the letters of its zone."""
    rows = []
    for each in sessions:
        arrival, departure = each.arrival.astimezone(PACIFIC), each.departure.astimezone(PACIFIC)
        seconds = int((departure - arrival).total_seconds())
        rows.append(
            {
                "Station Name": "CITY / GARAGE 4",
                "Start Date": f"{arrival.month}/{arrival.day}/{arrival:%Y} {arrival:%H:%M}",
                "Start Time Zone": arrival.tzname(),
                "End Date": f"{departure.month}/{departure.day}/{departure:%Y} {departure:%H:%M}",
                "End Time Zone": departure.tzname(),
                "Total Duration (hh:mm:ss)": f"{seconds // 3600}:{seconds // 60 % 60:02}:00",
                "Energy (kWh)": f"{each.energy_kwh:.3f}",
                "Port Number": "2",
                "Plug In Event Id": each.session,
                "User ID": each.driver,
            }
        )
    _table(rows, path, ",")


def dundee(sessions: Sequence[Export], path: Path) -> None:
    """Councils in Scotland: local dates and times in columns of their own."""
    _table(_dundee(sessions), path, ",")


def dundee_workbook(sessions: Sequence[Export], path: Path) -> None:
    """The same as a workbook, with dates and times as a workbook keeps them."""
    book = openpyxl.Workbook()
    sheet = book.active
    rows = _dundee(sessions)
    sheet.append(list(rows[0]))
    for row, each in zip(rows, sessions, strict=True):
        arrival = each.arrival.astimezone(SITE).replace(tzinfo=None)
        departure = each.departure.astimezone(SITE).replace(tzinfo=None)
        typed = {
            "Start Date": arrival.date(),
            "Start Time": arrival.time(),
            "End Date": departure.replace(hour=0, minute=0),
            "End Time": departure.time(),
            "Total kWh": round(each.energy_kwh, 3),
        }
        sheet.append(list((row | typed).values()))
    book.save(path)


def ocpi(sessions: Sequence[Export], path: Path) -> None:
    """A page of OCPI charge detail records; every other stamp lacks its Z, as some systems do."""
    records = [
        {
            "id": each.session,
            "start_date_time": f"{each.arrival:%Y-%m-%dT%H:%M:00}" + "Z" * (k % 2),
            "end_date_time": f"{each.departure:%Y-%m-%dT%H:%M:00}" + "Z" * (k % 2),
            "cdr_token": {"uid": each.driver, "type": "RFID", "contract_id": "NL-ABC-C00000001"},
            "cdr_location": {"id": "LOC9", "evse_uid": "E7", "connector_id": "1"},
            "charging_periods": [
                {
                    "start_date_time": f"{each.arrival:%Y-%m-%dT%H:%M:00Z}",
                    "dimensions": [{"type": "ENERGY", "volume": each.energy_kwh}],
                }
            ],
            "total_energy": round(each.energy_kwh, 3),
            "total_time": 2.5,
        }
        for k, each in enumerate(sessions)
    ]
    path.write_text(json.dumps({"data": records, "status_code": 1000}), "utf-8")


def ocpi_table(sessions: Sequence[Export], path: Path) -> None:
    """The same records as a table."""
    rows = [
        {
            "id": each.session,
            "start_date_time": f"{each.arrival:%Y-%m-%dT%H:%M:00Z}",
            "end_date_time": f"{each.departure:%Y-%m-%dT%H:%M:00Z}",
            "auth_id": each.driver,
            "total_energy": f"{each.energy_kwh:.3f}",
            "location_id": "LOC9",
            "evse_uid": "E7",
        }
        for each in sessions
    ]
    _table(rows, path, ",")


def acn(sessions: Sequence[Export], path: Path) -> None:
    """ACN-Data's JSON: RFC 1123 in GMT; the last of what a driver said counts."""
    items = [
        {
            "_id": f"5cc{k:05d}",
            "connectionTime": format_datetime(each.arrival, usegmt=True),
            "disconnectTime": format_datetime(each.departure, usegmt=True),
            "doneChargingTime": None,
            "kWhDelivered": 1.5,
            "sessionID": each.session,
            "stationID": "2-39-78-1",
            "timezone": "America/Los_Angeles",
            "userID": each.driver,
            "userInputs": [
                {"kWhRequested": 99.0, "minutesAvailable": 5},
                {"kWhRequested": round(each.energy_kwh, 3), "minutesAvailable": 90},
            ],
        }
        for k, each in enumerate(sessions)
    ]
    path.write_text(json.dumps({"_meta": {"site": "x"}, "_items": items}), "utf-8")


def evcc(sessions: Sequence[Export], path: Path) -> None:
    """evcc's export in English: the clock of the site."""
    rows = [
        {
            "Created": f"{each.arrival.astimezone(SITE):%Y-%m-%d %H:%M:%S}",
            "Finished": f"{each.departure.astimezone(SITE):%Y-%m-%d %H:%M:%S}",
            "Charging point": "Carport",
            "Identifier": each.driver,
            "Vehicle": "blue car",
            "Energy (kWh)": f"{each.energy_kwh:.3f}",
            "Charge duration": "1h39m0s",
        }
        for each in sessions
    ]
    _table(rows, path, ",", mark="\ufeff")


def evcc_german(sessions: Sequence[Export], path: Path) -> None:
    """evcc's export in German: semicolons and decimal commas, after a byte order mark."""
    rows = [
        {
            "Startzeit": f"{each.arrival.astimezone(SITE):%Y-%m-%d %H:%M:%S}",
            "Endzeit": f"{each.departure.astimezone(SITE):%Y-%m-%d %H:%M:%S}",
            "Ladepunkt": "Carport",
            "Kennung": each.driver,
            "Fahrzeug": "blaues Auto",
            "Anfangszählerstand (kWh)": "5369,715",
            "Energie (kWh)": f"{each.energy_kwh:.3f}".replace(".", ","),
            "Ladedauer": "5h21m5s",
        }
        for each in sessions
    ]
    _table(rows, path, ";", mark="\ufeff")


WRITERS: dict[str, tuple[str, Writer]] = {
    "elaad": ("sessions.csv", elaad),
    "elaad, commas": ("sessions.csv", elaad_comma),
    "chargepoint": ("sessions.csv", chargepoint),
    "dundee": ("sessions.csv", dundee),
    "dundee, workbook": ("sessions.xlsx", dundee_workbook),
    "ocpi": ("cdrs.json", ocpi),
    "ocpi, table": ("cdrs.csv", ocpi_table),
    "acn": ("acn.json", acn),
    "evcc": ("sessions.csv", evcc),
    "evcc, German": ("sessions.csv", evcc_german),
}


def _dundee(sessions: Sequence[Export]) -> list[dict[str, str]]:
    return [
        {
            "Charging event": each.session,
            "User ID": each.driver,
            "CP ID": "50912",
            "Connector": "1",
            "Start Date": f"{each.arrival.astimezone(SITE):%d/%m/%Y}",
            "Start Time": f"{each.arrival.astimezone(SITE):%H:%M}",
            "End Date": f"{each.departure.astimezone(SITE):%d/%m/%Y}",
            "End Time": f"{each.departure.astimezone(SITE):%H:%M}",
            "Total kWh": f"{each.energy_kwh:.3f}",
            "Site": "Olympia",
        }
        for each in sessions
    ]


def _table(rows: Sequence[dict[str, str]], path: Path, sep: str, mark: str = "") -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=sep, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(mark + text.getvalue(), "utf-8")


def at(text: str) -> datetime:
    """A moment on the site's clock, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=SITE).astimezone(UTC)
