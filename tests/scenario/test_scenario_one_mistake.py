"""One wrong value anywhere is told once, at its place: what is right is not told to be wrong."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from hubwise.scenario import check
from whole_site import whole_site

TABLES = ("branches", "buses", "drivers", "load_shape", "plugs", "prices", "sessions")
# What is told elsewhere by right: a bound that this one is now below, and what names what is gone.
FOLLOWS = {
    ("scenario.toml", "prices", "service_fee"),
    ("scenario.toml", "rules", "charge_price_max"),
    ("scenario.toml", "rules", "discharge_price_max"),
    ("buses.csv", "row 2", "bus"),
    ("drivers.csv", "row 2", "driver"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A site with all parts; each test puts back what it breaks."""
    return whole_site(tmp_path_factory.mktemp("whole") / "site")


def test_the_whole_site_is_right(site) -> None:
    """There is nothing wrong with it to begin with."""
    assert not check(site)


def _told(site: Path, file: str, text: str) -> list[tuple[str, str, str]]:
    """The places of what is wrong where a file has another text."""
    before = (site / file).read_text("utf-8")
    (site / file).write_text(text, "utf-8")
    try:
        return [(each.file, each.where, each.field) for each in check(site)]
    finally:
        (site / file).write_text(before, "utf-8")


def _keys(text: str) -> list[tuple[int, str, str]]:
    """Line, section and key of every key of one line."""
    found, section, count = [], "", Counter[str]()
    for n, line in enumerate(text.splitlines()):
        if named := re.match(r"\[\[(.+)\]\]", line):
            count[named[1]] += 1
            section = f"{named[1]}[{count[named[1]]}]"
        elif named := re.match(r"\[(.+)\]", line):
            section = named[1]
        elif (key := re.match(r"(\w+) *= *(?![ \[])", line)) is not None:
            found.append((n, section, key[1]))
    return found


@pytest.mark.parametrize("bad", ["{}", '""', "-7", '"?/nowhere"', "1e12"])
def test_a_wrong_value_of_a_key_is_told_there_alone(site, bad) -> None:
    """A table is no value of any key; whatever else is wrong is told at its key, or its file."""
    text = (site / "scenario.toml").read_text("utf-8")
    for n, section, key in _keys(text):
        here = ("scenario.toml", section, key)
        if here in FOLLOWS or (bad.startswith('"?') and key == "name"):
            continue
        lines = text.splitlines()
        lines[n] = f"{key} = {bad}"
        told = _told(site, "scenario.toml", "\n".join(lines) + "\n")
        assert set(told) <= {here, ("?/nowhere", "", "")}, (here, bad)
        assert len(told) == 1 if bad == "{}" else len(told) <= 1, (here, bad)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("bad", ["?", "-7", "", "1e12"])
def test_a_wrong_cell_is_told_there_alone(site, table, bad) -> None:
    """Cells of the first row, one after another."""
    file = f"{table}.csv"
    rows = [line.split(",") for line in (site / file).read_text("utf-8").splitlines()]
    for j, column in enumerate(rows[0]):
        here = (file, "row 2", column)
        if here in FOLLOWS:
            continue
        cells = [[*rows[1][:j], bad, *rows[1][j + 1 :]]]
        text = "\n".join(",".join(row) for row in [rows[0], *cells, *rows[2:]])
        assert set(_told(site, file, text + "\n")) <= {here}, (here, bad)


# A table of prices is known by what it holds, whatever its columns are called.
@pytest.mark.parametrize("table", [table for table in TABLES if table != "prices"])
def test_a_misspelt_column_is_told_at_the_header_alone(site, table) -> None:
    """Not in every row that now lacks it."""
    file = f"{table}.csv"
    header, *rows = (site / file).read_text("utf-8").splitlines()
    for column in header.split(","):
        names = [name + "x" * (name == column) for name in header.split(",")]
        told = _told(site, file, "\n".join([",".join(names), *rows]) + "\n")
        assert told, column
        assert {(file, "row 1")} == {place[:2] for place in told}, column


def test_a_plug_that_nobody_has_is_unknown(site) -> None:
    """Neither in the table, nor at the session's hub: told, where it was turned away in silence."""
    header, first, *rows = (site / "sessions.csv").read_text("utf-8").splitlines()
    at = header.split(",").index("plug")
    for plug in ("n9", "h0"):
        cells = first.split(",")
        cells[at] = plug
        text = "\n".join([header, ",".join(cells), *rows]) + "\n"
        assert _told(site, "sessions.csv", text) == [("sessions.csv", "row 2", "plug")]


@pytest.mark.parametrize("table", [name for name in TABLES if name != "prices"])
@pytest.mark.parametrize("cells", ["one", "one more"])
def test_a_row_of_another_length_is_told_alone(site: Path, table: str, cells: str) -> None:
    """Every cell of the row is refused with it, and what rests on them is not told to be wrong."""
    text = (site / f"{table}.csv").read_text("utf-8")
    header, first, *rows = text.splitlines()
    changed = first.split(",")[0] if cells == "one" else f"{first},"
    told = _told(site, f"{table}.csv", "\n".join([header, changed, *rows]))
    assert told == [(f"{table}.csv", "row 2", "")]


def test_a_row_of_another_length_hides_nothing(site: Path) -> None:
    """What is wrong in other rows of the table, and in the horizon's zone, is told beside it."""
    text = (site / "sessions.csv").read_text("utf-8")
    header, first, second, *rows = text.splitlines()
    place = header.split(",").index("hub")
    cells = second.split(",")
    cells[place] = "nowhere"
    told = _told(site, "sessions.csv", "\n".join([header, f"{first},", ",".join(cells), *rows]))
    assert told == [("sessions.csv", "row 2", ""), ("sessions.csv", "row 3", "hub")]


def test_all_of_a_horizon_is_told(site: Path) -> None:
    """An unknown zone stands beside slots of a length that there is not."""
    text = (site / "scenario.toml").read_text("utf-8")
    text = re.sub(r'(?m)^zone = ".*"', 'zone = "Europe/Amsterdan"', text)
    text = re.sub(r"(?m)^slot_minutes = .*", "slot_minutes = 14", text)
    told = {(where, key) for _, where, key in _told(site, "scenario.toml", text)}
    assert told == {("horizon", "zone"), ("horizon", "slot_minutes")}
