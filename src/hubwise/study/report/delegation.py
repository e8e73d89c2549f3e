"""What becomes of profit and feeder where fewer let the platform choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hubwise.domain.plain import rows
from hubwise.study.report.axes import Spec, figure, layout, limit_line, line, plain, titled
from hubwise.study.report.axes import value_axis as axis_of
from hubwise.study.report.cases import Cases
from hubwise.study.report.glossary import change, finite, money, number, percent
from hubwise.study.report.palette import GRID, STRATEGIES
from hubwise.study.report.tables import grouped

Record = Mapping[str, object]

# Devices' colours and words; prices' dashes and words.
DEVICES = {
    "early": (STRATEGIES["storage"], "devices early"),
    "random": (STRATEGIES["passive"], "devices at random"),
}
PRICES = {"found": ("solid", "prices found for it"), "same": ("dot", "the same prices")}
PANELS = (
    ("peak_valley_kw", "Peak-valley difference", "kW"),
    ("operator_profit", "Operator's profit", ""),
)


def delegation_section(cases: Cases) -> str:
    """The section, or nothing where it was not planned."""
    found = rows(cases.summary.get("delegation"))
    if not found:
        return ""
    share = percent(found[0]["participation"])
    plots = "".join(
        f'<div class="panel"><figure><h3>{title}</h3><div class="names"></div>'
        f'<div class="plot" data-figure="delegation-{key}" role="img" '
        f'aria-label="{title} by the share that delegates"></div></figure></div>'
        for key, title, _ in PANELS
    )
    return (
        '<section id="delegation"><h2>Who lets the platform choose</h2>'
        f'<p class="lead">The same day with {share} of sessions participating, of whom a share '
        "lets the platform choose among schedules that cost the driver the same; the others' own "
        "devices take the earliest, or one that begins at a random moment. At the same prices as "
        "where all delegate (dotted), and at prices found for the share (solid). Every driver pays "
        "what is cheapest at its prices in any case.</p>"
        f'<div class="two">{plots}</div><div class="panel">{_table(found)}</div></section>'
    )


def delegation_figures(cases: Cases) -> dict[str, Spec]:
    """Peak-valley difference and profit over the share that delegates, by their key."""
    found = rows(cases.summary.get("delegation"))
    if not found:
        return {}
    currency = plain(cases.scenario.situation.market.currency)
    return {
        f"delegation-{key}": _over_shares(cases, found, key, unit or currency)
        for key, _, unit in PANELS
    }


def _series(found: Sequence[Record], devices: str, prices: str) -> list[Record]:
    """One series by ascending share; where all delegate there is one plan, of every series."""
    mine = [
        record
        for record in found
        if record["delegating"] == 1.0
        or (record["devices"] == devices and record["prices"] == prices)
    ]
    return sorted(mine, key=lambda record: finite(record["delegating"]) or 0.0)


def _over_shares(cases: Cases, found: Sequence[Record], key: str, unit: str) -> Spec:
    lines = []
    for devices, (colour, who) in DEVICES.items():
        for prices, (dash, what) in PRICES.items():
            mine = _series(found, devices, prices)
            drawn = [finite(record.get(key)) for record in mine]
            lines.append(
                line(
                    f"{who}, {what}",
                    [np.nan if value is None else value for value in drawn],
                    colour,
                    unit,
                    0,
                    x=[100.0 * (finite(record["delegating"]) or 0.0) for record in mine],
                    mode="lines+markers",
                    line={"dash": dash, "shape": "linear"},
                    marker={"size": 8, "line": {"color": GRID, "width": 1}},
                )
            )
    shares = sorted({finite(record["delegating"]) or 0.0 for record in found})
    across = {
        "tickvals": [100 * share for share in shares],
        "ticktext": [percent(share) for share in shares],
        "range": [-4, 104],
        "zeroline": False,
        "title": titled("of those who take part delegate"),
        "showgrid": False,
        "fixedrange": True,
    }
    look = layout(320, across, axis_of(unit))
    look["margin"] = look["margin"] | {"b": 56}
    promise = cases.scenario.situation.promises.peak_valley
    if key == "peak_valley_kw" and np.isfinite(promise):
        first = found[0]
        span, ratio = finite(first.get(key)), finite(first.get("peak_valley_ratio"))
        if span and ratio:
            shape, words = limit_line(promise * span / ratio, "promised")
            look |= {"shapes": [shape], "annotations": [words]}
    return figure(lines, look)


def _table(found: Sequence[Record]) -> str:
    head = [
        "Delegate",
        "Operator's<br>profit",
        "Participants'<br>cost",
        "Peak-valley<br>kW",
        "Peak-<br>valley",
        "Voltages<br>broken",
        "All<br>kept",
    ]
    groups = []
    for devices, (_, who) in DEVICES.items():
        for prices, (_, what) in PRICES.items():
            mine = _series(found, devices, prices)
            groups.append((f"{who}, {what}".capitalize(), [_cells(record) for record in mine]))
    return grouped(head, groups, "numbers")


def _cells(record: Record) -> list[str]:
    return [
        percent(record["delegating"]),
        money(record.get("operator_profit")),
        change(record.get("participant_cost_ratio"), 1),
        number(record.get("peak_valley_kw")),
        change(record.get("peak_valley_ratio"), 1),
        number(record.get("voltage_violations")),
        "yes" if record.get("kept") else '<span class="bad">no</span>',
    ]
