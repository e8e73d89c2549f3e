"""Going round the units: the compiled heart of the dispatch.

A *unit* is anything that schedules a battery: a session, or a slice of a station battery. The
dispatch minimises what the whole costs the operator, plus an augmented Lagrangian of the shared
limits, over the product of the units' own sets. Each visit solves one unit exactly at the present
marginal prices and moves towards the answer by an exact line search (block-coordinate Frank-Wolfe).

A driver's set is the face of its cheapest schedules: its own prices come first, and the marginal
prices only choose among ties, by a weight so small (`TIE`) that they cannot buy regret. A convex
mixture of cheapest schedules is a cheapest schedule, so every step keeps zero regret.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from hubwise.domain.arrays import Array, Flags, Index
from hubwise.drivers.kernel import cheapest, fill_floor

LINE_SEARCH_ROUNDS = 12
LEVEL_ROUNDS = 60


class Units(NamedTuple):
    """Sessions and station slices, one row each; all but the last two are constants.

    ``own`` is 1 where the unit answers to posted prices (a driver) and 0 where it is the
    operator's; ``weight`` multiplies the marginal prices: `TIE`-sized for drivers, 1 for the
    operator's own. ``rewarded`` is 1 where discharging earns the incentive. ``change`` holds the
    schedule (units, slots) [kWh in the battery], ``placed`` whether it has one yet.
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
    limit: Array
    own: Array
    weight: Array
    rewarded: Array
    change: Array
    placed: Flags


class Board(NamedTuple):
    """What the units see of each other; powers in kW, prices in currency/kWh.

    ``net`` (hubs, slots): hub net draw. ``rows`` (rows, slots): shared quantities, affine in
    ``net`` with ``coefficient`` (rows, hubs, slots); row 0 is the feeder head, row 1 its negative.
    ``bound``, ``multiplier`` (rows, slots): their upper limits and multipliers.
    ``import_level``, ``export_level`` (hubs,) with ``import_multiplier``, ``export_multiplier``
    (hubs, slots): the same for each hub's own connection. ``purchase``, ``feed_in``, ``incentive``
    (slots,). ``solar``, ``used`` (hubs, slots): solar power that there is, and how much of it is in
    ``net`` [kW]. ``kink``: half-width of the band in which purchase passes into feed-in [kW].
    ``stiffness``: of the limits that all share, ``hub_stiffness``: of each hub's own [currency/kWh
    per kW]. ``flatness`` pulls the head to ``middle``, ``hub_flatness`` each hub to its
    ``hub_middle`` (hubs,).
    """

    net: Array
    rows: Array
    coefficient: Array
    bound: Array
    multiplier: Array
    import_level: Array
    export_level: Array
    import_multiplier: Array
    export_multiplier: Array
    purchase: Array
    feed_in: Array
    incentive: Array
    solar: Array
    used: Array
    slot_hours: float
    kink: float
    stiffness: float
    hub_stiffness: float
    flatness: float
    middle: float
    hub_flatness: float
    hub_middle: Array


@njit(cache=True, nogil=True, inline="always")
def _price_at(board, h, t, step):
    """Price of the next kW at hub ``h`` in slot ``t`` if its draw rose by ``step``."""
    net = board.net[h, t] + step
    share = min(max((net + board.kink) / (2.0 * board.kink), 0.0), 1.0)
    price = board.feed_in[t] + share * (board.purchase[t] - board.feed_in[t])
    stiffness = board.stiffness
    for k in range(board.rows.shape[0]):
        slope = board.coefficient[k, h, t]
        over = board.rows[k, t] + slope * step - board.bound[k, t]
        price += slope * max(board.multiplier[k, t] + stiffness * over, 0.0)
    slope = board.coefficient[0, h, t]
    price += board.flatness * slope * (board.rows[0, t] + slope * step - board.middle)
    price += board.hub_flatness * (net - board.hub_middle[h])
    stiffness = board.hub_stiffness
    price += max(board.import_multiplier[h, t] + stiffness * (net - board.import_level[h]), 0.0)
    price -= max(board.export_multiplier[h, t] + stiffness * (-net - board.export_level[h]), 0.0)
    return price


@njit(cache=True, nogil=True, inline="always")
def marginal(board, h, t, step):
    """Marginal price at hub ``h`` in slot ``t`` if its draw rose by ``step`` [currency/kWh].

    Solar power goes with it: what is curtailed is used first, and it is curtailed before anybody
    is paid to draw.
    """
    if board.solar[h, t] <= 0.0:
        return _price_at(board, h, t, step)
    price = _price_at(board, h, t, step - (board.solar[h, t] - board.used[h, t]))
    if price >= 0.0:
        return price
    return min(_price_at(board, h, t, step + board.used[h, t]), 0.0)


@njit(cache=True, nogil=True)
def marginal_prices(board):
    """Marginal price at every hub in every slot; shape (hubs, slots) [currency/kWh]."""
    prices = np.empty_like(board.net)
    for h in range(prices.shape[0]):
        for t in range(prices.shape[1]):
            prices[h, t] = marginal(board, h, t, 0.0)
    return prices


@njit(cache=True, nogil=True, inline="always")
def _power(change, charge_eff, discharge_eff, hours):
    """Draw at the charger [kW] of an energy change in the battery [kWh]."""
    if change > 0.0:
        return change / (charge_eff * hours)
    return change * discharge_eff / hours


@njit(cache=True, nogil=True)
def _slope(board, h, first, draw, constant, share):
    """Derivative of the objective at ``share`` of the step ``draw`` (n,) [currency]."""
    total = constant
    for k in range(draw.shape[0]):
        if draw[k] != 0.0:
            total += board.slot_hours * draw[k] * marginal(board, h, first + k, share * draw[k])
    return total


@njit(cache=True, nogil=True)
def _line_search(board, h, first, draw, constant):
    """Best share of the step in [0, 1]; the derivative rises along it (regula falsi, Illinois)."""
    low, at_low = 0.0, _slope(board, h, first, draw, constant, 0.0)
    if at_low >= 0.0:
        return 0.0, 0.0
    gap = -at_low
    high, at_high = 1.0, _slope(board, h, first, draw, constant, 1.0)
    if at_high <= 0.0:
        return 1.0, gap
    side = 0
    share = 0.5
    for _ in range(LINE_SEARCH_ROUNDS):
        share = (low * at_high - high * at_low) / (at_high - at_low)
        value = _slope(board, h, first, draw, constant, share)
        if abs(value) <= 1e-6 * gap:
            break
        if value < 0.0:
            low, at_low = share, value
            if side == -1:
                at_high *= 0.5
            side = -1
        else:
            high, at_high = share, value
            if side == 1:
                at_low *= 0.5
            side = 1
    return share, gap


@njit(cache=True, nogil=True)
def put(board, h, first, draw, share):
    """Add ``share`` of the draw (n,) [kW] to the board."""
    for k in range(draw.shape[0]):
        step = share * draw[k]
        if step != 0.0:
            t = first + k
            board.net[h, t] += step
            for row in range(board.rows.shape[0]):
                board.rows[row, t] += board.coefficient[row, h, t] * step


@njit(cache=True, nogil=True)
def _prices_of(units, board, u, charge_price, discharge_price, buy, sell):
    """Write what unit ``u`` pays for a kWh put into, and gets for a kWh drawn from, its battery.

    A driver has its posted prices and its wear, and then once more what the operator has to pay,
    weighed so little that it makes no difference but among ties; where limits press hard it weighs
    less, for regret to stay where it is. (On a tie the driver's payments fall by what its wear
    rises, so that wear counts for the operator, too.) Where the reward would pay for going in a
    circle, it is cut to what makes that idle. Returns the weight of surplus energy.
    """
    h, first = units.hub[u], units.arrival[u]
    own = units.own[u]
    largest = 1.0
    for k in range(buy.shape[0]):
        buy[k] = marginal(board, h, first + k, 0.0)
        sell[k] = buy[k] + units.rewarded[u] * board.incentive[first + k]
        largest = max(largest, abs(buy[k]), abs(sell[k]))
    weight = units.weight[u] / largest if own > 0.0 else units.weight[u]
    for k in range(buy.shape[0]):
        paid = own * charge_price[h, first + k] + weight * buy[k]
        earned = own * discharge_price[h, first + k] + weight * sell[k]
        buy[k] = paid / units.charge_eff[u]
        wear = (own + weight) * units.wear[u]
        sell[k] = min(earned * units.discharge_eff[u] - wear, buy[k])
    return own + weight


@njit(cache=True, nogil=True)
def _constant_slope(units, board, u, answer):
    """What wear, incentive and surplus add to the objective on the way to ``answer`` [currency]."""
    first = units.arrival[u]
    total = 0.0
    for k in range(answer.shape[0]):
        before, after = units.change[u, first + k], answer[k]
        drawn = max(-after, 0.0) - max(-before, 0.0)
        reward = units.rewarded[u] * board.incentive[first + k] * units.discharge_eff[u]
        total += (units.wear[u] - reward) * drawn - units.surplus[u] * (after - before)
    return total


@njit(cache=True, nogil=True)
def _draw_between(units, u, answer, share, hours, draw):
    """Write how the unit's draw at the charger changes on ``share`` of the way to ``answer``."""
    first = units.arrival[u]
    charge_eff, discharge_eff = units.charge_eff[u], units.discharge_eff[u]
    for k in range(answer.shape[0]):
        before = units.change[u, first + k]
        after = before + share * (answer[k] - before)
        old = _power(before, charge_eff, discharge_eff, hours)
        draw[k] = _power(after, charge_eff, discharge_eff, hours) - old


@njit(cache=True, nogil=True)
def go_round(units, board, charge_price, discharge_price, order):
    """Visit every unit of ``order`` once; returns the sum of their gaps [currency].

    The gap of a unit is what its exact answer would gain at the prices it sees: the sum over all
    units is a duality gap when nobody moves.
    """
    slots = board.net.shape[1]
    work = np.empty((6, 2 * slots + 2))
    rows = np.empty((7, slots))
    total_gap = 0.0
    for u in order:
        h, first = units.hub[u], units.arrival[u]
        n = units.departure[u] - first
        buy, sell, ups, downs = rows[0, :n], rows[1, :n], rows[2, :n], rows[3, :n]
        floor, answer, draw = rows[4, :n], rows[5, :n], rows[6, :n]
        felt = _prices_of(units, board, u, charge_price, discharge_price, buy, sell)
        ups[:] = units.up[u]
        downs[:] = units.down[u]
        fill_floor(units.start[u], units.reserve[u], units.up[u], floor)
        cheapest(
            buy, sell, ups, downs, floor, units.start[u], units.target[u], units.top[u],
            felt * units.surplus[u], units.limit[u], work, answer,
        )  # fmt: skip
        share, gap = 1.0, 0.0
        if units.placed[u]:
            constant = _constant_slope(units, board, u, answer)
            _draw_between(units, u, answer, 1.0, board.slot_hours, draw)
            share, gap = _line_search(board, h, first, draw, constant)
        if share == 0.0:
            continue
        total_gap += gap
        units.placed[u] = True
        _draw_between(units, u, answer, share, board.slot_hours, draw)
        for k in range(n):
            units.change[u, first + k] += share * (answer[k] - units.change[u, first + k])
        put(board, h, first, draw, 1.0)
    return total_gap


@njit(cache=True, nogil=True)
def _force(values, multiplier, stiffness, level):
    total = 0.0
    for t in range(values.shape[0]):
        total += max(multiplier[t] + stiffness * (values[t] - level), 0.0)
    return total


@njit(cache=True, nogil=True)
def head_level(board, span, ceiling):
    """The peak level that balances pressing down and filling up, at most ``ceiling`` [kW].

    Row 0 (the head) must stay below the level, row 1 above the level less ``span``.
    """
    low = board.rows[0].min() - span
    high = min(board.rows[0].max() + span, ceiling)
    if high <= low:
        return ceiling
    for _ in range(LEVEL_ROUNDS):
        level = 0.5 * (low + high)
        press = _force(board.rows[0], board.multiplier[0], board.stiffness, level)
        lift = _force(board.rows[1], board.multiplier[1], board.stiffness, span - level)
        if press > lift:
            low = level
        else:
            high = level
    return 0.5 * (low + high)


@njit(cache=True, nogil=True)
def import_level(board, h, limit, demand_charge):
    """The import level of a hub at which another kW of demand charge no longer pays [kW]."""
    if demand_charge <= 0.0:
        return limit
    low, high = 0.0, limit
    for _ in range(LEVEL_ROUNDS):
        level = 0.5 * (low + high)
        force = _force(board.net[h], board.import_multiplier[h], board.hub_stiffness, level)
        if force * board.slot_hours > demand_charge:
            low = level
        else:
            high = level
    return 0.5 * (low + high)


@njit(cache=True, nogil=True)
def curtail(board):
    """Set the solar power used in every hub and slot to what costs least."""
    one = np.empty(1)
    for h in range(board.solar.shape[0]):
        for t in range(board.solar.shape[1]):
            # Using a kW more lowers the draw: worth it while the price there stays positive.
            low, high = 0.0, board.solar[h, t]
            if high <= 0.0:
                continue
            if _price_at(board, h, t, board.used[h, t] - high) >= 0.0:
                low = high
            for _ in range(LEVEL_ROUNDS):
                trial = 0.5 * (low + high)
                if _price_at(board, h, t, board.used[h, t] - trial) >= 0.0:
                    low = trial
                else:
                    high = trial
            one[0] = board.used[h, t] - 0.5 * (low + high)
            board.used[h, t] -= one[0]
            put(board, h, t, one, 1.0)


@njit(cache=True, nogil=True)
def least_costs(units, price, reward, least):
    """Least cost of every unit at given hub prices; writes ``least`` (units,) [currency].

    ``price`` (hubs, slots): of a kWh drawn at a hub; ``reward`` (slots,): on top of it, per kWh
    that a rewarded unit discharges. Where going in a circle would pay, the slot's cost is replaced
    by its chord over all that the unit can do: below it everywhere, so the sum stays a bound.
    """
    slots = price.shape[1]
    work = np.empty((6, 2 * slots + 2))
    rows = np.empty((6, slots))
    for u in range(units.hub.shape[0]):
        h, first = units.hub[u], units.arrival[u]
        n = units.departure[u] - first
        buy, sell, ups, downs = rows[0, :n], rows[1, :n], rows[2, :n], rows[3, :n]
        floor, answer = rows[4, :n], rows[5, :n]
        up, down = units.up[u], units.down[u]
        below = 0.0
        for k in range(n):
            t = first + k
            buy[k] = price[h, t] / units.charge_eff[u]
            worth = price[h, t] + units.rewarded[u] * reward[t]
            sell[k] = worth * units.discharge_eff[u] - units.wear[u]
            ups[k] = up
            downs[k] = down
            if sell[k] > buy[k] and up + down > 0.0:
                below += up * down * (sell[k] - buy[k]) / (up + down)
                chord = (buy[k] * up + sell[k] * down) / (up + down)
                buy[k] = chord
                sell[k] = chord
        fill_floor(units.start[u], units.reserve[u], up, floor)
        least[u] = (
            cheapest(
                buy, sell, ups, downs, floor, units.start[u], units.target[u], units.top[u],
                0.0, units.limit[u], work, answer,
            )
            - below
        )  # fmt: skip
