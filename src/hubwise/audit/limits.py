"""Limits: which are broken where, counted afresh from a second power flow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hubwise.domain import Feeder, Hubs
from hubwise.domain.arrays import Array, Flags
from hubwise.grid import FeederState

# Two power flows may differ by so much of a limit, and sums of powers by so much, on whether it
# is broken [share, kW].
NEAR, NEAR_KW = 1e-7, 1e-6

Place = tuple[str, str, int]
"""Kind of limit, element and slot, as summary.json names them."""


@dataclass(frozen=True, slots=True)
class Room:
    """What one kind of limit leaves; arrays have shape (elements, slots).

    Parameters
    ----------
    kind, elements
        As summary.json calls them.
    left
        The limit less the value, either way; NaN where it is not known.
    near
        By how much two calculations of it may differ.
    """

    kind: str
    elements: Sequence[str]
    left: Array
    near: Array


def broken(
    feeder: Feeder, hubs: Hubs, state: FeederState, hub_kw: Array
) -> tuple[set[Place], set[Place]]:
    """Limits that are broken beyond doubt, and those that may be, to the rounding of two flows.

    A slot without a solution is broken as such, and nothing else is known of it but what hubs draw.
    ``hub_kw`` is the net draw of every hub; shape (hubs, slots) [kW].
    """
    unsolved = {("convergence", "feeder", int(slot)) for slot in np.flatnonzero(~state.converged)}
    sure, perhaps = set(unsolved), set(unsolved)
    for room in _rooms(feeder, hubs, state, hub_kw):
        near = np.broadcast_to(room.near, room.left.shape)
        sure |= _places(room, room.left < -near)
        perhaps |= _places(room, room.left < near)
    return sure, perhaps


def _places(room: Room, where: Flags) -> set[Place]:
    return {(room.kind, room.elements[row], int(slot)) for row, slot in np.argwhere(where)}


def _rooms(feeder: Feeder, hubs: Hubs, state: FeederState, hub_kw: Array) -> Iterator[Room]:
    voltage, low, high = state.voltage_pu, feeder.voltage_min_pu, feeder.voltage_max_pu
    buses = [f"bus {bus}" for bus in feeder.bus.tolist()]
    yield Room("voltage", buses, np.minimum(voltage - low, high - voltage), np.array(NEAR * high))
    branch = feeder.branch_limits[:, None]
    yield Room("branch", feeder.branch_names, branch - state.branch_loading, NEAR * branch)
    most = np.array([[feeder.transformer_limit]])
    head = most - state.transformer_loading[None]
    yield Room("transformer", ["substation transformer"], head, NEAR * most)
    for side, limit, drawn in (
        ("import", hubs.import_limit_kw, hub_kw),
        ("export", hubs.export_limit_kw, -hub_kw),
    ):
        names = [f"hub {name}, {side}" for name in hubs.name]
        yield Room("connection", names, limit[:, None] - drawn, NEAR_KW + NEAR * limit[:, None])
    own = np.broadcast_to(hubs.transformer_kva * hubs.transformer_limit, len(hubs))[:, None]
    names = [f"hub {name}, transformer" for name in hubs.name]
    yield Room("hub transformer", names, own - np.abs(hub_kw), NEAR_KW + NEAR * own)
