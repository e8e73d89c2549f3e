"""Limits as rows: of branches with a limit of their own, and of slots beyond any power flow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hubwise.dispatch import feeder_limits
from hubwise.dispatch.linearised import linearised
from hubwise.grid import power_flow, tangent


def weak(small_situation, **changes):
    given = small_situation(3)
    feeder = replace(
        given.feeder,
        nominal_kv=0.4,
        r_ohm=np.full(2, 0.2),
        x_ohm=np.full(2, 0.08),
        base_kw=0.02 * given.feeder.base_kw,
        base_kvar=0.02 * given.feeder.base_kvar,
    )
    return replace(given, feeder=replace(feeder, **changes))


def test_a_slot_without_power_flow_is_pulled_back(small_situation) -> None:
    """Where the hubs' draw has no power flow the rows say so: far above their limits."""
    situation = weak(small_situation)
    draw = np.full((2, 24), 5.0)
    draw[:, 7] = 400.0
    state = power_flow(situation.feeder, situation.hubs.bus, draw)
    assert np.flatnonzero(~state.converged).tolist() == [7]
    limits = feeder_limits(situation.feeder, situation.hubs.bus, draw)
    over = (limits.rows(draw) - limits.upper).max(axis=0)
    assert over[7] > 50.0  # kW, of some 800 that are drawn too much
    assert (np.delete(over, 7) <= 0.0).all()


def test_a_slot_that_base_load_breaks_keeps_a_lossless_head(small_situation) -> None:
    """Where nothing hubs do gives a power flow only the head is known, without losses."""
    situation = weak(small_situation)
    load = situation.feeder.base_kw.copy()
    load[:, 4] = 1e5
    feeder = replace(situation.feeder, base_kw=load)
    limits = feeder_limits(feeder, situation.hubs.bus, np.full((2, 24), 5.0))
    np.testing.assert_array_equal(limits.coefficient[0, :, 4], 1.0)
    assert limits.head(np.zeros((2, 24)))[4] == load[:, 4].sum()


def test_the_branch_nearest_its_own_limit_is_the_row(small_situation) -> None:
    """Not the most loaded branch counts but the one that has the least left of its limit."""
    situation = weak(small_situation, ampacity_a=np.array([50.0, 50.0]))
    feeder = replace(situation.feeder, branch_limit=np.array([1.0, 0.4]))
    draw = np.full((2, 24), 12.0)
    at = tangent(feeder, situation.hubs.bus, draw)
    near, far = at.state.branch_loading[:, 0]
    assert near > far > 0.3
    limits = feeder_limits(feeder, situation.hubs.bus, draw)
    row = limits.rows(draw)[-1, 0] - limits.upper[-1, 0]
    steepest = np.abs(at.branch_loading[1, :, 0] / 0.4).max()
    np.testing.assert_allclose(row, (far / 0.4 - 1.0) / steepest, rtol=1e-9)


def test_only_slots_that_moved_are_linearised_anew(small_situation) -> None:
    """Moved slots have the rows that a fresh linearisation has there, the others what they had."""
    situation = weak(small_situation, ampacity_a=np.array([50.0, 50.0]))
    feeder, bus = replace(situation.feeder, branch_limit=np.array([1.0, 0.4])), situation.hubs.bus
    draw = np.full((2, 24), 5.0)
    draw[:, 3] = 14.0  # near its limits: a row, which goes with it
    known = linearised(feeder, bus, draw)
    assert len(known.limits.row) > 2
    hubs, base = draw.copy(), feeder.base_kw.copy()
    hubs[0, 3], hubs[1, 9], hubs[0, 12] = 5.0, 11.0, 5.001  # the last too little to matter
    base[1, 17] *= 1.5
    moved = replace(feeder, base_kw=base)
    found = linearised(moved, bus, hubs, known)
    fresh = feeder_limits(moved, bus, hubs)
    anew = [3, 9, 17]
    assert known.moved(moved, hubs).tolist() == anew
    again = linearised(moved, bus, hubs, found)
    assert again is found  # nothing has moved since
    assert found.limits.row == fresh.row
    for name in ("coefficient", "offset", "upper"):
        have, due = getattr(found.limits, name), getattr(fresh, name)
        np.testing.assert_allclose(have[..., anew], due[..., anew], rtol=1e-9)
        had = getattr(known.limits, name)[:2]
        others = np.delete(np.arange(24), anew)
        np.testing.assert_array_equal(have[:2][..., others], had[..., others])
    head = power_flow(moved, bus, hubs).head_kw
    np.testing.assert_allclose(found.limits.head(hubs), head, atol=1e-3)


def test_a_linear_feeder_moves_on_with_time(small_situation) -> None:
    """Some slots later it is what it was, from there on."""
    situation = weak(small_situation)
    draw = np.arange(48.0).reshape(2, 24) / 10.0
    known = linearised(situation.feeder, situation.hubs.bus, draw)
    later = known.later(5)
    np.testing.assert_array_equal(later.limits.head(draw[:, 5:]), known.limits.head(draw)[5:])
    rest = situation.feeder.in_slots(np.arange(5, 24))
    assert linearised(rest, situation.hubs.bus, draw[:, 5:], later) is later
