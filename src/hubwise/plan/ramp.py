"""The ramp promise: the feeder head changes by no more than was promised from slot to slot.

Prices and answers stay as they are; among everybody's cheapest schedules those are dispatched
whose head keeps between two curves. Where the head is steeper than promised the curves close about
the middle of what cutting its peaks, and filling its valleys, would make of it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hubwise.dispatch import Baseline, with_participants
from hubwise.domain import Situation
from hubwise.domain.arrays import Array, Flags
from hubwise.grid import power_flow
from hubwise.plan.ac_dispatch import TURNS, Aim, ac_dispatch
from hubwise.plan.following import QUARTER_MINUTES
from hubwise.plan.turn import Turn

# Rounds of a dispatch between curves.
ROUNDS = 20
# Aim at steps that are less by this share, and leave the head alone where it differs by less [kW].
INSIDE, FREE_KW = 0.01, 1.0


def ramped(turn: Turn, baseline: Baseline) -> Turn:
    """The turn with the ramp promise kept; as near to it as was reached where it cannot be."""
    promised = turn.situation.promises.ramp_kw
    if promised is None or ramp_excess_kw(turn.situation, turn.dispatch.hub_kw) <= 0.0:
        return turn
    most = (1.0 - INSIDE) * promised * turn.situation.horizon.slot_minutes / QUARTER_MINUTES
    least_kw, most_kw = np.full((2, turn.situation.horizon.slots), [[-np.inf], [np.inf]])
    now, best, missed = turn, turn, np.inf
    for _ in range(TURNS):
        head = head_kw(turn.situation, now.dispatch.hub_kw)
        middle = _middle(head, most)
        near = _beside(np.abs(middle - head) > FREE_KW)
        least_kw = np.where(near, np.maximum(least_kw, middle), least_kw)
        most_kw = np.where(near, np.minimum(most_kw, np.maximum(middle, least_kw)), most_kw)
        now = _between(now, baseline, (least_kw, most_kw))
        over = ramp_excess_kw(turn.situation, now.dispatch.hub_kw)
        if over < missed:
            best, missed = now, over
        if over <= 0.0:
            break
    return best


def ramp_excess_kw(situation: Situation, hub_kw: Array) -> float:
    """By how much the head's steepest step is above the ramp promise [kW]; below it negative.

    ``hub_kw``: net draw of every hub; shape (hubs, slots) [kW].
    """
    promised = situation.promises.ramp_kw
    if promised is None or situation.horizon.slots < 2:
        return -np.inf
    most = promised * situation.horizon.slot_minutes / QUARTER_MINUTES
    return float(np.abs(np.diff(head_kw(situation, hub_kw))).max()) - most


def head_kw(situation: Situation, hub_kw: Array) -> Array:
    """Power at the feeder head under AC, or without losses where there is no power flow [kW]."""
    feeder = situation.feeder
    state = power_flow(feeder, situation.hubs.bus, hub_kw)
    plain = feeder.base_kw.sum(axis=0) + hub_kw.sum(axis=0)
    return np.where(state.converged, state.head_kw, plain)


def _middle(head: Array, most: float) -> Array:
    """Half way between the head with its peaks cut and with its valleys filled; (slots,) [kW]."""
    slot = np.arange(len(head))
    allowed = most * np.abs(slot[:, None] - slot)
    cut, filled = (head + allowed).min(axis=1), (head - allowed).max(axis=1)
    middle: Array = 0.5 * (cut + filled)
    return middle


def _beside(changed: Flags) -> Flags:
    """Slots that change, and those beside them."""
    wide = changed.copy()
    wide[1:] |= changed[:-1]
    wide[:-1] |= changed[1:]
    return wide


def _between(turn: Turn, baseline: Baseline, curves: tuple[Array, Array]) -> Turn:
    """The turn dispatched onward with its head between two curves, (slots,) each [kW]."""
    found = ac_dispatch(
        turn.situation, turn.tariff, baseline, warm=turn.dispatch.warm(), rounds=ROUNDS,
        aim=Aim(head_kw=curves),
    )  # fmt: skip
    schedule = with_participants(found.problem, found.dispatch.schedule)
    return replace(
        turn, schedule=schedule, problem=found.problem, dispatch=found.dispatch,
        status=found.status, head_kw=curves,
    )  # fmt: skip
