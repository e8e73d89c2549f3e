"""The feeder kept linear from one decision to the next: anew only in slots that have moved.

Derivatives are most of what a power flow is asked for, and change little while loads do: the head's
own is off by the curvature of the losses times what has moved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.dispatch.limits import Limits, feeder_limits
from hubwise.domain import Feeder
from hubwise.domain.arrays import Array, Index

# A slot has moved where hubs draw so much more or less, taken together, as a share of what it
# carries; or buses, beside hubs. On the 33-bus feeder the linear head is then off by 0.2 kW of
# 4,000; what buses draw is not in the linear rows at all, and counts one to one.
HUBS_MOVED, BUSES_MOVED = 0.04, 1e-3
# Where nothing flows, this has moved [kW].
LEAST_KW = 1e-3


@dataclass(frozen=True, slots=True)
class Linearised:
    """Limits, and where they are linear.

    Parameters
    ----------
    limits
        See there.
    hub_kw, base_kw
        What hubs draw there, and buses beside them; shapes (hubs, slots), (buses, slots) [kW].
    """

    limits: Limits
    hub_kw: Array
    base_kw: Array

    def later(self, slots: int) -> Linearised:
        """The same, so many slots later."""
        return Linearised(
            self.limits.between(slots, None), self.hub_kw[:, slots:], self.base_kw[:, slots:]
        )

    def moved(self, feeder: Feeder, hub_kw: Array) -> Index:
        """Slots in which loads are no longer near."""
        base = np.abs(feeder.base_kw).sum(axis=0)
        carried = base + np.abs(hub_kw).sum(axis=0)
        hubs_off = np.abs(hub_kw - self.hub_kw).sum(axis=0)
        base_off = np.abs(feeder.base_kw - self.base_kw).sum(axis=0)
        far = hubs_off > np.maximum(HUBS_MOVED * carried, LEAST_KW)
        return np.flatnonzero(far | (base_off > np.maximum(BUSES_MOVED * base, LEAST_KW)))


def linearised(
    feeder: Feeder, hub_bus: Index, hub_kw: Array, known: Linearised | None = None
) -> Linearised:
    """The feeder linear near the draws ``hub_kw`` (hubs, slots), as ``known`` where that is near.

    Parameters are those of `hubwise.dispatch.feeder_limits`.
    """
    if known is None or known.hub_kw.shape != hub_kw.shape:
        return Linearised(feeder_limits(feeder, hub_bus, hub_kw), hub_kw, feeder.base_kw)
    moved = known.moved(feeder, hub_kw)
    if not len(moved):
        return known
    fresh = feeder_limits(feeder.in_slots(moved), hub_bus, hub_kw[:, moved])
    hubs, base = known.hub_kw.copy(), known.base_kw.copy()
    hubs[:, moved], base[:, moved] = hub_kw[:, moved], feeder.base_kw[:, moved]
    return Linearised(known.limits.renewed(moved, fresh), hubs, base)
