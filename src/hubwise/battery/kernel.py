"""Rainflow counting and putting back what was drawn, compiled: arrays in, arrays out.

Cycles are counted on a *closed* path, one that ends where it began, so that every cycle is whole:
turned so that it starts at its highest point, a path leaves no half cycles behind (ASTM E1049-85,
section 5.4.5, repeating histories).
"""

from __future__ import annotations

import numpy as np

from hubwise.compiled import njit


@njit(cache=True, nogil=True)
def count_closed(path, stack, depth):
    """Count the cycles of one closed path; returns how many there are.

    ``path``: shape (n,), repeated for ever, so that ``path[0]`` follows ``path[n - 1]``.
    ``stack``: scratch of n + 1. Writes the depths of the cycles into ``depth``, shape (n,).
    """
    n = path.shape[0]
    top = np.argmax(path)
    found, high = 0, 0
    for k in range(n + 1):
        value = path[(top + k) % n]
        # A step on in the same direction is no turn.
        while high >= 2 and (value - stack[high - 1]) * (stack[high - 1] - stack[high - 2]) >= 0.0:
            high -= 1
        stack[high] = value
        high += 1
        while high >= 3:
            last = abs(stack[high - 1] - stack[high - 2])
            before = abs(stack[high - 2] - stack[high - 3])
            if last < before:
                break
            depth[found] = before
            found += before > 0.0
            stack[high - 3] = stack[high - 1]
            high -= 2
    return found


@njit(cache=True, nogil=True)
def count_all(paths, depth, total):
    """Count the cycles of many closed paths.

    ``paths``: shape (sessions, n). Writes the deepest cycles, deepest first, into ``depth``, shape
    (sessions, most), zeros after the last; and the sum of all depths into ``total``, (sessions,).
    """
    sessions, n = paths.shape
    most = depth.shape[1]
    stack, found = np.empty(n + 1), np.empty(n)
    for i in range(sessions):
        count = count_closed(paths[i], stack, found)
        order = np.sort(found[:count])[::-1]
        kept = min(count, most)
        depth[i, :kept] = order[:kept]
        depth[i, kept:] = 0.0
        total[i] = order.sum()


@njit(cache=True, nogil=True)
def put_back(start, energy, kept):
    """The same stays with nothing drawn.

    What was drawn is put back by the charging that follows; without the one there is not the
    other. ``start``: energy at arrival, shape (sessions,); ``energy``: at the end of each slot,
    shape (sessions, slots). Writes ``kept``, the energy with nothing drawn, in the same shape.
    """
    sessions, slots = energy.shape
    for i in range(sessions):
        level, owed = start[i], 0.0
        for t in range(slots):
            change = energy[i, t] - level
            level = energy[i, t]
            owed = max(owed - change, 0.0)
            kept[i, t] = level + owed
