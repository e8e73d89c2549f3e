"""A stay's bounds slot by slot, and the runs of slots that are alike, as compiled kernels."""

from __future__ import annotations

import numpy as np

from hubwise.compiled import njit

# Steps smaller than this are rounding, not schedules [kWh].
CRUMB = 1e-11


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
    varies = up.shape[1] > 1
    # In a horizon of one slot nothing varies, and a bound may lie below the arrival all the same.
    if not varies and start <= most[i, 0]:
        ups[:] = up[i, 0]
        downs[:] = down[i, 0]
        top[:] = most[i, 0]
        fill_floor(start, least[i, 0], up[i, 0], floor)
        return
    floor[0] = top[0] = start
    for t in range(n):
        k = first + t if varies else 0
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
    """The same as `gather` where bounds may change by slot; returns how many runs there are.

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
