"""Circuits and phases: what hangs on what, and where each stay draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from hubwise.domain import PHASES, Circuits, Feeder, Fleet, Hubs
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.domain.errors import did_you_mean
from hubwise.domain.fleet import ONE_PHASE_KW, PHASE_VOLTS
from hubwise.scenario.plugs import Plugs, number_of
from hubwise.scenario.reading import TOML, Reader
from hubwise.scenario.sections import Sections
from hubwise.scenario.tables import Table

Names = Sequence[tuple[str | None, str | None]]


def phase_limit_kw(amperes: Sequence[float | None]) -> Array:
    """What a fuse of so many amperes carries on one phase, infinite where there is none [kW]."""
    return np.array([np.inf if a is None else a * PHASE_VOLTS / 1000.0 for a in amperes])


def read_circuits(sections: Sections, reader: Reader) -> Circuits | None:
    """The circuits; nothing where there are none, or they have a mistake, which is noted."""
    hubs, names = sections.hub_names(), sections.circuit_names()
    known = sections.known_hubs()
    for place, circuit in sections.circuits:
        where = f"circuits[{place}]"
        if known and circuit.hub not in known:
            wrong, right = f"{circuit.hub!r} is unknown", did_you_mean(circuit.hub, known)
            reader.wrong(TOML, where, "hub", wrong, right)
        elif names.count((circuit.hub, circuit.name)) > 1:
            wrong = f"{circuit.name!r} is there more than once at hub {circuit.hub!r}"
            reader.wrong(TOML, where, "name", wrong, "give each circuit of a hub its own name")
        if circuit.under is not None and circuit.hub in hubs:
            _check_circuit(TOML, where, "under", (circuit.hub, circuit.under), names, reader)
    _check_loops(sections, reader)
    if reader.issues or not sections.circuits:
        return None
    given = [circuit for _, circuit in sections.circuits]
    row = {(circuit.hub, circuit.name): k for k, circuit in enumerate(given)}
    return Circuits(
        name=tuple(circuit.name for circuit in given),
        hub=np.array([hubs.index(circuit.hub) for circuit in given], np.int64),
        parent=np.array([-1 if c.under is None else row[c.hub, c.under] for c in given], np.int64),
        limit_kw=np.array([np.inf if c.limit_kw is None else c.limit_kw for c in given]),
        phase_kw=phase_limit_kw([circuit.fuse_a for circuit in given]),
    )


def _check_circuit(
    file: str, where: str, field: str, asked: tuple[str, str], names: Names, reader: Reader
) -> None:
    """A circuit that is named is one of the hub's."""
    hub, name = asked
    # A circuit whose own name, or hub, is a mistake may be the one that is meant.
    meant = ((h in (None, hub) and n in (None, name)) for h, n in names)
    if any(meant):
        return
    own = [n for h, n in names if h == hub and n is not None]
    elsewhere = [h for h, n in names if n == name and h is not None]
    if elsewhere:
        wrong = f"{name!r} is a circuit of hub {elsewhere[0]!r}, not of {hub!r}"
    else:
        wrong = f"{name!r} is unknown"
    right = did_you_mean(name, own) if own else f"hub {hub!r} has no circuits: give [[circuits]]"
    reader.wrong(file, where, field, wrong, right)


def _check_loops(sections: Sections, reader: Reader) -> None:
    """No circuit is under itself; each loop is told once, at its first circuit."""
    under = {(c.hub, c.name): (c.hub, c.under) for _, c in sections.circuits if c.under is not None}
    place = {(c.hub, c.name): k for k, c in sections.circuits}
    told: set[tuple[str, str]] = set()
    for start in under:
        way = [start]
        while (above := under.get(way[-1])) is not None and above not in way:
            way.append(above)
        if above is not None and above == start and start not in told:
            told |= set(way)
            words = " under ".join(repr(name) for _, name in (*way, start))
            right = "let one of them hang at the connection: leave its under out"
            reader.wrong(TOML, f"circuits[{place[start]}]", "under", f"goes round: {words}", right)


def check_places(
    sections: Sections, table: Table | None, plugs: Table | None, reader: Reader
) -> None:
    """Circuits and phases that plugs and sessions name are there, and say the same."""
    names = sections.circuit_names()
    for rows in (table, plugs):
        for k, hub, circuit in _named(rows):
            assert rows is not None
            if hub in sections.hub_names():
                where = rows.where(k, "circuit")
                _check_circuit(rows.file, where, "circuit", (hub, circuit), names, reader)
    if table is None:
        return
    for k in range(len(table)):
        for field in ("circuit", "phase") if "plugs" in sections.raw else ():
            if table[field][k] is not None:
                right = f"leave it out here, and give {field} to the plug"
                wrong = "is told by the plug that a car takes"
                reader.wrong(table.file, table.where(k, field), field, wrong, right)
        if table["phases"][k] == len(PHASES) and table["phase"][k] is not None:
            wrong = f"is {table['phase'][k]}, where phases is 3"
            right = "a car on three phases loads them all: leave phase out, or give phases 1"
            reader.wrong(table.file, table.where(k, "phase"), "phase", wrong, right)


def _named(table: Table | None) -> Iterator[tuple[int, str, str]]:
    """Row, hub and circuit of every row that names both."""
    if table is not None:
        for k, (hub, circuit) in enumerate(zip(table["hub"], table["circuit"], strict=True)):
            if hub is not None and circuit is not None:
                yield k, hub, circuit


def wired(
    fleet: Fleet, hubs: Hubs, table: Table | None, plugs: Plugs | None, *, by_phase: bool = False
) -> tuple[Fleet, tuple[str, ...]]:
    """The fleet with the circuit and the phase of every stay; and what was assumed.

    Nothing is told where a site has no circuits, or no limit of a phase and no feeder per phase. A
    car on one phase whose
    phase nobody tells loads L1, L2, L3 in turn: by plug, else by session in order of arrival.

    Parameters
    ----------
    fleet
        Stays, at their plugs where there are any.
    hubs
        With circuits.
    table
        Of sessions, where there is one.
    plugs
        Of all hubs, where there are any.
    by_phase
        Whether the feeder is given per phase.
    """
    row = {} if table is None else {name: k for k, name in enumerate(table["session"])}
    rows = [row.get(name, -1) for name in fleet.session.tolist()]
    plug = _plug_rows(fleet, plugs)
    if hubs.circuits is not None:
        fleet = replace(fleet, circuit=_circuits(fleet, hubs.circuits, table, rows, plugs, plug))
    if not (by_phase or (hubs.lines.phase > 0).any()):
        return fleet, ()
    one = _on_one_phase(fleet, table, rows, plugs, plug)
    if plugs is None:
        stated = _phases_of(table, rows)
        turn = np.argsort(fleet.arrival_slot, kind="stable")
        in_turn = _in_turn(_places(fleet), (stated == 0) & one, turn)
        phase = np.where(one, np.where(stated > 0, stated, in_turn), 0)
    else:
        of_plugs = np.where(
            plugs.phase > 0,
            plugs.phase,
            _in_turn(_pairs(plugs.hub, plugs.circuit), plugs.phase == 0, None),
        )
        stated, phase = plugs.phase[plug], np.where(one, of_plugs[plug], 0)
    fleet = replace(fleet, phase=phase.astype(np.int64))
    return fleet, tuple(_said(fleet, hubs, one & (stated == 0)))


def refuse_one_phase(fleet: Fleet, hubs: Hubs, feeder: Feeder, reader: Reader) -> None:
    """Where a feeder is given per phase, cars load all three phases: others are not dispatched."""
    if fleet.phase is None or feeder.phases is None:
        return
    for hub in np.unique(fleet.hub[fleet.phase > 0]):
        count = int(((fleet.phase > 0) & (fleet.hub == hub)).sum())
        wrong = f"{count} sessions at hub {hubs.name[hub]!r} charge on one phase"
        right = (
            "where the feeder is given per phase, cars on one phase are not dispatched yet: give "
            "these sessions, or their plugs, phases 3"
        )
        reader.wrong(TOML, f"hubs[{hub}]", "", wrong, right)


def _said(fleet: Fleet, hubs: Hubs, assumed: Flags) -> Iterator[str]:
    for hub in np.unique(fleet.hub[assumed]):
        count = int((assumed & (fleet.hub == hub)).sum())
        yield (
            f"Hub {hubs.name[hub]}: of {count} sessions on one phase nobody tells which; they are "
            "taken to be on L1, L2 and L3 in turn."
        )


def _plug_rows(fleet: Fleet, plugs: Plugs | None) -> Index:
    if plugs is None or fleet.plug is None:
        return np.full(len(fleet), -1)
    row = {name: k for k, name in enumerate(plugs.name.tolist())}
    return np.array([row[name] for name in fleet.plug.tolist()], np.int64)


def _circuits(
    fleet: Fleet,
    circuits: Circuits,
    table: Table | None,
    rows: Sequence[int],
    plugs: Plugs | None,
    plug: Index,
) -> Index:
    """The circuit of every stay; -1 at the connection."""
    if plugs is not None:
        hub, names = plugs.hub[plug], [plugs.circuit[k] for k in plug]
    else:
        told = None if table is None else table["circuit"]
        hub, names = fleet.hub, [None if told is None else told[k] for k in rows]
    return _rows_of(circuits, hub, names)


def _rows_of(circuits: Circuits, hub: Index, names: Sequence[str | None]) -> Index:
    row: Mapping[tuple[int, str], int] = {
        (int(h), name): k
        for k, (h, name) in enumerate(zip(circuits.hub, circuits.name, strict=True))
    }
    found = [-1 if name is None else row[int(h), name] for h, name in zip(hub, names, strict=True)]
    return np.array(found, np.int64)


def _on_one_phase(
    fleet: Fleet,
    table: Table | None,
    rows: Sequence[int],
    plugs: Plugs | None,
    plug: Index,
) -> Flags:
    """Whether each car loads one phase: as it says, or its plug; else by what it can take."""
    told = np.full(len(fleet), np.nan)
    if plugs is not None:
        told = plugs.phases[plug].copy()
    if table is not None:
        own = np.array([np.nan if table["phases"][k] is None else table["phases"][k] for k in rows])
        stated = np.array([table["phase"][k] is not None for k in rows], bool)
        told = np.fmin(told, np.where(stated, 1.0, own))
    one: Flags = np.where(np.isnan(told), fleet.charge_kw_max <= ONE_PHASE_KW, told == 1.0)
    return one


def _phases_of(table: Table | None, rows: Sequence[int]) -> Index:
    """The phase that each session names, from 1; 0 where none is."""
    if table is None:
        return np.zeros(len(rows), np.int64)
    return np.array([number_of(table["phase"][k]) for k in rows], np.int64)


def _places(fleet: Fleet) -> Index:
    circuit = np.full(len(fleet), -1) if fleet.circuit is None else fleet.circuit
    return _pairs(fleet.hub, circuit.tolist())


def _pairs(hub: Index, circuit: Sequence[object]) -> Index:
    """A number for every hub and circuit that come together; shape of ``hub``."""
    known: dict[tuple[int, object], int] = {}
    pairs = zip(hub.tolist(), circuit, strict=True)
    return np.array([known.setdefault(pair, len(known)) for pair in pairs], np.int64)


def _in_turn(place: Index, which: Flags, order: Index | None) -> Index:
    """L1, L2, L3 in turn, place by place, for those that ``which`` marks; 0 for the others."""
    count: dict[int, int] = {}
    phase = np.zeros(len(place), np.int64)
    for i in np.arange(len(place)) if order is None else order:
        if which[i]:
            turn = count.get(int(place[i]), 0)
            phase[i], count[int(place[i])] = turn % len(PHASES) + 1, turn + 1
    return phase
