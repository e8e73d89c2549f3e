"""The least that sessions can cost the operator with answers to prices of a box: compiled.

A path is cheapest at the prices of the shared limits, slot by slot, among those that `answers`
leaves: between its energies at the ends of runs, and charging or discharging only in runs where
that can pay. Each of those sets holds every best response to every tariff of the box, so the cost
is a bound on theirs. There are few different sets; a table keeps what each was found to cost.

Energies are inside the battery [kWh], prices per kWh [currency/kWh].
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from hubwise.drivers.kernel import gather
from hubwise.pricing.proof.answers import (
    TIE,
    cut_back,
    cut_front,
    follow_between,
    insert,
    levels_by_worth,
)

Array = NDArray[np.float64]
Index = NDArray[np.int64]

# Energies that differ by less are the same [kWh].
CRUMB = 1e-9
# What ends this far apart does not meet [kWh].
ROUNDING = 1e-6
# How a run may go, as bits: it can charge, can discharge, must charge, must discharge throughout.
CAN_CHARGE, CAN_DRAIN, MUST_CHARGE, MUST_DRAIN = 1, 2, 4, 8
# Places in the table that are looked at for one key.
PROBES = 8
# Rows of scratch that a session takes.
ROWS = 25


class Stays(NamedTuple):
    """Sessions as columns (sessions,), and their runs of one price and one floor.

    ``first`` (sessions, slots + 1): first slot of each run, counted from arrival, closed by the
    length of the stay; ``runs`` (sessions,): how many; ``group``, ``floor`` (sessions, slots):
    price group of each run and least energy at its start. ``up`` and ``down`` are per slot, and
    ``surplus`` is what surplus energy is worth to the driver. ``limited``: whether drawing is
    limited, so that each kWh drawn may cost any more. ``price``, ``reward``: (hubs, slots) and
    (slots,), what a kWh drawn at a hub costs the operator, and what it gets on top for a kWh that
    vehicles discharge. ``free``: least cost of each session whatever it does. ``key``, ``kept``
    (sessions, places): the table.
    """

    hub: Index
    arrival: Index
    departure: Index
    up: Array
    down: Array
    charge_eff: Array
    discharge_eff: Array
    wear: Array
    start: Array
    target: Array
    reserve: Array
    top: Array
    surplus: Array
    limited: NDArray[np.bool_]
    first: Index
    runs: Index
    group: Index
    floor: Array
    price: Array
    reward: Array
    free: Array
    key: Index
    kept: Array


@njit(cache=True, nogil=True)
def find_runs(stays, group):
    """Write the runs of every stay; ``group`` (hubs, slots)."""
    for i in range(stays.hub.shape[0]):
        first, until = stays.arrival[i], stays.departure[i]
        groups = group[stays.hub[i], first:until].astype(np.float64)
        stays.runs[i] = gather(
            groups, groups, stays.up[i], stays.start[i], stays.reserve[i], stays.first[i],
            stays.floor[i],
        )  # fmt: skip
        for k in range(stays.runs[i]):
            stays.group[i, k] = np.int64(groups[stays.first[i, k]])


@njit(cache=True, nogil=True)
def _between(stays, i, level, charge, discharge, both_ways, scratch):
    """Between which energies each run of session ``i`` ends, and how far it may fall or rise.

    ``level`` (2,): lowest and highest price that all others are told from; ``charge`` (2, groups):
    of the charge prices less that price; ``discharge`` (2, groups): of the discharge prices less
    that price over ``both_ways``, a vehicle's efficiency there and back. Told so, every price and
    the worth of energy are less by the same, and the level hardly matters: not at all where all
    vehicles have that efficiency.
    """
    n = stays.runs[i]
    buy, sell = scratch[0:2, :n], scratch[2:4, :n]
    up, down = scratch[4, :n], scratch[5, :n]
    low_levels, high_levels = scratch[6:8, :n], scratch[8:10, :n]
    charge_eff, discharge_eff = stays.charge_eff[i], stays.discharge_eff[i]
    apart = discharge_eff / both_ways - 1.0 / charge_eff
    for k in range(n):
        g = stays.group[i, k]
        slots = stays.first[i, k + 1] - stays.first[i, k]
        up[k] = slots * stays.up[i]
        down[k] = slots * stays.down[i]
        for side in range(2):
            buy[side, k] = charge[side, g] / charge_eff
            other = level[side] if apart >= 0.0 else level[1 - side]
            sell[side, k] = discharge[side, g] * discharge_eff + apart * other - stays.wear[i]
        if stays.limited[i]:
            sell[0, k] = -np.inf
    floor = stays.floor[i, :n]
    slope, length = scratch[10], scratch[11]
    for side, levels in ((0, low_levels), (1, high_levels)):
        levels_by_worth(
            buy[side], sell[side], buy[1 - side], sell[1 - side], (2 * side - 1) * TIE, up, down,
            floor, stays.target[i], stays.top[i], stays.surplus[i] - level[1 - side] / charge_eff,
            slope, length, levels[0], levels[1],
        )  # fmt: skip
    low, high, fall, rise = scratch[12, :n], scratch[13, :n], scratch[14, :n], scratch[15, :n]
    follow_between(stays.start[i], up, down, low_levels, high_levels, low, high, fall, rise)
    for k in range(n):
        least = floor[k + 1] if k + 1 < n else stays.target[i]
        low[k] = max(low[k], least)
        high[k] = min(high[k], stays.top[i])


@njit(cache=True, nogil=True)
def _ways(stays, i, scratch):
    """How each run of session ``i`` may go, as bits, and a number for the whole set of answers."""
    n = stays.runs[i]
    key = np.int64(1469598103934665603)
    for k in range(n):
        low, high, fall, rise = scratch[12, k], scratch[13, k], scratch[14, k], scratch[15, k]
        # At prices at which buying and selling in one run can pay, both can be done in it.
        both = scratch[3, k] >= scratch[0, k] - TIE
        way = 0
        if rise > CRUMB or both:
            way |= CAN_CHARGE
        if fall < -CRUMB or both:
            way |= CAN_DRAIN
        if fall >= scratch[4, k] - CRUMB:
            way |= MUST_CHARGE
        if scratch[5, k] > 0.0 and rise <= CRUMB - scratch[5, k]:
            way |= MUST_DRAIN
        scratch[16, k] = way
        for part in (np.int64(low * 1e6 + 0.5), np.int64(high * 1e6 + 0.5), np.int64(way + 1)):
            key = (key ^ part) * np.int64(1099511628211)
        key ^= key >> np.int64(29)
    return key | np.int64(1)


@njit(cache=True, nogil=True)
def _cheapest_between(stays, i, scratch):
    """The least cost of session ``i`` among its set of answers [currency]."""
    buy, sell, least, most, low, high = scratch[17:23]
    offset = 0.0
    h, arrival = stays.hub[i], stays.arrival[i]
    charge_eff, discharge_eff = stays.charge_eff[i], stays.discharge_eff[i]
    for k in range(stays.runs[i]):
        way = int(scratch[16, k])
        last = stays.first[i, k + 1] - 1
        for t in range(stays.first[i, k], last + 1):
            most[t] = stays.up[i] if way & CAN_CHARGE else 0.0
            least[t] = -stays.down[i] if way & CAN_DRAIN else 0.0
            if way & MUST_CHARGE:
                least[t] = stays.up[i]
            if way & MUST_DRAIN:
                most[t] = -stays.down[i]
            low[t] = scratch[12, k] if t == last else stays.floor[i, k]
            high[t] = scratch[13, k] if t == last else stays.top[i]
            price = stays.price[h, arrival + t]
            buy[t] = price / charge_eff
            sell[t] = (price + stays.reward[arrival + t]) * discharge_eff - stays.wear[i]
            if sell[t] > buy[t] and least[t] < 0.0 < most[t]:
                # Where going in a circle would pay, the chord: below the cost everywhere.
                chord = (buy[t] * most[t] - sell[t] * least[t]) / (most[t] - least[t])
                offset += (sell[t] - chord) * least[t]
                buy[t] = chord
                sell[t] = chord
    n = stays.departure[i] - arrival
    return offset + _cheapest_path(n, stays.start[i], scratch)


@njit(cache=True, nogil=True)
def _cheapest_path(n, start, scratch):
    """Backward pass over the slots: cost of the cheapest path that keeps all its ranges.

    Where rounding leaves no path there is nothing to say, which is the least of all costs.
    """
    buy, sell, least, most, low, high = scratch[17:23]
    slope, length = scratch[23], scratch[24]
    slope[0], length[0] = 0.0, max(high[n - 1] - low[n - 1], 0.0)
    at, pieces, cost = low[n - 1], 1, 0.0
    for t in range(n - 1, -1, -1):
        cost += buy[t] * max(most[t], 0.0) + sell[t] * min(most[t], 0.0)
        at -= most[t]
        charged = max(most[t], 0.0) - max(least[t], 0.0)
        drawn = min(most[t], 0.0) - min(least[t], 0.0)
        pieces = insert(slope, length, pieces, -buy[t], charged)
        pieces = insert(slope, length, pieces, -sell[t], drawn)
        lowest = start if t == 0 else low[t - 1]
        highest = start if t == 0 else high[t - 1]
        if lowest > at:
            pieces, change = cut_front(slope, length, pieces, lowest - at)
            cost += change
            at = lowest
        end = at
        for k in range(pieces):
            end += length[k]
        if end < lowest - ROUNDING or at > highest + ROUNDING:
            return -np.inf
        if end > highest:
            pieces = cut_back(length, pieces, end - highest)
    return cost


@njit(cache=True, nogil=True)
def _least_of(stays, i, level, charge, discharge, both_ways, scratch):
    """The least cost of one session in a box of prices, kept in the table [currency]."""
    _between(stays, i, level, charge, discharge, both_ways, scratch)
    key = _ways(stays, i, scratch)
    places = stays.key.shape[1]
    at = (key ^ (key >> np.int64(17))) % places
    for _ in range(PROBES):
        if stays.key[i, at] == key:
            return stays.kept[i, at]
        if stays.key[i, at] == 0:
            break
        at = (at + 1) % places
    # What a discharge limit costs is in `free` only: the larger of two bounds is one.
    found = max(_cheapest_between(stays, i, scratch), stays.free[i])
    stays.key[i, at] = key
    stays.kept[i, at] = found
    return found


@njit(cache=True, nogil=True, parallel=True)
def least_in_box(stays, chosen, level, charge, discharge, both_ways, threads, least):
    """Write the least cost of the sessions ``chosen`` in a box of prices into ``least``.

    The box as `_between` has it; ``chosen`` and ``least`` of one shape.
    """
    width = 2 * stays.floor.shape[1] + 4
    for part in prange(threads):
        scratch = np.empty((ROWS, width))
        for at in range(part, chosen.shape[0], threads):
            least[at] = _least_of(stays, chosen[at], level, charge, discharge, both_ways, scratch)
