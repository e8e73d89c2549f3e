"""What all figures share: the clock axis, lines, stacks and the look. Figures are plotly's JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hubwise.domain import Horizon
from hubwise.domain.arrays import Array
from hubwise.domain.plain import named
from hubwise.study.report.glossary import EN
from hubwise.study.report.palette import GRID, INK, LIMIT, MUTED

Spec = dict[str, Any]

FONT = (
    "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, 'Helvetica Neue', "
    "'Liberation Sans', Arial, sans-serif"
)
TICKS = 8  # a day gets a tick every three hours
# Categories out of sight, so that steps can reach over both edges.
BEFORE, AFTER = " ", "  "


def plain(text: str) -> str:
    """Text without the angle brackets that plotly would read as markup."""
    return text.replace("<", "\u2039").replace(">", "\u203a")


def decimals_for(array: ArrayLike) -> int:
    """Decimals with which numbers are told to three digits or more, two at most."""
    known = np.abs(np.asarray(array, dtype=float))
    size = float(known[np.isfinite(known)].max(initial=0.0))
    return 0 if size >= 100.0 else 1 if size >= 10.0 else 2


def values(array: ArrayLike, decimals: int = 1) -> list[float | None]:
    """Numbers rounded for drawing; None (a gap) where NaN or infinite."""
    rounded = np.round(np.asarray(array, dtype=float), decimals)
    return [float(x) if np.isfinite(x) else None for x in rounded]


def slot_labels(horizon: Horizon) -> list[str]:
    """What the clock on the wall says in every slot, each label unique; length ``slots``."""
    starts = horizon.local_starts()
    step = timedelta(minutes=horizon.slot_minutes)
    labels = [_label(start, (start + step).time().isoformat("minutes")) for start in starts]
    if len(set(labels)) == len(labels):
        return labels
    return [f"{text} {start.tzname()}" for text, start in zip(labels, starts, strict=True)]


def _label(start: datetime, end: str) -> str:
    return f"{start:%a} {start.day} {start:%b}, {start:%H:%M}{EN}{end}"


def edge_at(slot: int) -> float:
    """Where a slot begins on a clock axis."""
    return slot + 0.5


def clock_axis(horizon: Horizon, ticks: int = TICKS) -> Spec:
    """A time axis on the local clock: slots are categories, ticks stand at their starts.

    Categories rather than dates, because a date axis has no zone: days on which the clocks
    change would be drawn wrong.
    """
    edges = _local_edges(horizon)
    marks = _tick_slots(edges, horizon.slots * horizon.slot_hours / ticks)
    return {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": [BEFORE, *slot_labels(horizon), AFTER],
        "range": [edge_at(0), edge_at(horizon.slots)],
        "tickmode": "array",
        "tickvals": [edge_at(slot) for slot in marks],
        "ticktext": [_tick_text(edges, slot, slot == marks[0]) for slot in marks],
        "tickangle": 0,
        "showgrid": False,
        "ticks": "outside",
        "tickcolor": GRID,
        "linecolor": GRID,
        "showline": True,
        "fixedrange": True,
    }


def _local_edges(horizon: Horizon) -> list[datetime]:
    """Start of every slot and end of the last one, on the site's clock; length ``slots`` + 1."""
    starts = horizon.local_starts()
    return [*starts, horizon.end_utc.astimezone(starts[0].tzinfo)]


def _tick_slots(edges: Sequence[datetime], hours_apart: float) -> list[int]:
    """Edges on full hours of the local clock, at least ``hours_apart``, the first one if none."""
    hours = next((h for h in (1, 2, 3, 4, 6, 12) if h >= hours_apart), 24)
    marks = [k for k, at in enumerate(edges) if at.minute == 0 and at.hour % hours == 0]
    return marks or [0]


def _tick_text(edges: Sequence[datetime], slot: int, first: bool) -> str:
    at = edges[slot]
    # The last edge stands at the margin, where a date has no room; it begins no day that is drawn.
    begins = first or ((at.hour, at.minute) == (0, 0) and slot < len(edges) - 1)
    day = f"<br>{at:%a} {at.day} {at:%b}" if begins else ""
    return f"{at:%H:%M}{day}"


def titled(text: str) -> Spec:
    """The title of an axis."""
    return {"text": text, "standoff": 10, "font": {"size": 12.5, "color": MUTED}}


def value_axis(title: str, **more: object) -> Spec:
    """A value axis with its unit as title and hairlines across."""
    return {
        "title": titled(title),
        "gridcolor": GRID,
        "zeroline": False,
        "tickformat": ",~r",
        "fixedrange": True,
        **more,
    }


def layout(height: int, xaxis: Spec, yaxis: Spec, **more: object) -> Spec:
    """The look of every figure [px]."""
    return {
        "height": height,
        "margin": {"l": 70, "r": 22, "t": 12, "b": 44},
        "font": {"family": FONT, "size": 13, "color": MUTED},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": "#ffffff", "bordercolor": GRID, "font": {"color": INK}},
        "showlegend": False,
        "dragmode": False,
        "separators": ".,",
        "xaxis": xaxis,
        "yaxis": yaxis,
        **more,
    }


def figure(data: list[Spec], layout: Spec) -> Spec:
    """A figure as plotly reads it."""
    return {"data": data, "layout": layout}


def clock_figure(
    horizon: Horizon,
    data: list[Spec],
    height: int,
    yaxis: Spec,
    *,
    ticks: int = TICKS,
    **more: object,
) -> Spec:
    """A figure over the slots; its traces hold one value per slot and no x of their own."""
    axis = clock_axis(horizon, ticks)
    before, first, *_ = axis["categoryarray"]
    drawn = [{"x0": first, "dx": 1} | _to_the_edges(trace, before) for trace in data]
    return figure(drawn, layout(height, axis, yaxis, **more))


def _to_the_edges(trace: Spec, before: str) -> Spec:
    """Steps begin and end in the middle of a slot: one more of each end reaches over the edge."""
    if named(trace.get("line", {})).get("shape") != "hvh":
        return trace
    y = trace["y"]
    return {**trace, "x0": before, "y": [*y[:1], *y, *y[-1:]]}


def line(
    name: str, y: ArrayLike, colour: str, unit: str, decimals: int | None = None, **more: object
) -> Spec:
    """One line over the slots, read in ``unit`` with so many decimals, else as its size asks for.

    A value holds for its slot, so lines are steps; what is a state at a moment asks for
    ``line={"shape": "linear"}``.
    """
    style = {"color": colour, "width": 2, "shape": "hvh", **named(more.pop("line", {}))}
    decimals = decimals_for(y) if decimals is None else decimals
    return {
        "type": "scatter",
        "mode": "lines",
        "name": plain(name),
        "y": values(y, decimals),
        "line": style,
        "hovertemplate": f"%{{y:,.{decimals}f}} {plain(unit)}",
        **more,
    }


def layer(name: str, kw: ArrayLike, colour: str, group: str) -> Spec:
    """One layer of a stack of powers [kW]; layers with the same ``group`` add up."""
    style = {"width": 0, "shape": "hvh"}
    return line(name, kw, colour, "kW", stackgroup=group, fillcolor=colour, line=style)


def limit_line(at: float, text: str, yref: str = "y") -> tuple[Spec, Spec]:
    """A dashed limit across the figure, and the words that stand on it."""
    shape = {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "yref": yref,
        "y0": at,
        "y1": at,
        "line": {"color": LIMIT, "width": 1.5, "dash": "dash"},
    }
    words = {
        "xref": "paper",
        "x": 1,
        "xanchor": "right",
        "yref": yref,
        "y": at,
        "yanchor": "bottom",
        "text": plain(text),
        "showarrow": False,
        "font": {"color": LIMIT, "size": 12},
    }
    return shape, words


def reach(arrays: Sequence[Array]) -> tuple[float, float] | None:
    """Least and greatest finite number in all arrays, or None where there is none."""
    parts = [array[np.isfinite(array)] for array in arrays]
    known = np.concatenate(parts) if parts else np.zeros(0)
    return (float(known.min()), float(known.max())) if known.size else None
