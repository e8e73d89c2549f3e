"""Batteries: what a kWh drawn costs, linear beside nonlinear; fade with and without V2G."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from html import escape

import numpy as np
import polars as pl

from hubwise.battery import DAYS_A_YEAR, fleet_ageing
from hubwise.domain import Fleet, Horizon, Scenario, Schedule
from hubwise.domain.arrays import Array, Flags
from hubwise.domain.plain import texts
from hubwise.study.report.axes import Spec, figure, layout, plain, titled, value_axis, values
from hubwise.study.report.cases import Case, Cases
from hubwise.study.report.glossary import DASH, money, number, percent
from hubwise.study.report.palette import CHARGE, DISCHARGE, GRID, INK, MUTED
from hubwise.study.report.tables import table

# Temperatures that the fade is shown at, beside the fleet's own [°C].
NAME_PX = 24  # room for the name of a panel
TEMPERATURES = (5.0, 15.0, 25.0, 35.0)
LINEAR, NONLINEAR = "#8795a1", "#0072b2"
# Draws below this are rounding [kWh].
CRUMB_KWH = 1e-6


@dataclass(frozen=True, slots=True)
class Batteries:
    """The batteries that a case discharges, with its tables read back.

    Parameters
    ----------
    fleet, schedule
        The sessions that discharge, and what they do.
    wear_linear, wear_nonlinear, drawn_kwh, fade_driving, fade_v2g
        As in ``ageing.parquet``, of those; shape (sessions,).
    """

    fleet: Fleet
    schedule: Schedule
    wear_linear: Array
    wear_nonlinear: Array
    drawn_kwh: Array
    fade_driving: Array
    fade_v2g: Array

    @property
    def chemistries(self) -> list[str]:
        """Chemistries among them, in alphabetical order."""
        return sorted(set(self.fleet.chemistry.tolist()))


def batteries(scenario: Scenario, case: Case | None) -> Batteries | None:
    """The batteries that a case discharges; nothing where it has no such tables, or none."""
    tables = [case.table(name) for name in ("ageing", "schedule")] if case else []
    if len(tables) < 2 or any(found is None for found in tables):
        return None
    aged, rows = (found for found in tables if found is not None)
    fleet, horizon = scenario.situation.fleet, scenario.situation.horizon
    if aged["session"].to_list() != fleet.session.tolist():
        return None
    schedule = _schedule(rows, fleet, horizon)
    drawn = horizon.slot_hours * schedule.discharge_kw.sum(axis=1) / fleet.discharge_efficiency
    used = np.flatnonzero(drawn > CRUMB_KWH)
    if not used.size:
        return None
    columns = ("wear_linear", "wear_nonlinear", "fade_driving", "fade_v2g")
    linear, nonlinear, driving, v2g = (aged[name].to_numpy()[used] for name in columns)
    own = Schedule(schedule.charge_kw[used], schedule.discharge_kw[used], schedule.energy_kwh[used])
    return Batteries(fleet.select(used), own, linear, nonlinear, drawn[used], driving, v2g)


def _schedule(rows: pl.DataFrame, fleet: Fleet, horizon: Horizon) -> Schedule:
    """``schedule.parquet`` as arrays; shape (sessions, slots)."""
    place = {name: k for k, name in enumerate(fleet.session.tolist())}
    session = np.array([place[name] for name in rows["session"]], dtype=np.int64)
    slot = rows["slot"].to_numpy()
    shape = (len(fleet), horizon.slots)
    charge, discharge = np.zeros(shape), np.zeros(shape)
    energy = np.repeat(fleet.arrival_kwh[:, None], horizon.slots, axis=1)
    charge[session, slot] = rows["charge_kw"].to_numpy()
    discharge[session, slot] = rows["discharge_kw"].to_numpy()
    energy[session, slot] = rows["energy_kwh"].to_numpy()
    gone = np.arange(horizon.slots) >= fleet.departure_slot[:, None]
    last = energy[np.arange(len(fleet)), fleet.departure_slot - 1][:, None]
    return Schedule(charge, discharge, np.where(gone, last, energy))


def batteries_section(cases: Cases, share: float) -> str:
    """A sentence, a table by chemistry, and what leaves the tested range; as HTML."""
    case = cases.chosen(share)
    found = batteries(cases.scenario, case)
    if case is None or found is None:
        return '<p class="note">Nobody discharges here, so no battery wears by it.</p>'
    a_year = _a_year(cases.scenario.situation.horizon)
    rows = [_row(name, found, found.fleet.chemistry == name, a_year) for name in found.chemistries]
    if len(rows) > 1:
        rows.append(_row("all", found, np.ones(len(found.fleet), bool), a_year))
    unit = escape(cases.scenario.situation.market.currency)
    head = (
        "",
        "Sessions that<br>discharge",
        "Drawn<br>kWh",
        f"Wear as given<br>{unit}/kWh",
        f"Wear by the model<br>{unit}/kWh",
        f"Wear as given<br>{unit}",
        f"Wear by the model<br>{unit}",
        "Fade without V2G<br>a year",
        "V2G adds<br>a year",
    )
    words = _how(case, cases.scenario, found.chemistries)
    return (
        f"<figure>{table(head, rows, 'numbers results')}"
        f"<figcaption>{escape(words)}</figcaption></figure>"
        f"{_warnings(case)}"
    )


def _row(name: str, found: Batteries, rows: Flags, a_year: float) -> list[str]:
    drawn = float(found.drawn_kwh[rows].sum())
    linear, model = (float(wear[rows].sum()) for wear in (found.wear_linear, found.wear_nonlinear))
    return [
        escape(name),
        number(int(rows.sum())),
        number(drawn),
        number(linear / drawn, 3),
        number(model / drawn, 3) if np.isfinite(model) else DASH,
        money(linear),
        money(model) if np.isfinite(model) else DASH,
        percent(a_year * float(found.fade_driving[rows].mean()), 2),
        percent(a_year * float(found.fade_v2g[rows].mean()), 2),
    ]


def _how(case: Case, scenario: Scenario, chemistries: list[str]) -> str:
    """How wear is priced here, by which cells and packs, in words."""
    facts, unit = scenario.situation.battery, scenario.situation.market.currency
    prices = dict(facts.pack_price)
    cells = ", ".join(
        f"{name} as {cell} in packs of {number(prices.get(name), 0, f'{unit}/kWh')}"
        for name, cell in facts.cells
        if name in chemistries
    )
    base = (
        f"Models: {cells}; the day repeated for {facts.years:g} years; a pack has lost its worth "
        f"at {percent(facts.end_of_life)} of its capacity."
    )
    if case.result.get("wear") != "nonlinear":
        return f"Drivers answer to the wear as given; the model is shown beside it. {base}"
    change = case.value("wear_change")
    off = "" if change is None else f", right within {percent(change, 1)}"
    return f"Drivers answer to the wear that the model finds{off}. {base}"


def _warnings(case: Case) -> str:
    said = texts(case.result.get("warnings"))
    lines = "".join(f"<li>{escape(one)}</li>" for one in said)
    if not lines:
        return ""
    return (
        '<details class="warnings"><summary>Beyond what the cells were tested at</summary>'
        f"<ul>{lines}</ul></details>"
    )


def _a_year(horizon: Horizon) -> float:
    """Horizons in a year."""
    return DAYS_A_YEAR * 24.0 / (horizon.slots * horizon.slot_hours)


PLOTS = (
    (
        "wear-prices",
        "Wear of a kWh drawn",
        "kWh drawn by their wear, as given and by the model, for each chemistry",
        "",
    ),
    (
        "fade",
        "Fade by chemistry and temperature",
        "Capacity lost in a year without V2G, and what V2G adds, by chemistry and temperature",
        "The same schedules, with all batteries at one temperature.",
    ),
)


def batteries_plots(figures: Collection[str]) -> str:
    """Panels for those of the figures that are drawn at some participation; as HTML."""
    panels = "".join(
        f'<div class="panel"><figure><h3>{title}</h3><div class="plot" data-figure="{name}" '
        f'role="img" aria-label="{words}"></div>'
        f"{f'<figcaption>{note}</figcaption>' if note else ''}</figure></div>"
        for name, title, words, note in PLOTS
        if name in figures
    )
    return f'<div class="two">{panels}</div>' if panels else ""


def wear_prices(cases: Cases, case: Case | None) -> Spec | None:
    """How many kWh are drawn at which wear, as given and by the model, for each chemistry."""
    found = batteries(cases.scenario, case)
    if found is None or not np.isfinite(found.wear_nonlinear).all():
        return None
    linear, model = (wear / found.drawn_kwh for wear in (found.wear_linear, found.wear_nonlinear))
    low, high = np.percentile(np.concatenate([linear, model]), [0.5, 99.5])
    edges = np.linspace(low - 1e-9, high + 1e-9, 33)
    unit = plain(cases.scenario.situation.market.currency)
    traces: list[Spec] = []
    for k, name in enumerate(found.chemistries):
        rows = found.fleet.chemistry == name
        for words, price, colour in (("as given", linear, LINEAR), ("model", model, NONLINEAR)):
            kwh, _ = np.histogram(price[rows].clip(low, high), edges, weights=found.drawn_kwh[rows])
            traces.append(_steps(words, edges, kwh, colour, unit, k))
    return figure(traces, _price_look(found.chemistries, unit))


def _steps(words: str, edges: Array, kwh: Array, colour: str, unit: str, panel: int) -> Spec:
    """A histogram as filled steps, in its own panel."""
    number_of = "" if panel == 0 else str(panel + 1)
    return {
        "type": "bar",
        "name": words,
        "x": values((edges[:-1] + edges[1:]) / 2, 4),
        "y": values(kwh, 1),
        "width": float(edges[1] - edges[0]) * 0.96,
        "marker": {"color": colour, "opacity": 0.62, "line": {"width": 0}},
        "xaxis": f"x{number_of}",
        "yaxis": f"y{number_of}",
        "showlegend": panel == 0,
        "hovertemplate": f"%{{y:,.0f}} kWh at %{{x:.3f}} {unit}/kWh<extra>{words}</extra>",
    }


def _price_look(names: list[str], unit: str) -> Spec:
    """One panel a chemistry, above each other, on one axis of prices."""
    height = 1.0 / len(names)
    gap = max(0.14, NAME_PX * len(names) / 350)  # above each panel, where its name stands
    look = layout(
        450,
        value_axis("", showgrid=False),
        value_axis(""),
        hovermode="closest",
        barmode="overlay",
    )
    look["showlegend"] = True
    look["legend"] = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom"}
    look["margin"] = look["margin"] | {"t": 36, "b": 56}
    look["annotations"] = []
    for k, name in enumerate(names):
        number_of = "" if k == 0 else str(k + 1)
        top = 1.0 - k * height
        last = k == len(names) - 1
        look[f"yaxis{number_of}"] = value_axis(
            "kWh drawn", domain=[top - height, top - height * gap], nticks=4, anchor=f"x{number_of}"
        )
        look[f"xaxis{number_of}"] = value_axis(
            f"Wear of a kWh drawn, {unit}" if last else "",
            showgrid=False,
            matches="x" if k else None,
            anchor=f"y{number_of}",
            showticklabels=last,
            zeroline=True,
            zerolinecolor=MUTED,
        )
        look["annotations"].append(_corner(name, top - height * gap))
    return look


def _corner(name: str, top: float) -> Spec:
    return {
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": top,
        "xanchor": "left",
        "yanchor": "bottom",
        "text": f"<b>{plain(name)}</b>",
        "showarrow": False,
        "font": {"color": INK, "size": 13},
    }


def fade_by_temperature(cases: Cases, case: Case | None) -> Spec | None:
    """Fade in a year without V2G, and what V2G adds, by chemistry and temperature."""
    scenario = cases.scenario
    found = batteries(scenario, case)
    if found is None:
        return None
    a_year = 100.0 * _a_year(scenario.situation.horizon)
    names: list[list[str]] = [[], []]
    driving: list[float] = []
    v2g: list[float] = []
    for celsius in TEMPERATURES:
        warm = replace(found.fleet, temperature_c=np.full(len(found.fleet), celsius))
        aged = fleet_ageing(
            warm, found.schedule, scenario.situation.horizon, scenario.situation.battery
        )
        for name in found.chemistries:
            rows = warm.chemistry == name
            names[0].append(plain(name))
            names[1].append(f"{celsius:g}")
            driving.append(a_year * float(aged.fade_driving[rows].mean()))
            v2g.append(a_year * float(aged.fade_v2g[rows].mean()))
    order = np.argsort(np.array(names[0]), kind="stable")
    sides = [[side[k] for k in order] for side in names]
    bars = [
        _bars("without V2G: calendar and driving", sides, np.array(driving)[order], CHARGE),
        _bars("V2G adds", sides, np.array(v2g)[order], DISCHARGE),
    ]
    across = {"fixedrange": True, "tickangle": 0, "dividercolor": GRID, "type": "multicategory"}
    look = layout(
        450,
        across | {"title": titled("Temperature of the battery, °C")},
        value_axis("Capacity lost in a year, %", zeroline=True, zerolinecolor=MUTED),
        hovermode="closest",
        barmode="relative",
    )
    look["showlegend"] = True
    look["legend"] = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom"}
    look["margin"] = look["margin"] | {"t": 36, "b": 84}
    return figure(bars, look)


def _bars(words: str, sides: list[list[str]], height: Array, colour: str) -> Spec:
    return {
        "type": "bar",
        "name": words,
        "x": sides,
        "y": values(height, 3),
        "marker": {"color": colour},
        "width": 0.62,
        "hovertemplate": f"%{{y:.2f}} % a year<extra>{words}</extra>",
    }
