"""Feeders given per phase: every phase of every bus, by the second power flow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from hubwise.audit.evidence import Evidence
from hubwise.audit.feeder import POWER, VOLTAGE
from hubwise.audit.hubs import net_kw
from hubwise.audit.report import Check, Status, agree, judge, words, worst_of
from hubwise.domain.arrays import Array
from hubwise.domain.plain import is_number
from hubwise.grid import FeederState

_PHASES = ("L1", "L2", "L3")


def check_phases(evidence: Evidence, method: str, state: FeederState) -> Iterator[Check]:
    """What phases.parquet and ``phases`` say, against ``state``, found by ``method``."""
    feeder = evidence.scenario.situation.feeder
    said, table = evidence.folder.summary.get("phases"), evidence.folder.tables.get("phases")
    if feeder.phases is None and said is None:
        return
    slots = len(state.converged)
    keys = [(bus, p, t) for bus in feeder.bus.tolist() for p in _PHASES for t in range(slots)]
    due = keys if feeder.phases is not None else []
    found = [] if table is None else table.select("bus", "phase", "slot").rows()
    yield words(
        "phases: rows",
        "phases.parquet has a row for every bus, phase and slot, once and in order",
        [] if found == due else ["phases.parquet: rows are missing, strange or moved"],
        "make the plan again",
    )
    if table is None or found != due or feeder.phases is None:
        return
    yield from _numbers(evidence, method, state, table)
    yield _summed_up(evidence, said, state)


def _numbers(
    evidence: Evidence, method: str, state: FeederState, table: pl.DataFrame
) -> Iterator[Check]:
    """Loads and voltages of every phase, and whether these keep the band."""
    feeder = evidence.scenario.situation.feeder
    assert feeder.phases is not None, "feeders given per phase have them"
    shape = len(feeder.bus), 3, len(state.converged)
    columns = {
        name: np.array(table[name].to_numpy(), dtype=float).reshape(shape)
        for name in ("base_kw", "base_kvar", "hub_kw", "voltage_pu", "unbalance")
    }
    axes = [("bus", feeder.bus.tolist()), ("phase", _PHASES), *evidence.slots_axis]
    drawn = np.zeros(feeder.base_kw.shape)
    for bus, net in zip(evidence.scenario.situation.hubs.bus, net_kw(evidence), strict=True):
        drawn[feeder.bus == bus] += net
    thirds = {"base_kw": feeder.base_kw, "base_kvar": feeder.base_kvar, "hub_kw": drawn}
    uneven = {"base_kw": feeder.phases.uneven_kw, "base_kvar": feeder.phases.uneven_kvar}
    yield agree(
        "phases: loads",
        "Every phase draws its base load, and what hubs draw on it",
        {
            f"phases.{name}": (columns[name], whole[:, None] / 3.0 + uneven.get(name, 0.0))
            for name, whole in thirds.items()
        },
        axes,
        POWER,
        advice="the power flow was made for other loads",
    )
    unbalance = np.broadcast_to(state.unbalance[:, None], shape)
    yield agree(
        "phases: voltages",
        f"Voltages of phases, and their unbalance, are those of a second power flow ({method})",
        {
            "phases.voltage_pu": (columns["voltage_pu"], state.voltage_pu.reshape(shape)),
            "phases.unbalance": (columns["unbalance"], unbalance),
        },
        axes,
        VOLTAGE,
        advice="run the power flow again for these loads",
    )
    outside = np.maximum(
        columns["voltage_pu"] - feeder.voltage_max_pu, feeder.voltage_min_pu - columns["voltage_pu"]
    )
    yield judge(
        "limits: voltage of phases",
        "Every phase of every bus keeps the voltage band",
        worst_of(outside, axes, "phases.voltage_pu"),
        VOLTAGE,
        advice="the feeder's voltage band is broken",
        otherwise=Status.MISSED,
    )


def _summed_up(evidence: Evidence, said: object, state: FeederState) -> Check:
    """The worst of every kind: its value, and that the element that is named has it."""
    feeder = evidence.scenario.situation.feeder
    loading = state.branch_loading / feeder.conductor_limits[:, None]
    head = feeder.by_phase(["substation transformer"])
    buses = [f"bus {bus}" for bus in feeder.bus]
    faults = [
        f"summary.json, phases.{key}"
        for key, names, values, sign in (
            ("lowest_voltage", feeder.node_names, state.voltage_pu, -1.0),
            ("highest_voltage", feeder.node_names, state.voltage_pu, 1.0),
            ("heaviest_branch", feeder.conductor_names, loading, 1.0),
            ("heaviest_transformer", head, state.head_loading, 1.0),
            ("largest_unbalance", buses, state.unbalance, 1.0),
        )
        if not _is_worst(
            said.get(key) if isinstance(said, dict) else None, names, sign * values, sign
        )
    ]
    return words(
        "phases: summary",
        "The summary names the phase with the worst of each kind, and its value",
        faults,
        "sum the phases up again",
    )


def _is_worst(said: object, names: list[str], values: Array, sign: float) -> bool:
    """Whether the element and the slot that are said have the largest of ``values``.

    That times ``sign`` is what is said.
    """
    if not isinstance(said, dict) or said.keys() != {"element", "slot", "value"}:
        return False
    element, slot, value = said["element"], said["slot"], said["value"]
    if not np.isfinite(values).any():
        return element is None and slot is None and value is None
    if element not in names or type(slot) is not int or not 0 <= slot < values.shape[1]:
        return False
    worst, here = float(np.nanmax(values)), float(values[names.index(element), slot])
    told = is_number(value) and abs(sign * value - worst) <= VOLTAGE
    return told and abs(here - worst) <= VOLTAGE
