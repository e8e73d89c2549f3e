"""A plan's tables for a spreadsheet, on the command line."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hubwise.audit.books import is_site
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
    OCPI = "ocpi"
    INVOICES = "invoices"
    STATEMENTS = "statements"


_OF_PLANS = (Format.CSV, Format.XLSX)


def export(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A plan folder, or a live site's folder.")
    ],
    out: Out,
    form: Annotated[
        Format,
        typer.Option(
            "--as",
            help="CSV files, or one workbook. Of a site also: ocpi (charge detail records), "
            "invoices (by driver and month, JSON and a page to print), statements (by driver).",
        ),
    ] = Format.CSV,
    driver: Annotated[
        str | None, typer.Option(help="Of a site: only this account, such as driver:ann.")
    ] = None,
    month: Annotated[
        str | None, typer.Option(help="Of a site: only what was posted in it, such as 2026-03.")
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Of a site: its database, else where it was served last."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """A plan's tables, or a live site's books, as CSV files, a workbook, or documents.

    Moments are in UTC. The folder itself stays as it is; of a site, entries, documents and their
    lines are written. --month is for invoices and statements.
    """
    with explained(as_json=as_json):
        _check(folder, form, driver, month)
        with (
            reserved(out, _is_export, "tables") as place,
            whole_folder(place, _is_export, "tables") as beside,
        ):
            if is_site(folder):
                from hubwise.cli.site_export import SiteExport  # part of the extra ``serve``

                files = SiteExport(folder, store, driver, month).write(form, beside)
            else:
                files = _of_plan(folder, form, beside)
    names = [file.name for file in files]
    if as_json:
        put_json({"folder": str(out), "files": names})
    else:
        results.print(f"Tables: {out}: {', '.join(names)}", soft_wrap=True)


def _of_plan(folder: Path, form: Format, beside: Path) -> list[Path]:
    tables = read(folder).tables
    try:
        if form is Format.CSV:
            return export_csv(tables, beside)
        return export_workbook(tables, beside / WORKBOOK)
    except ValueError as error:
        raise ScenarioError([Issue(str(folder), "", "", str(error), "")]) from error


def _check(folder: Path, form: Format, driver: str | None, month: str | None) -> None:
    issues = []
    if not is_site(folder):
        asked = [("--as", form.value)] if form not in _OF_PLANS else []
        asked += [("--driver", driver)] if driver else []
        asked += [("--month", month)] if month else []
        issues = [
            Issue(str(folder), "", name, f"{value!r} is for a live site", "name a site's folder")
            for name, value in asked
        ]
    elif month is not None:
        if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", month):
            issues = [Issue("", "", "--month", f"{month!r} is no month", "such as 2026-03")]
        elif form not in (Format.INVOICES, Format.STATEMENTS):
            right = "--as invoices or --as statements"
            issues = [Issue("", "", "--month", f"is not for {form.value}", right)]
    if issues:
        raise ScenarioError(issues)


def _is_export(folder: Path) -> bool:
    """Whether a folder holds nothing but such tables."""
    suffixes = {file.suffix for file in folder.iterdir()}
    return bool(suffixes) and suffixes <= {".csv", ".xlsx", ".json", ".html"}
