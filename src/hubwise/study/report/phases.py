"""Phases in the report: where voltages are lowest and most apart, strategy by strategy."""

from __future__ import annotations

from html import escape

import polars as pl

from hubwise.study.report.cases import Case, Cases
from hubwise.study.report.glossary import number, percent
from hubwise.study.report.tables import chip, table


def phases_section(cases: Cases, share: float) -> str:
    """A table of the worst voltages and where they are; empty where a feeder is balanced."""
    rows = [row for case in cases.at(share) if (row := _row(case))]
    if not rows:
        return ""
    heads = ["", "Lowest<br>voltage", "where", "Highest<br>voltage", "where", "Unbalance", "where"]
    return f"<h3>Phases: worst voltages, p.u.</h3>{table(heads, rows, 'numbers results')}"


def _row(case: Case) -> list[str]:
    found = case.table("phases")
    known = None if found is None else found.filter(pl.col("voltage_pu").is_not_null())
    if known is None or known.is_empty():
        return []
    low, high, apart = (
        known.sort(column, descending=falls).row(0, named=True)
        for column, falls in (("voltage_pu", False), ("voltage_pu", True), ("unbalance", True))
    )
    return [
        chip(case.strategy),
        number(low["voltage_pu"], 4),
        escape(f"bus {low['bus']}, {low['phase']}"),
        number(high["voltage_pu"], 4),
        escape(f"bus {high['bus']}, {high['phase']}"),
        percent(apart["unbalance"], 2),
        escape(f"bus {apart['bus']}"),
    ]
