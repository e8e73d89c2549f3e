"""Files in: what is no plain file of the folder is one line, and nothing is waited for."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import polars as pl
import pytest

from hubwise.scenario import check, new, reading


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return new(tmp_path / "site")


def _renamed(folder: Path, name: str) -> None:
    """Let the scenario name another table of sessions."""
    toml = folder / "scenario.toml"
    toml.write_text(toml.read_text("utf-8").replace('"sessions.csv"', f'"{name}"'), "utf-8")


def _told(folder: Path) -> str:
    """The one problem that there is."""
    (issue,) = check(folder)
    return f"{issue.file}: {issue.wrong}"


def test_a_pipe_is_refused(folder: Path) -> None:
    """A named pipe in the place of a table is refused, where reading it would wait for ever."""
    (folder / "sessions.csv").unlink()
    os.mkfifo(folder / "sessions.csv")
    assert _told(folder) == "sessions.csv: is a pipe or a device, not a file"


def test_a_pipe_as_the_scenario_is_refused(folder: Path) -> None:
    """So is one in the place of scenario.toml itself."""
    (folder / "scenario.toml").unlink()
    os.mkfifo(folder / "scenario.toml")
    assert "is a pipe" in _told(folder)


def test_tables_outside_the_folder_are_refused(folder: Path, tmp_path: Path) -> None:
    """Nothing outside the folder is read: not above it, not by a full path, not by links."""
    outside = tmp_path / "sessions.csv"
    (folder / "sessions.csv").rename(outside)
    for name in ("../sessions.csv", str(outside)):
        _renamed(folder, name)
        assert _told(folder) == f"{name}: lies outside the scenario's folder"
        toml = folder / "scenario.toml"
        toml.write_text(toml.read_text("utf-8").replace(name, "sessions.csv"), "utf-8")
    (folder / "sessions.csv").symlink_to(outside)
    assert _told(folder) == "sessions.csv: lies outside the scenario's folder"


def test_links_within_the_folder_and_to_it_are_followed(folder: Path, tmp_path: Path) -> None:
    """A table in a folder within, a link to it, and a link to the scenario itself are read."""
    (folder / "tables").mkdir()
    (folder / "sessions.csv").rename(folder / "tables" / "sessions.csv")
    (folder / "sessions.csv").symlink_to("tables/sessions.csv")
    (tmp_path / "link").symlink_to(folder)
    assert check(tmp_path / "link") == ()


def test_what_unpacks_to_more_than_is_read_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A packed table is unpacked no further than what is read at most."""
    monkeypatch.setattr(reading, "MOST_BYTES", 10_000)
    (folder / "sessions.csv.gz").write_bytes(gzip.compress(b"x" * 1_000_000))
    _renamed(folder, "sessions.csv.gz")
    assert _told(folder) == "sessions.csv.gz: unpacks to more than 10,000 bytes"


def test_a_file_larger_than_what_is_read_is_refused(folder: Path) -> None:
    """A file of gigabytes is refused by its size, unread."""
    with (folder / "sessions.csv").open("ab") as file:
        file.truncate(2**33)
    assert _told(folder) == "sessions.csv: holds 8,589,934,592 bytes"


def test_a_parquet_table_of_too_many_rows_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small Parquet file that holds many rows is refused before they are made."""
    monkeypatch.setattr(reading, "MOST_ROWS", 1_000)
    pl.DataFrame({"session": ["a"] * 5_000}).write_parquet(folder / "sessions.parquet")
    _renamed(folder, "sessions.parquet")
    assert _told(folder) == "sessions.parquet: has 5,000 rows"


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b' {"items": [{"name": "TOU", "a,b": 1}],\n "x": 2}', "is JSON, not CSV"),
        (b'[{"start": 1, "price": 2},\n {"start": 2, "price": 3}]', "is JSON, not CSV"),
        (b"<!doctype html>\n<p>Log in, please</p>", "is a web page or XML, not CSV"),
        (gzip.compress(b"a,b\n1,2\n"), "is packed by gzip"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\xff\xfe", "is an Excel workbook or a zip archive"),
    ],
    ids=["object", "list", "page", "packed", "workbook"],
)
def test_another_notation_given_as_csv_is_one_line(
    folder: Path, content: bytes, wrong: str
) -> None:
    """What is no CSV at all is told once, as what it is, and not row by row."""
    (folder / "sessions.csv").write_bytes(content)
    assert _told(folder) == f"sessions.csv: {wrong}"
