"""Limits: which are broken where, counted afresh from a second power flow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hubwise.audit.circuits import Flows
from hubwise.domain import Feeder, Hubs, Scenario
from hubwise.domain.arrays import Array, Flags
from hubwise.grid import FeederState
from hubwise.record.outcome import LIMIT_KINDS

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
    value, limit
        Both as summary.json tells them: p.u., kW, or shares of a rating.
    """

    kind: str
    elements: Sequence[str]
    left: Array
    near: Array
    value: Array
    limit: Array


def broken(
    feeder: Feeder, hubs: Hubs, state: FeederState, hub_kw: Array, flows: Flows | None = None
) -> tuple[set[Place], set[Place]]:
    """Limits that are broken beyond doubt, and those that may be, to the rounding of two flows.

    A slot without a solution is broken as such, and nothing else is known of it but what hubs draw.
    ``hub_kw`` is the net draw of every hub; shape (hubs, slots) [kW]. ``flows``: through circuits
    and phases, where they are asked about.
    """
    unsolved = {("convergence", "feeder", int(slot)) for slot in np.flatnonzero(~state.converged)}
    sure, perhaps = set(unsolved), set(unsolved)
    for room in rooms(feeder, hubs, state, hub_kw, flows):
        near = np.broadcast_to(room.near, room.left.shape)
        sure |= _places(room, room.left < -near)
        perhaps |= _places(room, room.left < near)
    return sure, perhaps


def _places(room: Room, where: Flags) -> set[Place]:
    return {(room.kind, room.elements[row], int(slot)) for row, slot in np.argwhere(where)}


def rooms(
    feeder: Feeder, hubs: Hubs, state: FeederState, hub_kw: Array, flows: Flows | None = None
) -> Iterator[Room]:
    """What every kind of limit leaves; ``hub_kw`` as in `broken`."""
    voltage, low, high = state.voltage_pu, feeder.voltage_min_pu, feeder.voltage_max_pu
    left = np.minimum(voltage - low, high - voltage)
    nearer = np.where(voltage - low < high - voltage, low, high)
    yield Room("voltage", feeder.node_names, left, np.array(NEAR * high), voltage, nearer)
    branch, loading = feeder.conductor_limits[:, None], state.branch_loading
    yield Room("branch", feeder.conductor_names, branch - loading, NEAR * branch, loading, branch)
    most, head = np.array([[feeder.transformer_limit]]), state.head_loading
    names = feeder.by_phase(["substation transformer"])
    yield Room("transformer", names, most - head, NEAR * most, head, most)
    for side, limit, drawn in (
        ("import", hubs.import_limit_kw[:, None], hub_kw),
        ("export", hubs.export_limit_kw[:, None], -hub_kw),
    ):
        names = [f"hub {name}, {side}" for name in hubs.name]
        yield Room("connection", names, limit - drawn, NEAR_KW + NEAR * limit, drawn, limit)
    kva = np.broadcast_to(hubs.transformer_kva, len(hubs))[:, None]
    share = np.broadcast_to(hubs.transformer_limit, len(hubs))[:, None]
    names, own = [f"hub {name}, transformer" for name in hubs.name], kva * share
    near = NEAR_KW + NEAR * own
    yield Room("hub transformer", names, own - abs(hub_kw), near, abs(hub_kw) / kva, share)
    if flows is not None and flows.names:
        most, drawn = flows.limit_kw[:, None], np.abs(flows.kw)
        yield Room("circuit", flows.elements, most - drawn, NEAR_KW + NEAR * most, drawn, most)


def broken_counts(
    scenario: Scenario, state: FeederState, hub_kw: Array, flows: Flows
) -> tuple[dict[str, int], dict[str, int]]:
    """How often limits of each kind are broken: beyond doubt, and to the rounding of two flows."""
    situation = scenario.situation
    sure, perhaps = (
        Counter(kind.replace(" ", "_") for kind, _, _ in places)
        for places in broken(situation.feeder, situation.hubs, state, hub_kw, flows)
    )
    return {kind: sure[kind] for kind in LIMIT_KINDS}, {kind: perhaps[kind] for kind in LIMIT_KINDS}


def readings(
    feeder: Feeder, hubs: Hubs, state: FeederState, hub_kw: Array, flows: Flows | None = None
) -> dict[tuple[str, str], tuple[Array, Array]]:
    """Value and limit of every element, by kind and name; each of shape (slots,)."""
    found = {}
    for room in rooms(feeder, hubs, state, hub_kw, flows):
        limit = np.broadcast_to(room.limit, room.value.shape)
        for row, element in enumerate(room.elements):
            found[room.kind, element] = (room.value[row], limit[row])
    return found
