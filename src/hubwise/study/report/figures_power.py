"""Figures of power and price: the feeder head, posted prices, the fleet, the station batteries."""

from __future__ import annotations

import numpy as np
import polars as pl

from hubwise.domain import Scenario
from hubwise.domain.arrays import Array
from hubwise.study.report.axes import (
    Spec,
    clock_figure,
    decimals_for,
    edge_at,
    layer,
    line,
    plain,
    reach,
    value_axis,
    values,
)
from hubwise.study.report.cases import Case, by_slot, grid_of
from hubwise.study.report.glossary import label
from hubwise.study.report.palette import (
    BASE,
    CHARGE,
    DISCHARGE,
    GRID,
    INK,
    MUTED,
    OTHERS,
    SOLAR,
    STATION,
    faint,
    of_strategy,
)

DASHES = {
    "storage": "dash",
    "passive": "dot",
    "passive-random": "dashdot",
    "passive-spread": "longdash",
}


def load(scenario: Scenario, cases: list[Case]) -> Spec | None:
    """Active power at the feeder head under each strategy, over the load without vehicles [kW]."""
    heads = [(case, head_kw(case, scenario.situation.horizon.slots)) for case in cases]
    known = [(case, head) for case, head in heads if head is not None]
    if not known:
        return None
    base = scenario.situation.feeder.at_nominal_kw.sum(axis=0)
    floor = line(
        "Load without hubs",
        base,
        BASE,
        "kW",
        fill="tozeroy",
        fillcolor=faint(BASE, 0.8),
        line={"width": 1},
    )
    lines = [_strategy_line(case, head) for case, head in known]
    axis = value_axis("Power at the feeder head, kW", rangemode="tozero")
    drawn = [floor, *lines] if base.any() else lines
    return clock_figure(scenario.situation.horizon, drawn, 420, axis)


def _strategy_line(case: Case, head: Array) -> Spec:
    style = {
        "width": 3.2 if case.strategy == "hubwise" else 2,
        "dash": DASHES.get(case.strategy, "solid"),
    }
    name, colour = label(case.strategy), of_strategy(case.strategy)
    return line(name, head, colour, "kW", line=style)


def head_kw(case: Case, slots: int) -> Array | None:
    """Active power at the feeder head; shape (slots,) [kW]."""
    table = case.table("feeder")
    return None if table is None else by_slot(table, "head_kw", slots)


def prices(scenario: Scenario, case: Case | None) -> Spec | None:
    """Posted prices against what the operator pays and what an uncoordinated driver pays."""
    table = case.table("prices") if case else None
    if table is None:
        return None
    unit = f"{scenario.situation.market.currency}/kWh"
    market = scenario.situation.market
    stairs = {"shape": "hvh"}
    given = [
        line(
            "Reference tariff",
            market.reference_price,
            MUTED,
            unit,
            3,
            line={**stairs, "dash": "dot", "width": 1.8},
        ),
        line(
            "Purchase price",
            market.purchase_price,
            INK,
            unit,
            3,
            line={**stairs, "width": 1.8},
        ),
    ]
    posted = [
        *_posted(table, scenario, "charge_price", "Charge price", CHARGE, unit),
        *_posted(table, scenario, "discharge_price", "Discharge price", DISCHARGE, unit),
    ]
    axis = value_axis(f"Price, {plain(scenario.situation.market.currency)}/kWh", tickformat=".2f")
    axis["rangemode"] = "tozero"
    bands = _incentive_bands(scenario)
    return clock_figure(scenario.situation.horizon, [*posted, *given], 320, axis, shapes=bands)


def _posted(
    table: pl.DataFrame, scenario: Scenario, column: str, name: str, colour: str, unit: str
) -> list[Spec]:
    """One line where all hubs post the same; else their mean over a band from least to most."""
    _, matrix = grid_of(table, "hub", column, scenario.situation.horizon.slots)
    low, high = matrix.min(axis=0), matrix.max(axis=0)
    style = {"shape": "hvh", "width": 3}
    if np.allclose(low, high, equal_nan=True):
        return [line(name, low, colour, unit, 3, line=style)]
    edge = {"shape": "hvh", "width": 0}
    band = faint(colour, 0.18)
    return [
        line(f"{name}, lowest hub", low, colour, unit, 3, line=edge, showlegend=False),
        line(
            f"{name}, highest hub",
            high,
            colour,
            unit,
            3,
            line=edge,
            showlegend=False,
            fill="tonexty",
            fillcolor=band,
        ),
        line(f"{name}, mean of hubs", matrix.mean(axis=0), colour, unit, 3, line=style),
    ]


def _incentive_bands(scenario: Scenario) -> list[Spec]:
    """A shade behind every run of slots in which discharging earns an incentive."""
    paid = np.concatenate(
        [[0], scenario.situation.terms.on_discharging(scenario.situation.horizon.slots) > 0, [0]]
    ).astype(int)
    edges = np.flatnonzero(np.diff(paid))
    return [
        {
            "type": "rect",
            "layer": "below",
            "yref": "paper",
            "x0": edge_at(int(start)),
            "x1": edge_at(int(end)),
            "y0": 0,
            "y1": 1,
            "line": {"width": 0},
            "fillcolor": faint(DISCHARGE, 0.10),
        }
        for start, end in zip(edges[::2], edges[1::2], strict=True)
    ]


def fleet(scenario: Scenario, case: Case | None, power: tuple[float, float] | None) -> Spec | None:
    """Charging and discharging stacked on the load without hubs, and what the head sees [kW].

    ``power`` is the range of the axis, so that two cases can be compared.
    """
    layers = fleet_layers(scenario, case) if case else None
    if case is None or layers is None:
        return None
    up = [layer(name, kw, colour, "up") for name, colour, kw in layers if kw.max() > 0]
    down = [layer(name, kw, colour, "down") for name, colour, kw in layers if kw.min() < 0]
    head = head_kw(case, scenario.situation.horizon.slots)
    net = [] if head is None else [line("Feeder head", head, INK, "kW")]
    axis = value_axis("Power, kW", zeroline=True, zerolinecolor=MUTED)
    if power:
        axis["range"] = _padded(power)
    return clock_figure(scenario.situation.horizon, [*up, *down, *net], 380, axis, ticks=5)


def _padded(power: tuple[float, float]) -> list[float]:
    room = 0.05 * (power[1] - power[0])
    return [power[0] - room if power[0] < 0 else 0.0, power[1] + room]


def fleet_reach(scenario: Scenario, cases: list[Case]) -> tuple[float, float] | None:
    """Least and greatest height of the stacks of all cases [kW]."""
    found = [fleet_layers(scenario, case) for case in cases]
    stacks = [
        np.sum([part(kw, 0.0) for _, _, kw in layers], axis=0)
        for layers in found
        if layers
        for part in (np.maximum, np.minimum)
    ]
    return reach(stacks)


def fleet_layers(scenario: Scenario, case: Case) -> list[tuple[str, str, Array]] | None:
    """Name, colour and power (slots,) of every layer; what gives is negative [kW]."""
    slots = scenario.situation.horizon.slots
    hubs = case.table("hubs")
    if hubs is None:
        return None
    ours, others = _charging(case, hubs, slots)
    awake = by_slot(hubs, "standby_kw", slots)
    return [
        *((("Chargers in stand-by", faint(CHARGE, 0.5), awake),) if awake.any() else ()),
        ("Load without hubs", BASE, scenario.situation.feeder.at_nominal_kw.sum(axis=0)),
        ("Other drivers charging", OTHERS, others),
        ("Participants charging", CHARGE, ours),
        ("Station batteries charging", STATION, by_slot(hubs, "battery_charge_kw", slots)),
        ("Vehicles discharging", DISCHARGE, -by_slot(hubs, "ev_discharge_kw", slots)),
        (
            "Station batteries discharging",
            faint(STATION, 0.65),
            -by_slot(hubs, "battery_discharge_kw", slots),
        ),
        ("Solar used", SOLAR, -by_slot(hubs, "solar_kw", slots)),
    ]


def _charging(case: Case, hubs: pl.DataFrame, slots: int) -> tuple[Array, Array]:
    """Charging power of participants and of the others; shapes (slots,) [kW]."""
    total = by_slot(hubs, "ev_charge_kw", slots)
    schedule, sessions = case.table("schedule"), case.table("sessions")
    if schedule is None or sessions is None:
        return total, np.zeros(slots)
    who = sessions.filter("participating").select("session")
    ours = by_slot(schedule.join(who, on="session", how="semi"), "charge_kw", slots)
    return ours, np.maximum(total - ours, 0.0)


def stations(scenario: Scenario, case: Case | None) -> dict[int, Spec]:
    """For every hub with a station battery: its power [kW] above its energy [kWh], by hub index."""
    table = case.table("hubs") if case else None
    if table is None:
        return {}
    hubs = scenario.situation.hubs
    equipped = [k for k in range(len(hubs)) if hubs.battery_kwh[k] > 0]
    most = (
        float(hubs.battery_kw[equipped].max(initial=0.0)),
        float(hubs.battery_kwh[equipped].max(initial=0.0)),
    )
    return {
        k: _station(scenario, table.filter(pl.col("hub") == hubs.name[k]), most) for k in equipped
    }


def _station(scenario: Scenario, table: pl.DataFrame, most: tuple[float, float]) -> Spec:
    slots = scenario.situation.horizon.slots
    charge = by_slot(table, "battery_charge_kw", slots)
    discharge = by_slot(table, "battery_discharge_kw", slots)
    power = [
        _bars("Charging", charge, CHARGE),
        _bars("Discharging", -discharge, DISCHARGE),
    ]
    energy = line(
        "Stored energy",
        by_slot(table, "battery_kwh", slots),
        STATION,
        "kWh",
        yaxis="y2",
        fill="tozeroy",
        fillcolor=faint(STATION, 0.3),
        line={"shape": "linear"},
    )
    small = {"tickfont": {"size": 11}, "nticks": 4}
    above = value_axis("kW", domain=[0.54, 1], range=[-1.1 * most[0], 1.1 * most[0]], **small)
    below = value_axis("kWh", domain=[0, 0.44], range=[0, 1.1 * most[1]], **small)
    drawn = clock_figure(
        scenario.situation.horizon,
        [*power, energy],
        250,
        above | {"zeroline": True, "zerolinecolor": GRID},
        ticks=5,
        yaxis2=below,
        bargap=0,
        barmode="relative",
        margin={"l": 58, "r": 20, "t": 6, "b": 40},
    )
    drawn["layout"]["xaxis"] |= {"anchor": "y2", "tickfont": {"size": 11}}
    return drawn


def _bars(name: str, kw: Array, colour: str) -> Spec:
    return {
        "type": "bar",
        "name": name,
        "y": values(kw, 2),
        "marker": {"color": colour, "line": {"width": 0}},
        "hovertemplate": f"%{{y:,.{decimals_for(kw)}f}} kW",
    }
