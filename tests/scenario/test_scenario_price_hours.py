"""Prices by hours that are named, not stamped: read by their names, or refused in one line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hubwise.domain import Horizon
from hubwise.scenario.price_files import Prices, asked_of, read_prices
from hubwise.scenario.reading import Reader

EASTERN = "America/New_York"
DAYS = (date(2025, 3, 9), date(2025, 7, 9), date(2025, 11, 2))


def read(folder: Path, content: str, day: date, **told: str) -> tuple[Prices | None, Reader]:
    (folder / "file").write_text(content, encoding="utf-8")
    horizon = Horizon.local_day(day, EASTERN, start=time(0))
    reader = Reader(folder)
    return read_prices(reader, "file", replace(asked_of(horizon), **told), horizon), reader


def hours(day: date) -> list[datetime]:
    """The starts of a day's hours on the local clock, 23 to 25 of them."""
    zone = ZoneInfo(EASTERN)
    first, last = (
        datetime.combine(at, time(0), zone).astimezone(UTC) for at in (day, day + timedelta(days=1))
    )
    count = (last - first) // timedelta(hours=1)
    return [(first + timedelta(hours=k)).astimezone(zone) for k in range(count)]


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("framed", [False, True])
def test_a_report_of_new_england_is_read_on_every_day(
    tmp_path: Path, day: date, framed: bool
) -> None:
    """With the lines about it and its columns' kinds, or without; the repeated hour is 02X."""
    names = '"H","Date","Hour Ending","Location Name","Locational Marginal Price","Energy"\n'
    kinds = '"H","Date","Hour","String","$/MWh","$/MWh"\n'
    rows = "".join(
        f'"D","{at:%m/%d/%Y}","{at.hour + 1:02}{"X" * at.fold}",".H.HUB","{20 + k}.5","1"\n'
        for k, at in enumerate(hours(day))
    )
    above = '"C","Day-Ahead Hourly LMP Report"\n"C","Report generated 07/08/2025"\n'
    found, reader = read(
        tmp_path, above + names + kinds + rows + '"T","24"\n' if framed else names + rows, day
    )
    assert not reader.issues
    assert found is not None
    assert [price for _, price in found.rows] == [20.5 + k for k in range(len(hours(day)))]


@pytest.mark.parametrize("name", ["H{}", "HE {}", "{}", "Hour {}", "{:02}:00", "Stunde_{}"])
def test_hours_side_by_side_are_refused_in_one_line(tmp_path: Path, name: str) -> None:
    """A day a row, whatever its hours are called: nothing else is said to be wrong."""
    header = ",".join(["Date", *(name.format(k) for k in range(1, 25))])
    rows = "".join(f"2025-07-{d:02},{','.join(['50'] * 24)}\n" for d in (8, 9, 10))
    found, reader = read(tmp_path, f"{header}\n{rows}", date(2025, 7, 9))
    assert found is None
    (issue,) = reader.issues
    assert "side by side" in issue.wrong


def test_days_without_times_are_refused_in_one_line(tmp_path: Path) -> None:
    """Where the column of hours is not known, it is asked for, not called a repeated moment."""
    rows = "".join(f"2025-07-09,{k},50\n" for k in range(1, 25))
    found, reader = read(tmp_path, f"Date,MTU no.,Price EUR/MWh\n{rows}", date(2025, 7, 9))
    assert found is None
    (issue,) = reader.issues
    assert "days alone, 24 rows for 2025-07-09" in issue.wrong
    assert "MTU no." in issue.right


def test_a_blank_behind_a_quoted_cell_is_no_mistake(tmp_path: Path) -> None:
    """Titles such as ``"July, 2025" ,x``, and cells, are read all the same."""
    rows = "".join(f'"{at:%Y-%m-%d %H:%M}" ,a,"{k},5"  \n' for k, at in enumerate(hours(DAYS[1])))
    found, reader = read(tmp_path, f'Month:,"July, 2025" \nstart,node,eur/MWh\n{rows}', DAYS[1])
    assert not reader.issues
    assert found is not None
    assert [price for _, price in found.rows] == [k + 0.5 for k in range(24)]
