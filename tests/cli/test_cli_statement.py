"""`hubwise statement`: a line to read, JSON to use, and an answer to a driver nobody knows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from typer.testing import Result

from hubwise.record import make_statement, read

Run = Callable[..., Result]


def test_the_line_comes_first(run: Run, planned: Path) -> None:
    """What a person reads first is the one sentence; wishes and amounts follow."""
    done = run("statement", planned, "--driver", "d02")
    made = make_statement(read(planned), "d02")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == made.line
    assert f"{made.money.net_cost} EUR" in done.stdout
    assert "Ready by" in done.stdout


def test_json_is_the_statement(run: Run, planned: Path) -> None:
    """With --json stdout is the statement and nothing else; amounts of money are text."""
    done = run("statement", planned, "--driver", "d02", "--json")
    said = json.loads(done.stdout)
    assert said["driver"] == "d02"
    assert said["line"] == make_statement(read(planned), "d02").line
    assert said["total"]["paid"] == str(make_statement(read(planned), "d02").money.paid)
    assert said["sessions"][0]["wishes"][0]["title"] == "Ready by"


@pytest.mark.parametrize(("name", "near"), [("d2", "d02"), ("D12", "d12"), ("Kim", "d01")])
def test_an_unknown_driver(run: Run, planned: Path, name: str, near: str) -> None:
    """Exit code 2, with the names nearest to what was asked for, or with some that there are."""
    done = run("statement", planned, "--driver", name)
    assert done.exit_code == 2
    assert f"'{name}' is unknown" in done.stderr
    assert near in done.stderr
    assert not done.stdout
    (issue,) = json.loads(run("statement", planned, "--driver", name, "--json").stdout)["problems"]
    assert near in issue["right"]


@pytest.mark.parametrize("what", ["nothing", "another", "spoilt"])
def test_a_folder_that_is_no_plan(run: Run, planned: Path, tmp_path: Path, what: str) -> None:
    """Exit code 2, with every fault named."""
    place = tmp_path / what
    if what == "another":
        place.mkdir()
    if what == "spoilt":
        place.mkdir()
        for file in planned.iterdir():
            (place / file.name).write_bytes(file.read_bytes())
        (place / "bills.parquet").unlink()
        (place / "wishes.parquet").write_text("no table")
    done = run("statement", place, "--driver", "d02")
    assert done.exit_code == 2
    assert ("bills.parquet" in done.stderr) is (what != "nothing")
    assert ("wishes.parquet" in done.stderr) is (what != "nothing")


def test_a_plan_says_what_drivers_have_to_be_told(run: Run, quick: Path, tmp_path: Path) -> None:
    """Who cannot be given what it requires, or declines, is named; the exit code is the plan's."""
    folder = tmp_path / "scenario"
    shutil.copytree(quick, folder)
    table = pl.read_csv(folder / "sessions.csv")
    asks = pl.Series("minimum_saving", [0.0, 500.0] + [0.0] * (table.height - 2))
    late = pl.col("arrival").replace("2025-05-14 18:20", "2025-05-15 06:00")
    table.with_columns(late, asks).write_csv(folder / "sessions.csv")
    done = run("plan", folder, "--out", tmp_path / "plan")
    assert done.exit_code in (0, 1)
    assert "told — leaving with less energy than required: 1 session (s04)" in done.stderr
    assert "as it would save less than asked for: 1 session (s02)" in done.stderr
    assert "drivers who decline" in done.stdout
    shown = run("statement", tmp_path / "plan", "--driver", "d02")
    assert "taking part would have saved you less than you ask for" in shown.stdout
