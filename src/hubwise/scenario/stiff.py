"""A site without feeder data: hubs behind wide wires; their connections alone limit them."""

from __future__ import annotations

from math import sqrt

import numpy as np

from hubwise.domain import Feeder, Horizon
from hubwise.domain.arrays import Array

NOTE = (
    "No feeder is told of: the limits of hubs' connections are the only ones, voltages and losses "
    "are those of short, wide wires, and the site is all that its head carries."
)

_SOURCE, _KV = 1, 0.4
_DROP = 1e-3  # of voltage along a hub's wire at its limit
_WIDE = 10.0  # times what hubs may draw together


def stiff_feeder(limit_kw: Array, horizon: Horizon) -> Feeder:
    """A source and a wide wire to each hub; nothing else draws.

    Hub k, from 0 on, is at bus k + 2.

    Parameters
    ----------
    limit_kw
        The most that each draws or gives; shape (hubs,) [kW].
    horizon
        Its slots.
    """
    most = np.maximum(limit_kw, 1.0)
    bus = np.arange(_SOURCE, len(most) + 2)
    nothing = np.zeros((len(bus), horizon.slots))
    resistance = _DROP * _KV**2 / (most / 1000.0)
    return Feeder(
        bus=bus,
        source_bus=_SOURCE,
        nominal_kv=_KV,
        source_voltage_pu=1.0,
        from_bus=np.full(len(most), _SOURCE),
        to_bus=bus[1:],
        r_ohm=resistance,
        x_ohm=resistance / 2.0,
        ampacity_a=_WIDE * most / (sqrt(3.0) * _KV),
        transformer_kva=_WIDE * float(most.sum()),
        transformer_limit=1.0,
        base_kw=nothing,
        base_kvar=nothing,
        voltage_min_pu=0.9,
        voltage_max_pu=1.1,
    )
