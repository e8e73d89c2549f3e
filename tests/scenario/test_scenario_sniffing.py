"""Files found out by what they hold: encodings, delimiters, decimal marks, stamps, archives."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwise.scenario import reading, sniffing, tables
from hubwise.scenario.reading import Reader
from hubwise.scenario.records import tables_in
from hubwise.scenario.sniffing import Sheet, decimal_mark, number, read_document, read_sheet
from hubwise.scenario.stamps import clock_told, date_order, ends_after, instants, stamp

ZONE = "Europe/Amsterdam"


def sheet(folder: Path, content: bytes) -> tuple[Sheet | None, Reader]:
    (folder / "file").write_bytes(content)
    reader = Reader(folder)
    return read_sheet(reader, "file"), reader


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found_out(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    """A title above, quoted cells and signs of any usual encoding come through."""
    lines = [["Größe", "Preis €"], ["a b", '"1,5; x|y\t"'], ["c", "2"]]
    text = "Titel\r\n" + "\r\n".join(delimiter.join(line) for line in lines)
    found, reader = sheet(tmp_path, text.encode(encoding))
    assert not reader.issues
    assert found is not None
    assert found.header == ["Größe", "Preis €"]
    assert found.cells == [["a b", "1,5; x|y"], ["c", "2"]]
    assert found.rows == [3, 4]


def test_archives_of_one_file_are_opened(tmp_path: Path) -> None:
    """gzip, and a zip of a single file, whatever they are called; a zip of two is asked about."""
    content = b"a,b\n1,2\n3,4\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner.csv", content)
    for whole in (content, gzip.compress(content), packed.getvalue()):
        found, _ = sheet(tmp_path, whole)
        assert found is not None
        assert found.column("b") == ["2", "4"]
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("other.csv", content)
    found, reader = sheet(tmp_path, packed.getvalue())
    assert found is None
    assert reader.issues[0].wrong == "is a zip of 2 files, not of one"


def test_a_row_with_more_cells_is_named(tmp_path: Path) -> None:
    """A decimal comma among commas makes a cell too many, which is said."""
    _, reader = sheet(tmp_path, b"a,b\n1,2\n1,2,5\n1,3\n")
    (issue,) = reader.issues
    assert (issue.where, issue.wrong) == ("row 3", "has 3 cells")
    assert "decimal comma" in issue.right


@pytest.mark.parametrize(
    ("cells", "delimiter", "values"),
    [
        (["1,5", "-2,25"], ";", [1.5, -2.25]),
        (["1.234,50", "7,00"], ";", [1234.5, 7.0]),
        (["1,234.50", "7"], ",", [1234.5, 7.0]),
        (["1,234", "2,345"], ",", [1234.0, 2345.0]),
        (["0,123", "2,345"], ",", [0.123, 2.345]),
        (["1,234", "2,345"], ";", [1.234, 2.345]),
        (["$1,234.5", "(3.5)"], ",", [1234.5, -3.5]),
        (["\u22124.5", "1e3"], ",", [-4.5, 1000.0]),
        (["n/e", "-", "5"], ",", [None, None, 5.0]),
        (["12,34,567.5", "7"], ",", [1234567.5, 7.0]),
        (["1'234.5", "1\u2019234.5", "7"], ";", [1234.5, 1234.5, 7.0]),
    ],
)
def test_figures_are_read_as_they_are_meant(
    cells: list[str], delimiter: str, values: list[float | None]
) -> None:
    """Decimal and thousands marks by all cells of a column together."""
    mark = decimal_mark(cells, delimiter)
    assert [number(cell, mark) for cell in cells] == values


@pytest.mark.parametrize(
    ("cells", "wrong"),
    [(["22.5", "31,0"], "22.5"), (["1.234,5", "7.25"], "7.25"), (["1,5", "1,234.5"], "1,5")],
)
def test_a_column_has_one_decimal_mark(cells: list[str], wrong: str) -> None:
    """A mark that does not part thousands is no thousands mark: 22.5 is never taken for 225."""
    mark = decimal_mark(cells)
    with pytest.raises(ValueError, match=f"{wrong!r} is not a figure whose decimal mark"):
        [number(cell, mark) for cell in cells]


@pytest.mark.parametrize("cell", ["five", "1..2", "inf", "12:30", "1-2"])
def test_what_is_no_figure_is_refused(cell: str) -> None:
    """Words, times and the infinite are no prices."""
    with pytest.raises(ValueError, match=r"figure|float"):
        number(cell)


@pytest.mark.parametrize(
    ("cell", "order"),
    [
        ("2025-05-14 13:05", "ymd"),
        ("2025-05-14T13:05:00", "ymd"),
        ("14.05.2025 13:05", "dmy"),
        ("14/05/25 13:05", "dmy"),
        ("5/14/2025 1:05 PM", "mdy"),
        ("May 14, 2025 1:05 PM", "ymd"),
        ("14-May-2025 13:05", "ymd"),
        ("14. Mai 2025 13:05", "ymd"),
        ("14-May-25 13:05", "ymd"),
        ("14 maggio 2025 13:05", "ymd"),
        ("14 de mayo de 2025 13:05", "ymd"),
        ("Wed 14 May 2025 13:05", "ymd"),
        ("Wednesday, 14 May 2025 13:05", "ymd"),
        ("Wed May 14 13:05:00 2025", "ymd"),
        ("14.05.2025 13.05", "dmy"),
        ("14.05.2025 13h05", "dmy"),
        ("14.05.2025 13:05 Uhr", "dmy"),
        ("5/14/2025 13:05:00.000", "mdy"),
        ("202505141305", "ymd"),
        ("20250514130500", "ymd"),
        ("45791.54513888889", "ymd"),
    ],
)
def test_moments_are_read_as_they_are_written(cell: str, order: str) -> None:
    """Orders of dates, names of months, and clocks of twelve hours."""
    assert stamp(cell, order) == datetime(2025, 5, 14, 13, 5)


def test_an_offset_a_letter_and_an_epoch_are_instants() -> None:
    """All of these are 11:05 in UTC; 24:00 is the next day's midnight."""
    instant = datetime(2025, 5, 14, 11, 5, tzinfo=UTC)
    since = int(instant.timestamp())
    cells = ["2025-05-14T13:05+02:00", "14/05/2025 13:05 (CEST)", "2025-05-14 11:05Z"]
    cells += ["2025-05-14 13:05 UTC+2", "2025-05-14 13:05 GMT+02:00", "2025-05-14 13:05+02"]
    cells += ["2025-05-14T13:05:00+02:00[Europe/Amsterdam]", "2025-05-14 13:05 Europe/Amsterdam"]
    cells += ["Wed May 14 2025 13:05:00 GMT+0200 (Central European Summer Time)"]
    cells += ["Wed, 14 May 2025 13:05:00 +0200"]
    for cell in [*cells, f"{since}", f"{since}000", f"{since}000000", f"{since}000000000"]:
        assert stamp(cell, "dmy") == instant
    assert stamp("2025-05-14 24:00") == datetime(2025, 5, 15)
    for wrong in ("2025-05-14 24:30", "2025-05-14 25:00", "0001-01-01 00:00", "noon"):
        with pytest.raises(ValueError, match=r"time of day|no year|isoformat"):
            stamp(wrong)


@pytest.mark.parametrize(
    ("cells", "zone", "order"),
    [
        (["13/05/2025"], "America/Chicago", "dmy"),
        (["05/13/2025"], ZONE, "mdy"),
        (["01/02/2025", "02/02/2025", "03/02/2025"], "America/Chicago", "dmy"),
        (["01/02/2025", "01/03/2025", "01/04/2025"], ZONE, "mdy"),
        (["11/02/2025"], "America/Chicago", "mdy"),
        (["11/02/2025"], ZONE, "dmy"),
        (["11.02.2025"], "America/Chicago", "dmy"),
        (["2025-02-11"], "America/Chicago", "ymd"),
        (["11/02/2025 08:10:21.5"], "America/Chicago", "mdy"),
    ],
)
def test_the_order_of_dates_is_found_out(cells: list[str], zone: str, order: str) -> None:
    """By what all dates allow, then by how near they are together, then by the zone's habit."""
    assert date_order(cells, zone) == order


@pytest.mark.parametrize(
    ("header", "zone"),
    [
        ("MTU (CET/CEST)", "Europe/Brussels"),
        ("MTU (UTC)", "UTC"),
        ("start_utc", "UTC"),
        ("HourUTC", "UTC"),
        ("INTERVALSTARTTIME_GMT", "UTC"),
        ("Date (GMT+2)", "Etc/GMT-2"),
        ("Date (Europe/Oslo)", "Europe/Oslo"),
        ("timestamp", None),
        ("HourDK", None),
        ("executed", None),
    ],
)
def test_a_header_may_tell_the_clock(header: str, zone: str | None) -> None:
    """Letters in brackets, or UTC in a name."""
    assert clock_told(header) == zone


@given(
    day=st.dates(datetime(2020, 1, 1).date(), datetime(2030, 12, 30).date()),
    zone=st.sampled_from([ZONE, "America/Chicago", "America/Los_Angeles", "Europe/London"]),
    step=st.sampled_from([15, 30, 60]),
    backwards=st.booleans(),
)
def test_a_clock_without_offsets_is_read_back_by_its_order(
    day: object, zone: str, step: int, backwards: bool
) -> None:
    """What a clock shows over two days gives back every instant, and every interval's end."""
    first = datetime.fromisoformat(f"{day}T04:00+00:00")
    moments = [first + timedelta(minutes=step * k) for k in range(48 * 60 // step)]
    moments = moments[::-1] if backwards else moments
    place = ZoneInfo(zone)
    walls = [moment.astimezone(place).replace(tzinfo=None, fold=0) for moment in moments]
    found, _ = instants(walls, zone, [None] * len(walls))
    assert found == moments
    ends = [
        (moment + timedelta(minutes=step)).astimezone(place).replace(tzinfo=None, fold=0)
        for moment in moments
    ]
    for moment, wall, end in zip(moments, walls, ends, strict=True):
        assert ends_after(moment, wall, end, zone) == moment + timedelta(minutes=step)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", b"a,b\n" + b"1,2\n" * 2_000),
        ("cells.csv", b"a,b\n" + b"," * 5_000 + b"\n"),
        ("values.json", b"[" + b"[]," * 5_000 + b"[]]"),
        ("brackets.json", b"[" + (b"[" * 50 + b"]" * 50 + b",") * 100 + b"[]]"),
        ("tags.xml", b"<a>" + b"<b/>" * 2_000 + b"</a>"),
        ("packed.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 2_000, mtime=0)),
        ("deep.json", b"[" * 100_000 + b"]" * 100_000),
    ],
    ids=lambda it: it if isinstance(it, str) else "",
)
def test_what_would_fill_memory_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes
) -> None:
    """Rows, cells and values are counted before any is made, in whatever notation."""
    monkeypatch.setattr(reading, "MOST_ROWS", 1_000)
    monkeypatch.setattr(reading, "MOST_CELLS", 4_000)
    (tmp_path / name).write_bytes(content)
    reader = Reader(tmp_path)
    assert read_document(reader, name) is None
    assert len(reader.issues) == 1


def test_a_workbook_that_unpacks_to_gigabytes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the sizes that it tells, unread; so is text that Parquet holds once for all rows."""
    monkeypatch.setattr(sniffing, "MOST_BYTES", 10_000)
    monkeypatch.setattr(tables, "MOST_BYTES", 10_000)
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", "<Types/>")
        book.writestr("xl/worksheets/sheet1.xml", "<row/>" * 5_000)
    pl.DataFrame({"a": ["x" * 100] * 200}).write_parquet(tmp_path / "a.parquet")
    for name in ("a.xlsx", "a.parquet"):
        reader = Reader(tmp_path)
        assert read_document(reader, name) is None
        assert len(reader.issues) == 1
        assert "unpack" in reader.issues[0].wrong


def test_lists_within_a_parquet_cell_are_left_out(tmp_path: Path) -> None:
    """One cell may hold any number of values, which no column that is read does."""
    pl.DataFrame({"a": [1, 2], "b": [[1] * 9, [2] * 9]}).write_parquet(tmp_path / "a.parquet")
    reader = Reader(tmp_path)
    document = read_document(reader, "a.parquet")
    assert not reader.issues
    assert document is not None
    assert document.sheet is not None
    assert document.sheet.header == ["a"]


def test_records_that_have_nothing_in_common_are_no_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table of them would be as wide as it is long, and nearly empty."""
    monkeypatch.setattr(sniffing, "MOST_CELLS", 10_000)
    records = [{f"k{k}": k} for k in range(1_000)]
    (tmp_path / "keys.json").write_text(json.dumps(records))
    reader = Reader(tmp_path)
    document = read_document(reader, "keys.json")
    assert document is not None
    assert document.sheet is None
    assert not list(tables_in("keys.json", records))
