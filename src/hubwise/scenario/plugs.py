"""Plugs: what each can do, which stay occupies which, and who waits or is turned away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hubwise.domain import PHASES, Fleet, Horizon
from hubwise.domain.arrays import Array, Flags, Index, Names
from hubwise.domain.errors import did_you_mean
from hubwise.domain.fleet import least_on_phases, usual_least_kw
from hubwise.scenario.chargers import check_steps
from hubwise.scenario.reading import Reader
from hubwise.scenario.rows import PlugRow
from hubwise.scenario.sections import Sections
from hubwise.scenario.tables import Table, check_known, check_unique, read_table

# Names that a sentence tells.
TOLD = 20
# Moments nearer than this are the same [slots].
SAME_SLOTS = 1e-9


@dataclass(frozen=True, slots=True)
class Plugs:
    """Plugs as columns, each of shape (plugs,), and what happens where all are taken.

    Parameters
    ----------
    name, hub
        Identifier, and index of the hub.
    kw, least_kw
        Most and least power, each way [kW].
    two_way
        Whether a car can discharge at it.
    standby_kw
        What it draws while it is awake; NaN where its hub says that [kW].
    waits
        Whether who finds all plugs taken waits for one; else is turned away.
    circuit
        The circuit of its hub that it hangs on; ``None`` at the connection; one a plug.
    step_kw, starts_max
        What its power is set in [kW], and how often it may start in a stay; NaN where not told.
    phases, phase
        On how many phases it is, NaN where that is not told; and which one a car on one phase
        loads, from 1, 0 where that is not told.
    """

    name: Names
    hub: Index
    kw: Array
    least_kw: Array
    two_way: Flags
    standby_kw: Array
    step_kw: Array
    starts_max: Array
    waits: bool
    circuit: tuple[str | None, ...]
    phases: Array
    phase: Index


def number_of(phase: str | None) -> int:
    """1 to 3 for L1 to L3; 0 where none is told."""
    return 0 if phase is None else PHASES.index(phase) + 1


def read_plugs(sections: Sections, reader: Reader) -> Table | None:
    """The table of plugs, with its mistakes noted; nothing where there is none."""
    name = sections.said("plugs", "file", str)
    table = None if name is None else read_table(reader, name, PlugRow)
    if table is not None:
        check_unique(table, "plug", reader)
        if known := sections.known_hubs():
            check_known(table, "hub", known, reader)
        check_steps(table, "kw", reader)
    return table


def check_plugs_known(
    hubs: Sequence[str], sessions: Table | None, plugs: Table | None, reader: Reader
) -> None:
    """The plug that a session asks for is one of its hub's; who names none of ``hubs`` is told."""
    if sessions is None or plugs is None or None in plugs["plug"]:
        return
    check_known(sessions, "plug", plugs["plug"], reader)
    at = dict(zip(plugs["plug"], plugs["hub"], strict=True))
    for k, (plug, hub) in enumerate(zip(sessions["plug"], sessions["hub"], strict=True)):
        if hub in hubs and at.get(plug) in hubs and at[plug] != hub:
            own = [name for name, place in at.items() if place == hub]
            wrong, right = f"{plug!r} is a plug of hub {at[plug]!r}", did_you_mean(plug, own)
            reader.wrong(sessions.file, sessions.where(k, "plug"), "plug", wrong, right)


def build_plugs(sections: Sections, table: Table | None) -> Plugs | None:
    """The plugs of a checked table; nothing where there is none."""
    if table is None or sections.plugs is None:
        return None
    return _built(table, sections.hub_names(), waits=sections.plugs.when_full == "wait")


def _built(table: Table, hubs: Sequence[str], *, waits: bool) -> Plugs:
    most = np.array(table["kw"], float)
    phases = table.numbers("phases")
    usual = np.where(np.isnan(phases), usual_least_kw(most), least_on_phases(phases, most))
    told = table.numbers("kw_min")
    return Plugs(
        name=np.array(table["plug"], str),
        hub=np.array([hubs.index(hub) for hub in table["hub"]], np.int64),
        kw=most,
        least_kw=np.minimum(np.where(np.isnan(told), usual, told), most),
        two_way=np.array(table["two_way"], bool),
        standby_kw=table.numbers("standby_kw"),
        step_kw=table.numbers("step_kw"),
        starts_max=table.numbers("starts_max"),
        waits=waits,
        circuit=tuple(table["circuit"]),
        phases=phases,
        phase=np.array([number_of(said) for said in table["phase"]], np.int64),
    )


def plugged(
    fleet: Fleet, plugs: Plugs, wanted: Sequence[str | None], horizon: Horizon
) -> tuple[Fleet, tuple[str, ...]]:
    """The stays that get a plug, with what it can do; and who waits or is turned away.

    First come, first served; of those who come at the same moment the first in the table. A car
    takes the plug that it asks for, else of the free ones the one that suits it best: two-way where
    the car is, strong enough, and no stronger than needed. One plug is one car's until it leaves.

    Parameters
    ----------
    fleet
        Stays as they were stated.
    plugs
        Of all hubs.
    wanted
        The plug that each session names, if any.
    horizon
        The slots.
    """
    free, ends = np.zeros(len(plugs.name)), fleet.ends
    taken, begins = np.full(len(fleet), -1), fleet.begins.astype(float)
    for i in np.argsort(begins, kind="stable"):
        usable = plugs.hub == fleet.hub[i]
        if wanted[i] is not None:
            usable &= plugs.name == wanted[i]
        rows = np.flatnonzero(usable)
        if not len(rows):
            continue
        ready = float(free[rows].min())
        if ready <= begins[i] + SAME_SLOTS:
            ready = float(begins[i])
        if ready >= ends[i] - SAME_SLOTS or (ready > begins[i] and not plugs.waits):
            continue
        ripe = rows[free[rows] <= ready + SAME_SLOTS]
        best = min(ripe, key=lambda p: _unsuited(fleet, int(i), plugs, int(p)))
        taken[i], begins[i] = best, ready
        free[best] = ends[i]
    said = _said(fleet, begins, taken < 0, horizon)
    stays = np.flatnonzero(taken >= 0)
    return _at_plugs(fleet.staying(begins, ends).select(stays), plugs, taken[stays]), said


def _unsuited(fleet: Fleet, car: int, plugs: Plugs, plug: int) -> tuple[bool, bool, float]:
    """What speaks against a plug for a car, the weightiest first."""
    two_way = fleet.discharge_kw_max[car] > 0.0
    needs, has = float(fleet.charge_kw_max[car]), float(plugs.kw[plug])
    return bool(two_way) != bool(plugs.two_way[plug]), has < needs, abs(has - needs)


def _at_plugs(fleet: Fleet, plugs: Plugs, plug: Index) -> Fleet:
    """The stays with what their plugs can do."""
    most = np.minimum(fleet.charge_kw_max, plugs.kw[plug])
    back = np.where(plugs.two_way[plug], np.minimum(fleet.discharge_kw_max, plugs.kw[plug]), 0.0)
    least, awake = plugs.least_kw[plug], plugs.standby_kw[plug]
    if np.isnan(plugs.standby_kw).all():
        standby = fleet.standby_kw
    else:
        of_hub = 0.0 if fleet.standby_kw is None else fleet.standby_kw
        standby = np.where(np.isnan(awake), of_hub, awake)
    return replace(
        fleet,
        plug=plugs.name[plug],
        charge_kw_max=most,
        discharge_kw_max=back,
        standby_kw=standby,
        charge_kw_min=np.minimum(np.fmax(least, _told(fleet.charge_kw_min)), most),
        discharge_kw_min=np.minimum(np.fmax(least, _told(fleet.discharge_kw_min)), back),
    )


def _told(column: Array | None) -> Array | float:
    return np.nan if column is None else column


def _said(fleet: Fleet, begins: Array, away: Flags, horizon: Horizon) -> tuple[str, ...]:
    """A sentence for those who wait, and one for those who are turned away."""
    late = np.flatnonzero((begins > fleet.begins) & ~away)
    sentences = []
    if len(late):
        who = [
            f"{fleet.session[i]} from {horizon.clock(fleet.begins[i])} to "
            f"{horizon.clock(begins[i])}"
            for i in late[:TOLD]
        ]
        sentences.append(f"{len(late)} sessions wait for a plug: {_listed(who, len(late))}.")
    if away.any():
        who = fleet.session[away][:TOLD].tolist()
        sentences.append(
            f"{int(away.sum())} sessions find no plug and are turned away, which they are told "
            f"before they come: {_listed(who, int(away.sum()))}."
        )
    return tuple(sentences)


def _listed(names: Sequence[str], count: int) -> str:
    more = f" and {count - len(names)} more" if count > len(names) else ""
    return ", ".join(names) + more
