"""What a power flow finds: the feeder's state, slot by slot."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from hubwise.domain import Feeder
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.grid.topology import bus_rows


@dataclass(frozen=True, slots=True)
class FeederState:
    """The feeder under AC power flow, one column a slot; NaN in slots that did not converge.

    Parameters
    ----------
    head_kw, head_kvar
        Power drawn at the feeder head; shape (slots,) [kW, kvar].
    losses_kw
        Losses of all branches; shape (slots,) [kW].
    transformer_loading
        Apparent power at the head as a share of the transformer's rating; shape (slots,).
    voltage_pu
        Shape (buses, slots) [p.u.].
    branch_loading
        Current as a share of the ampacity, at the end where that is more; shape (branches, slots).
    converged
        Whether the power flow found a solution; shape (slots,).
    """

    head_kw: Array
    head_kvar: Array
    losses_kw: Array
    transformer_loading: Array
    voltage_pu: Array
    branch_loading: Array
    converged: Flags

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
        transformer_loading=np.hypot(head_kw, head_kvar) / feeder.transformer_kva,
        voltage_pu=voltage_pu,
        branch_loading=loading,
        converged=converged,
    )


def _from_ampacity_a(feeder: Feeder) -> Array:
    """Current limits at the from ends; shape (branches,) [A]."""
    if feeder.from_ampacity_a is not None:
        return feeder.from_ampacity_a
    near, far = bus_rows(feeder, feeder.from_bus), bus_rows(feeder, feeder.to_bus)
    return np.asarray(feeder.ampacity_a * feeder.bus_kv[far] / feeder.bus_kv[near])
