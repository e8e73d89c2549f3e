"""Circuits below a hub's connection, and the limits that those who draw through them share.

A *line* is a limit over a set of sessions: a circuit, one phase of a circuit, or one phase of a
connection. A *spot* is where something draws: at a connection or at a circuit, on all three phases
or on one. What is drawn at a spot flows through its circuit and through all that this one is under.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hubwise.domain.arrays import Array, Index

if TYPE_CHECKING:
    from hubwise.domain.hub import Hubs

PHASES = ("L1", "L2", "L3")
# A spot is on three phases (0) or on one of them.
_STATES = 1 + len(PHASES)


@dataclass(frozen=True, slots=True)
class Circuits:
    """Circuits as columns; arrays have shape (circuits,).

    Parameters
    ----------
    name
        Name, once at each hub.
    hub
        Index of the hub.
    parent
        The circuit that it is under; -1 where it hangs at the connection.
    limit_kw, phase_kw
        Most that may flow through it either way, in all and on each phase; ``inf`` for none [kW].
    """

    name: tuple[str, ...]
    hub: Index
    parent: Index
    limit_kw: Array
    phase_kw: Array

    def __len__(self) -> int:
        return len(self.name)

    def through(self, circuit: int) -> list[int]:
        """The circuit and all that it is under, the connection's end last."""
        found = []
        while circuit >= 0:
            found.append(circuit)
            circuit = int(self.parent[circuit])
        return found


@dataclass(frozen=True, slots=True)
class Lines:
    """Limits on what is drawn at spots; what flows back is limited alike.

    Parameters
    ----------
    name
        What each is, in words: ``hub north, circuit garage, phase L1``.
    hub, circuit, phase
        Where: ``circuit`` is -1 at a connection, ``phase`` 0 for all three; shape (lines,).
    limit_kw
        Most that flows either way; shape (lines,) [kW].
    begin, line, share
        Which lines what is drawn at a spot flows through, and which share of it: those of spot
        ``s`` stand at ``begin[s]`` to before ``begin[s + 1]``.
    """

    name: tuple[str, ...]
    hub: Index
    circuit: Index
    phase: Index
    limit_kw: Array
    begin: Index
    line: Index
    share: Array

    def __len__(self) -> int:
        return len(self.name)

    def of_spots(self, spot: Index) -> tuple[Index, Index, Array]:
        """Of units at spots (units,): unit, line and share, one for each line of each unit."""
        count = self.begin[spot + 1] - self.begin[spot]
        unit = np.repeat(np.arange(len(spot)), count)
        ends = np.cumsum(count)
        entry = np.arange(len(unit)) - np.repeat(ends - count, count) + self.begin[spot][unit]
        return unit, self.line[entry], self.share[entry]

    def loads(self, spot: Index, drawn_kw: Array) -> Array:
        """What flows through each line where units at spots draw (units, slots); (lines, slots)."""
        load = np.zeros((len(self), drawn_kw.shape[1]))
        if len(self):
            unit, line, share = self.of_spots(spot)
            np.add.at(load, line, share[:, None] * drawn_kw[unit])
        return load

    def prices(self, spot: Index, price: Array) -> Array:
        """What a kWh drawn at spots costs, at prices (lines, slots); shape (spots, slots)."""
        total = np.zeros((len(spot), price.shape[1]))
        if len(self):
            at, line, share = self.of_spots(spot)
            np.add.at(total, at, share[:, None] * price[line])
        return total


def spots(hub: Index, circuit: Index | None, phase: Index | None) -> Index:
    """The spots of sessions; all of shape (sessions,), nothing where none is told of."""
    where = 2 * hub
    if circuit is not None:
        where = np.where(circuit >= 0, 2 * circuit + 1, where)
    state = np.zeros_like(where) if phase is None else phase
    return np.asarray(_STATES * where + state, np.int64)


def connection_spots(hubs: int) -> Index:
    """The spots of what stands at the connections, on all phases; shape (hubs,)."""
    return spots(np.arange(hubs), None, None)


def lines_of(hubs: Hubs) -> Lines:
    """All limits that sessions share below the hubs' connections, and on their phases."""
    circuits, phase_kw = hubs.circuits, hubs.phase_kw
    rows: list[tuple[str, int, int, int, float]] = []
    for h, name in enumerate(hubs.name):
        most = np.inf if phase_kw is None else float(phase_kw[h])
        rows += _limits(f"hub {name}", h, -1, np.inf, most)
    for c in range(0 if circuits is None else len(circuits)):
        assert circuits is not None
        h = int(circuits.hub[c])
        words = f"hub {hubs.name[h]}, circuit {circuits.name[c]}"
        rows += _limits(words, h, c, float(circuits.limit_kw[c]), float(circuits.phase_kw[c]))
    at: dict[tuple[int, int], list[int]] = {}
    for k, (_, h, c, _, _) in enumerate(rows):
        at.setdefault((h, c), []).append(k)
    columns = _by_spot(hubs, rows, at)
    begin, line, share = columns
    return Lines(
        name=tuple(words for words, *_ in rows),
        hub=np.array([row[1] for row in rows], np.int64),
        circuit=np.array([row[2] for row in rows], np.int64),
        phase=np.array([row[3] for row in rows], np.int64),
        limit_kw=np.array([row[4] for row in rows], float),
        begin=begin,
        line=line,
        share=share,
    )


def _limits(
    words: str, hub: int, circuit: int, limit: float, phase_limit: float
) -> list[tuple[str, int, int, int, float]]:
    """The lines of one circuit or connection: in all, and each phase, where they are limited."""
    found = [(words, hub, circuit, 0, limit)] if np.isfinite(limit) else []
    if np.isfinite(phase_limit):
        found += [
            (f"{words}, phase {name}", hub, circuit, k, phase_limit)
            for k, name in enumerate(PHASES, 1)
        ]
    return found


def _by_spot(
    hubs: Hubs,
    rows: list[tuple[str, int, int, int, float]],
    at: dict[tuple[int, int], list[int]],
) -> tuple[Index, Index, Array]:
    """``begin``, ``line`` and ``share`` of `Lines`."""
    circuits = hubs.circuits
    count = 0 if circuits is None else len(circuits)
    places = np.zeros(2 * max(len(hubs), count), object)
    for h in range(len(hubs)):
        places[2 * h] = at.get((h, -1), [])
    for c in range(count):
        assert circuits is not None
        h = int(circuits.hub[c])
        found = [k for each in circuits.through(c) for k in at.get((h, each), [])]
        places[2 * c + 1] = found + at.get((h, -1), [])
    begin, line, share = [0], [], []
    for found in places:
        for state in range(_STATES):
            for k in found or ():
                part = _share(rows[k][3], state)
                if part > 0.0:
                    line.append(k)
                    share.append(part)
            begin.append(len(line))
    return np.array(begin, np.int64), np.array(line, np.int64), np.array(share, float)


def _share(phase: int, state: int) -> float:
    """Which share of what is drawn on phase(s) ``state`` flows on ``phase``, 0 for all three."""
    if phase == 0:
        return 1.0
    return 1.0 / len(PHASES) if state == 0 else float(phase == state)
