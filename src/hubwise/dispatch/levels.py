"""Free levels, at their balance: of the head's peak, and of imports that are charged for."""

from __future__ import annotations

import numpy as np

from hubwise.compiled import njit
from hubwise.dispatch.kernel import HUB_STIFFNESS, IMPORT_PRICE, LEVEL_ROUNDS, STIFFNESS


@njit(cache=True, nogil=True)
def _force(values, multiplier, stiffness, level):
    total = 0.0
    for t in range(values.shape[0]):
        total += max(multiplier[t] + stiffness * (values[t] - level), 0.0)
    return total


@njit(cache=True, nogil=True)
def head_level(board, f, span, floor, ceiling):
    """The peak level that balances pressing down and filling up, within floor and ceiling [kW].

    Row 0 (the head) must stay below the level, row 1 above the level less ``span``.
    """
    head, stiffness = f * board.height, board.of_future[f, STIFFNESS]
    rows, multiplier = board.rows[head : head + 2], board.multiplier[head : head + 2]
    low = max(rows[0].min() - span, floor)
    high = min(rows[0].max() + span, ceiling)
    if high <= low:
        return min(low, ceiling) if floor > -np.inf else ceiling
    for _ in range(LEVEL_ROUNDS):
        level = 0.5 * (low + high)
        press = _force(rows[0], multiplier[0], stiffness, level)
        lift = _force(rows[1], multiplier[1], stiffness, span - level)
        if press > lift:
            low = level
        else:
            high = level
    return 0.5 * (low + high)


@njit(cache=True, nogil=True)
def import_level(board, place, period, floor, limit, demand_charge):
    """The level of a place's imports at which another kW of demand charge no longer pays [kW].

    ``period``: first slot of the billing period, and the one after its last. Not below ``floor``:
    what has been drawn already is paid for.
    """
    if demand_charge <= 0.0:
        return limit
    low, high = min(floor, limit), limit
    begin, end = period
    stiffness = board.of_future[place // board.hubs, HUB_STIFFNESS]
    net = board.net[place, begin:end]
    multiplier = board.connection[place, begin:end, IMPORT_PRICE]
    for _ in range(LEVEL_ROUNDS):
        level = 0.5 * (low + high)
        force = _force(net, multiplier, stiffness, level)
        if force * board.slot_hours > demand_charge:
            low = level
        else:
            high = level
    return 0.5 * (low + high)
