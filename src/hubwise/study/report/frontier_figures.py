"""Figures of the frontier: profit over the peak-valley promise, and the grid of promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from plotly.colors import sample_colorscale

from hubwise.study.report.axes import Spec, figure, layout, reach, titled, value_axis
from hubwise.study.report.glossary import number, percent
from hubwise.study.report.palette import GRID, INK, LIMIT, faint, of_strategy

Record = Mapping[str, Any]

SCALE = "Viridis"
# The lightest colours of the scale are too faint for lines on white.
DARKEST, LIGHTEST = 0.08, 0.80
SHADES = [[0.0, faint(of_strategy("hubwise"), 0.08)], [1.0, of_strategy("hubwise")]]


def colours(savings: Sequence[float]) -> dict[float, str]:
    """One colour for each saving promise: the more drivers pay, the lighter."""
    places = np.linspace(DARKEST, LIGHTEST, len(savings)) if len(savings) > 1 else [DARKEST]
    return dict(zip(savings, sample_colorscale(SCALE, list(places)), strict=True))


def promises(records: Sequence[Record], key: str) -> list[float]:
    """The promises of one kind that there are, ascending."""
    return sorted({float(record[key]) for record in records})


def in_words(promise: float) -> str:
    """A promise with two decimals, or more where it has more."""
    return f"{promise:.2f}" if round(promise, 2) == promise else f"{promise:g}"


def _span(found: Sequence[Any], room: float) -> list[float]:
    """A range of an axis around all numbers among ``found``, with a share of it as room."""
    known = np.array([float(x) for x in found if x is not None])
    low, high = reach([known]) or (0.0, 1.0)
    wide = room * (high - low or 0.1)
    return [low - wide, high + wide]


def axes_of(content: Mapping[str, Any]) -> tuple[list[float], list[float]]:
    """The ranges of v and of π that hold everything, the same in all panels."""
    points, bounds, star = content["points"], content["bounds"], content["published"] or {}
    across = [record["peak_valley_promise"] for record in [*points, *bounds]]
    across += [point["peak_valley_ratio"] for point in points] + [star.get("peak_valley_ratio")]
    up = [record["bound_ratio"] for record in [*points, *bounds]]
    up += [point["profit_ratio"] for point in points] + [star.get("profit_ratio")]
    return _span(across, 0.05), _span(up, 0.07)


def picture(content: Mapping[str, Any], share: float) -> Spec:
    """Profit over peak-valley: a bound and the plans below it for each saving promise."""
    bounds = [record for record in content["bounds"] if record["participation"] == share]
    points = [record for record in content["points"] if record["participation"] == share]
    savings = promises(points, "saving_promise")
    colour = colours(savings)
    across, up = axes_of(content)
    traces = [_star(content["published"], across)] if content["published"] else []
    words = []
    for saving in savings:
        line = [record for record in bounds if record["saving_promise"] == saving]
        mine = [record for record in points if record["saving_promise"] == saving]
        traces.append(_bound_line(line, saving, colour[saving]))
        traces += [_markers(mine, saving, colour[saving], kept) for kept in (True, False)]
        words += _line_end(line, saving, colour[saving])
    x = value_axis("Peak-valley difference ÷ uncoordinated, v", range=across, tickformat=".3~f")
    y = value_axis("Operator's profit ÷ fleet's cost, π", range=up, tickformat=".3~f")
    look = layout(470, x, y, hovermode="closest", annotations=words)
    return figure(traces, look | {"margin": look["margin"] | {"l": 64, "r": 52, "b": 52}})


def _group(saving: float) -> str:
    return f"c{saving:g}"


def _bound_line(line: Sequence[Record], saving: float, colour: str) -> Spec:
    """A bound over all promises of peak-valley; of one alone there is no line, but a dash."""
    stroke = {"color": colour, "width": 2.2}
    return {
        "type": "scatter",
        "mode": "lines" if len(line) > 1 else "markers",
        "name": f"c ≤ {in_words(saving)}",
        "legendgroup": _group(saving),
        "x": [record["peak_valley_promise"] for record in line],
        "y": [record["bound_ratio"] for record in line],
        "line": stroke,
        "marker": {"symbol": "line-ew", "size": 8, "line": stroke},
        "hovertemplate": (
            f"<b>bound for any tariff</b><br>v ≤ %{{x:.3f}}, c ≤ {saving:g}<br>π ≤ %{{y:.3f}}"
            "<extra></extra>"
        ),
    }


def _markers(points: Sequence[Record], saving: float, colour: str, kept: bool) -> Spec:
    """Plans where they came out: dots where everything is kept, crosses where not."""
    mine = [point for point in points if point["kept"] == kept]
    dot = {"symbol": "circle", "size": 10, "line": {"color": "#ffffff", "width": 1.5}}
    cross = {"symbol": "x-thin", "size": 9, "line": {"color": colour, "width": 2.5}}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"plans, c ≤ {saving:g}" + ("" if kept else ", not kept"),
        "legendgroup": _group(saving),
        "showlegend": False,
        "x": [point["peak_valley_ratio"] for point in mine],
        "y": [point["profit_ratio"] for point in mine],
        "customdata": [_told(point) for point in mine],
        "marker": {"color": colour, **(dot if kept else cross)},
        "cliponaxis": False,
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _told(point: Record) -> str:
    """A plan in a few lines."""
    reached = [point[key] for key in ("peak_valley_ratio", "participant_cost_ratio")]
    lines = [
        f"<b>{'plan' if point['kept'] else 'plan that is not kept'}</b>",
        f"promised v ≤ {point['peak_valley_promise']:g}, c ≤ {point['saving_promise']:g}",
        f"reached v {number(reached[0], 3)}, c {number(reached[1], 3)}",
        f"π {number(point['profit_ratio'], 3)}, bound {number(point['bound_ratio'], 3)}",
        f"gap {percent(point['gap'], 1)}, {point['violations']} limits broken",
    ]
    return "<br>".join(lines)


def _line_end(line: Sequence[Record], saving: float, colour: str) -> list[Spec]:
    """The saving promise in its colour, at the right end of its line."""
    if not line or line[-1]["bound_ratio"] is None:
        return []
    return [
        {
            "x": line[-1]["peak_valley_promise"],
            "y": line[-1]["bound_ratio"],
            "xanchor": "left",
            "xshift": 8,
            "text": f"<b>{in_words(saving)}</b>",
            "showarrow": False,
            "font": {"color": colour, "size": 12.5},
        }
    ]


def _star(published: Record, across: Sequence[float]) -> Spec:
    """What was published; its words go to where the axis has room for them."""
    left = published["peak_valley_ratio"] > sum(across) / 2.0
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": "Published study",
        "showlegend": False,
        "x": [published["peak_valley_ratio"]],
        "y": [published["profit_ratio"]],
        "text": [f"published, c {number(published['participant_cost_ratio'], 2)}"],
        "textposition": f"bottom {'left' if left else 'right'}",
        "textfont": {"color": LIMIT, "size": 12},
        "marker": {"symbol": "star", "size": 22, "color": LIMIT, "line": {"color": "#ffffff"}},
        "cliponaxis": False,
        "hovertemplate": "<b>published study</b><br>v %{x:.2f}, π %{y:.2f}<extra></extra>",
    }


def grid(content: Mapping[str, Any], share: float) -> Spec:
    """What every pair of promises brings: the profit ratio where it is kept, on one scale."""
    points = [record for record in content["points"] if record["participation"] == share]
    across, up = promises(points, "peak_valley_promise"), promises(points, "saving_promise")
    at = {(point["saving_promise"], point["peak_valley_promise"]): point for point in points}
    kept = [point["profit_ratio"] for point in content["points"] if point["kept"]]
    low, high = _span(kept, 0.0)
    names = [in_words(v) for v in across], [in_words(c) for c in up]
    heat = {
        "type": "heatmap",
        "x": names[0],
        "y": names[1],
        "z": [[_shown(at[c, v]) for v in across] for c in up],
        "customdata": [[_told(at[c, v]) for v in across] for c in up],
        "zmin": low,
        "zmax": high,
        "colorscale": SHADES,
        "showscale": False,
        "xgap": 3,
        "ygap": 3,
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    words = [
        {"x": k, "y": n, **_words(at[c, v], (low, high))}
        for n, c in enumerate(up)
        for k, v in enumerate(across)
    ]
    x = {"type": "category", "title": titled("Promised: v at most"), "showgrid": False}
    y = {"type": "category", "title": titled("Promised: c at most"), "showgrid": False}
    fixed = {"fixedrange": True, "ticks": "", "zeroline": False}
    look = layout(90 + 62 * len(up), x | fixed, y | fixed, hovermode="closest", annotations=words)
    return figure([heat], look | {"plot_bgcolor": GRID})


def _shown(point: Record) -> float | None:
    return point["profit_ratio"] if point["kept"] else None


def _words(point: Record, scale: tuple[float, float]) -> Spec:
    """A pair of promises in words: profit, and how much of its bound that is; or that it fails."""
    if not point["kept"]:
        text, colour = "not kept", LIMIT
    else:
        share = (point["profit_ratio"] - scale[0]) / (scale[1] - scale[0] or 1.0)
        colour = "#ffffff" if share > 0.55 else INK
        of_bound = None if point["gap"] is None else 1.0 - point["gap"]
        text = f"<b>{number(point['profit_ratio'], 3)}</b><br>{percent(of_bound, 1)}"
    return {"text": text, "showarrow": False, "font": {"color": colour, "size": 12}}
