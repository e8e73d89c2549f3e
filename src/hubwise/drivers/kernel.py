"""The driver's problem as a compiled kernel: arrays in, arrays out.

One session is a one-dimensional storage problem. Its value function, backwards in time, is convex
and piecewise linear in the energy in the battery; a slot inserts two slopes (charging,
discharging) into the sorted list of slopes and trims the list at both ends. What remains of a slot
is two levels: charge when below the one, discharge when above the other, rest between them.

Energies here are inside the battery [kWh], prices per kWh inside the battery [currency/kWh].
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

# Steps smaller than this are rounding, not schedules [kWh].
CRUMB = 1e-11
# The multiplier of a discharge limit is found when two of its cutting planes agree to this share.
LIMIT_TOLERANCE = 1e-13
LIMIT_ROUNDS = 80


@njit(cache=True, nogil=True, inline="always")
def _trim_front(length, front, size, excess):
    while size > 0 and length[front] <= excess:
        excess -= length[front]
        front += 1
        size -= 1
    if size > 0 and excess > 0.0:
        length[front] -= excess
    return front, size


@njit(cache=True, nogil=True, inline="always")
def _trim_back(length, front, size, excess):
    last = front + size - 1
    while size > 0 and length[last] <= excess:
        excess -= length[last]
        last -= 1
        size -= 1
    if size > 0 and excess > 0.0:
        length[last] -= excess
    return size


@njit(cache=True, nogil=True, inline="always")
def _insert(slope, length, front, size, at, new_slope, new_length):
    """Put a piece before index ``at``; a piece of the same slope beside it just grows."""
    if at < front + size and slope[at] == new_slope:
        length[at] += new_length
        return size
    if at > front and slope[at - 1] == new_slope:
        length[at - 1] += new_length
        return size
    for k in range(front + size, at, -1):
        slope[k] = slope[k - 1]
        length[k] = length[k - 1]
    slope[at] = new_slope
    length[at] = new_length
    return size + 1


@njit(cache=True, nogil=True)
def levels(buy, sell, up, down, floor, target, top, surplus, slope, length, charge_to, drain_to):
    """Backward pass: the two levels of every slot.

    ``buy``, ``sell``: cost of a kWh put in and gain of a kWh drawn, wear included; shape (n,).
    ``up``, ``down``: most energy put in and drawn in each slot; shape (n,).
    ``floor``: least energy at the start of each slot; shape (n,). ``target``: least energy at the
    end; ``top``: most energy at any time; ``surplus``: worth of a kWh above ``target`` at the end.
    ``slope``, ``length``: scratch of at least 2n+2. Writes ``charge_to`` and ``drain_to``, shape
    (n,): energy at the end of the slot up to which charging, and down to which discharging, pays.
    """
    front = 0
    size = 0
    low = target
    if top > target:
        slope[0] = -surplus
        length[0] = top - target
        size = 1
    for t in range(buy.shape[0] - 1, -1, -1):
        charge_slope = -buy[t]
        drain_slope = -sell[t]
        at = front
        end = front + size
        level = low
        while at < end and slope[at] < charge_slope:
            level += length[at]
            at += 1
        charge_to[t] = level
        charge_at = at
        while at < end and slope[at] <= drain_slope:
            level += length[at]
            at += 1
        drain_to[t] = level
        if down[t] > 0.0:
            size = _insert(slope, length, front, size, at, drain_slope, down[t])
        if up[t] > 0.0:
            size = _insert(slope, length, front, size, charge_at, charge_slope, up[t])
        low -= up[t]
        if floor[t] > low:
            front, size = _trim_front(length, front, size, floor[t] - low)
            low = floor[t]
        size = _trim_back(length, front, size, down[t])


@njit(cache=True, nogil=True)
def follow(start, up, down, charge_to, drain_to, change):
    """Forward pass: the energy put in (negative: drawn) in each slot, from the levels."""
    energy = start
    for t in range(change.shape[0]):
        step = 0.0
        if energy < charge_to[t]:
            step = min(charge_to[t] - energy, up[t])
        elif energy > drain_to[t]:
            step = -min(energy - drain_to[t], down[t])
        if -CRUMB < step < CRUMB:
            step = 0.0
        energy += step
        change[t] = step


@njit(cache=True, nogil=True)
def cost_and_drawn(buy, sell, change, start, target, surplus):
    """Cost of a path, and the energy drawn on it."""
    cost = 0.0
    drawn = 0.0
    energy = start
    for t in range(change.shape[0]):
        step = change[t]
        energy += step
        if step > 0.0:
            cost += buy[t] * step
        else:
            cost += sell[t] * step
            drawn -= step
    return cost - surplus * max(energy - target, 0.0), drawn


@njit(cache=True, nogil=True)
def cheapest(buy, sell, up, down, floor, start, target, top, surplus, limit, work, change):
    """The cheapest path of one session, its discharge limit kept; returns its cost.

    The limit is one multiplier on drawn energy. Each path found is a line in that multiplier; the
    crossing of the two best lines is the next trial, and when no path lies below the crossing the
    mixture of the two that draws exactly ``limit`` is optimal.

    ``work``: scratch of shape (6, 2n+2).
    """
    n = buy.shape[0]
    slope, length = work[0], work[1]
    charge_to, drain_to = work[2, :n], work[3, :n]
    levels(buy, sell, up, down, floor, target, top, surplus, slope, length, charge_to, drain_to)
    follow(start, up, down, charge_to, drain_to, change)
    cost, drawn = cost_and_drawn(buy, sell, change, start, target, surplus)
    if drawn <= limit:
        return cost
    much_cost, much_drawn = cost, drawn
    much = work[4, :n]
    much[:] = change
    priced = work[5, :n]
    # Where no discharge ever pays: above every gain and every later use.
    multiplier = 1.0 + 2.0 * (np.abs(sell).max() + np.abs(buy).max() + abs(surplus))
    little_cost, little_drawn = 0.0, 0.0
    little = np.empty(n)
    for round_ in range(LIMIT_ROUNDS):
        for t in range(n):
            priced[t] = sell[t] - multiplier
        levels(
            buy, priced, up, down, floor, target, top, surplus, slope, length, charge_to, drain_to
        )
        follow(start, up, down, charge_to, drain_to, change)
        cost, drawn = cost_and_drawn(buy, sell, change, start, target, surplus)
        line = much_cost + multiplier * much_drawn
        if round_ > 0 and cost + multiplier * drawn >= line - LIMIT_TOLERANCE * (1.0 + abs(line)):
            break
        if drawn > limit:
            much_cost, much_drawn = cost, drawn
            much[:] = change
        else:
            little_cost, little_drawn = cost, drawn
            little[:] = change
        if much_drawn - little_drawn <= CRUMB:
            break
        multiplier = (little_cost - much_cost) / (much_drawn - little_drawn)
    share = (limit - little_drawn) / max(much_drawn - little_drawn, CRUMB)
    for t in range(n):
        change[t] = share * much[t] + (1.0 - share) * little[t]
    cost, drawn = cost_and_drawn(buy, sell, change, start, target, surplus)
    return cost


@njit(cache=True, nogil=True)
def fill_floor(start, reserve, up, floor):
    """Least energy at the start of each slot: the reserve, or what charging at once has reached."""
    reached = start
    for t in range(floor.shape[0]):
        floor[t] = min(reserve, reached)
        reached += up


@njit(cache=True, nogil=True)
def respond_one(
    charge_price, discharge_price, up, down, charge_eff, discharge_eff, wear,
    start, target, reserve, top, surplus, limit, work, ups, downs, floor, buy, sell, change,
):  # fmt: skip
    """Best response of one session over its stay; writes ``change``, returns the cost."""
    n = change.shape[0]
    for t in range(n):
        buy[t] = charge_price[t] / charge_eff
        sell[t] = discharge_price[t] * discharge_eff - wear
        ups[t] = up
        downs[t] = down
    fill_floor(start, reserve, up, floor[:n])
    return cheapest(
        buy[:n], sell[:n], ups[:n], downs[:n], floor[:n],
        start, target, top, surplus, limit, work, change,
    )  # fmt: skip


@njit(cache=True, nogil=True, parallel=True)
def respond(
    charge_price, discharge_price, hub, arrival, departure, up, down, charge_eff, discharge_eff,
    wear, start, target, reserve, top, surplus, limit, change, cost,
):  # fmt: skip
    """Best responses of many sessions.

    Prices have shape (hubs, slots), the other inputs (sessions,); ``change`` has shape
    (sessions, slots) and must be zero outside the stays, ``cost`` shape (sessions,).
    """
    slots = charge_price.shape[1]
    for i in prange(hub.shape[0]):
        work = np.empty((6, 2 * slots + 2))
        rows = np.empty((5, slots))
        a, d = arrival[i], departure[i]
        cost[i] = respond_one(
            charge_price[hub[i], a:d], discharge_price[hub[i], a:d], up[i], down[i],
            charge_eff[i], discharge_eff[i], wear[i], start[i], target[i], reserve[i], top[i],
            surplus[i], limit[i], work, rows[0], rows[1], rows[2], rows[3], rows[4],
            change[i, a:d],
        )  # fmt: skip


# For callers that already run one thread a core.
respond_serial = njit(cache=True, nogil=True)(respond.py_func)
