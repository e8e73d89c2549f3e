"""Circuits and phases in the report: what flows through each at most, strategy by strategy."""

from __future__ import annotations

from html import escape

import polars as pl

from hubwise.study.report.cases import Case, Cases
from hubwise.study.report.glossary import DASH, number
from hubwise.study.report.tables import chip, grouped

Line = tuple[str, str, str]


def circuits_section(cases: Cases, share: float) -> str:
    """A table of the highest flows, and slots above the limit; empty where a site has no such."""
    side_by_side = cases.at(share)
    known = {case.strategy: found for case in side_by_side if (found := _lines(case))}
    lines = list(dict.fromkeys(line for rows in known.values() for line in rows))
    if not lines:
        return ""
    groups = []
    for line in lines:
        limit = next(rows[line][2] for rows in known.values() if line in rows)
        rows = [
            [chip(name), number(most, 1), number(above) if above else DASH]
            for name, found in known.items()
            if line in found
            for most, above, _ in [found[line]]
        ]
        groups.append((f"{_title(line)}, at most {number(limit, 1, 'kW')}", rows))
    body = grouped(("", "Highest<br>kW", "Slots above"), groups, "numbers results")
    return f"<h3>Circuits and phases: what flows at most, either way</h3>{body}"


def _title(line: Line) -> str:
    hub, circuit, phase = line
    where = f"circuit {circuit}" if circuit else "connection"
    return escape(f"{hub}, {where}" + (f", phase {phase}" if phase else ""))


def _lines(case: Case) -> dict[Line, tuple[float, int, float]]:
    """Of every line the highest flow [kW], slots above its limit, and the limit [kW]."""
    table = case.table("circuits")
    if table is None:
        return {}
    flow = pl.col("kw").abs()
    over = (flow > pl.col("limit_kw") + 1e-9 * pl.max_horizontal("limit_kw", 1.0)).sum()
    names = ["hub", "circuit", "phase"]
    found = table.group_by(names, maintain_order=True).agg(
        flow.max(), over.alias("above"), pl.col("limit_kw").first()
    )
    return {
        (hub, circuit, phase): (most, above, limit)
        for hub, circuit, phase, most, above, limit in found.rows()
    }
