"""What a power flow finds: the feeder's state, slot by slot."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from hubwise.domain import PHASES, Feeder
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.domain.phases import Complex
from hubwise.grid.sequences import TO_SEQUENCES
from hubwise.grid.topology import bus_rows


@dataclass(frozen=True, slots=True)
class FeederState:
    """The feeder under AC power flow, one column a slot; NaN in slots that did not converge.

    Nodes are buses and conductors branches, or each phase of them where the feeder is given per
    phase (see `Feeder.node_bus`).

    Parameters
    ----------
    head_kw, head_kvar
        Power drawn at the feeder head; shape (slots,) [kW, kvar].
    losses_kw
        Losses of all branches; shape (slots,) [kW].
    head_loading
        Apparent power at the head as a share of the transformer's rating, of each phase as a share
        of a third of it; shape (1 or 3, slots).
    voltage_pu
        Between phase and earth; shape (nodes, slots) [p.u.].
    branch_loading
        Current as a share of the ampacity, at the end where that is more; shape (conductors,
        slots).
    converged
        Whether the power flow found a solution; shape (slots,).
    unbalance
        Negative over positive sequence of every bus's voltage; shape (buses, slots), with no bus
        where the feeder is balanced.
    """

    head_kw: Array
    head_kvar: Array
    losses_kw: Array
    head_loading: Array
    voltage_pu: Array
    branch_loading: Array
    converged: Flags
    unbalance: Array

    @property
    def transformer_loading(self) -> Array:
        """Loading of the substation transformer, on the phase where that is most; (slots,)."""
        most: Array = self.head_loading.max(axis=0)
        return most

    @property
    def lowest_pu(self) -> Array:
        """Voltage of every bus, on the phase where it is lowest; shape (buses, slots) [p.u.]."""
        lowest: Array = self._phase_by_phase(self.voltage_pu).min(axis=1)
        return lowest

    @property
    def heaviest_loading(self) -> Array:
        """Loading of every branch, on the phase where that is most; shape (branches, slots)."""
        heaviest: Array = self._phase_by_phase(self.branch_loading).max(axis=1)
        return heaviest

    def _phase_by_phase(self, values: Array) -> Array:
        return values.reshape(-1, *self.head_loading.shape)

    def select(self, slots: slice | Index) -> FeederState:
        """The state of some of the slots."""
        return FeederState(**{f.name: getattr(self, f.name)[..., slots] for f in fields(self)})


def feeder_state(
    feeder: Feeder,
    *,
    head_kw: Array,
    head_kvar: Array,
    losses_kw: Array,
    voltage_pu: Array,
    from_a: Array,
    to_a: Array,
    converged: Flags,
) -> FeederState:
    """The state from what every method yields.

    Parameters
    ----------
    feeder
        Network and limits.
    head_kw, head_kvar
        Power drawn at the feeder head; shape (slots,) [kW, kvar].
    losses_kw
        Active power that enters the branches and does not leave them, summed branch by branch and
        not a difference of head and loads; shape (slots,) [kW].
    voltage_pu
        Shape (buses, slots) [p.u.].
    from_a, to_a
        Phase current at both ends of every branch; shape (branches, slots) [A].
    converged
        Whether the slot's other values mean anything; shape (slots,).
    """
    head_kw, head_kvar, losses_kw, voltage_pu, from_a, to_a = (
        np.where(converged, values, np.nan)
        for values in (head_kw, head_kvar, losses_kw, voltage_pu, from_a, to_a)
    )
    loading = np.maximum(
        from_a / _from_ampacity_a(feeder)[:, None], to_a / feeder.ampacity_a[:, None]
    )
    return FeederState(
        head_kw=head_kw,
        head_kvar=head_kvar,
        losses_kw=losses_kw,
        head_loading=np.hypot(head_kw, head_kvar)[None] / feeder.transformer_kva,
        voltage_pu=voltage_pu,
        branch_loading=loading,
        converged=converged,
        unbalance=voltage_pu[:0],
    )


def phase_state(
    feeder: Feeder,
    *,
    head_kva: Complex,
    losses_kw: Array,
    voltage: Complex,
    from_a: Array,
    to_a: Array,
    converged: Flags,
) -> FeederState:
    """The state of a feeder given per phase, from what every method yields.

    Parameters
    ----------
    feeder
        Network and limits.
    head_kva
        Power drawn at the feeder head on each phase; shape (3, slots) [kVA].
    losses_kw
        As in `feeder_state`; shape (slots,) [kW].
    voltage
        Phase to earth; shape (buses, 3, slots) [p.u.].
    from_a, to_a
        Current on each phase at both ends of every branch; shape (branches, 3, slots) [A].
    converged
        Whether the slot's other values mean anything; shape (slots,).
    """
    head_kva, voltage = (np.where(converged, v, np.nan) for v in (head_kva, voltage))
    losses_kw, from_a, to_a = (np.where(converged, v, np.nan) for v in (losses_kw, from_a, to_a))
    loading = np.maximum(
        from_a / _from_ampacity_a(feeder)[:, None, None], to_a / feeder.ampacity_a[:, None, None]
    )
    _, positive, negative = np.abs(np.einsum("kp,bps->kbs", TO_SEQUENCES, voltage))
    head, three = head_kva.sum(axis=0), len(PHASES)
    return FeederState(
        head_kw=head.real,
        head_kvar=head.imag,
        losses_kw=losses_kw,
        head_loading=three * np.abs(head_kva) / feeder.transformer_kva,
        voltage_pu=np.abs(voltage).reshape(-1, len(converged)),
        branch_loading=loading.reshape(-1, len(converged)),
        converged=converged,
        unbalance=negative / positive,
    )


def _from_ampacity_a(feeder: Feeder) -> Array:
    """Current limits at the from ends; shape (branches,) [A]."""
    if feeder.from_ampacity_a is not None:
        return feeder.from_ampacity_a
    near, far = bus_rows(feeder, feeder.from_bus), bus_rows(feeder, feeder.to_bus)
    return np.asarray(feeder.ampacity_a * feeder.bus_kv[far] / feeder.bus_kv[near])
