"""A plan's tables for a spreadsheet, on the command line."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hubwise.cli.console import put_json, results
from hubwise.cli.failure import explained
from hubwise.cli.options import AsJson, Out
from hubwise.record import read
from hubwise.record.export import WORKBOOK, export_csv, export_workbook
from hubwise.record.place import reserved, whole_folder
from hubwise.scenario import Issue, ScenarioError


class Format(StrEnum):
    """What tables are written as."""

    CSV = "csv"
    XLSX = "xlsx"


def export(
    folder: Annotated[Path, typer.Argument(metavar="PLAN_DIR", help="A plan folder.")],
    out: Out,
    form: Annotated[Format, typer.Option("--as", help="CSV files, or one workbook.")] = Format.CSV,
    as_json: AsJson = False,
) -> None:
    """A plan's tables as CSV files or as one workbook with a sheet for each.

    Moments are in UTC. The plan folder itself stays as it is.
    """
    with explained(as_json=as_json):
        tables = read(folder).tables
        with (
            reserved(out, _is_export, "tables") as place,
            whole_folder(place, _is_export, "tables") as beside,
        ):
            try:
                files = (
                    export_csv(tables, beside)
                    if form is Format.CSV
                    else export_workbook(tables, beside / WORKBOOK)
                )
            except ValueError as error:
                raise ScenarioError([Issue(str(folder), "", "", str(error), "")]) from error
    names = [file.name for file in files]
    if as_json:
        put_json({"folder": str(out), "files": names})
    else:
        results.print(f"Tables: {out}: {', '.join(names)}", soft_wrap=True)


def _is_export(folder: Path) -> bool:
    """Whether a folder holds nothing but such tables."""
    suffixes = {file.suffix for file in folder.iterdir()}
    return bool(suffixes) and suffixes <= {".csv", ".xlsx"}
