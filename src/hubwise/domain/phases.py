"""What a feeder has besides where it is given per phase: uneven loads and the zero sequence."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hubwise.domain.arrays import Array, Index

Complex = NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class Phases:
    """What is known of a feeder phase by phase, beside what all three phases have alike.

    Loads are drawn between a phase and earth. The zero sequence of a branch is a π circuit on the
    side of ``to_bus``, behind the branch's ideal transformer.

    Parameters
    ----------
    uneven_kw, uneven_kvar
        What each phase draws without hubs beyond a third of the bus's load: over phases the sum is
        0; shape (buses, 3, slots) [kW, kvar].
    zero_series
        Admittance from end to end in the zero sequence, 0 where nothing passes; shape (branches,)
        [S].
    zero_near, zero_far
        Admittance to earth at ``from_bus`` and at ``to_bus`` in the zero sequence; shape
        (branches,) [S].
    """

    uneven_kw: Array
    uneven_kvar: Array
    zero_series: Complex
    zero_near: Complex
    zero_far: Complex

    def in_slots(self, slots: Index | slice) -> Phases:
        """The same in some of the slots."""
        return replace(
            self,
            uneven_kw=self.uneven_kw[..., slots],
            uneven_kvar=self.uneven_kvar[..., slots],
        )

    def scaled(self, share: float) -> Phases:
        """The same with a share of the loads."""
        return replace(self, uneven_kw=share * self.uneven_kw, uneven_kvar=share * self.uneven_kvar)

    def drawing(self, rows: Index, uneven_kw: Array) -> Phases:
        """The same with more uneven load at the buses in ``rows``; shape (n, 3, slots) [kW]."""
        uneven = self.uneven_kw.copy()
        np.add.at(uneven, rows, uneven_kw)
        return replace(self, uneven_kw=uneven)
