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

from hubwise.compiled import njit
from hubwise.domain.arrays import Array, Index
from hubwise.drivers.runs import gather, gather_bounds
from hubwise.pricing.family_bound.answers import (
    TIE,
    cut_back,
    cut_front,
    follow_between,
    insert,
    thresholds_by_worth,
)

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


class SessionRuns(NamedTuple):
    """The runs of one price and one floor of every session, and what its answers cost.

    ``first`` (sessions, slots + 1): first slot of each run, counted from arrival, closed by the
    length of the stay; ``runs`` (sessions,): how many; ``group``, ``floor``, ``up``, ``down``
    (sessions, slots): price group of each run, least energy at its start, most energy put in and
    drawn in each of its slots; ``top`` (sessions, slots + 1): most energy at its start, and at the
    end. ``price`` (places, slots): what a kWh drawn there costs the operator; ``charge_worth``,
    ``discharge_worth`` (groups of terms, slots): what a kWh charged, or discharged, is worth
    beside. ``free`` (sessions,): least cost of each session whatever it does.
    ``key``, ``kept`` (sessions, places): the table.
    """

    first: Index
    runs: Index
    group: Index
    floor: Array
    top: Array
    up: Array
    down: Array
    price: Array
    charge_worth: Array
    discharge_worth: Array
    free: Array
    key: Index
    kept: Array


@njit(cache=True, nogil=True)
def find_runs(units, sessions, group):
    """Write the runs of every stay; ``group`` (hubs, slots)."""
    slots = group.shape[1]
    rows = np.empty((6, slots + 1))
    varies = units.up.shape[1] > 1
    for i in range(units.hub.shape[0]):
        begin, n = units.arrival[i], units.departure[i] - units.arrival[i]
        groups = group[units.hub[i], begin : begin + n].astype(np.float64)
        first, start = sessions.first[i], units.start[i]
        if varies:
            runs = gather_bounds(
                groups, groups, units.up, units.down, units.least, units.most, i, begin, start,
                first, rows,
            )  # fmt: skip
        else:
            most = units.most[i, 0]
            runs = gather(
                groups, groups, units.up[i, 0], units.least[i, 0], most, start, first, rows[0]
            )
            rows[3, :runs], rows[4, :runs] = units.up[i, 0], units.down[i, 0]
            rows[5, : runs + 1] = most
        sessions.runs[i] = runs
        sessions.floor[i, :runs], sessions.top[i, : runs + 1] = rows[0, :runs], rows[5, : runs + 1]
        sessions.up[i, :runs], sessions.down[i, :runs] = rows[3, :runs], rows[4, :runs]
        for k in range(runs):
            sessions.group[i, k] = np.int64(groups[first[k]])


@njit(cache=True, nogil=True)
def _between(
    first, group, floor, slot_up, slot_down, charge_eff, discharge_eff, wear, start, target, top,
    surplus, limited, level, charge, discharge, both_ways, scratch,
):  # fmt: skip
    """Between which energies each run of a session ends, and how far it may fall or rise.

    ``level`` (2,): lowest and highest price that all others are told from; ``charge`` (2, groups):
    of the charge prices less that price; ``discharge`` (2, groups): of the discharge prices less
    that price over ``both_ways``, a vehicle's efficiency there and back. Told so, every price and
    the worth of energy are less by the same, and the level hardly matters: not at all where all
    vehicles have that efficiency. ``limited``: whether drawing is, so that each kWh drawn may cost
    any more.
    """
    n = group.shape[0]
    # Rows by themselves: a slice of several is not contiguous, and took twice as long.
    buy, dear_buy, sell, dear_sell = scratch[0, :n], scratch[1, :n], scratch[2, :n], scratch[3, :n]
    up, down, slope, length = scratch[4, :n], scratch[5, :n], scratch[10], scratch[11]
    low_charge, low_drain = scratch[6, :n], scratch[7, :n]
    high_charge, high_drain = scratch[8, :n], scratch[9, :n]
    apart = discharge_eff / both_ways - 1.0 / charge_eff
    lower, upper = apart * level[0], apart * level[1]
    if apart < 0.0:
        lower, upper = upper, lower
    for k in range(n):
        g = group[k]
        slots = first[k + 1] - first[k]
        up[k] = slots * slot_up[k]
        down[k] = slots * slot_down[k]
        buy[k] = charge[0, g] / charge_eff
        dear_buy[k] = charge[1, g] / charge_eff
        sell[k] = discharge[0, g] * discharge_eff + lower - wear
        dear_sell[k] = discharge[1, g] * discharge_eff + upper - wear
        if limited:
            sell[k] = -np.inf
    thresholds_by_worth(
        buy, sell, dear_buy, dear_sell, -TIE, up, down, floor, target, top,
        surplus - level[1] / charge_eff, slope, length, low_charge, low_drain,
    )  # fmt: skip
    thresholds_by_worth(
        dear_buy, dear_sell, buy, sell, TIE, up, down, floor, target, top,
        surplus - level[0] / charge_eff, slope, length, high_charge, high_drain,
    )  # fmt: skip
    low, high, fall, rise = scratch[12, :n], scratch[13, :n], scratch[14, :n], scratch[15, :n]
    follow_between(
        start, up, down, low_charge, low_drain, high_charge, high_drain, low, high, fall, rise
    )
    for k in range(n):
        least = floor[k + 1] if k + 1 < n else target
        low[k] = max(low[k], least)
        high[k] = min(high[k], top[k + 1])


@njit(cache=True, nogil=True)
def _ways(n, scratch):
    """How each run may go, as bits, and a number for the whole set of answers."""
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
def _cheapest_between(
    price, charge_worth, discharge_worth, first, floor, up, down, charge_eff, discharge_eff, wear,
    start, top, scratch,
):  # fmt: skip
    """The least cost of a session among its set of answers [currency].

    ``price``, ``charge_worth``, ``discharge_worth``: those of the stay, shape (slots,).
    """
    buy, sell, least, most = scratch[17], scratch[18], scratch[19], scratch[20]
    low, high = scratch[21], scratch[22]
    offset = 0.0
    for k in range(floor.shape[0]):
        way = int(scratch[16, k])
        last = first[k + 1] - 1
        for t in range(first[k], last + 1):
            most[t] = up[k] if way & CAN_CHARGE else 0.0
            least[t] = -down[k] if way & CAN_DRAIN else 0.0
            if way & MUST_CHARGE:
                least[t] = up[k]
            if way & MUST_DRAIN:
                most[t] = -down[k]
            low[t] = scratch[12, k] if t == last else floor[k]
            high[t] = scratch[13, k] if t == last else top[k]
            buy[t] = (price[t] - charge_worth[t]) / charge_eff
            sell[t] = (price[t] + discharge_worth[t]) * discharge_eff - wear
            if sell[t] > buy[t] and least[t] < 0.0 < most[t]:
                # Where going in a circle would pay, the chord: below the cost everywhere.
                chord = (buy[t] * most[t] - sell[t] * least[t]) / (most[t] - least[t])
                offset += (sell[t] - chord) * least[t]
                buy[t] = chord
                sell[t] = chord
    return offset + _cheapest_path(price.shape[0], start, scratch)


@njit(cache=True, nogil=True)
def _cheapest_path(n, start, scratch):
    """Backward pass over the slots: cost of the cheapest path that keeps all its ranges.

    Where rounding leaves no path there is nothing to say, which is the least of all costs.
    """
    buy, sell, least, most = scratch[17], scratch[18], scratch[19], scratch[20]
    low, high = scratch[21], scratch[22]
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
def _place(keys, key):
    """Where ``key`` stands in a session's row of the table, or would."""
    places = keys.shape[0]
    at = (key ^ (key >> np.int64(17))) % places
    for _ in range(PROBES):
        if keys[at] == key or keys[at] == 0:
            break
        at = (at + 1) % places
    return at


@njit(cache=True, nogil=True)
def least_in_box(units, sessions, chosen, level, charge, discharge, both_ways, least):
    """Write the least cost of the sessions ``chosen`` in a box of prices into ``least``.

    ``units``: the sessions as the dispatch has them. The box as `_between` has it; ``chosen`` and
    ``least`` of one shape. On one core: a box takes less than a millisecond, and on cores that
    others use as well two waited for each other ten times as long.
    """
    # A tuple of arrays is dear to hand on: its members are counted at every call.
    first, runs, group, floor = sessions.first, sessions.runs, sessions.group, sessions.floor
    price, free, top = sessions.price, sessions.free, sessions.top
    charge_worth, discharge_worth = sessions.charge_worth, sessions.discharge_worth
    keys, kept = sessions.key, sessions.kept
    up, down, hub, limit = sessions.up, sessions.down, units.hub, units.limit
    charge_eff, discharge_eff, wear = units.charge_eff, units.discharge_eff, units.wear
    start, target, surplus, terms = units.start, units.target, units.surplus, units.group
    arrival, departure = units.arrival, units.departure
    scratch = np.empty((ROWS, 2 * floor.shape[1] + 4))
    for at in range(chosen.shape[0]):
        i = chosen[at]
        n = runs[i]
        _between(
            first[i], group[i, :n], floor[i, :n], up[i, :n], down[i, :n], charge_eff[i],
            discharge_eff[i], wear[i], start[i], target[i], top[i, : n + 1], surplus[i],
            limit[i] < np.inf, level, charge, discharge, both_ways, scratch,
        )  # fmt: skip
        key = _ways(n, scratch)
        place = _place(keys[i], key)
        if keys[i, place] != key:
            stay = slice(arrival[i], departure[i])
            found = _cheapest_between(
                price[hub[i], stay], charge_worth[terms[i], stay], discharge_worth[terms[i], stay],
                first[i], floor[i, :n], up[i], down[i], charge_eff[i], discharge_eff[i], wear[i],
                start[i], top[i], scratch,
            )  # fmt: skip
            keys[i, place] = key
            # What a discharge limit costs is in `free` only: the larger of two bounds is one.
            kept[i, place] = max(found, free[i])
        least[at] = kept[i, place]
