"""What the feeder and the hubs' connections forbid, and where a state breaks it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from hubwise.domain import Feeder, Hubs
from hubwise.domain.arrays import Array
from hubwise.grid.state import FeederState

# A value may pass its limit by this share of it, or of 1: rounding, far below what meters show.
TOLERANCE = 1e-9


class Kind(Enum):
    """What kind of limit is broken."""

    VOLTAGE = "voltage"
    BRANCH = "branch"
    TRANSFORMER = "transformer"
    CONNECTION = "connection"
    HUB_TRANSFORMER = "hub transformer"
    CIRCUIT = "circuit"
    CONVERGENCE = "convergence"


_UNIT = {
    Kind.VOLTAGE: "{:.4f} p.u.",
    Kind.BRANCH: "{:.1%} of its ampacity",
    Kind.TRANSFORMER: "{:.1%} of its rating",
    Kind.CONNECTION: "{:.1f} kW",
    Kind.HUB_TRANSFORMER: "{:.1%} of its rating",
    Kind.CIRCUIT: "{:.1f} kW",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One limit broken in one slot.

    Parameters
    ----------
    kind
        What kind of limit.
    element
        Where, in words: ``bus 18``, ``bus 18, phase L2``, ``branch 3-23``, ``hub north, import``.
    slot
        When.
    value, limit
        What the state shows and the limit that it passes: p.u. for voltages, shares of ampacity
        or rating for branches and the transformer, kW for connections and circuits; NaN where the
        power flow did not converge.
    """

    kind: Kind
    element: str
    slot: int
    value: float
    limit: float

    def __str__(self) -> str:
        """One line for people: where, when, what, and the limit."""
        if self.kind is Kind.CONVERGENCE:
            return f"{self.element}, slot {self.slot}: the power flow finds no solution"
        unit, side = _UNIT[self.kind], "below" if self.value < self.limit else "above"
        value, limit = unit.format(self.value), unit.format(self.limit)
        return f"{self.element}, slot {self.slot}: {value}, {side} {limit}"


def violations(
    feeder: Feeder, hubs: Hubs, state: FeederState, hub_kw: Array, line_kw: Array | None = None
) -> tuple[Violation, ...]:
    """Every limit that is broken, in every slot; empty where all limits hold.

    A slot whose power flow did not converge is one violation of its own kind; its voltages and
    loadings are unknown and counted nowhere. Values may pass a limit by rounding:
    1e-9 of it, or of 1.

    Parameters
    ----------
    feeder
        Network and limits.
    hubs
        Hubs and the limits of their connections.
    state
        The feeder under AC power flow.
    hub_kw
        Net draw of every hub, import positive; shape (hubs, slots) [kW].
    line_kw
        What flows through every circuit and phase (see `Hubs.lines`); shape (lines, slots) [kW].
        Left out where they are not asked about.
    """
    nodes, conductors = feeder.node_names, feeder.conductor_names
    substation = feeder.by_phase(["substation transformer"])
    imports = [f"hub {name}, import" for name in hubs.name]
    exports = [f"hub {name}, export" for name in hubs.name]
    own = [f"hub {name}, transformer" for name in hubs.name]
    share = np.abs(hub_kw) / np.broadcast_to(hubs.transformer_kva, len(hubs))[:, None]
    lost = [
        Violation(Kind.CONVERGENCE, "feeder", int(slot), np.nan, np.nan)
        for slot in np.flatnonzero(~state.converged)
    ]
    return (
        *lost,
        *_below(Kind.VOLTAGE, nodes, state.voltage_pu, feeder.voltage_min_pu),
        *_above(Kind.VOLTAGE, nodes, state.voltage_pu, feeder.voltage_max_pu),
        *_above(Kind.BRANCH, conductors, state.branch_loading, feeder.conductor_limits),
        *_above(Kind.TRANSFORMER, substation, state.head_loading, feeder.transformer_limit),
        *_above(Kind.CONNECTION, imports, hub_kw, hubs.import_limit_kw),
        *_above(Kind.CONNECTION, exports, -hub_kw, hubs.export_limit_kw),
        *_above(Kind.HUB_TRANSFORMER, own, share, hubs.transformer_limit),
        *_circuits(hubs, line_kw),
    )


def _circuits(hubs: Hubs, line_kw: Array | None) -> list[Violation]:
    """Circuits and phases above their limits, either way."""
    if line_kw is None or not len(line_kw):
        return []
    lines = hubs.lines
    return _above(Kind.CIRCUIT, lines.name, np.abs(line_kw), lines.limit_kw)


def count(broken: Iterable[Violation]) -> dict[Kind, int]:
    """How many violations there are of each kind; every kind has its key."""
    found = Counter(violation.kind for violation in broken)
    return {kind: found[kind] for kind in Kind}


def _above(
    kind: Kind, elements: Sequence[str], value: Array, limit: Array | float
) -> list[Violation]:
    """Values, of shape (elements, slots), above one limit for all elements or a limit each."""
    limits = np.broadcast_to(limit, len(elements))
    where = np.argwhere(value > (limits + TOLERANCE * np.maximum(np.abs(limits), 1.0))[:, None])
    return [
        Violation(kind, elements[row], int(slot), float(value[row, slot]), float(limits[row]))
        for row, slot in where
    ]


def _below(kind: Kind, elements: Sequence[str], value: Array, limit: float) -> list[Violation]:
    """Values, of shape (elements, slots), below the limit."""
    where = np.argwhere(value < limit - TOLERANCE * abs(limit))
    return [
        Violation(kind, elements[row], int(slot), float(value[row, slot]), limit)
        for row, slot in where
    ]
