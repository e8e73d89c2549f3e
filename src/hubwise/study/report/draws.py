"""The study's figures over several draws of the fleet: intervals, not points."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from hubwise.domain import plain
from hubwise.domain.plain import JsonObject, named, texts
from hubwise.study.report.cases import Case, Cases
from hubwise.study.report.glossary import DASH, EN, money, number, percent
from hubwise.study.report.tables import chip, grouped

Write = Callable[[float], str]

COLUMNS: tuple[tuple[str, str, Write], ...] = (
    ("Peak-valley<br>of uncoordinated", "peak_valley_ratio", lambda v: percent(v, 1)),
    ("Participants' cost<br>of theirs", "participant_cost_ratio", lambda v: percent(v, 1)),
    ("Operator's<br>profit", "operator_profit", money),
    ("Profit of the<br>fleet's cost", "profit_ratio", lambda v: percent(v, 1)),
    ("Lowest<br>voltage", "min_voltage_pu", lambda v: number(v, 3)),
    ("Trans&shy;former", "transformer_peak_loading", lambda v: percent(v, 1)),
)


def draws_table(cases: Cases) -> str:
    """Mean, interval and range of the main figures; nothing where there is one draw."""
    told = named(cases.summary.get("draws"))
    if not told:
        return ""
    groups = [
        (f"{percent(share)} participating", [_row(case) for case in cases.at(share)])
        for share in cases.participations
    ]
    seeds = texts(told["seeds"])
    lead = (
        f"<h3>Over {len(seeds)} draws of the fleet <small>seeds {seeds[0]}{EN}{seeds[-1]}</small>"
        f"</h3><p>In each cell: {escape(str(told['how']))}. All else on this page is the first "
        "draw's.</p>"
    )
    return lead + grouped(["", *(title for title, *_ in COLUMNS)], groups, "numbers results")


def _row(case: Case) -> list[str]:
    found = named(case.result.get("intervals"))
    return [
        chip(case.strategy),
        *(_cell(named(found.get(key)), write) for _, key, write in COLUMNS),
    ]


def _cell(interval: JsonObject, write: Write) -> str:
    if not interval:
        return DASH
    mean, low, high, least, greatest = (
        write(plain.number(interval[part])) for part in ("mean", "low", "high", "least", "greatest")
    )
    return f"<b>{mean}</b><small>{low} to {high}<br>{least} … {greatest}</small>"
