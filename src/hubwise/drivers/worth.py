"""What stored energy is worth to a driver, slot by slot, as a compiled kernel: arrays in and out.

The worth of a kWh that is in the battery at the end of a slot is the multiplier of the slot's
energy balance. Found from prices and one cheapest schedule, by complementary slackness alone:

    charging at all: buy <= worth;   charging at less than full power: worth <= buy;
    drawing at all: worth <= sell;   drawing at less than full power: sell <= worth;

it stays from a slot to the next, but may fall where the least energy is reached between them, and
rise where the most is; behind the last slot it is the surplus value. Who keeps these is a solution
of the dual program, so that it explains every cheapest schedule, and all that keep them lie between
two bounds in every slot: two sweeps along the stay find both. See `docs/model.md`.

Energies are inside the battery [kWh], prices per kWh inside the battery [currency/kWh].
"""

from __future__ import annotations

import numpy as np

from hubwise.compiled import njit
from hubwise.drivers.runs import fill_bounds

# Energies that are closer are the same: programs that dispatch leave as much [kWh].
EDGE = 1e-6
# Prices that are closer are the same [currency/kWh].
TIE = 1e-9
# Less than this is no turn that a car might take [kWh].
TURN = 1e-6
# How often the multiplier of a discharge limit is moved to the next pair of slots that binds it.
MOST_MOVES = 400
# Where the least energy is reached at the end of a slot, and where the most is.
FLOOR, TOP = 1, 2
# What may be otherwise in a slot on another cheapest schedule.
CHARGING, DRAWING = 1, 2


@njit(cache=True, nogil=True)
def sweep(buy, sell, spared, up, down, change, edge, surplus, low, high):
    """Bounds of the worth at the end of each slot, from the start onward; (n + 1,).

    ``edge``: where the least (`FLOOR`) and the most (`TOP`) energy is reached at the end of a slot.
    ``spared``: multiplier of the discharge limit. Returns by how much that should rise (below 0:
    fall) for the first pair of slots that disagree, 0 where none does, nan where it cannot help.
    """
    n = change.shape[0]
    least, most = -np.inf, np.inf
    least_drawn, most_drawn = False, False  # whether the bound falls as ``spared`` rises
    for t in range(n + 1):
        if t > 0 and edge[t - 1] & FLOOR:
            least, least_drawn = -np.inf, False
        if t > 0 and edge[t - 1] & TOP:
            most, most_drawn = np.inf, False
        if t == n:
            least, least_drawn = (surplus, False) if surplus > least else (least, least_drawn)
            most, most_drawn = (surplus, False) if surplus < most else (most, most_drawn)
        else:
            gain, step = sell[t] - spared, change[t]
            if step > EDGE and buy[t] > least:
                least, least_drawn = buy[t], False
            if up[t] - max(step, 0.0) > EDGE and buy[t] < most:
                most, most_drawn = buy[t], False
            if down[t] + min(step, 0.0) > EDGE and gain > least:
                least, least_drawn = gain, True
            if step < -EDGE and gain < most:
                most, most_drawn = gain, True
        if least > most:
            if least > most + TIE:
                if least_drawn == most_drawn:
                    return np.nan
                return least - most if least_drawn else most - least
            least = most = 0.5 * (least + most)
        low[t], high[t] = least, most
    return 0.0


@njit(cache=True, nogil=True)
def sweep_back(edge, low, high):
    """The same bounds, each met by some worth that goes on to the end of the stay."""
    for t in range(low.shape[0] - 2, -1, -1):
        if not edge[t] & TOP and low[t + 1] > low[t]:
            low[t] = low[t + 1]
        if not edge[t] & FLOOR and high[t + 1] < high[t]:
            high[t] = high[t + 1]
        if low[t] > high[t]:
            low[t] = high[t] = 0.5 * (low[t] + high[t])


@njit(cache=True, nogil=True)
def multiplier(buy, sell, spared, up, down, change, edge, surplus, low, high):
    """The multiplier of a discharge limit, nearest to ``spared``, with which no slots disagree."""
    for _ in range(MOST_MOVES):
        move = sweep(buy, sell, spared, up, down, change, edge, surplus, low, high)
        if move == 0.0:
            return spared
        if np.isnan(move):
            break
        spared += move
    return np.nan


@njit(cache=True, nogil=True)
def limit_worth(buy, sell, up, down, change, edge, surplus, low, high):
    """The multiplier of a discharge limit that is used up: amid all that explain the schedule."""
    least = multiplier(buy, sell, 0.0, up, down, change, edge, surplus, low, high)
    beyond = 1.0 + 6.0 * max(np.abs(buy).max(), np.abs(sell).max(), abs(surplus))
    most = multiplier(buy, sell, beyond, up, down, change, edge, surplus, low, high)
    # Where nothing may be drawn, nothing is too much.
    return least if not most < beyond else 0.5 * (max(least, 0.0) + most)


@njit(cache=True, nogil=True)
def turns(buy, gain, up, down, floor, top, start, change, edge, low, high, may, work, turn):
    """Mark in which slots another schedule that is as cheap does otherwise.

    ``floor``, ``top``: least and most energy at the end of each slot. ``may``: what may be
    otherwise (`CHARGING`, `DRAWING`); where it is not both, energy at the end stays, too. All the
    schedules that ``low`` and ``high`` explain are paths between bounds on steps and energies:
    what both sweeps reach. ``work``: scratch of shape (6, n + 1); adds to ``turn``.
    """
    n = change.shape[0]
    most, least, upper, lower = work[0], work[1], work[2], work[3]
    energy = start
    lower[0] = upper[0] = start
    for t in range(n):
        charging, drawing = max(change[t], 0.0), max(-change[t], 0.0)
        same_in = may & CHARGING and high[t] - TIE <= buy[t] <= low[t] + TIE
        same_out = may & DRAWING and high[t] - TIE <= gain[t] <= low[t] + TIE
        most[t] = (up[t] if same_in else charging) - (0.0 if same_out else drawing)
        least[t] = (0.0 if same_in else charging) - (down[t] if same_out else drawing)
        energy += change[t]
        at_floor = edge[t] & FLOOR and high[t] > low[t + 1] + TIE
        at_top = edge[t] & TOP and high[t + 1] > low[t] + TIE
        held = at_floor or at_top or (t + 1 == n and may != CHARGING | DRAWING)
        # Energies are those of the schedule within rounding.
        work[4, t] = energy if held else min(floor[t], energy)
        work[5, t] = energy if held else max(top[t], energy)
        lower[t + 1] = max(lower[t] + least[t], work[4, t])
        upper[t + 1] = min(upper[t] + most[t], work[5, t])
    for t in range(n - 1, -1, -1):
        rise = min(most[t], upper[t + 1] - lower[t])
        fall = max(least[t], lower[t + 1] - upper[t])
        same_in = may & CHARGING and high[t] - TIE <= buy[t] <= low[t] + TIE
        same_out = may & DRAWING and high[t] - TIE <= gain[t] <= low[t] + TIE
        if rise - fall > TURN:
            turn[t] |= CHARGING if same_in and rise > TURN else 0
            turn[t] |= DRAWING if same_out and fall < -TURN else 0
        lower[t] = max(lower[t], lower[t + 1] - most[t])
        upper[t] = min(upper[t], upper[t + 1] - least[t])


@njit(cache=True, nogil=True)
def explain(batteries, charge_price, discharge_price, changes, lowest, highest, spared, turn):
    """What stored energy is worth on cheapest schedules, of every battery and slot of its stay.

    ``changes``: energy put in (negative: drawn) by any cheapest schedule; (n, slots). Writes
    ``lowest`` and ``highest``, bounds of the worth at the end of each slot (n, slots), ``spared``,
    the multiplier of the discharge limit (n,), and ``turn``, where other cheapest schedules do
    otherwise (`CHARGING`, `DRAWING`; (n, slots)). Bounds are nan where ``changes`` cost more, or
    are none that the battery may do.
    """
    slots = changes.shape[1]
    rows, work, low = np.empty((7, slots + 1)), np.empty((6, slots + 1)), np.empty(slots + 1)
    edge, high = np.empty(slots, np.int64), np.empty(slots + 1)
    for i in range(changes.shape[0]):
        a, n = batteries.arrival[i], batteries.departure[i] - batteries.arrival[i]
        start, row, surplus = batteries.start[i], batteries.price_list[i], batteries.surplus[i]
        ups, downs, floor, top = rows[0, :n], rows[1, :n], rows[2, : n + 1], rows[3, : n + 1]
        fill_bounds(
            batteries.up, batteries.down, batteries.least, batteries.most, i, a, start, ups, downs,
            floor[:n], top,
        )  # fmt: skip
        floor[n] = batteries.target[i]
        top[n] = max(top[n], floor[n])
        buy, sell, change = rows[4, :n], rows[5, :n], changes[i, a : a + n]
        energy, drawn, kept = start, 0.0, True
        for t in range(n):
            buy[t] = charge_price[row, a + t] / batteries.charge_eff[i]
            sell[t] = discharge_price[row, a + t] * batteries.discharge_eff[i] - batteries.wear[i]
            energy += change[t]
            drawn += max(-change[t], 0.0)
            kept &= -downs[t] - TURN <= change[t] <= ups[t] + TURN
            # Outside its bounds is only what goes towards them as fast as it can.
            kept &= energy >= floor[t + 1] - TURN or change[t] >= ups[t] - TURN
            kept &= energy <= top[t + 1] + TURN or change[t] <= TURN - downs[t]
            edge[t] = (FLOOR if energy <= floor[t + 1] + EDGE else 0) | (
                TOP if energy >= top[t + 1] - EDGE else 0
            )
        now = edge[:n], surplus, low[: n + 1], high[: n + 1]
        spared[i] = 0.0
        if drawn >= batteries.limit[i] - EDGE:
            spared[i] = limit_worth(buy, sell, ups, downs, change, *now)
        move = sweep(buy, sell, spared[i], ups, downs, change, *now)
        if not kept or move != 0.0 or np.isnan(spared[i]):
            lowest[i, a : a + n] = highest[i, a : a + n] = np.nan
            continue
        sweep_back(edge[:n], low[: n + 1], high[: n + 1])
        lowest[i, a : a + n], highest[i, a : a + n] = low[:n], high[:n]
        for t in range(n):
            sell[t] -= spared[i]
        # Where a discharge limit is used up, charging and drawing are tied to one another by it.
        first, last = (CHARGING, DRAWING) if spared[i] > TIE else (CHARGING | DRAWING, 0)
        ends = floor[1:], top[1:], start, change, edge[:n], low[: n + 1], high[: n + 1]
        turns(buy, sell, ups, downs, *ends, first, work, turn[i, a : a + n])
        if last:
            turns(buy, sell, ups, downs, *ends, last, work, turn[i, a : a + n])
