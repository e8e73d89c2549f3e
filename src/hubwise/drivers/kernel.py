"""The driver's problem as a compiled kernel: arrays in, arrays out.

One session is a one-dimensional storage problem. Its value function, backwards in time, is convex
and piecewise linear in the energy in the battery; a slot inserts two slopes (charging,
discharging) into the sorted list of slopes and trims the list at both ends. What remains of a slot
is two levels: charge when below the one, discharge when above the other, rest between them. Slots
of equal prices in a row are one longer slot, since only their net movement matters.

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
# Places in the list of slopes are unsigned: numba tests a signed index for being negative at every
# access, and the backward pass took half as long again.
ONE = np.uint64(1)
# Sessions that a core answers at a time.
BATCH = 32


@njit(cache=True, nogil=True)
def thresholds(
    buy, sell, up, down, floor, target, top, surplus, slope, length, charge_to, drain_to
):
    """Backward pass: the two levels of every slot.

    ``buy``, ``sell``: cost of a kWh put in and gain of a kWh drawn, wear included; shape (n,).
    ``up``, ``down``: most energy put in and drawn in each slot; shape (n,).
    ``floor``: least energy at the start of each slot; shape (n,). ``target``: least energy at the
    end; ``top``: most energy at any time; ``surplus``: worth of a kWh above ``target`` at the end.
    ``slope``, ``length``: scratch of at least 2n+2. Writes ``charge_to`` and ``drain_to``, shape
    (n,): energy at the end of the slot up to which charging, and down to which discharging, pays.

    The pieces ``front <= k < back``, slopes rising, span the energies from ``low`` to ``top``.
    Charging enters from the front and discharging from the back, each moving only the pieces that
    it passes; those between the two levels are never touched. There is room for one piece a slot
    on either side. One function, for speed: helpers made it a third slower.
    """
    n = buy.shape[0]
    front = np.uint64(n)
    back = front
    low = target
    if top > target:
        slope[n] = -surplus
        length[n] = top - target
        back += ONE
    for t in range(n - 1, -1, -1):
        new, level, at = -buy[t], low, front
        while at < back and slope[at] < new:
            level += length[at]
            slope[at - ONE] = slope[at]
            length[at - ONE] = length[at]
            at += ONE
        slope[at - ONE] = new
        length[at - ONE] = up[t]
        front -= ONE
        charge_to[t] = level
        after = at

        new, level, at = -sell[t], top, back
        if down[t] > 0.0:
            while at > after and slope[at - ONE] > new:
                at -= ONE
                level -= length[at]
                slope[at + ONE] = slope[at]
                length[at + ONE] = length[at]
            slope[at] = new
            length[at] = down[t]
            back += ONE
        drain_to[t] = level

        excess = down[t]
        while front < back and length[back - ONE] <= excess:
            back -= ONE
            excess -= length[back]
        if front < back:
            length[back - ONE] -= excess

        low -= up[t]
        if floor[t] > low:
            excess = floor[t] - low
            low = floor[t]
            while front < back and length[front] <= excess:
                excess -= length[front]
                front += ONE
            if front < back:
                length[front] -= excess


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
        put_in, taken_out = max(change[t], 0.0), max(-change[t], 0.0)
        energy += change[t]
        cost += buy[t] * put_in - sell[t] * taken_out
        drawn += taken_out
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
    thresholds(buy, sell, up, down, floor, target, top, surplus, slope, length, charge_to, drain_to)
    follow(start, up, down, charge_to, drain_to, change)
    cost, drawn = cost_and_drawn(buy, sell, change, start, target, surplus)
    if drawn <= limit:
        return cost
    much_cost, much_drawn = cost, drawn
    little_cost, little_drawn = 0.0, 0.0
    much, priced = work[4, :n], work[5, :n]
    little = np.empty(n)
    # Copied in loops: with a slice numba compiles its error messages too, for seconds.
    dearest = abs(surplus)
    for t in range(n):
        much[t] = change[t]
        dearest = max(dearest, abs(sell[t]), abs(buy[t]))
    # Where no discharge ever pays: above every gain and every later use.
    multiplier = 1.0 + 6.0 * dearest
    for round_ in range(LIMIT_ROUNDS):
        for t in range(n):
            priced[t] = sell[t] - multiplier
        thresholds(
            buy, priced, up, down, floor, target, top, surplus, slope, length, charge_to, drain_to
        )
        follow(start, up, down, charge_to, drain_to, change)
        cost, drawn = cost_and_drawn(buy, sell, change, start, target, surplus)
        line = much_cost + multiplier * much_drawn
        if round_ > 0 and cost + multiplier * drawn >= line - LIMIT_TOLERANCE * (1.0 + abs(line)):
            break
        if drawn > limit:
            much_cost, much_drawn = cost, drawn
            for t in range(n):
                much[t] = change[t]
        else:
            little_cost, little_drawn = cost, drawn
            for t in range(n):
                little[t] = change[t]
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
def gather(charge_price, discharge_price, up, start, reserve, first, floor):
    """Find the runs of slots that are alike; returns how many there are.

    Prices and floor are equal within a run, so only its net movement matters, and a path that
    keeps the floor at both ends keeps it inside. Writes the first slot of each run, closed by n,
    into ``first`` (n+1,), and the least energy at the start of each run into ``floor`` (n,).
    """
    n = charge_price.shape[0]
    runs = 0
    reached = start
    for t in range(n):
        least = min(reserve, reached)
        reached += up
        if (
            t == 0
            or charge_price[t] != charge_price[t - 1]
            or discharge_price[t] != discharge_price[t - 1]
            or least != floor[runs - 1]
        ):
            first[runs] = t
            floor[runs] = least
            runs += 1
    first[runs] = n
    return runs


@njit(cache=True, nogil=True)
def spread(moved, first, up, down, change):
    """Spread the net movement of each run over its slots, as late as it can be."""
    for k in range(moved.shape[0]):
        left = moved[k]
        for t in range(first[k + 1] - 1, first[k] - 1, -1):
            step = min(max(left, -down), up)
            if -CRUMB < step < CRUMB:
                step = 0.0
            change[t] = step
            left -= step


@njit(cache=True, nogil=True)
def respond_one(
    charge_price, discharge_price, up, down, charge_eff, discharge_eff, wear,
    start, target, reserve, top, surplus, limit, work, rows, first, change,
):  # fmt: skip
    """Best response of one session over its stay; writes ``change``, returns the cost.

    ``work``: scratch of shape (6, 2n+2); ``rows``: of shape (6, n); ``first``: of shape (n+1,).
    """
    runs = gather(charge_price, discharge_price, up, start, reserve, first, rows[0])
    floor, buy, sell = rows[0, :runs], rows[1, :runs], rows[2, :runs]
    ups, downs, moved = rows[3, :runs], rows[4, :runs], rows[5, :runs]
    for k in range(runs):
        slots = first[k + 1] - first[k]
        buy[k] = charge_price[first[k]] / charge_eff
        sell[k] = discharge_price[first[k]] * discharge_eff - wear
        ups[k] = slots * up
        downs[k] = slots * down
    cost = cheapest(buy, sell, ups, downs, floor, start, target, top, surplus, limit, work, moved)
    spread(moved, first, up, down, change)
    return cost


@njit(cache=True, nogil=True)
def enact(
    change, start, charge_eff, discharge_eff, charge_max, discharge_max, hours,
    charge, discharge, energy,
):  # fmt: skip
    """Powers at the charger [kW] and energy in the battery [kWh] that energy changes come to.

    All arrays have shape (slots,); the last three are written. The powers never exceed their
    limits by a rounding.
    """
    put_in, taken_out = charge_eff * hours, discharge_eff / hours
    moved = 0.0
    for t in range(change.shape[0]):
        charge[t] = min(max(change[t], 0.0) / put_in, charge_max)
        discharge[t] = min(max(-change[t], 0.0) * taken_out, discharge_max)
        moved += change[t]
        energy[t] = start + moved


@njit(cache=True, nogil=True)
def enact_all(
    change, start, charge_eff, discharge_eff, charge_max, discharge_max, hours,
    charge, discharge, energy,
):  # fmt: skip
    """The same for many sessions: arrays of shape (sessions, slots) or (sessions,)."""
    for i in range(change.shape[0]):
        enact(
            change[i], start[i], charge_eff[i], discharge_eff[i], charge_max[i], discharge_max[i],
            hours, charge[i], discharge[i], energy[i],
        )  # fmt: skip


@njit(cache=True, nogil=True)
def respond(
    begin, end, charge_price, discharge_price, hub, arrival, departure, up, down, charge_eff,
    discharge_eff, wear, start, target, reserve, top, surplus, limit, charge_max, discharge_max,
    hours, charge, discharge, energy, cost,
):  # fmt: skip
    """Best responses of the sessions ``begin <= i < end``.

    Prices have shape (hubs, slots), the other inputs (sessions,) but for the number ``hours``.
    Writes ``charge``, ``discharge`` and ``energy``, shape (sessions, slots), and ``cost``, shape
    (sessions,).
    """
    slots = charge_price.shape[1]
    work = np.empty((6, 2 * slots + 2))
    rows = np.empty((6, slots))
    first = np.empty(slots + 1, np.int64)
    change = np.empty(slots)
    for i in range(begin, end):
        a, d = arrival[i], departure[i]
        change[:] = 0.0
        cost[i] = respond_one(
            charge_price[hub[i], a:d], discharge_price[hub[i], a:d], up[i], down[i],
            charge_eff[i], discharge_eff[i], wear[i], start[i], target[i], reserve[i], top[i],
            surplus[i], limit[i], work, rows, first, change[a:d],
        )  # fmt: skip
        enact(
            change, start[i], charge_eff[i], discharge_eff[i], charge_max[i], discharge_max[i],
            hours, charge[i], discharge[i], energy[i],
        )  # fmt: skip


@njit(cache=True, nogil=True, parallel=True)
def respond_on_all_cores(
    begin, end, charge_price, discharge_price, hub, arrival, departure, up, down, charge_eff,
    discharge_eff, wear, start, target, reserve, top, surplus, limit, charge_max, discharge_max,
    hours, charge, discharge, energy, cost,
):  # fmt: skip
    """The same as `respond`, a batch of sessions at a time on every core."""
    # A function of its own: numba's cache does not tell one function compiled in parallel from the
    # same one compiled for one core.
    for batch in prange((end - begin + BATCH - 1) // BATCH):
        at = begin + batch * BATCH
        respond(
            at, min(at + BATCH, end), charge_price, discharge_price, hub, arrival, departure, up,
            down, charge_eff, discharge_eff, wear, start, target, reserve, top, surplus, limit,
            charge_max, discharge_max, hours, charge, discharge, energy, cost,
        )  # fmt: skip
