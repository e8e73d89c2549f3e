"""The power flow that plans are made with: by bus where a feeder is balanced, else by phase."""

from __future__ import annotations

from hubwise.domain import Feeder
from hubwise.domain.arrays import Array, Index
from hubwise.grid.newton import PowerFlow
from hubwise.grid.phase_flow import PhaseFlow
from hubwise.grid.state import FeederState


def prepared(feeder: Feeder) -> PowerFlow | PhaseFlow:
    """The feeder prepared to be solved many times.

    Raises
    ------
    ValueError
        As `PowerFlow` and `PhaseFlow`.
    """
    return PowerFlow(feeder) if feeder.phases is None else PhaseFlow(feeder)


def power_flow(feeder: Feeder, hub_bus: Index, hub_kw: Array) -> FeederState:
    """AC power flow of every slot.

    Parameters
    ----------
    feeder
        Network, limits and base load; radial or meshed.
    hub_bus
        Bus number of every hub; shape (hubs,).
    hub_kw
        Net draw of every hub at unity power factor, import positive, on three phases alike beside
        what the feeder has of uneven load; shape (hubs, slots) [kW].

    Raises
    ------
    ValueError
        If the feeder is not connected, a hub is at an unknown bus, a shape does not fit, or a
        power is not finite.
    """
    return prepared(feeder)(hub_bus, hub_kw)
