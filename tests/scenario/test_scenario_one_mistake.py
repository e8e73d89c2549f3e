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
