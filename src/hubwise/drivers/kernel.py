"""The driver's problem as a compiled kernel: arrays in, arrays out.

One session is a one-dimensional storage problem. Its value function, backwards in time, is convex
and piecewise linear in the energy in the battery; a slot inserts two slopes (charging,
discharging) into the sorted list of slopes and trims the list at both ends. What remains of a slot
is two levels: charge when below the one, discharge when above the other, rest between them. Slots
of equal prices in a row are one longer slot, since only their net movement matters.

Energies here are inside the battery [kWh], prices per kWh inside the battery [currency/kWh].
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange

from hubwise.domain.arrays import Array, Index

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


class Batteries(NamedTuple):
    """What every kernel knows of the batteries that it schedules: sessions, slices of stations.

    ``hub``; ``price_list``: row of the prices that it answers to; ``group``: of terms; ``arrival``,
    ``departure``: first slot, and the first after the last; ``first_future``, ``last_future``: the
    futures that it is in, as a range; all (n,). ``up``, ``down``: most energy put in, and drawn, in
    a slot; ``least``, ``most``: energy to hold at least, and at most, at the end of a slot;
    ``charge_kw``, ``discharge_kw``: most power; all (n, w) with w = 1 where they are the same in
    all slots, else w = slots. ``start``, ``target``: energy at arrival, and least at departure;
    ``charge_eff``, ``discharge_eff``; ``wear``, ``surplus``: per kWh drawn, and above the target at
    departure; ``limit``: most energy drawn; ``own``: 1 where it answers to posted prices, 0 where
    it is the operator's; ``weight``: of the marginal prices in its choice; all (n,). Energies are
    inside the battery [kWh].
    """

    hub: Index
    price_list: Index
    group: Index
    arrival: Index
    departure: Index
    first_future: Index
    last_future: Index
    up: Array
    down: Array
    least: Array
    most: Array
    charge_kw: Array
    discharge_kw: Array
    start: Array
    target: Array
    charge_eff: Array
    discharge_eff: Array
    wear: Array
    surplus: Array
    limit: Array
    own: Array
    weight: Array


@njit(cache=True, nogil=True)
def thresholds(
    buy, sell, up, down, floor, target, top, surplus, slope, length, charge_to, drain_to
):
    """Backward pass: the two levels of every slot.

    ``buy``, ``sell``: cost of a kWh put in and gain of a kWh drawn, wear included; shape (n,).
    ``up``, ``down``: most energy put in and drawn in each slot; shape (n,).
    ``floor``: least energy at the start of each slot; shape (n,). ``target``: least energy at the
    end; ``top``: most energy at the start of each slot and at the end; shape (n + 1,);
    ``surplus``: worth of a kWh above ``target`` at the end.
    ``slope``, ``length``: scratch of at least 2n+2. Writes ``charge_to`` and ``drain_to``, shape
    (n,): energy at the end of the slot up to which charging, and down to which discharging, pays.

    The pieces ``front <= k < back``, slopes rising, span the energies from ``low`` to ``high``.
    Charging enters from the front and discharging from the back, each moving only the pieces that
    it passes; those between the two levels are never touched. There is room for one piece a slot
    on either side. One function, for speed: helpers made it a third slower.
    """
    n = buy.shape[0]
    front = np.uint64(n)
    back = front
    low = target
    high = max(top[n], target)
    if high > target:
        slope[n] = -surplus
        length[n] = high - target
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

        new, level, at = -sell[t], high, back
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

        excess = down[t] + (high - top[t])
        if excess < 0.0:
            high += down[t]
        else:
            high = top[t]
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

    Arguments as in `thresholds`. ``work``: scratch of shape (6, 2n+2).
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
        if round_ == 0 and drawn > limit:
            return cost  # what may not be held any longer is drawn, whatever was wished
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
def fill_bounds(batteries, i, ups, downs, floor, top):
    """Bounds of one battery in every slot of its stay, wishes for energy kept as far as can be.

    Writes ``ups``, ``downs`` (n,): most energy put in, and drawn; ``floor`` (n,) and ``top``
    (n + 1,): energy at the start of each slot, ``top`` at the end, too. With [lo, hi] the energies
    that can stand at the end of a slot, power comes first and the most energy before the least:

        top = max(most, lo - down),  floor = min(least, hi + up, top),
        lo = max(lo - down, floor),  hi = min(hi + up, top).

    So every energy between ``floor`` and ``top`` that a slot may begin with leads to some that it
    may end with, and a session that arrives below its floor is charged to it at full power.
    """
    n, width = ups.shape[0], batteries.up.shape[1]
    first = batteries.arrival[i]
    lo = hi = batteries.start[i]
    floor[0] = min(batteries.least[i, 0], hi) if width == 1 else hi
    top[0] = hi if width > 1 else max(batteries.most[i, 0], hi)
    for t in range(n):
        k = 0 if width == 1 else first + t
        ups[t] = batteries.up[i, k]
        downs[t] = batteries.down[i, k]
        hi += ups[t]
        lo -= downs[t]
        most = max(batteries.most[i, k], lo)
        least = min(min(batteries.least[i, k], hi), most)
        hi = min(hi, most)
        lo = max(lo, least)
        top[t + 1] = most
        if t + 1 < n:
            floor[t + 1] = least


@njit(cache=True, nogil=True)
def gather(charge_price, discharge_price, floor, top, first, merged):
    """Find the runs of slots that are alike; returns how many there are.

    Prices, floor and top are equal within a run, so only its net movement matters, and a path that
    keeps them at both ends keeps them inside. Where bounds may change (``merged`` is 0) every slot
    is a run of its own. Writes the first slot of each run, closed by n, into ``first`` (n + 1,),
    and moves the bounds of runs to the front of ``floor`` (n,) and ``top`` (n + 1,).
    """
    n = charge_price.shape[0]
    runs = 0
    end = top[n]
    for t in range(n):
        if (
            t == 0
            or merged == 0
            or charge_price[t] != charge_price[t - 1]
            or discharge_price[t] != discharge_price[t - 1]
            or floor[t] != floor[runs - 1]
        ):
            first[runs] = t
            floor[runs] = floor[t]
            top[runs] = top[t]
            runs += 1
    first[runs] = n
    top[runs] = end
    return runs


@njit(cache=True, nogil=True)
def spread(moved, first, ups, downs, change):
    """Spread the net movement of each run over its slots, as late as it can be."""
    for k in range(moved.shape[0]):
        left = moved[k]
        for t in range(first[k + 1] - 1, first[k] - 1, -1):
            step = min(max(left, -downs[t]), ups[t])
            if -CRUMB < step < CRUMB:
                step = 0.0
            change[t] = step
            left -= step


@njit(cache=True, nogil=True)
def respond_one(batteries, i, charge_price, discharge_price, work, rows, first, change):
    """Best response of battery ``i`` to prices over its stay; writes ``change``, returns the cost.

    ``work``: scratch of shape (6, 2n+2); ``rows``: of shape (9, n + 1); ``first``: of shape
    (n + 1,).
    """
    n, merged = change.shape[0], 1 if batteries.up.shape[1] == 1 else 0
    slot_ups, slot_downs, floor, top = rows[5, :n], rows[6, :n], rows[0, :n], rows[7, : n + 1]
    fill_bounds(batteries, i, slot_ups, slot_downs, floor, top)
    runs = gather(charge_price, discharge_price, floor, top, first, merged)
    floor, top, buy, sell = rows[0, :runs], rows[7, : runs + 1], rows[1, :runs], rows[2, :runs]
    ups, downs, moved = rows[3, :runs], rows[4, :runs], rows[8, :runs]
    charge_eff, discharge_eff = batteries.charge_eff[i], batteries.discharge_eff[i]
    for k in range(runs):
        slots = first[k + 1] - first[k]
        buy[k] = charge_price[first[k]] / charge_eff
        sell[k] = discharge_price[first[k]] * discharge_eff - batteries.wear[i]
        ups[k] = slots * slot_ups[first[k]]
        downs[k] = slots * slot_downs[first[k]]
    cost = cheapest(
        buy, sell, ups, downs, floor, batteries.start[i], batteries.target[i], top,
        batteries.surplus[i], batteries.limit[i], work, moved,
    )  # fmt: skip
    spread(moved, first, slot_ups, slot_downs, change)
    return cost


@njit(cache=True, nogil=True)
def enact(batteries, i, change, hours, charge, discharge, energy):
    """Powers at the charger [kW] and energy in battery ``i`` [kWh] that energy changes come to.

    ``change``, ``charge``, ``discharge``, ``energy``: shape (slots,); the last three are written.
    The powers never exceed their limits by a rounding.
    """
    put_in, taken_out = batteries.charge_eff[i] * hours, batteries.discharge_eff[i] / hours
    width = batteries.charge_kw.shape[1]
    moved = 0.0
    for t in range(change.shape[0]):
        k = 0 if width == 1 else t
        charge[t] = min(max(change[t], 0.0) / put_in, batteries.charge_kw[i, k])
        discharge[t] = min(max(-change[t], 0.0) * taken_out, batteries.discharge_kw[i, k])
        moved += change[t]
        energy[t] = batteries.start[i] + moved


@njit(cache=True, nogil=True)
def enact_all(batteries, change, hours, charge, discharge, energy):
    """The same for many batteries: arrays of shape (n, slots)."""
    for i in range(change.shape[0]):
        enact(batteries, i, change[i], hours, charge[i], discharge[i], energy[i])


@njit(cache=True, nogil=True)
def most_at_departure(batteries, reached):
    """Write the most energy that can be in each battery at departure; shape (n,)."""
    slots = batteries.up.shape[1]
    ups, downs, floor, top = np.empty(slots), np.empty(slots), np.empty(slots), np.empty(slots + 1)
    for i in range(reached.shape[0]):
        n = batteries.departure[i] - batteries.arrival[i]
        fill_bounds(batteries, i, ups[:n], downs[:n], floor[:n], top[: n + 1])
        energy = batteries.start[i]
        for t in range(n):
            energy = min(energy + ups[t], top[t + 1])
        reached[i] = energy


@njit(cache=True, nogil=True)
def charge_at_once(batteries, change):
    """Write what charging at full power from arrival on, up to the target, puts in; (n, slots)."""
    slots = change.shape[1]
    ups, downs, floor, top = np.empty(slots), np.empty(slots), np.empty(slots), np.empty(slots + 1)
    for i in range(change.shape[0]):
        a, n = batteries.arrival[i], batteries.departure[i] - batteries.arrival[i]
        fill_bounds(batteries, i, ups[:n], downs[:n], floor[:n], top[: n + 1])
        energy = batteries.start[i]
        for t in range(n):
            least = floor[t + 1] if t + 1 < n else batteries.target[i]
            wanted = max(min(batteries.target[i], top[t + 1]), least)
            step = min(max(wanted - energy, 0.0), ups[t])
            # What may not be held any longer is drawn, where it can be.
            step = max(step if energy <= top[t + 1] else top[t + 1] - energy, -downs[t])
            energy += step
            change[i, a + t] = step


@njit(cache=True, nogil=True)
def respond(
    begin, end, batteries, charge_price, discharge_price, hours, charge, discharge, energy, cost
):
    """Best responses of the batteries ``begin <= i < end``.

    ``charge_price``, ``discharge_price``: shape (lists, slots). Writes ``charge``, ``discharge``
    and ``energy``, shape (n, slots), and ``cost``, shape (n,).
    """
    slots = charge_price.shape[1]
    work = np.empty((6, 2 * slots + 2))
    rows = np.empty((9, slots + 1))
    first = np.empty(slots + 1, np.int64)
    change = np.empty(slots)
    for i in range(begin, end):
        a, d, row = batteries.arrival[i], batteries.departure[i], batteries.price_list[i]
        change[:] = 0.0
        cost[i] = respond_one(
            batteries, i, charge_price[row, a:d], discharge_price[row, a:d], work, rows, first,
            change[a:d],
        )  # fmt: skip
        enact(batteries, i, change, hours, charge[i], discharge[i], energy[i])


@njit(cache=True, nogil=True, parallel=True)
def respond_on_all_cores(
    begin, end, batteries, charge_price, discharge_price, hours, charge, discharge, energy, cost
):
    """The same as `respond`, a batch of sessions at a time on every core."""
    # A function of its own: numba's cache does not tell one function compiled in parallel from the
    # same one compiled for one core.
    for batch in prange((end - begin + BATCH - 1) // BATCH):
        at = begin + batch * BATCH
        respond(
            at, min(at + BATCH, end), batteries, charge_price, discharge_price, hours, charge,
            discharge, energy, cost,
        )  # fmt: skip
