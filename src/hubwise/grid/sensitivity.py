"""How the feeder's state answers to each hub's power: AC derivatives, slot by slot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.domain import Feeder
from hubwise.domain.arrays import Array, Index
from hubwise.grid.flow import prepared
from hubwise.grid.state import FeederState
from hubwise.grid.topology import bus_load_kw, bus_rows

# One-sided differences. The power flow is exact to 1e-13 p.u., so the step can be small enough
# for curvature not to matter. On the 33-bus feeder, against the equations differentiated by hand:
# head and voltages within 1e-6 of the largest derivative, transformer 3e-6, and branches 8e-5,
# those that carry next to nothing, where the size of a current bends. Ten times the step, ten
# times these errors; a tenth of it, and rounding takes over. Central differences would cost
# nearly twice the cases.
STEP_KW = 0.01


@dataclass(frozen=True, slots=True)
class Tangent:
    """The AC state of every slot and its derivative by each hub's net draw.

    NaN where the power flow does not converge. A branch's loading has no derivative at zero
    current; there it is the slope towards more draw.

    Parameters
    ----------
    state
        The state at which the derivatives are taken.
    head_kw
        Active power at the feeder head; shape (hubs, slots) [kW/kW].
    voltage_pu
        Shape (nodes, hubs, slots) [p.u./kW].
    branch_loading
        Current as a share of the ampacity; shape (conductors, hubs, slots) [1/kW].
    head_loading
        Apparent power at the head as a share of the rating, of each phase as a share of a third of
        it; shape (1 or 3, hubs, slots) [1/kW].
    """

    state: FeederState
    head_kw: Array
    voltage_pu: Array
    branch_loading: Array
    head_loading: Array


def tangent(feeder: Feeder, hub_bus: Index, hub_kw: Array) -> Tangent:
    """The state and its derivatives, from one batch of (hubs + 1) · slots power flows.

    Parameters
    ----------
    feeder
        Network, limits and base load.
    hub_bus
        Bus number of every hub; shape (hubs,).
    hub_kw
        Net draw of every hub at unity power factor, import positive; shape (hubs, slots) [kW].

    Raises
    ------
    ValueError
        As `power_flow`.
    """
    hubs, slots = hub_kw.shape
    load_kw = np.repeat(bus_load_kw(feeder, hub_bus, hub_kw)[:, None, :], hubs + 1, axis=1)
    load_kw[bus_rows(feeder, hub_bus), 1 + np.arange(hubs)] += STEP_KW
    load_kvar = np.repeat(feeder.base_kvar[:, None, :], hubs + 1, axis=1)
    flat = len(feeder.bus), (hubs + 1) * slots
    cases = prepared(feeder).solve(load_kw.reshape(flat), load_kvar.reshape(flat), hubs + 1)

    def slope(values: Array) -> Array:
        case = values.reshape(*values.shape[:-1], hubs + 1, slots)
        return (case[..., 1:, :] - case[..., :1, :]) / STEP_KW

    return Tangent(
        state=cases.select(slice(slots)),
        head_kw=slope(cases.head_kw),
        voltage_pu=slope(cases.voltage_pu),
        branch_loading=slope(cases.branch_loading),
        head_loading=slope(cases.head_loading),
    )
