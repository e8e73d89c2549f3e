"""What each step of freedom in the prices is worth to operator, drivers and feeder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from hubwise.domain.plain import rows
from hubwise.study.report.axes import Spec, figure, layout, limit_line, plain, value_axis, values
from hubwise.study.report.cases import Cases
from hubwise.study.report.glossary import change, finite, money, number, percent
from hubwise.study.report.palette import INK, OUTGO, of_strategy
from hubwise.study.report.tables import table

Record = Mapping[str, object]

NAMES = {
    "flat": "One price",
    "time-of-use": "Blocks of the day",
    "hourly": "Every hour",
    "every-slot": "Every slot",
}


def _name(step: Record) -> str:
    name = NAMES.get(str(step["family"]), str(step["family"]))
    return f"{name}, hub by hub" if step["per_hub"] else name


def freedom_section(cases: Cases) -> str:
    """The section, or nothing where only the scenario's own freedom was planned."""
    found = rows(cases.summary.get("freedom"))
    if not found:
        return ""
    share = percent(found[0]["participation"])
    return (
        '<section id="freedom"><h2>What freedom of prices is worth</h2>'
        f'<p class="lead">The same day with {share} of sessions participating and the same '
        "promises; only how often prices may change, and whether each hub posts its own, differs. "
        "What freedom brings beyond the promises goes to whom the promises leave it.</p>"
        '<div class="panel"><figure><h3>Operator\'s profit</h3>'
        '<div class="plot" data-figure="freedom" role="img" '
        'aria-label="Operator\'s profit by freedom of prices"></div></figure></div>'
        f'<div class="panel">{_table(found)}</div></section>'
    )


def _table(found: Sequence[Record]) -> str:
    first = finite(found[0].get("operator_profit"))
    lines = []
    for step in found:
        profit = finite(step.get("operator_profit"))
        more = None if profit is None or first is None else profit - first
        lines.append(
            [
                escape(_name(step)),
                money(profit),
                "" if step is found[0] else f"+{money(more)}" if more and more > 0 else money(more),
                percent(step.get("gap"), 1),
                percent(step.get("family_gap"), 1),
                change(step.get("participant_cost_ratio"), 1),
                change(step.get("peak_valley_ratio"), 1),
                number(step.get("losses_kwh")),
                "yes" if step.get("kept") else '<span class="bad">no</span>',
            ]
        )
    head = [
        "Prices change with",
        "Operator's<br>profit",
        "… above<br>the first",
        "Gap",
        "… to such<br>prices",
        "Participants'<br>cost",
        "Peak-<br>valley",
        "Losses<br>kWh",
        "All<br>kept",
    ]
    return table(head, lines, "numbers")


def ladder(cases: Cases) -> dict[str, Spec]:
    """The operator's profit, a bar a step, and the bound for any prices [currency]."""
    found = rows(cases.summary.get("freedom"))
    if not found:
        return {}
    own = (cases.scenario.situation.rules.family, cases.scenario.situation.rules.per_hub)
    mine = [(step["family"], step["per_hub"]) == own for step in found]
    bars = {
        "type": "bar",
        "x": [plain(_name(step)).replace(", ", "<br>") for step in found],
        "y": values([finite(step.get("operator_profit")) or 0.0 for step in found], 1),
        "text": [money(step.get("operator_profit")) for step in found],
        "textposition": "inside",
        "insidetextanchor": "end",
        "textfont": {"color": ["#ffffff" if own else INK for own in mine], "size": 13},
        "marker": {"color": [of_strategy("hubwise") if own else OUTGO for own in mine]},
        "hoverinfo": "skip",
    }
    bounds = [bound for step in found if (bound := finite(step.get("profit_bound"))) is not None]
    look = layout(320, {"fixedrange": True, "ticks": ""}, _up(cases, found, bounds))
    look |= {"hovermode": "closest", "bargap": 0.35, "margin": look["margin"] | {"b": 56}}
    if bounds:
        shape, words = limit_line(max(bounds), "bound for any prices")
        look |= {"shapes": [shape], "annotations": [words]}
    return {"freedom": figure([bars], look)}


def _up(cases: Cases, found: Sequence[Record], bounds: list[float]) -> Spec:
    heights = [finite(step.get("operator_profit")) or 0.0 for step in found] + bounds
    low, high = min(*heights, 0.0), max(*heights, 0.0)
    return value_axis(
        plain(cases.scenario.situation.market.currency),
        range=[low - 0.08 * (high - low) * (low < 0), high + 0.12 * (high - low or 1.0)],
    )
