"""What a power flow finds: the feeder's state, slot by slot."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from hubwise.domain import Feeder

Array = NDArray[np.float64]


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
        Current as a share of the ampacity; shape (branches, slots).
    converged
        Whether the power flow found a solution; shape (slots,).
    """

    head_kw: Array
    head_kvar: Array
    losses_kw: Array
    transformer_loading: Array
    voltage_pu: Array
    branch_loading: Array
    converged: NDArray[np.bool_]

    def select(self, slots: slice | NDArray[np.int64]) -> FeederState:
        """The state of some of the slots."""
        return FeederState(**{f.name: getattr(self, f.name)[..., slots] for f in fields(self)})


def feeder_state(
    feeder: Feeder,
    head_kw: Array,
    head_kvar: Array,
    voltage_pu: Array,
    current_a: Array,
    converged: NDArray[np.bool_],
) -> FeederState:
    """The state from what every method yields; losses are Σ 3·r·i², not a difference of powers.

    Parameters
    ----------
    feeder
        Network and limits.
    head_kw, head_kvar
        Power drawn at the feeder head; shape (slots,) [kW, kvar].
    voltage_pu
        Shape (buses, slots) [p.u.].
    current_a
        Phase current of every branch; shape (branches, slots) [A].
    converged
        Whether the slot's other values mean anything; shape (slots,).
    """
    head_kw, head_kvar, voltage_pu, current_a = (
        np.where(converged, values, np.nan)
        for values in (head_kw, head_kvar, voltage_pu, current_a)
    )
    return FeederState(
        head_kw=head_kw,
        head_kvar=head_kvar,
        losses_kw=3.0 * feeder.r_ohm @ current_a**2 / 1e3,
        transformer_loading=np.hypot(head_kw, head_kvar) / feeder.transformer_kva,
        voltage_pu=voltage_pu,
        branch_loading=current_a / feeder.ampacity_a[:, None],
        converged=converged,
    )
