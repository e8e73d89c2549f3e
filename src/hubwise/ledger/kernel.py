"""Kernels: sums of sessions' powers."""

from __future__ import annotations

from hubwise.compiled import njit
from hubwise.domain.arrays import Array, Index


@njit(cache=True, nogil=True)
def add_rows(row: Index, values: Array, total: Array) -> None:
    """Add each of ``values`` (n, slots) to its row of ``total`` (rows, slots), in their order."""
    for i in range(values.shape[0]):
        for t in range(values.shape[1]):
            total[row[i], t] += values[i, t]
