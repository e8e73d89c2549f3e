"""Files of prices as they are downloaded: every clock right, and nothing wrong in silence."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.domain import Horizon
from hubwise.scenario.price_files import Prices, asked_of, read_prices
from hubwise.scenario.price_formats import formats
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import read_document
from price_writers import WRITERS, Rows

DAYS = {
    "Europe": (date(2025, 3, 30), date(2025, 7, 9), date(2025, 10, 26)),
    "America": (date(2025, 3, 9), date(2025, 7, 9), date(2025, 11, 2)),
}
EURO = "Europe/Amsterdam"


def of_day(day: date, zone: str) -> Horizon:
    return Horizon.local_day(day, zone, start=time(0))


def read(
    folder: Path, content: bytes, horizon: Horizon, **told: object
) -> tuple[Prices | None, Reader]:
    """A file of this content, under a name that tells nothing."""
    (folder / "file").write_bytes(content)
    reader = Reader(folder)
    asked = replace(asked_of(horizon), **told)  # type: ignore[arg-type]
    return read_prices(reader, "file", asked, horizon), reader


def rows_of(horizon: Horizon, step: int, prices: list[float]) -> Rows:
    """Rows that begin a day before the horizon and end a day after it."""
    first = horizon.start_utc - timedelta(days=1)
    return [(first + timedelta(minutes=step * k), price) for k, price in enumerate(prices)]


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_what_a_source_writes_is_read_to_the_cent_and_the_slot(
    name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Random prices, negative ones too, on ordinary days and both days of the clock's change."""
    writer = WRITERS[name]
    day = data.draw(st.sampled_from(DAYS[writer.zone.partition("/")[0]]))
    step = data.draw(st.sampled_from(writer.steps))
    horizon = of_day(day, writer.zone)
    count = (horizon.slots * 15 + 2880) // step
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    drawn = rng.integers(-50_00, 4000_00, count)
    drawn[1::3] = drawn[::3][: len(drawn[1::3])]  # some equal their neighbour
    rows = rows_of(horizon, step, (drawn / 100).tolist())
    folder = tmp_path_factory.mktemp(name)
    found, reader = read(folder, writer.write(rows, timedelta(minutes=step)), horizon)
    assert not reader.issues
    assert found is not None
    assert (found.unit, found.currency) == (writer.unit, writer.currency)
    there = {t: p * writer.scale for t, p in rows if horizon.start_utc <= t < horizon.end_utc}
    told = dict(found.rows)
    assert all(abs(told[t] - p) < 1e-9 for t, p in there.items())
    assert len(told) == len(there)
    slots = horizon.starts_utc()
    if step % 15 == 0:
        expected = [there[max(t for t in there if t <= slot)] for slot in slots]
        assert np.allclose(found.by_slot, expected)


@pytest.mark.parametrize("name", WRITERS)
def test_one_format_knows_a_file(name: str, tmp_path: Path) -> None:
    """No two formats take the same file; that for tables of no known program comes last."""
    writer = WRITERS[name]
    rows = rows_of(of_day(date(2025, 7, 9), writer.zone), writer.steps[0], [1.5, 2.5, 3.5, 4.5])
    (tmp_path / "file").write_bytes(writer.write(rows, timedelta(minutes=writer.steps[0])))
    document = read_document(Reader(tmp_path), "file")
    assert document is not None
    knowing = [key for key, one in formats().items() if one.recognises(document)]
    assert [key for key in knowing if key != "plain"] == knowing[:1] or knowing == ["plain"]
    assert len(knowing) <= 2


MAY = of_day(date(2025, 5, 14), EURO)


def table(*lines: str, header: str = "start_utc,price_eur_per_mwh") -> bytes:
    return "\n".join([header, *lines]).encode()


def hours(first: str, prices: list[object], form: str = "%Y-%m-%dT%H:%MZ") -> list[str]:
    """Rows of a comma-separated table, an hour apart."""
    start = datetime.fromisoformat(first)
    return [f"{start + timedelta(hours=k):{form}},{price}" for k, price in enumerate(prices)]


def told(reader: Reader) -> list[tuple[str, str]]:
    return [(issue.where, issue.wrong) for issue in reader.issues]


def day_of(*prices: object) -> list[str]:
    """The 24 rows of 14 May 2025 in Amsterdam; the given prices stand in the place of the first."""
    return hours("2025-05-13T22:00", [*prices, *range(len(prices), 24)])


def test_left_out_points_are_named_and_held_when_told(tmp_path: Path) -> None:
    """Without a word a hole refuses the day and says how to hold; told, the last price holds."""
    rows = [row for k, row in enumerate(day_of()) if k not in (5, 12, 13, 23)]
    found, reader = read(tmp_path, table(*rows), MAY)
    assert found is None
    (issue,) = reader.issues
    assert "2025-05-14T03:00Z (2025-05-14 05:00 local)" in issue.wrong
    assert 'curve = "hold"' in issue.right
    found, reader = read(tmp_path, table(*rows), MAY, hold=True)
    assert found is not None
    prices = [price for _, price in found.rows]
    assert prices == [*range(5), 4, *range(6, 12), 11, 11, *range(14, 23), 22]
    assert any("4 h in all" in note for note in found.notes)


def test_a_file_that_says_a03_is_held(tmp_path: Path) -> None:
    """A column that names the curve type A03 in every row is telling enough."""
    rows = [f"{row},A03" for row in day_of()[:20]]
    content = table(*rows, header="start_utc,price_eur_per_mwh,curve_type")
    found, _ = read(tmp_path, content, MAY)
    assert found is not None
    assert [price for _, price in found.rows][19:] == [19.0] * 5


def test_a_price_is_never_held_over_a_whole_day(tmp_path: Path) -> None:
    """A curve begins anew every day: what is missing for longer is missing."""
    rows = hours("2025-05-11T22:00", [1] * 3) + hours("2025-05-14T12:00", [2] * 3)
    found, reader = read(tmp_path, table(*rows), MAY, hold=True)
    assert found is None
    assert "2025-05-13T22:00Z" in reader.issues[0].wrong


@pytest.mark.parametrize("day", [date(2025, 9, 30), date(2025, 10, 1), date(2025, 10, 2)])
@pytest.mark.parametrize("zone", [EURO, "Europe/London", "Europe/Athens"])
def test_hours_may_become_quarter_hours(tmp_path: Path, day: date, zone: str) -> None:
    """A file that changes over on 1 October 2025 reads on every day, in every zone."""
    change = datetime.fromisoformat("2025-09-30T22:00+00:00")
    moments = [change + timedelta(hours=k) for k in range(-72, 0)]
    moments += [change + timedelta(minutes=15 * k) for k in range(288)]
    rows = [f"{moment:%Y-%m-%dT%H:%MZ},{k}" for k, moment in enumerate(moments)]
    horizon = of_day(day, zone)
    found, reader = read(tmp_path, table(*rows), horizon)
    assert not reader.issues
    assert found is not None
    expected = [max(k for k, t in enumerate(moments) if t <= s) for s in horizon.starts_utc()]
    assert found.by_slot.tolist() == expected


def test_what_is_wrong_on_other_days_is_counted(tmp_path: Path) -> None:
    """An empty cell, a word and a hole on another day do not stop this one."""
    before = hours("2025-05-11T22:00", [1, "", "N/A", "many", *[2] * 20])
    del before[10]
    found, reader = read(tmp_path, table(*before, "noon,5", *day_of()), MAY)
    assert not reader.issues
    assert found is not None
    assert any("passed over: 4 (row 3, row 4, row 5, row 25)" in note for note in found.notes)
    assert any("2 holes outside" in note for note in found.notes)


def test_what_is_wrong_on_the_day_is_told_row_by_row(tmp_path: Path) -> None:
    """An empty cell and a word within the horizon are both named, and no gap beside them."""
    found, reader = read(tmp_path, table(*day_of(1, "", "many")), MAY)
    assert found is None
    assert told(reader) == [("row 3", "is empty"), ("row 4", "'many' is not a number")]


def test_rows_that_agree_are_merged_and_others_refused(tmp_path: Path) -> None:
    """The same moment twice at one price is one row; at two prices it is a mistake."""
    again = hours("2025-05-13T23:00", [1])
    found, _ = read(tmp_path, table(*day_of(), *again), MAY)
    assert found is not None
    assert any("merged: 1" in note for note in found.notes)
    other = hours("2025-05-13T23:00", [7])
    found, reader = read(tmp_path, table(*day_of(), *other), MAY)
    assert found is None
    assert told(reader) == [("row 26", "2025-05-13T23:00Z is in row 3 already")]


def test_a_repeated_hour_without_a_flag_is_named(tmp_path: Path) -> None:
    """Both hours at 02:00 in order are read and said; one of them alone is asked about."""
    autumn = of_day(date(2025, 10, 26), EURO)
    walls = [0, 1, 2, 2, *range(3, 24)]
    rows = [f"2025-10-26 {hour:02}:00,{k}" for k, hour in enumerate(walls)]
    header = "timestamp,price_eur_per_mwh"
    found, _ = read(tmp_path, table(*rows, header=header), autumn)
    assert found is not None
    assert [price for _, price in found.rows] == [*range(25)]
    assert any("shows 2025-10-26 02:00 twice" in note for note in found.notes)
    backwards, _ = read(tmp_path, table(*rows[::-1], header=header), autumn)
    assert backwards is not None
    assert backwards.rows == found.rows
    found, reader = read(tmp_path, table(*rows[:3], *rows[4:], header=header), autumn)
    assert found is None
    assert "comes twice on the clock" in reader.issues[0].right


def test_another_clock_shows_where_the_sites_leaps(tmp_path: Path) -> None:
    """Stamps in UTC without a word are found out in spring; told so, they are read."""
    spring = of_day(date(2025, 3, 30), EURO)
    content = table(*hours("2025-03-29T00:00", [*range(72)], "%Y-%m-%d %H:%M"),
                    header="time,price_eur_per_mwh")  # fmt: skip
    found, reader = read(tmp_path, content, spring)
    assert found is None
    assert "leaps over" in reader.issues[0].wrong
    assert "prices_zone" in reader.issues[0].right
    found, _ = read(tmp_path, content, spring, stamps_zone="UTC")
    assert found is not None
    assert [price for _, price in found.rows] == [*range(23, 46)]


def test_several_areas_are_asked_about(tmp_path: Path) -> None:
    """Nothing is guessed between areas; the one that is told is taken."""
    rows = [f"{row.partition(',')[0]},{area},{price}" for area, price in (("DK1", 5), ("DK2", 6))
            for row in day_of()]  # fmt: skip
    content = table(*rows, header="HourUTC,PriceArea,SpotPriceEUR")
    found, reader = read(tmp_path, content, MAY)
    assert found is None
    assert reader.issues[0].field == "prices_of"
    assert "DK1, DK2" in reader.issues[0].right
    found, _ = read(tmp_path, content, MAY, prices_of="DK2")
    assert found is not None
    assert set(found.by_slot) == {6.0}


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b'{"a": {"b": 1}}', "holds JSON of a kind that is not known"),
        (b'{"a": ', "begins as JSON but is not"),
        (b"<!DOCTYPE html><html><body>log in</body></html>", "is a web page, not data"),
        (b"<a><b>1</b></a>", "holds XML of a kind that is not known"),
        (b"PK\x03\x04broken", "cannot be unpacked"),
        (b"\xd0\xcf\x11\xe0old", "is a workbook of the old kind, .xls"),
        (b"", "is empty"),
        (b"date,price\n2025-05-13,5\n2025-05-14,6\n2025-05-15,6\n", "rows are 1440 min apart"),
    ],
)
def test_what_is_not_known_is_refused_in_one_line(
    tmp_path: Path, content: bytes, wrong: str
) -> None:
    """One clear line, and no false ones after it."""
    found, reader = read(tmp_path, content, MAY)
    assert found is None
    assert [issue.wrong for issue in reader.issues] == [wrong]


def test_a_column_of_countries_is_asked_about(tmp_path: Path) -> None:
    """A table of no known program with several areas, and the one that is told."""
    rows = [f"{area},{row}" for area in ("NL", "BE") for row in day_of(*[5] * 24)]
    content = table(*rows, header="Country,Datetime (UTC),Price (EUR/MWhe)")
    found, reader = read(tmp_path, content, MAY)
    assert found is None
    assert [issue.field for issue in reader.issues] == ["prices_of"]
    found, _ = read(tmp_path, content, MAY, prices_of="BE")
    assert found is not None
    found, reader = read(tmp_path, content, MAY, prices_of="FR")
    assert found is None
    assert "NL, BE" in reader.issues[0].right


def test_columns_of_json_are_rows(tmp_path: Path) -> None:
    """Lists side by side, as some services answer, are a table as any other."""
    first = int(MAY.start_utc.timestamp())
    answer = {"unix_seconds": [first + 3600 * k for k in range(24)], "price": [*range(24)],
              "unit": "EUR / MWh"}  # fmt: skip
    found, _ = read(tmp_path, json.dumps(answer).encode(), MAY)
    assert found is not None
    assert [price for _, price in found.rows] == [*range(24)]
    assert (found.unit, found.currency) == ("MWh", "EUR")


def test_the_months_of_a_workbook_are_read_together(tmp_path: Path) -> None:
    """Worksheets with the same header are one table; others are passed over."""
    book, content = openpyxl.Workbook(), io.BytesIO()
    for name, rows in (("a", day_of()[:9]), ("b", day_of()[9:])):
        sheet = book.create_sheet(name)
        sheet.append(["start_utc", "price_eur_per_mwh"])
        for row in rows:
            sheet.append(row.split(","))
    book.create_sheet("notes").append(["as agreed"])
    book.save(content)
    found, _ = read(tmp_path, content.getvalue(), MAY)
    assert found is not None
    assert [price for _, price in found.rows] == [*range(24)]


def test_many_rows_of_one_mistake_are_told_briefly(tmp_path: Path) -> None:
    """Twenty rows that contradict others are told, and how many more there are."""
    found, reader = read(tmp_path, table(*day_of(), *day_of(*[99] * 24)), MAY)
    assert found is None
    assert len(reader.issues) == 21
    assert reader.issues[-1].wrong == "and 4 more rows are wrong"


def test_an_ercot_hour_without_a_flag_goes_by_its_order(tmp_path: Path) -> None:
    """Hour 1 ends at 01:00; the second of two rows for hour 2 is the repeated one, and is named."""
    autumn = of_day(date(2025, 11, 2), "America/Chicago")
    ends = [1, 2, 2, *range(3, 25)]
    rows = [f"11/02/2025,{hour:02}:00,HB_X,{k}" for k, hour in enumerate(ends)]
    header = "Delivery Date,Hour Ending,Settlement Point,Settlement Point Price"
    found, _ = read(tmp_path, table(*rows, header=header), autumn)
    assert found is not None
    assert found.rows[0][0].isoformat() == "2025-11-02T05:00:00+00:00"
    assert [price for _, price in found.rows] == [*range(25)]
    assert any("shows 2025-11-02 01:00 twice" in note for note in found.notes)
