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

from hubwise.compiled import njit, prange
from hubwise.domain.arrays import Array, Index
from hubwise.drivers.runs import CRUMB, fill_bounds, gather, gather_bounds, spread

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

    ``hub``; ``spot``: where it draws, see `hubwise.domain.Lines`; ``price_list``: row of the prices
    that it answers to; ``group``: of terms; ``arrival``, ``departure``: first slot, and the first
    after the last; ``first_future``, ``last_future``: the futures that it is in, as a range; all
    (n,). ``up``, ``down``: most energy put in, and drawn, in a slot; ``least``, ``most``: energy to
    hold at least, and at most, at the end of a slot; ``charge_kw``, ``discharge_kw``: most power;
    all (n, w) with w = 1 where they are the same in all slots, else w = slots. ``start``,
    ``target``: energy at arrival, and least at departure; ``charge_eff``, ``discharge_eff``;
    ``wear``, ``surplus``: per kWh drawn, and above the target at departure; ``limit``: most energy
    drawn; ``own``: 1 where it answers to posted prices, 0 where it is the operator's; ``weight``:
    of the marginal prices in its choice; all (n,). Energies are inside the battery [kWh].
    """

    hub: Index
    spot: Index
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
def enact(
    change, start, charge_eff, discharge_eff, charge_kw, discharge_kw, i, hours, charge, discharge,
    energy,
):  # fmt: skip
    """Powers at the charger [kW] and energy in the battery [kWh] that energy changes come to.

    ``change``, ``charge``, ``discharge``, ``energy``: shape (slots,); the last three are written.
    ``charge_kw``, ``discharge_kw``: most power of all batteries, of which this is ``i``: never
    exceeded by a rounding.
    """
    put_in, taken_out = charge_eff * hours, discharge_eff / hours
    most_in, most_out = charge_kw[i, 0], discharge_kw[i, 0]
    varies = charge_kw.shape[1] > 1
    moved = 0.0
    for t in range(change.shape[0]):
        if varies:
            most_in, most_out = charge_kw[i, t], discharge_kw[i, t]
        charge[t] = min(max(change[t], 0.0) / put_in, most_in)
        discharge[t] = min(max(-change[t], 0.0) * taken_out, most_out)
        moved += change[t]
        energy[t] = start + moved


@njit(cache=True, nogil=True)
def enact_all(batteries, change, hours, charge, discharge, energy):
    """The same for many batteries: arrays of shape (n, slots)."""
    for i in range(change.shape[0]):
        enact(
            change[i], batteries.start[i], batteries.charge_eff[i], batteries.discharge_eff[i],
            batteries.charge_kw, batteries.discharge_kw, i, hours, charge[i], discharge[i],
            energy[i],
        )  # fmt: skip


@njit(cache=True, nogil=True)
def most_at_departure(batteries, reached):
    """Write the most energy that can be in each battery at departure; shape (n,)."""
    slots = batteries.up.shape[1]
    ups, downs, floor, top = np.empty(slots), np.empty(slots), np.empty(slots), np.empty(slots + 1)
    for i in range(reached.shape[0]):
        n = batteries.departure[i] - batteries.arrival[i]
        fill_bounds(
            batteries.up, batteries.down, batteries.least, batteries.most, i,
            batteries.arrival[i], batteries.start[i], ups[:n], downs[:n], floor[:n], top[: n + 1],
        )  # fmt: skip
        energy = batteries.start[i]
        for t in range(n):
            energy = min(energy + ups[t], top[t + 1])
        reached[i] = energy


@njit(cache=True, nogil=True)
def charge_at_once(batteries, change):
    """Write what charging at full power from arrival on puts in; (n, slots).

    Up to the target, or to what must be held in a slot to come, if that is more; no further than
    may be held in every slot to come, but where more has to be held before.
    """
    slots = change.shape[1]
    ups, downs, floor, top = np.empty(slots), np.empty(slots), np.empty(slots), np.empty(slots + 1)
    ahead, need = np.empty(slots + 1), np.empty(slots + 1)
    for i in range(change.shape[0]):
        a, n = batteries.arrival[i], batteries.departure[i] - batteries.arrival[i]
        fill_bounds(
            batteries.up, batteries.down, batteries.least, batteries.most, i,
            batteries.arrival[i], batteries.start[i], ups[:n], downs[:n], floor[:n], top[: n + 1],
        )  # fmt: skip
        energy, target = batteries.start[i], batteries.target[i]
        # At the end of each slot: the most and the least that leaves every slot to come its bounds.
        ahead[n], need[n] = top[n], target
        for t in range(n - 1, 0, -1):
            ahead[t] = min(top[t], ahead[t + 1])
            top[t] = min(top[t], top[t + 1] + downs[t])
            need[t] = max(floor[t], need[t + 1] - ups[t])
            if t + 1 < n:
                floor[t] = max(floor[t], floor[t + 1])
        for t in range(n):
            wanted = target if t + 1 == n else max(target, floor[t + 1])
            wanted = min(max(min(wanted, ahead[t + 1]), need[t + 1]), top[t + 1])
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
    work, rows = np.empty((6, 2 * slots + 2)), np.empty((9, slots + 1))
    first, change = np.empty(slots + 1, np.int64), np.empty(slots)
    # Arrays of a tuple are counted at every call that they are handed to: once, here.
    up, down, least, most = batteries.up, batteries.down, batteries.least, batteries.most
    charge_kw, discharge_kw = batteries.charge_kw, batteries.discharge_kw
    varies = up.shape[1] > 1
    for i in range(begin, end):
        a, n = batteries.arrival[i], batteries.departure[i] - batteries.arrival[i]
        start, row = batteries.start[i], batteries.price_list[i]
        charge_eff, discharge_eff = batteries.charge_eff[i], batteries.discharge_eff[i]
        paid, earned = charge_price[row, a : a + n], discharge_price[row, a : a + n]
        if varies:
            runs = gather_bounds(paid, earned, up, down, least, most, i, a, start, first, rows)
        else:
            runs = gather(paid, earned, up[i, 0], least[i, 0], most[i, 0], start, first, rows[0])
            rows[3, :runs], rows[4, :runs] = up[i, 0], down[i, 0]
            rows[5, : runs + 1] = most[i, 0]
        for k in range(runs):
            length = first[k + 1] - first[k]
            rows[7, k], rows[8, k] = rows[3, k], rows[4, k]
            rows[3, k] *= length
            rows[4, k] *= length
        floor, top, buy, sell = rows[0, :runs], rows[5, : runs + 1], rows[1, :runs], rows[2, :runs]
        ups, downs, moved = rows[3, :runs], rows[4, :runs], rows[6, :runs]
        for k in range(runs):
            buy[k] = paid[first[k]] / charge_eff
            sell[k] = earned[first[k]] * discharge_eff - batteries.wear[i]
        cost[i] = cheapest(
            buy, sell, ups, downs, floor, start, batteries.target[i], top, batteries.surplus[i],
            batteries.limit[i], work, moved,
        )  # fmt: skip
        change[:] = 0.0
        spread(moved, first, rows[7], rows[8], change[a : a + n])
        enact(
            change, start, charge_eff, discharge_eff, charge_kw, discharge_kw, i, hours, charge[i],
            discharge[i], energy[i],
        )  # fmt: skip


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
