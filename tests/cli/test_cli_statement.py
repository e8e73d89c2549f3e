"""`hubwise statement`: a line to read, JSON to use, and an answer to a driver nobody knows."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from html import escape
from pathlib import Path

import polars as pl
import pytest
from typer.testing import Result

from browser import laid_out, needs_chromium, printed
from hubwise.record import make_statement, read
from hubwise.record.bill_lines import BillLines
from hubwise.study.explained import with_reasons

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
    (why, *_) = said["sessions"][0]["why"]
    assert why["begins"] == said["sessions"][0]["arrival"]
    assert why.keys() == {"begins", "until", "case", "text", "charge_below", "give_back_above"}
    shown = " ".join(run("statement", planned, "--driver", "d02").stdout.split())
    assert " ".join(why["text"].split()[:4]) in shown


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
    assert ("bills.parquet" in done.stderr) is (what == "spoilt")
    assert ("wishes.parquet" in done.stderr) is (what == "spoilt")
    assert ("is no plan" in done.stderr) is (what == "another")


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


def test_a_page_to_print(run: Run, planned: Path, tmp_path: Path) -> None:
    """A driver's bill, or everybody's, one a sheet: amounts of the books, line by line."""
    folder = read(planned)
    done = run("statement", planned, "--driver", "d02", "--out", tmp_path / "new" / "bill.html")
    assert done.exit_code == 0
    text = (tmp_path / "new" / "bill.html").read_text("utf-8")
    made = make_statement(folder, "d02")
    assert made.line in text
    assert f"{made.money.reference_cost} EUR" in text
    (explained,) = with_reasons(folder, [made])
    assert all(escape(each.text) in text for stay in explained.stays for each in stay.why)
    assert all(stay.why for stay in explained.stays)
    lines = BillLines(folder)
    for stay in made.stays:
        for line in lines.of(stay):
            assert f"{line.kwh:,.3f}" in text
    assert "http" not in text.replace("http-equiv", "")
    page = tmp_path / "bills.html"
    said = json.loads(run("statement", planned, "--out", page, "--json").stdout)
    drivers = folder.tables["sessions"]["driver"].n_unique()
    assert said == {"page": str(page), "statements": drivers}
    assert page.read_text("utf-8").count('<article class="bill">') == drivers
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bills.html", "new"]


@needs_chromium
def test_one_bill_a_sheet_and_no_wider_than_a_phone(
    run: Run, planned: Path, tmp_path: Path
) -> None:
    """Printed, each bill of the example is one sheet; on a phone nothing scrolls sideways."""
    page = tmp_path / "bills.html"
    run("statement", planned, "--out", page)
    said = laid_out(page, 360, tmp_path)
    assert said["scroll"] == said["width"] == 360
    bills = page.read_text("utf-8").count('<article class="bill">')
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed(page, tmp_path))) == bills


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--driver — is missing"),
        (("--driver", "d02", "--operator"), "two statements"),
        (("--driver", "d02", "--month", "2025-05"), "plan of one day"),
        (("--driver", "d02", "--out", "bill.pdf"), "no name of a page"),
    ],
)
def test_what_does_not_go_together(
    run: Run, planned: Path, words: tuple[str, ...], said: str
) -> None:
    """Exit code 2, in a line."""
    done = run("statement", planned, *words)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())
