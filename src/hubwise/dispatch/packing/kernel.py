"""Packing as a compiled kernel: the same energy at the same price, in fewer and fuller slots.

A *job* is what one session charges (or discharges) in a row of slots at one price: they cost the
driver the same, and energy has to be moved in some of them. The session's energy stays within its
bounds; the hub's total stays as near as can be to what was dispatched.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hubwise.compiled import njit
from hubwise.domain.arrays import Array, Index

# Powers and energies that differ by less are the same [kW, kWh].
SAME = 1e-9
HALVINGS = 60
# Rounds over all jobs, and rounds in which slots stay and powers alone are levelled.
ROUNDS, LEVEL_ROUNDS = 6, 12


class Jobs(NamedTuple):
    """Jobs of one direction; of job j the rows ``begin[j] <= k < begin[j + 1]``.

    ``session``, ``energy`` [kW slots], ``least`` [kW]: of every job. ``slot``, ``cap`` [kW],
    ``there`` (share of the slot in which the car is there, and which its least power counts for):
    of every row, in time. ``begin`` has one entry more than there are jobs.
    """

    session: Index
    energy: Array
    least: Array
    begin: Index
    slot: Index
    cap: Array
    there: Array


class Room(NamedTuple):
    """Of every session ``hub`` and ``gain``, kWh in the battery per kW slot; (sessions,).

    ``low``, ``high``: least and most energy at the end of each slot; (sessions, slots) [kWh].
    """

    hub: Index
    gain: Array
    low: Array
    high: Array


class Ways(NamedTuple):
    """Circuits and phases, which packing keeps within their limits.

    ``load`` (lines, slots), ``limit`` (lines,) [kW]; through which lines which share of each
    session's draw flows: those of session s stand at ``begin[s]`` to before ``begin[s + 1]``.
    ``sign``: 1 where the jobs charge, -1 where they discharge; ``soft``: whether they may be passed
    on the way.
    """

    load: Array
    limit: Array
    begin: Index
    line: Index
    share: Array
    sign: float
    soft: bool


@njit(cache=True, nogil=True)
def move_on_lines(ways, s, slot, power, sign):
    """Add a session's power to what flows through its lines (``sign`` 1), or take it away (-1)."""
    for e in range(ways.begin[s], ways.begin[s + 1]):
        for k in range(len(slot)):
            ways.load[ways.line[e], slot[k]] += sign * ways.sign * ways.share[e] * power[k]


@njit(cache=True, nogil=True)
def find_cap(ways, s, slot, most, was, soft, cap, wish):
    """Most power of a session in each slot, and less to wish for, by what its lines have left.

    Never less than ``was``: what was dispatched stays possible. Where ``soft``, a line's others do
    but lessen the wish: who moves first may crowd a line that they then leave.
    """
    first, last = ways.begin[s], ways.begin[s + 1]
    for k in range(len(slot)):
        cap[k] = most[k]
        if last == first:
            continue
        left, alone = np.inf, np.inf
        for e in range(first, last):
            row, share = ways.line[e], ways.share[e]
            left = min(left, (ways.limit[row] - ways.sign * ways.load[row, slot[k]]) / share)
            alone = min(alone, ways.limit[row] / share)
        wish[k] = min(wish[k], left)
        cap[k] = max(min(most[k], (alone if soft else left) - SAME), was[k])


@njit(cache=True, nogil=True)
def pack(jobs, room, ways, energy, power, total, target, order, start):
    """Go round the jobs; changes ``power``, ``energy`` (sessions, slots), ``total`` (hubs, slots).

    ``target``: what the hubs' totals should be; ``order``: of the visits; ``start``: what a start
    counts against missing a total by the highest power, squared. A job that fits nowhere stays.
    """
    longest = 1
    for j in range(len(jobs.energy)):
        longest = max(longest, jobs.begin[j + 1] - jobs.begin[j])
    wish, floor, top, was, caps = np.empty((5, longest))
    on = np.empty(longest, np.bool_)
    cost = np.empty((longest + 1, longest + 1, 2))
    came = np.empty((longest + 1, longest + 1, 2), np.bool_)
    for turn in range(ROUNDS + LEVEL_ROUNDS):
        for j in order:
            a, b = jobs.begin[j], jobs.begin[j + 1]
            if b - a < 2:
                continue
            s, slot, cap, there = jobs.session[j], jobs.slot[a:b], caps[: b - a], jobs.there[a:b]
            mine = power[s]
            for k in range(b - a):
                was[k] = mine[slot[k]]
                on[k] = was[k] > SAME
            move(slot, was, -1.0, mine, energy[s], total[room.hub[s]], room.gain[s])
            move_on_lines(ways, s, slot, was, -1.0)
            for k in range(b - a):
                wish[k] = target[room.hub[s], slot[k]] - total[room.hub[s], slot[k]]
            soft = ways.soft and turn < ROUNDS
            find_cap(ways, s, slot, jobs.cap[a:b], was, soft, cap, wish)
            find_room(slot, energy[s], room.low[s], room.high[s], room.gain[s], floor, top)
            if turn < ROUNDS:
                choose(
                    jobs.energy[j], jobs.least[j], slot, cap, there, mine, wish, floor, top, was,
                    on, cost, came, start * cap.max() ** 2,
                )  # fmt: skip
            level(jobs.energy[j], jobs.least[j], cap, there, wish, floor, top, on, was)
            move(slot, was, 1.0, mine, energy[s], total[room.hub[s]], room.gain[s])
            move_on_lines(ways, s, slot, was, 1.0)


@njit(cache=True, nogil=True)
def move(slot, power, sign, mine, energy, total, gain):
    """Put a job's power in (``sign`` 1) or take it out (-1)."""
    moved, first, size = 0.0, slot[0], len(slot)
    for t in range(first, len(energy)):
        if t < first + size:
            mine[t] = power[t - first] if sign > 0.0 else 0.0
            total[t] += sign * power[t - first]
            moved += sign * power[t - first] * gain
        energy[t] += moved


@njit(cache=True, nogil=True)
def find_room(slot, energy, low, high, gain, floor, top):
    """Least and most of a job's power that may be summed up after each of its rows [kW slots]."""
    for k in range(len(slot)):
        end = slot[k + 1] if k + 1 < len(slot) else len(energy)
        floor[k], top[k] = -np.inf, np.inf
        for t in range(slot[k], end):
            less, more = (low[t] - energy[t]) / gain, (high[t] - energy[t]) / gain
            floor[k] = max(floor[k], min(less, more))
            top[k] = min(top[k], max(less, more))


@njit(cache=True, nogil=True)
def choose(energy, least, slot, cap, there, mine, wish, floor, top, was, on, cost, came, switch):
    """The slots in which the job is best on; ``on`` stays where none are better."""
    size = len(slot)
    fewest = max(int(np.ceil(energy / cap.max() - SAME)), 1)
    most = size if least <= 0.0 else min(size, int(np.floor(energy / least + SAME)))
    best = cost_of(was, least, slot, there, mine, wish, switch)
    for trial in range(5):
        n = max(fewest, min(fewest + trial, most))
        if trial == 3:
            n = (fewest + max(most, fewest)) // 2
        if trial == 4:
            n = max(most, fewest)
        if n > size:
            break
        value = count_slots(energy / n, n, slot, cap, mine, wish, floor, top, cost, came, switch)
        if value < best - SAME:
            best = value
            trace_back(n, slot, mine, switch, cost, came, on)


@njit(cache=True, nogil=True)
def cost_of(power, least, slot, there, mine, wish, switch):
    """What the job's power costs as it is; infinite where some of it is below the least."""
    value, before = 0.0, slot[0] > 0 and mine[slot[0] - 1] > SAME
    for k in range(len(slot)):
        on = power[k] > SAME
        if on and power[k] < least * there[k] - SAME:
            return np.inf
        value += power[k] * (power[k] - 2.0 * wish[k])
        value += switch if on and not before else 0.0
        before = on
    return value - (joined(slot, mine, switch) if before else 0.0)


@njit(cache=True, nogil=True)
def count_slots(power, n, slot, cap, mine, wish, floor, top, cost, came, switch):
    """Least cost of being on in exactly ``n`` slots with ``power``: a dynamic programme.

    ``cost[k, c, o]``: before row k, c slots on so far, the last one on or not; ``came``: whether
    the one before was on.
    """
    size = len(slot)
    cost[: size + 1, : n + 1] = np.inf
    was_on = slot[0] > 0 and mine[slot[0] - 1] > SAME
    cost[0, 0, int(was_on)] = 0.0
    for k in range(size):
        here = power * power - 2.0 * power * wish[k]
        fits = cap[k] >= power - SAME
        for c in range(min(k, n) + 1):
            for o in range(2):
                value = cost[k, c, o]
                if value == np.inf:
                    continue
                done = c * power
                if done >= floor[k] - SAME and done <= top[k] + SAME and value < cost[k + 1, c, 0]:
                    cost[k + 1, c, 0] = value
                    came[k + 1, c, 0] = o == 1
                done += power
                value += here + (0.0 if o == 1 else switch)
                if not fits or c == n or done < floor[k] - SAME or done > top[k] + SAME:
                    continue
                if value < cost[k + 1, c + 1, 1]:
                    cost[k + 1, c + 1, 1] = value
                    came[k + 1, c + 1, 1] = o == 1
    return min(cost[size, n, 0], cost[size, n, 1] - joined(slot, mine, switch))


@njit(cache=True, nogil=True)
def joined(slot, mine, switch):
    """What being on in the last row saves, where the session is on thereafter."""
    after = slot[-1] + 1
    return switch if after < len(mine) and mine[after] > SAME else 0.0


@njit(cache=True, nogil=True)
def trace_back(n, slot, mine, switch, cost, came, on):
    """The slots that the dynamic programme chose."""
    size, c = len(slot), n
    o = int(cost[size, n, 1] - joined(slot, mine, switch) < cost[size, n, 0])
    for k in range(size, 0, -1):
        before = int(came[k, c, o])
        on[k - 1] = o == 1
        c -= o
        o = before


@njit(cache=True, nogil=True)
def level(energy, least, cap, there, wish, floor, top, on, power):
    """Powers of the slots that are on, as near to ``wish`` as can be; ``power`` as it was if none.

    As high as can be where the least is too much.
    """
    size, n, most, high, low = len(cap), 0.0, 0.0, -np.inf, np.inf
    for k in range(size):
        if on[k]:
            n += there[k]
            most += cap[k]
            high, low = max(high, wish[k]), min(low, wish[k] - cap[k])
    if n == 0.0 or most < energy - SAME:
        return
    lowest = min(least, energy / n)
    high -= lowest
    for _ in range(HALVINGS):
        middle = 0.5 * (high + low)
        filled = 0.0
        for k in range(size):
            if on[k]:
                filled += min(max(wish[k] - middle, min(lowest * there[k], cap[k])), cap[k])
        if filled > energy:
            low = middle
        else:
            high = middle
    if not enact(energy, lowest, cap, there, wish, high, floor, top, on, power):
        enact(energy, energy / n, cap, there, wish, np.inf, floor, top, on, power)


@njit(cache=True, nogil=True)
def enact(energy, lowest, cap, there, wish, price, floor, top, on, power):
    """Write the powers at a price of a kW, if the session's energy keeps its bounds; tell so."""
    size, left = len(cap), energy
    draft = np.zeros(size)
    for k in range(size):
        if on[k]:
            draft[k] = min(max(wish[k] - price, min(lowest * there[k], cap[k])), cap[k])
            left -= draft[k]
    done = 0.0
    for k in range(size):
        # What rounding leaves goes where there is room.
        if on[k]:
            least = min(lowest * there[k], cap[k])
            more = min(max(left, least - draft[k]), cap[k] - draft[k])
            draft[k] += more
            left -= more
        done += draft[k]
        if done < floor[k] - SAME or done > top[k] + SAME:
            return False
    if abs(left) > SAME:
        return False
    power[:size] = draft
    return True
