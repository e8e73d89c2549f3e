"""Billing periods of a horizon: in each, every hub's highest import is charged for once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hubwise.domain.arrays import Array, Index

Value = TypeVar("Value", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Periods:
    """The billing periods that a horizon lies in, in order; together they cover it.

    Parameters
    ----------
    first
        The first slot of each; shape (periods,), the first 0, rising.
    slots
        Length of the horizon.
    charge
        What a kW of a hub's highest import in the period costs; shape (periods,) [currency/kW].
    past_kw
        Every hub's highest import of the period before the horizon, which is paid for already;
        shape (hubs, periods) [kW]. Only the period in which the horizon begins can have any.
    """

    first: Index
    slots: int
    charge: Array
    past_kw: Array

    @classmethod
    def of(
        cls,
        charges: Sequence[tuple[int, float]],
        slots: int,
        past_kw: Array,
    ) -> Periods:
        """Periods by first slot and charge [currency/kW].

        ``past_kw`` (hubs,): highest imports of the first of them before the horizon [kW].
        """
        first, charge = zip(*charges, strict=True)
        past = np.zeros((len(past_kw), len(first)))
        past[:, 0] = past_kw
        return cls(np.array(first, np.int64), slots, np.array(charge, float), past)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.first)

    def __iter__(self) -> Iterator[slice]:
        """The slots of each."""
        ends = np.append(self.first[1:], self.slots)
        return (slice(int(a), int(b)) for a, b in zip(self.first, ends, strict=True))

    @property
    def charged(self) -> bool:
        """Whether anything is charged for in any of them."""
        return bool((self.charge > 0.0).any())

    def by_slot(self, values: NDArray[Value]) -> NDArray[Value]:
        """What holds in each period (..., periods), by slot; shape (..., slots)."""
        found: NDArray[Value] = np.repeat(
            values, np.diff(np.append(self.first, self.slots)), axis=-1
        )
        return found

    def sums(self, values: Array) -> Array:
        """Values by slot (..., slots), added up by period; shape (..., periods)."""
        found: Array = np.add.reduceat(values, self.first, axis=-1)
        return found

    def above_kw(self, power_kw: Array) -> Array:
        """What highest imports are above the past's; (hubs, slots) to (hubs, periods) [kW]."""
        highest = np.maximum.reduceat(power_kw, self.first, axis=-1)
        return np.maximum(highest - self.past_kw, 0.0)

    def money(self, power_kw: Array) -> float:
        """What hubs that draw ``power_kw`` (hubs, slots) pay for their peaks [currency]."""
        return float(self.charge @ self.above_kw(power_kw).sum(axis=0))
