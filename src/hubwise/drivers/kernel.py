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
def fill_floor(start, least, up, floor):
    """Least energy at the start of each slot: as wished, or what charging at once has reached."""
    reached = start
    for t in range(floor.shape[0]):
        floor[t] = min(least, reached)
        reached += up


@njit(cache=True, nogil=True)
def fill_bounds(up, down, least, most, i, first, start, ups, downs, floor, top):
    """Bounds of one battery in every slot of its stay, wishes for energy kept as far as can be.

    ``up``, ``down``, ``least``, ``most``: of `Batteries`; ``i``: which; ``first``: first slot of
    the stay; ``start``: energy then. Writes ``ups``, ``downs`` (n,): most energy put in, and
    drawn; ``floor`` (n,) and ``top`` (n + 1,): energy at the start of each slot, ``top`` at the
    end, too. With [lo, hi] the energies
    that can stand at the end of a slot, power comes first and the most energy before the least:

        top = max(most, lo - down),  floor = min(least, hi + up, top),
        lo = max(lo - down, floor),  hi = min(hi + up, top).

    So every energy between ``floor`` and ``top`` that a slot may begin with leads to some that it
    may end with, and a session that arrives below its floor is charged to it at full power.
    """
    n = ups.shape[0]
    lo = hi = start
    if up.shape[1] == 1:
        ups[:] = up[i, 0]
        downs[:] = down[i, 0]
        top[:] = most[i, 0]
        fill_floor(start, least[i, 0], up[i, 0], floor)
        return
    floor[0] = top[0] = start
    for t in range(n):
        k = first + t
        ups[t] = up[i, k]
        downs[t] = down[i, k]
        hi += ups[t]
        lo -= downs[t]
        highest = max(most[i, k], lo)
        lowest = min(min(least[i, k], hi), highest)
        hi = min(hi, highest)
        lo = max(lo, lowest)
        top[t + 1] = highest
        if t + 1 < n:
            floor[t + 1] = lowest


@njit(cache=True, nogil=True)
def gather(charge_price, discharge_price, up, least, most, start, first, floor):
    """Find the runs of slots that are alike; returns how many there are.

    Where bounds are the same in all slots, prices and floor are equal within a run, so only its net
    movement matters, and a path that keeps the floor at both ends keeps it inside. Writes the first
    slot of each run, closed by n, into ``first`` (n + 1,), and the least energy at the start of
    each run into ``floor`` (n,).
    """
    n = charge_price.shape[0]
    runs = 0
    reached = start
    for t in range(n):
        lowest = min(least, reached)
        reached = min(reached + up, most)
        if (
            t == 0
            or charge_price[t] != charge_price[t - 1]
            or discharge_price[t] != discharge_price[t - 1]
            or lowest != floor[runs - 1]
        ):
            first[runs] = t
            floor[runs] = lowest
            runs += 1
    first[runs] = n
    return runs


@njit(cache=True, nogil=True)
def gather_bounds(
    charge_price, discharge_price, up, down, least, most, i, begin, start, first, rows
):
    """The same where bounds may change by slot; returns how many runs there are.

    Slots of a run have the same prices, powers and bounds on energy, those at its ends among them.
    ``rows``: floors are written into row 0, ``ups`` and ``downs`` of a slot into rows 3 and 4, tops
    into row 5; see `fill_bounds`.
    """
    n, runs = charge_price.shape[0], 0
    floor, ups, downs, top = rows[0, :n], rows[3, :n], rows[4, :n], rows[5, : n + 1]
    fill_bounds(up, down, least, most, i, begin, start, ups, downs, floor, top)
    before, above = -np.inf, np.inf  # floor and top of the slot before, at its start
    for t in range(n):
        low, high = floor[t], top[t]
        alike = (
            t > 0
            and t + 1 < n
            and charge_price[t] == charge_price[t - 1]
            and discharge_price[t] == discharge_price[t - 1]
            and ups[t] == ups[runs - 1]
            and downs[t] == downs[runs - 1]
            and before == low
            and low == floor[t + 1]
            and above == high
            and high == top[t + 1]
        )
        before, above = low, high
        if not alike:
            first[runs] = t
            floor[runs], ups[runs], downs[runs], top[runs] = low, ups[t], downs[t], high
            runs += 1
    top[runs] = top[n]
    first[runs] = n
    return runs


@njit(cache=True, nogil=True)
def spread(moved, first, up, down, change):
    """Spread the net movement of each run over its slots, as late as it can be.

    ``up``, ``down``: most in a slot of each run.
    """
    for k in range(moved.shape[0]):
        left = moved[k]
        for t in range(first[k + 1] - 1, first[k] - 1, -1):
            step = min(max(left, -down[k]), up[k])
            if -CRUMB < step < CRUMB:
                step = 0.0
            change[t] = step
            left -= step


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
