"""Figures of the feeder: voltages, and how loaded the substation transformer is."""

from __future__ import annotations

import numpy as np

from hubwise.domain import Scenario
from hubwise.domain.arrays import Array
from hubwise.grid import temperatures, thermal_model
from hubwise.study.report.axes import (
    Spec,
    clock_figure,
    limit_line,
    line,
    reach,
    value_axis,
    values,
)
from hubwise.study.report.cases import Case, by_slot, grid_of
from hubwise.study.report.figures_power import DASHES
from hubwise.study.report.glossary import label
from hubwise.study.report.palette import of_strategy

RATED_C = 98.0  # hottest spot at which plain paper ages a day a day, by the standard


def voltage_band(scenario: Scenario, cases: list[Case]) -> Spec | None:
    """Lowest and highest voltage over the buses under each strategy, with the limits [p.u.]."""
    found = [(case, bus_voltages(scenario, case)) for case in cases]
    known = [(case, matrix) for case, matrix in found if matrix is not None]
    spread = reach([matrix for _, matrix in known])
    if spread is None:
        return None
    feeder = scenario.situation.feeder
    low = [_lowest(case, matrix.min(axis=0)) for case, matrix in known]
    high = [_highest(case, matrix.max(axis=0)) for case, matrix in known if _lifts(matrix)]
    floor = min(spread[0], feeder.voltage_min_pu) - 0.008
    top = spread[1] + 0.008
    limits = [limit_line(feeder.voltage_min_pu, f"lower limit {feeder.voltage_min_pu:.2f}")]
    if feeder.voltage_max_pu <= top:
        limits.append(limit_line(feeder.voltage_max_pu, f"upper limit {feeder.voltage_max_pu:.2f}"))
    axis = value_axis("Voltage, p.u.", range=[floor, top], tickformat=".2f")
    shapes, words = zip(*limits, strict=True)
    marks = {"shapes": shapes, "annotations": words}
    return clock_figure(scenario.situation.horizon, [*high, *low], 340, axis, ticks=5, **marks)


def _lifts(matrix: Array) -> bool:
    """Whether any bus is ever above the feeder head, so that the highest voltage says something."""
    top = matrix.max(axis=0)[np.isfinite(matrix).all(axis=0)]
    return bool(top.size and np.ptp(top) > 1e-6)


def _lowest(case: Case, voltage: Array) -> Spec:
    style = {"dash": DASHES.get(case.strategy, "solid")}
    return line(label(case.strategy), voltage, of_strategy(case.strategy), "p.u.", 4, line=style)


def _highest(case: Case, voltage: Array) -> Spec:
    style = {"dash": DASHES.get(case.strategy, "solid"), "width": 1}
    name, colour = f"{label(case.strategy)}, highest", of_strategy(case.strategy)
    return line(name, voltage, colour, "p.u.", 4, line=style, showlegend=False)


def bus_voltages(scenario: Scenario, case: Case) -> Array | None:
    """Voltage of every bus; shape (buses, slots) [p.u.]."""
    table = case.table("buses")
    if table is None:
        return None
    return grid_of(table, "bus", "voltage_pu", scenario.situation.horizon.slots)[1]


def voltage_reach(scenario: Scenario, cases: list[Case]) -> tuple[float, float] | None:
    """Least and greatest voltage of all cases [p.u.]."""
    found = [bus_voltages(scenario, case) for case in cases]
    return reach([matrix for matrix in found if matrix is not None])


def voltage_map(
    scenario: Scenario, case: Case | None, spread: tuple[float, float] | None
) -> Spec | None:
    """Voltage of every bus in every slot as a heat map; ``spread`` is the range of its colours."""
    matrix = bus_voltages(scenario, case) if case else None
    if matrix is None or spread is None:
        return None
    buses = np.sort(scenario.situation.feeder.bus)
    heat = {
        "type": "heatmap",
        "z": [values(row, 4) for row in matrix],
        "y": [f"{bus}" for bus in buses],
        "zmin": spread[0],
        "zmax": spread[1],
        "colorscale": "Cividis",
        "colorbar": {
            "thickness": 10,
            "outlinewidth": 0,
            "tickformat": f".{_decimals(spread[1] - spread[0])}f",
            "nticks": 6,
        },
        "hovertemplate": "bus %{y} · %{z:.4f} p.u.<br>%{x}<extra></extra>",
    }
    marks = _marked_buses(scenario)
    rows = {
        "type": "category",
        "autorange": "reversed",
        "tickvals": marks,
        "showgrid": False,
    }
    axis = value_axis("Bus", **rows)
    return clock_figure(scenario.situation.horizon, [heat], 380, axis, ticks=5, hovermode="closest")


def _decimals(pu: float) -> int:
    """Decimals that tell some six values within so many p.u. apart."""
    return 2 if pu >= 0.05 else 3 if pu >= 0.005 else 4


def _marked_buses(scenario: Scenario) -> list[str]:
    """Buses that get a tick: those with a hub, and the first and the last."""
    buses = {int(bus) for bus in scenario.situation.hubs.bus}
    ends = {int(scenario.situation.feeder.bus.min()), int(scenario.situation.feeder.bus.max())}
    return [str(bus) for bus in sorted(buses | ends)]


def hot_spot(scenario: Scenario, cases: list[Case]) -> Spec | None:
    """Hottest spot of the substation transformer's winding under each strategy [°C].

    From its loading and the ambient temperature by IEC 60076-7; at 98 °C it ages as designed.
    """
    feeder, horizon = scenario.situation.feeder, scenario.situation.horizon
    model = thermal_model(feeder.transformer_kva)
    tables = [(case, case.table("feeder")) for case in cases]
    found = [
        (
            case,
            temperatures(
                by_slot(table, "transformer_loading", horizon.slots),
                horizon.slot_hours,
                feeder.ambient_c,
                model,
            ).hot_spot_c,
        )
        for case, table in tables
        if table is not None
    ]
    spread = reach([celsius for _, celsius in found])
    if spread is None:
        return None
    lines = [
        line(
            label(case.strategy),
            celsius,
            of_strategy(case.strategy),
            "°C",
            1,
            line={"shape": "linear", "dash": DASHES.get(case.strategy, "solid")},
        )
        for case, celsius in found
    ]
    shape, words = limit_line(RATED_C, f"{RATED_C:.0f} °C: a day of life a day")
    axis = value_axis("Hottest spot, °C", range=[0.0, 1.12 * max(spread[1], RATED_C)])
    return clock_figure(horizon, lines, 280, axis, shapes=[shape], annotations=[words])


def transformer(scenario: Scenario, cases: list[Case]) -> Spec | None:
    """Loading of the substation transformer under each strategy, with its limit [% of rating]."""
    slots = scenario.situation.horizon.slots
    tables = [(case, case.table("feeder")) for case in cases]
    loads = [
        (case, 100.0 * by_slot(table, "transformer_loading", slots))
        for case, table in tables
        if table is not None
    ]
    if not loads:
        return None
    limit = 100.0 * scenario.situation.feeder.transformer_limit
    lines = [
        line(
            label(case.strategy),
            loading,
            of_strategy(case.strategy),
            "%",
            1,
            line={"dash": DASHES.get(case.strategy, "solid")},
        )
        for case, loading in loads
    ]
    shape, words = limit_line(limit, f"limit {limit:.0f} %")
    spread = reach([np.array([limit]), *(loading for _, loading in loads)])
    top = spread[1] if spread else limit
    axis = value_axis("Loading, % of rating", range=[0, 1.08 * top])
    marks = {"shapes": [shape], "annotations": [words]}
    return clock_figure(scenario.situation.horizon, lines, 340, axis, ticks=5, **marks)
