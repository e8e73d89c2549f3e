"""A plan's tables for people: CSV files, or one workbook with a sheet for each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import polars as pl

# Most rows of a sheet that spreadsheets open.
MOST_ROWS = 1_048_575
WORKBOOK = "tables.xlsx"


def export_csv(tables: Mapping[str, pl.DataFrame], folder: Path) -> list[Path]:
    """Write every table as ``NAME.csv``: UTF-8, commas, decimal points, moments in UTC.

    Parameters
    ----------
    tables
        By name, as `hubwise.make_tables` gives them or a plan folder holds them.
    folder
        That exists.

    Returns
    -------
    list
        The files.
    """
    files = [folder / f"{name}.csv" for name in tables]
    for file, table in zip(files, tables.values(), strict=True):
        table.write_csv(file, datetime_format="%Y-%m-%dT%H:%M:%SZ")
    return files


def export_workbook(tables: Mapping[str, pl.DataFrame], file: Path) -> list[Path]:
    """Write all tables into one XLSX workbook, a sheet each; moments in UTC.

    Raises
    ------
    ValueError
        If a table has more rows than a sheet may have; nothing is written then.
    """
    import openpyxl  # a third of a second that nobody else waits for

    for name, table in tables.items():
        if table.height > MOST_ROWS:
            raise ValueError(
                f"{name} has {table.height:,} rows, and a sheet {MOST_ROWS:,}: use csv"
            )
    book = openpyxl.Workbook(write_only=True)
    for name, table in tables.items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        sheet.append(table.columns)
        for row in table.iter_rows():
            sheet.append([_cell(value) for value in row])
    book.save(file)
    return [file]


def _cell(value: object) -> object:
    """A value as workbooks hold it: without a zone, and infinity as a word."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return str(value)
    return value
