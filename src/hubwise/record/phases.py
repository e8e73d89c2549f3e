"""Feeders given per phase in a plan folder: every phase of every bus, and the worst of each."""

from __future__ import annotations

import numpy as np
import polars as pl

from hubwise.domain import PHASES
from hubwise.domain.arrays import Array
from hubwise.domain.plain import JsonObject, named
from hubwise.ledger import hub_flows
from hubwise.record.model import Record
from hubwise.record.tables import OPTIONAL_TABLES

PER_PHASE = "phases"


def phases_beside(plan: Record) -> tuple[JsonObject, pl.DataFrame] | None:
    """Figures and table of phases; nothing where the feeder is balanced."""
    situation, state = plan.scenario.situation, plan.state
    feeder, hubs = situation.feeder, situation.hubs
    if feeder.phases is None:
        return None
    rows = {int(bus): k for k, bus in enumerate(feeder.bus)}
    hub_kw = np.zeros_like(feeder.base_kw)
    flows = hub_flows(len(hubs), situation.fleet, plan.schedule, plan.stations)
    np.add.at(hub_kw, [rows[int(bus)] for bus in hubs.bus], flows.net_kw)
    nodes, slots = state.voltage_pu.shape
    three = len(PHASES)
    columns: dict[str, object] = {
        "bus": np.repeat(feeder.node_bus, slots),
        "phase": [phase for _ in feeder.bus for phase in PHASES for _ in range(slots)],
        "slot": np.tile(np.arange(slots), nodes),
        "base_kw": (feeder.base_kw[:, None] / three + feeder.phases.uneven_kw).ravel(),
        "base_kvar": (feeder.base_kvar[:, None] / three + feeder.phases.uneven_kvar).ravel(),
        "hub_kw": np.repeat(hub_kw / three, three, axis=0).ravel(),
        "voltage_pu": state.voltage_pu.ravel(),
        "unbalance": np.repeat(state.unbalance, three, axis=0).ravel(),
    }
    loading = state.branch_loading / feeder.conductor_limits[:, None]
    buses = [f"bus {bus}" for bus in feeder.bus]
    figures: JsonObject = {
        "lowest_voltage": _worst(feeder.node_names, -state.voltage_pu, -1.0),
        "highest_voltage": _worst(feeder.node_names, state.voltage_pu),
        "heaviest_branch": _worst(feeder.conductor_names, loading),
        "heaviest_transformer": _worst(
            feeder.by_phase(["substation transformer"]), state.head_loading
        ),
        "largest_unbalance": _worst(buses, state.unbalance),
    }
    return figures, pl.DataFrame(columns, schema=OPTIONAL_TABLES[PER_PHASE], nan_to_null=True)


def lowest_at(plan: Record) -> str:
    """What to call the lowest voltage: with its bus and phase, where phases are told apart."""
    found = phases_beside(plan)
    lowest = None if found is None else named(found[0]["lowest_voltage"])["element"]
    return "lowest voltage" if lowest is None else f"lowest voltage, {lowest}"


def _worst(names: list[str], values: Array, sign: float = 1.0) -> JsonObject:
    """Where and when the largest value is, and that value times ``sign``; null where none is."""
    if not np.isfinite(values).any():
        return {"element": None, "slot": None, "value": None}
    row, slot = np.unravel_index(np.nanargmax(values), values.shape)
    return {
        "element": names[int(row)],
        "slot": int(slot),
        "value": sign * float(values[row, slot]),
    }
