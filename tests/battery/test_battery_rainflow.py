"""Cycles counted against the ``rainflow`` library, and stays with nothing drawn."""

from __future__ import annotations

import numpy as np
import rainflow
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.battery import count_cycles
from hubwise.battery.kernel import put_back

LEVELS = st.lists(st.integers(0, 20), min_size=2, max_size=40)


def counted_by_library(path):
    """Depths by the library: from the highest point round to it again, all cycles are whole."""
    top = int(np.argmax(path))
    turned = [*path[top:], *path[:top], path[top]]
    depths = {}
    for depth, _, count, _, _ in rainflow.extract_cycles(turned):
        depths[depth] = depths.get(depth, 0.0) + count
    return sorted((d for d, n in depths.items() for _ in range(round(n)) if d > 0), reverse=True)


@given(LEVELS)
@settings(max_examples=300, deadline=None)
def test_cycles_are_those_of_the_library(levels):
    """Number and depth of the cycles of any closed path are those that ``rainflow`` counts."""
    path = np.array(levels, dtype=float)
    depth, full = count_cycles(path[None], len(levels))
    found = depth[0][depth[0] > 0]
    np.testing.assert_allclose(found, counted_by_library(path))
    np.testing.assert_allclose(full, np.abs(np.diff([*path, path[0]])).sum() / 2)


@given(LEVELS)
@settings(max_examples=100, deadline=None)
def test_cycles_not_told_apart_keep_their_throughput(levels):
    """With room for two cycles only, the deepest two are told and all throughput is counted."""
    path = np.array(levels, dtype=float)
    every, full = count_cycles(path[None], len(levels))
    few, still = count_cycles(path[None], 2)
    np.testing.assert_array_equal(few[0], every[0, :2])
    np.testing.assert_array_equal(still, full)


@given(st.integers(0, 20), LEVELS)
@settings(max_examples=200, deadline=None)
def test_with_nothing_drawn_energy_only_rises(start, levels):
    """The stay without discharging never falls, and never charges more than the stay did."""
    energy = np.array([levels], dtype=float)
    kept = np.empty_like(energy)
    put_back(np.array([float(start)]), energy, kept)
    rises = np.diff(kept[0], prepend=start)
    assert (rises >= 0).all()
    assert (rises <= np.maximum(np.diff(energy[0], prepend=start), 0)).all()
    assert (kept >= energy).all()
    assert kept.max() <= max(start, max(levels))
