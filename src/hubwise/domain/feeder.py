"""The feeder: buses and branches below one substation transformer, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hubwise.domain.arrays import Array, Index
from hubwise.domain.lines import PHASES
from hubwise.domain.phases import Phases


@dataclass(frozen=True, slots=True)
class Feeder:
    """A distribution network and what it carries without hubs.

    Where an array may be one number, that number holds for all.

    Parameters
    ----------
    bus
        Bus numbers; shape (buses,).
    source_bus
        Number of the bus at the feeder head.
    nominal_kv
        Line-to-line voltage; shape (buses,), or one number for all [kV].
    source_voltage_pu
        Voltage held at the feeder head [p.u.].
    from_bus, to_bus
        Ends of every closed branch, as bus numbers; shape (branches,).
    r_ohm, x_ohm
        Series resistance and reactance, on the side of ``to_bus``; shape (branches,) [ohm].
    ampacity_a
        Current that a branch may carry at its ``to_bus``; shape (branches,) [A].
    transformer_kva
        Rating of the substation transformer [kVA].
    transformer_limit
        Highest loading of the substation transformer, as a share of its rating.
    voltage_min_pu, voltage_max_pu
        Voltage band [p.u.].
    base_kw, base_kvar
        Load without hubs, generation negative; shape (buses, slots) [kW, kvar].
    g_siemens, b_siemens
        Conductance and susceptance across a branch, on the side of ``to_bus``, half of it at each
        end: line charging, or what a transformer draws without load; shape (branches,) [S].
    ratio, shift_degrees
        An ideal transformer at ``from_bus``: its ratio over that of the nominal voltages, and the
        angle by which ``from_bus`` leads; shape (branches,) [1, degrees].
    from_ampacity_a
        Current that a branch may carry at its ``from_bus``; shape (branches,) [A]. By default what
        ``ampacity_a`` is there at nominal voltages.
    branch_limit
        Highest loading of a branch, as a share of its ampacity; shape (branches,).
    rating_kva
        Rating of a branch that is a transformer, NaN of a line; shape (branches,) [kVA].
    shunt_kw, shunt_kvar
        Power drawn in proportion to the squared voltage, at nominal voltage; shape (buses,)
        [kW, kvar].
    squared_kw, squared_kvar
        Load without hubs that is drawn in proportion to the squared voltage, at nominal voltage;
        shape (buses, slots) [kW, kvar].
    branch_name
        What to call each branch; by default by its ends.
    ambient_c
        Ambient temperature of transformers; shape (slots,) [°C].
    phases
        What else is known of a feeder that is given per phase; ``None`` of a balanced one.
    """

    bus: Index
    source_bus: int
    nominal_kv: Array | float
    source_voltage_pu: float
    from_bus: Index
    to_bus: Index
    r_ohm: Array
    x_ohm: Array
    ampacity_a: Array
    transformer_kva: float
    transformer_limit: float
    voltage_min_pu: float
    voltage_max_pu: float
    base_kw: Array
    base_kvar: Array
    g_siemens: Array | float = 0.0
    b_siemens: Array | float = 0.0
    ratio: Array | float = 1.0
    shift_degrees: Array | float = 0.0
    from_ampacity_a: Array | None = None
    branch_limit: Array | float = 1.0
    rating_kva: Array | float = np.nan
    shunt_kw: Array | float = 0.0
    shunt_kvar: Array | float = 0.0
    squared_kw: Array | float = 0.0
    squared_kvar: Array | float = 0.0
    branch_name: tuple[str, ...] = ()
    ambient_c: Array | float = 20.0
    phases: Phases | None = None

    @property
    def bus_kv(self) -> Array:
        """Nominal voltage of every bus; shape (buses,) [kV]."""
        return np.broadcast_to(self.nominal_kv, len(self.bus)).astype(float)

    @property
    def squared(self) -> tuple[Array, Array]:
        """`squared_kw` and `squared_kvar`, each of shape (buses, slots) [kW, kvar]."""
        shape = self.base_kw.shape
        active, reactive = self.squared_kw, self.squared_kvar
        return (
            np.broadcast_to(active, shape).astype(float),
            np.broadcast_to(reactive, shape).astype(float),
        )

    @property
    def at_nominal_kw(self) -> Array:
        """Load without hubs at nominal voltage; shape (buses, slots) [kW]."""
        return np.asarray(self.base_kw + self.squared_kw)

    def in_slots(self, slots: Index) -> Feeder:
        """The feeder in some of its slots."""
        squared_kw, squared_kvar = self.squared
        return replace(
            self,
            base_kw=self.base_kw[:, slots],
            base_kvar=self.base_kvar[:, slots],
            squared_kw=squared_kw[:, slots],
            squared_kvar=squared_kvar[:, slots],
            ambient_c=np.broadcast_to(self.ambient_c, self.base_kw.shape[1])[slots],
            phases=None if self.phases is None else self.phases.in_slots(slots),
        )

    @property
    def phase_count(self) -> int:
        """How many phases are told apart: three, or one where the feeder is balanced."""
        return 1 if self.phases is None else len(PHASES)

    @property
    def node_bus(self) -> Index:
        """Bus number of every node, which is a phase of a bus; shape (nodes,).

        A bus's phases stand together. Of a balanced feeder nodes are buses.
        """
        return np.repeat(self.bus, self.phase_count)

    @property
    def node_names(self) -> list[str]:
        """What to call each node, such as ``bus 18, phase L2``."""
        return self.by_phase([f"bus {bus}" for bus in self.bus])

    @property
    def conductor_names(self) -> list[str]:
        """What to call each conductor, which is a phase of a branch."""
        return self.by_phase(self.branch_names)

    @property
    def conductor_limits(self) -> Array:
        """Highest loading of every conductor, as a share of its ampacity; shape (conductors,)."""
        return np.repeat(self.branch_limits, self.phase_count)

    def unearthed(self) -> list[int]:
        """Buses from which a current of the zero sequence finds no way to earth.

        The source is earthed. Of a balanced feeder nothing is asked.
        """
        if self.phases is None:
            return []
        shunt = np.broadcast_to(self.shunt_kw, len(self.bus)) != 0.0
        shunt |= np.broadcast_to(self.shunt_kvar, len(self.bus)) != 0.0
        reached = {self.source_bus, *self.bus[shunt].tolist()}
        reached |= set(self.from_bus[self.phases.zero_near != 0.0].tolist())
        reached |= set(self.to_bus[self.phases.zero_far != 0.0].tolist())
        through = self.phases.zero_series != 0.0
        ends = list(
            zip(self.from_bus[through].tolist(), self.to_bus[through].tolist(), strict=True)
        )
        before = 0
        while len(reached) > before:
            before = len(reached)
            for pair in ends:
                if reached.intersection(pair):
                    reached.update(pair)
        return sorted(set(self.bus.tolist()) - reached)

    def by_phase(self, names: Sequence[str]) -> list[str]:
        """Each name once for each phase, where phases are told apart."""
        if self.phases is None:
            return list(names)
        return [f"{name}, phase {phase}" for name in names for phase in PHASES]

    @property
    def branch_limits(self) -> Array:
        """Highest loading of every branch, as a share of its ampacity; shape (branches,)."""
        return np.broadcast_to(self.branch_limit, len(self.from_bus)).astype(float)

    @property
    def branch_names(self) -> tuple[str, ...]:
        """What to call each branch, such as ``branch 3-23``."""
        ends = zip(self.from_bus, self.to_bus, strict=True)
        return self.branch_name or tuple(f"branch {near}-{far}" for near, far in ends)
