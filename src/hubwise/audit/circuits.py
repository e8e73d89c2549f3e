"""Circuits and phases: what flows through each, added up from the tables, and what it may be.

Who draws through what is found here from above: a circuit carries its own cars, and all that hangs
on circuits under it. Planning goes the other way, from each car up to the connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hubwise.audit.evidence import Evidence
from hubwise.audit.report import Check, Status, agree, judge, words, worst_of
from hubwise.domain import Hubs
from hubwise.domain.arrays import Array, Flags

POWER = 1e-6  # kW
_PHASES = {1: "L1", 2: "L2", 3: "L3"}


@dataclass(frozen=True, slots=True)
class Flows:
    """What flows through circuits and phases of circuits and connections, where it is limited.

    Parameters
    ----------
    names
        Hub, circuit (empty at the connection) and phase (empty for all three) of each.
    kw
        What flows, shape (lines, slots) [kW].
    limit_kw
        Most that may, either way; shape (lines,) [kW].
    """

    names: tuple[tuple[str, str, str], ...]
    kw: Array
    limit_kw: Array

    @property
    def elements(self) -> list[str]:
        """As summary.json calls them."""
        return [
            f"hub {hub}"
            + (f", circuit {circuit}" if circuit else "")
            + (f", phase {phase}" if phase else "")
            for hub, circuit, phase in self.names
        ]


def flows_of(evidence: Evidence, car_kw: Array, station_kw: Array) -> Flows:
    """What flows where cars draw (sessions, slots), and stations less solar (hubs, slots) [kW]."""
    hubs = evidence.scenario.situation.hubs
    names, loads, limits = [], [], []
    for hub, circuit, most, phase_most in _limited(hubs):
        cars = _cars_on(evidence, hub, circuit)
        beside = np.zeros(car_kw.shape[1]) if circuit >= 0 else station_kw[hub]
        label = (
            hubs.name[hub],
            "" if circuit < 0 or hubs.circuits is None else hubs.circuits.name[circuit],
        )
        if np.isfinite(most):
            names.append((*label, ""))
            loads.append(car_kw[cars].sum(axis=0) + beside)
            limits.append(most)
        for phase, word in _PHASES.items() if np.isfinite(phase_most) else ():
            names.append((*label, word))
            loads.append(_on_phase(evidence, car_kw, cars, phase) + beside / 3.0)
            limits.append(phase_most)
    kw = np.array(loads).reshape(len(names), car_kw.shape[1])
    return Flows(tuple(names), kw, np.array(limits, float))


def _limited(hubs: Hubs) -> Iterator[tuple[int, int, float, float]]:
    """Every connection, then every circuit: its hub, itself (-1), and what it may carry."""
    for hub in range(len(hubs)):
        yield hub, -1, np.inf, np.inf if hubs.phase_kw is None else float(hubs.phase_kw[hub])
    given = hubs.circuits
    for k in range(0 if given is None else len(given)):
        assert given is not None
        yield int(given.hub[k]), k, float(given.limit_kw[k]), float(given.phase_kw[k])


def _cars_on(evidence: Evidence, hub: int, circuit: int) -> Flags:
    """Whose draw flows through a circuit, or a connection (-1); shape (sessions,)."""
    fleet, given = evidence.fleet, evidence.scenario.situation.hubs.circuits
    if circuit < 0:
        return np.asarray(fleet.hub == hub)
    if fleet.circuit is None or given is None:
        return np.zeros(len(fleet), bool)
    under, wave = {circuit}, {circuit}
    while wave:
        wave = {k for k in range(len(given)) if int(given.parent[k]) in wave} - under
        under |= wave
    return np.isin(fleet.circuit, list(under))


def _on_phase(evidence: Evidence, car_kw: Array, cars: Flags, phase: int) -> Array:
    """What some of the cars draw on one phase; shape (slots,) [kW]."""
    told = evidence.fleet.phase
    loads = np.zeros(len(evidence.fleet)) if told is None else told
    one, three = cars & (loads == phase), cars & (loads == 0)
    load: Array = car_kw[one].sum(axis=0) + car_kw[three].sum(axis=0) / 3.0
    return load


def planned_flows(evidence: Evidence) -> Flows:
    """What flows in the plan, from schedule.parquet and the stations' columns."""
    hubs, schedule = evidence.hubs, evidence.schedule
    beside = hubs["battery_charge_kw"] - hubs["battery_discharge_kw"] - hubs["solar_kw"]
    beside = beside + hubs["standby_kw"]
    return flows_of(evidence, schedule.charge_kw - schedule.discharge_kw, beside)


def check_circuits(evidence: Evidence) -> Iterator[Check]:
    """What circuits.parquet and ``circuits`` say, and whether limits hold."""
    flows = planned_flows(evidence)
    said = evidence.folder.summary.get("circuits")
    if said is None and not flows.names:
        return
    table = evidence.folder.tables.get("circuits")
    slots = flows.kw.shape[1]
    keys = [(*name, slot) for name in flows.names for slot in range(slots)]
    found = None if table is None else table.select("hub", "circuit", "phase", "slot").rows()
    yield words(
        "circuits: rows",
        "circuits.parquet has a row for every limited circuit, phase and slot, once and in order",
        [] if found == keys else ["circuits.parquet: rows are missing, strange or moved"],
        "make the plan again",
    )
    if table is None or found != keys:
        return
    axes = [("circuit", flows.elements), *evidence.slots_axis]
    whole = {name: table[name].to_numpy().reshape(-1, slots) for name in ("kw", "limit_kw")}
    limits = np.broadcast_to(flows.limit_kw[:, None], flows.kw.shape)
    yield agree(
        "circuits: flows",
        "What flows through every circuit and phase is what its cars draw, on one phase or three",
        {
            "circuits.kw": (whole["kw"], flows.kw),
            "circuits.limit_kw": (whole["limit_kw"], limits),
        },
        axes,
        POWER,
        advice="circuits.parquet and schedule.parquet are not of the same plan",
    )
    yield _summed_up(said, flows)
    yield judge(
        "circuits: limits",
        "Nothing passes the limit of a circuit or a phase, either way",
        worst_of(np.abs(flows.kw) - limits, axes, "circuits.kw"),
        POWER,
        advice="strengthen the circuit, or let more of its drivers take part or delegate",
        otherwise=Status.MISSED,
    )


def _summed_up(said: object, flows: Flows) -> Check:
    """Every circuit's highest flow and limit in the summary."""
    due = [
        {
            "hub": hub,
            "circuit": circuit,
            "phase": phase,
            "limit_kw": limit,
            "peak_kw": float(np.abs(kw).max(initial=0.0)),
        }
        for (hub, circuit, phase), kw, limit in zip(
            flows.names, flows.kw, flows.limit_kw.tolist(), strict=True
        )
    ]
    lines = said.get("lines") if isinstance(said, dict) else None
    rows = lines if isinstance(lines, list) else []
    same = len(rows) == len(due) and all(
        isinstance(row, dict)
        and row.keys() == line.keys()
        and all(_same(row[key], value) for key, value in line.items())
        for row, line in zip(rows, due, strict=True)
    )
    return words(
        "circuits: summary",
        "The summary tells every circuit's limit, and the most that flows",
        [] if same else ["summary.json, circuits"],
        "sum the circuits up again",
    )


def _same(found: object, due: object) -> bool:
    if isinstance(due, float):
        return isinstance(found, int | float) and abs(found - due) <= POWER
    return found == due
