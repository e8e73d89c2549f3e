"""A plan's tables for spreadsheets: everything is there, as it stands in the plan folder."""

from __future__ import annotations

import math
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from typer.testing import CliRunner

import hubwise as hw
from hubwise.cli import app
from hubwise.record.export import export_workbook


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan folder of the example."""
    place = tmp_path_factory.mktemp("plans") / "plan"
    return hw.write(hw.make_plan(hw.load("example"), strategy="uncoordinated"), place)


def test_every_table_comes_out_as_csv(folder: Path, tmp_path: Path) -> None:
    """As many rows and the same numbers in every file; a second run replaces the first."""
    for _ in range(2):
        done = CliRunner().invoke(app, ["export", str(folder), "--out", str(tmp_path / "t")])
        assert done.exit_code == 0, done.output
    for name, table in hw.read(folder).tables.items():
        found = pl.read_csv(tmp_path / "t" / f"{name}.csv")
        assert found.columns == table.columns
        assert found.height == table.height
        for column in (c for c in table.columns if table[c].dtype == pl.Float64):
            assert found[column].cast(pl.Float64).to_list() == table[column].to_list()


def test_every_table_is_a_sheet(folder: Path, tmp_path: Path) -> None:
    """Names, headers, rows and numbers of the workbook are those of the plan folder."""
    done = CliRunner().invoke(
        app, ["export", str(folder), "--as", "xlsx", "--out", str(tmp_path / "t")]
    )
    assert done.exit_code == 0, done.output
    book = openpyxl.load_workbook(tmp_path / "t" / "tables.xlsx", read_only=True)
    tables = hw.read(folder).tables
    assert book.sheetnames == list(tables)
    for name, table in tables.items():
        rows = list(book[name].iter_rows(values_only=True))
        assert list(rows[0]) == table.columns
        assert len(rows) == table.height + 1
        for found, due in zip(rows[1:], table.iter_rows(), strict=True):
            for cell, value in zip(found, due, strict=True):
                if isinstance(value, float) and math.isfinite(value):
                    assert cell == pytest.approx(value, rel=1e-12, abs=1e-300)


def test_what_no_sheet_holds_is_refused(tmp_path: Path) -> None:
    """More rows than a sheet may have: nothing is written."""
    with pytest.raises(ValueError, match="use csv"):
        export_workbook({"long": pl.DataFrame({"a": range(1_048_576)})}, tmp_path / "t.xlsx")
    assert not (tmp_path / "t.xlsx").exists()


def test_a_page_without_a_folder(tmp_path: Path) -> None:
    """`hw.report` writes one page and nothing beside it."""
    plan = hw.make_plan(hw.load("example"), strategy="uncoordinated")
    page = hw.report(plan, tmp_path / "pages" / "plan.html")
    assert page.read_text("utf-8").lstrip().lower().startswith("<!doctype html")
    assert [file.name for file in page.parent.iterdir()] == ["plan.html"]
