"""Figures of money: the operator's line items, drivers' savings, participations compared."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from hubwise.domain.arrays import Array
from hubwise.study.report.axes import (
    Spec,
    figure,
    layout,
    limit_line,
    line,
    plain,
    titled,
    value_axis,
    values,
)
from hubwise.study.report.cases import Case, Cases, ratios
from hubwise.study.report.figures_power import DASHES
from hubwise.study.report.glossary import PUBLISHED, Published, label, money, number, percent
from hubwise.study.report.palette import GRID, INCOME, INK, MUTED, OUTGO, of_strategy


def waterfall(case: Case | None, currency: str) -> Spec | None:
    """The operator's profit, from the first line item to what is left [currency]."""
    account = case.account() if case else None
    if account is None or case is None:
        return None
    items = [(name, amount) for name, amount in account.lines() if amount]
    names = [plain(name.capitalize()) for name, _ in items] + ["Profit"]
    amounts = [amount for _, amount in items]
    ends = np.cumsum(amounts)
    tones = [INCOME if amount >= 0.0 else OUTGO for amount in amounts]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": names,
        "x": values([*amounts, account.profit], 2),
        "base": values([*(ends - amounts), 0.0], 2),
        "marker": {"color": [*tones, of_strategy(case.strategy)]},
        "hoverinfo": "skip",
    }
    steps = _connectors(names, ends)
    labels = _bar_ends(names, [*amounts, account.profit])
    return figure([steps, bars, labels], _waterfall_look(amounts, currency))


def _connectors(names: list[str], ends: Array) -> Spec:
    """Hairlines from each bar's end to where the next begins."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [x for end in values(ends, 2) for x in (end, end, None)],
        "y": [y for first, second in pairwise(names) for y in (first, second, None)],
        "line": {"color": OUTGO, "width": 1},
        "hoverinfo": "skip",
    }


def _bar_ends(names: list[str], amounts: list[float]) -> Spec:
    """The amounts in words, each at the right end of its bar."""
    ends = np.cumsum(amounts[:-1])
    starts = np.concatenate([[0.0], ends])[: len(ends)]
    return {
        "type": "scatter",
        "mode": "text",
        "x": values([*np.maximum(starts, ends), max(amounts[-1], 0.0)], 2),
        "y": names,
        "text": [f" {money(amount)}" for amount in amounts],
        "textposition": "middle right",
        "textfont": {"color": INK, "size": 12},
        "cliponaxis": False,
        "hoverinfo": "skip",
    }


def _waterfall_look(amounts: list[float], currency: str) -> Spec:
    heights = np.concatenate([[0.0], np.cumsum(amounts)])
    low, high = float(heights.min()), float(heights.max())
    room = 0.2 * (high - low or 1.0)
    across = value_axis(plain(currency), range=[low - 0.25 * room * (low < 0), high + room])
    across |= {"zeroline": True, "zerolinecolor": MUTED, "nticks": 5}
    down = {"autorange": "reversed", "automargin": True, "fixedrange": True, "ticks": ""}
    return layout(380, across, down, hovermode="closest", bargap=0.35)


def savings(case: Case | None, currency: str) -> Spec | None:
    """How many participating sessions save how much against the reference tariff [currency]."""
    saved = participants_savings(case) if case else None
    if saved is None or not saved.size:
        return None
    edges = np.histogram_bin_edges(saved, bins=_bins(saved))
    counts, _ = np.histogram(saved, edges)
    width = float(edges[1] - edges[0])
    bars = {
        "type": "bar",
        "x": values((edges[:-1] + edges[1:]) / 2, 4),
        "y": [int(count) for count in counts],
        "width": width * 0.94,
        "marker": {"color": of_strategy("hubwise")},
        "customdata": [f"{number(low, 2)} to {number(high, 2)}" for low, high in pairwise(edges)],
        "hovertemplate": (
            f"saving %{{customdata}} {plain(currency)}<br>%{{y:,}} sessions<extra></extra>"
        ),
    }
    shape, words = _mark(float(np.median(saved)), currency)
    across = value_axis(f"Saving of a session, {plain(currency)}", showgrid=False)
    across |= {"zeroline": True, "zerolinecolor": MUTED}
    look = layout(380, across, value_axis("Sessions"), hovermode="closest")
    look |= {"shapes": [shape], "annotations": [words], "margin": look["margin"] | {"t": 28}}
    return figure([bars], look)


def _bins(saved: Array) -> int:
    return 1 if np.ptp(saved) < 1e-9 else min(30, max(5, saved.size // 10))


def _mark(median: float, currency: str) -> tuple[Spec, Spec]:
    """A line at the median, and its words above the plot."""
    shape = {
        "type": "line",
        "x0": median,
        "x1": median,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"color": INK, "width": 1.5, "dash": "dot"},
    }
    words = {
        "x": median,
        "yref": "paper",
        "y": 1,
        "yanchor": "bottom",
        "text": f"median {number(median, 2)} {plain(currency)}",
        "showarrow": False,
        "font": {"color": INK, "size": 12},
    }
    return shape, words


def participants_savings(case: Case) -> Array | None:
    """Saving of every participating session; shape (participants,) [currency]."""
    bills, sessions = case.table("bills"), case.table("sessions")
    if bills is None or sessions is None:
        return None
    who = sessions.filter("participating").select("session")
    saved = bills.join(who, on="session", how="semi")["saving"].to_numpy()
    finite_ones: Array = saved[np.isfinite(saved)]
    return finite_ones


def compared(cases: Cases, published: bool) -> dict[str, Spec]:
    """Each of the study's three measures over participation, one line per strategy, by its key."""
    return {measure.key: _compared(cases, measure, published) for measure in PUBLISHED}


def _compared(cases: Cases, measure: Published, published: bool) -> Spec:
    shares = cases.participations
    strategies = dict.fromkeys(case.strategy for p in shares for case in cases.at(p))
    lines = [_over_shares(cases, strategy, measure.key) for strategy in strategies]
    across = {
        "tickvals": [100 * share for share in shares],
        "ticktext": [percent(share) for share in shares],
        "range": [100 * shares[0] - 4, 100 * shares[-1] + 4],
        "title": titled("Participating"),
        "showgrid": False,
        "fixedrange": True,
    }
    look = layout(300, across, value_axis("", rangemode="tozero", tickformat=".2f"))
    look["margin"] = {"l": 44, "r": 12, "t": 12, "b": 48}
    if published:
        shape, words = limit_line(measure.value, f"published {measure.value:.2f}")
        look |= {"shapes": [shape], "annotations": [words]}
    return figure(lines, look)


def _over_shares(cases: Cases, strategy: str, key: str) -> Spec:
    points = []
    for share in cases.participations:
        case = cases.case(share, strategy)
        ratio = ratios(case, cases.yardstick(share))[key] if case else None
        points.append(np.nan if ratio is None else ratio)
    return line(
        label(strategy),
        points,
        of_strategy(strategy),
        "",
        3,
        x=[100 * share for share in cases.participations],
        mode="lines+markers",
        line={"shape": "linear", "dash": DASHES.get(strategy, "solid")},
        marker={"size": 8, "line": {"color": GRID, "width": 1}},
    )
