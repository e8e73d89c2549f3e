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

from hubwise.domain.arrays import Array
from hubwise.drivers.kernel import cheapest, fill_bounds

LINE_SEARCH_ROUNDS = 12
LEVEL_ROUNDS = 60


class Board(NamedTuple):
    """What the units see of each other; powers in kW, prices in currency/kWh.

    ``share`` (futures,): weight of each future. ``net`` (futures, hubs, slots): hub net draw.
    ``rows`` (futures, rows, slots): shared quantities, affine in ``net`` with ``coefficient``
    (futures, rows, hubs, slots); row 0 is the feeder head, row 1 its negative. ``bound``,
    ``multiplier`` (futures, rows, slots): their upper limits and multipliers. ``import_level``,
    ``export_level`` (futures, hubs) with ``import_multiplier``, ``export_multiplier`` (futures,
    hubs, slots): the same for each hub's own connection. ``purchase``, ``feed_in`` (futures,
    slots). ``charge_worth``, ``discharge_worth`` (groups, slots): what a kWh that a battery of the
    group charges, or discharges, is worth beside. ``solar``, ``used`` (futures, hubs, slots): solar
    power that there is, and how much of it is in ``net`` [kW]. ``kink`` (futures,): half-width of
    the band in which purchase passes into feed-in [kW]. ``stiffness``: of the limits that all
    share, ``hub_stiffness``: of each hub's own [currency/kWh per kW]. ``flatness`` pulls the head
    to ``middle``, ``hub_flatness`` each hub to its ``hub_middle`` (futures, hubs); where nothing
    else is said (futures,).
    """

    share: Array
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
    charge_worth: Array
    discharge_worth: Array
    solar: Array
    used: Array
    slot_hours: float
    kink: Array
    stiffness: Array
    hub_stiffness: Array
    flatness: Array
    middle: Array
    hub_flatness: Array
    hub_middle: Array


@njit(cache=True, nogil=True, inline="always")
def _price_at(board, f, h, t, step):
    """Price of the next kW at hub ``h`` in slot ``t`` of future ``f`` if its draw rose by ``step``."""
    net = board.net[f, h, t] + step
    kink = board.kink[f]
    share = min(max((net + kink) / (2.0 * kink), 0.0), 1.0)
    price = board.feed_in[f, t] + share * (board.purchase[f, t] - board.feed_in[f, t])
    stiffness = board.stiffness[f]
    for k in range(board.rows.shape[1]):
        slope = board.coefficient[f, k, h, t]
        over = board.rows[f, k, t] + slope * step - board.bound[f, k, t]
        price += slope * max(board.multiplier[f, k, t] + stiffness * over, 0.0)
    slope = board.coefficient[f, 0, h, t]
    price += board.flatness[f] * slope * (board.rows[f, 0, t] + slope * step - board.middle[f])
    price += board.hub_flatness[f] * (net - board.hub_middle[f, h])
    stiffness = board.hub_stiffness[f]
    over_import, over_export = net - board.import_level[f, h], -net - board.export_level[f, h]
    price += max(board.import_multiplier[f, h, t] + stiffness * over_import, 0.0)
    price -= max(board.export_multiplier[f, h, t] + stiffness * over_export, 0.0)
    return price


@njit(cache=True, nogil=True, inline="always")
def _marginal_in(board, f, h, t, step):
    """Marginal price in one future.

    Solar power goes with it: what is curtailed is used first, and it is curtailed before anybody
    is paid to draw.
    """
    if board.solar[f, h, t] <= 0.0:
        return _price_at(board, f, h, t, step)
    price = _price_at(board, f, h, t, step - (board.solar[f, h, t] - board.used[f, h, t]))
    if price >= 0.0:
        return price
    return min(_price_at(board, f, h, t, step + board.used[f, h, t]), 0.0)


@njit(cache=True, nogil=True, inline="always")
def marginal(board, first, last, h, t, step):
    """Marginal price at hub ``h`` in slot ``t`` if its draw rose by ``step`` [currency/kWh].

    The mean over the futures ``first <= f < last``, by their weights.
    """
    if last - first == 1:
        return _marginal_in(board, first, h, t, step)
    price = 0.0
    whole = 0.0
    for f in range(first, last):
        price += board.share[f] * _marginal_in(board, f, h, t, step)
        whole += board.share[f]
    return price / whole


@njit(cache=True, nogil=True)
def marginal_prices(board):
    """Marginal price in every future, hub and slot; (futures, hubs, slots) [currency/kWh]."""
    prices = np.empty_like(board.net)
    for f in range(prices.shape[0]):
        for h in range(prices.shape[1]):
            for t in range(prices.shape[2]):
                prices[f, h, t] = _marginal_in(board, f, h, t, 0.0)
    return prices


@njit(cache=True, nogil=True, inline="always")
def _power(change, charge_eff, discharge_eff, hours):
    """Draw at the charger [kW] of an energy change in the battery [kWh]."""
    if change > 0.0:
        return change / (charge_eff * hours)
    return change * discharge_eff / hours


@njit(cache=True, nogil=True)
def _slope(board, units, u, draw, constant, share):
    """Derivative of the objective at ``share`` of the step ``draw`` (n,) [currency]."""
    total = constant
    h, begin = units.hub[u], units.arrival[u]
    first, last = units.first_future[u], units.last_future[u]
    for k in range(draw.shape[0]):
        if draw[k] != 0.0:
            price = marginal(board, first, last, h, begin + k, share * draw[k])
            total += board.slot_hours * draw[k] * price
    return total


@njit(cache=True, nogil=True)
def _line_search(board, units, u, draw, constant):
    """Best share of the step in [0, 1]; the derivative rises along it (regula falsi, Illinois)."""
    low, at_low = 0.0, _slope(board, units, u, draw, constant, 0.0)
    if at_low >= 0.0:
        return 0.0, 0.0
    gap = -at_low
    high, at_high = 1.0, _slope(board, units, u, draw, constant, 1.0)
    if at_high <= 0.0:
        return 1.0, gap
    side = 0
    share = 0.5
    for _ in range(LINE_SEARCH_ROUNDS):
        share = (low * at_high - high * at_low) / (at_high - at_low)
        value = _slope(board, units, u, draw, constant, share)
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
def put(board, f, h, begin, draw, share):
    """Add ``share`` of the draw (n,) [kW] to the board of one future."""
    for k in range(draw.shape[0]):
        step = share * draw[k]
        if step != 0.0:
            t = begin + k
            board.net[f, h, t] += step
            for row in range(board.rows.shape[1]):
                board.rows[f, row, t] += board.coefficient[f, row, h, t] * step


@njit(cache=True, nogil=True)
def _prices_of(units, board, u, charge_price, discharge_price, buy, sell):
    """Write what unit ``u`` pays for a kWh put into, and gets for a kWh drawn from, its battery.

    A driver has its posted prices and its wear, and then once more what the operator has to pay,
    weighed so little that it makes no difference but among ties; where limits press hard it weighs
    less, for regret to stay where it is. (On a tie the driver's payments fall by what its wear
    rises, so that wear counts for the operator, too.) Where terms would pay for going in a circle,
    what they pay is cut to what makes that idle. Returns the weight of surplus energy.
    """
    h, begin, row, group = units.hub[u], units.arrival[u], units.price_list[u], units.group[u]
    first, last = units.first_future[u], units.last_future[u]
    own = units.own[u]
    largest = 1.0
    for k in range(buy.shape[0]):
        t = begin + k
        price = marginal(board, first, last, h, t, 0.0)
        buy[k] = price - board.charge_worth[group, t]
        sell[k] = price + board.discharge_worth[group, t]
        largest = max(largest, abs(buy[k]), abs(sell[k]))
    weight = units.weight[u] / largest if own > 0.0 else units.weight[u]
    for k in range(buy.shape[0]):
        paid = own * charge_price[row, begin + k] + weight * buy[k]
        earned = own * discharge_price[row, begin + k] + weight * sell[k]
        buy[k] = paid / units.charge_eff[u]
        wear = (own + weight) * units.wear[u]
        sell[k] = min(earned * units.discharge_eff[u] - wear, buy[k])
    return own + weight


@njit(cache=True, nogil=True)
def _constant_slope(units, board, u, change, answer):
    """What wear, terms and surplus add to the objective on the way to ``answer`` [currency]."""
    begin, group = units.arrival[u], units.group[u]
    total = 0.0
    for k in range(answer.shape[0]):
        before, after = change[begin + k], answer[k]
        drawn = max(-after, 0.0) - max(-before, 0.0)
        put_in = max(after, 0.0) - max(before, 0.0)
        worth = board.discharge_worth[group, begin + k] * units.discharge_eff[u]
        total += (units.wear[u] - worth) * drawn - units.surplus[u] * (after - before)
        total -= board.charge_worth[group, begin + k] / units.charge_eff[u] * put_in
    return total


@njit(cache=True, nogil=True)
def _draw_between(units, u, change, answer, share, hours, draw):
    """Write how the unit's draw at the charger changes on ``share`` of the way to ``answer``."""
    begin = units.arrival[u]
    charge_eff, discharge_eff = units.charge_eff[u], units.discharge_eff[u]
    for k in range(answer.shape[0]):
        before = change[begin + k]
        after = before + share * (answer[k] - before)
        old = _power(before, charge_eff, discharge_eff, hours)
        draw[k] = _power(after, charge_eff, discharge_eff, hours) - old


@njit(cache=True, nogil=True)
def go_round(units, board, change, placed, charge_price, discharge_price, order):
    """Visit every unit of ``order`` once; returns the sum of their gaps [currency].

    ``units``: `hubwise.drivers.kernel.Batteries`; ``change`` (units, slots): their schedules [kWh
    in the battery], ``placed`` (units,): whether they have one yet; both are written. The gap of a
    unit is what its exact answer would gain at the prices it sees: the sum over all units is a
    duality gap when nobody moves.
    """
    slots = board.net.shape[2]
    work = np.empty((6, 2 * slots + 2))
    rows = np.empty((8, slots + 1))
    total_gap = 0.0
    for u in order:
        h, begin = units.hub[u], units.arrival[u]
        n = units.departure[u] - begin
        buy, sell, ups, downs = rows[0, :n], rows[1, :n], rows[2, :n], rows[3, :n]
        floor, answer, draw, top = rows[4, :n], rows[5, :n], rows[6, :n], rows[7, : n + 1]
        felt = _prices_of(units, board, u, charge_price, discharge_price, buy, sell)
        fill_bounds(units, u, ups, downs, floor, top)
        cheapest(
            buy, sell, ups, downs, floor, units.start[u], units.target[u], top,
            felt * units.surplus[u], units.limit[u], work, answer,
        )  # fmt: skip
        share, gap = 1.0, 0.0
        if placed[u]:
            constant = _constant_slope(units, board, u, change[u], answer)
            _draw_between(units, u, change[u], answer, 1.0, board.slot_hours, draw)
            share, gap = _line_search(board, units, u, draw, constant)
        if share == 0.0:
            continue
        placed[u] = True
        _draw_between(units, u, change[u], answer, share, board.slot_hours, draw)
        for k in range(n):
            change[u, begin + k] += share * (answer[k] - change[u, begin + k])
        weight = 0.0
        for f in range(units.first_future[u], units.last_future[u]):
            put(board, f, h, begin, draw, 1.0)
            weight += board.share[f]
        total_gap += weight * gap
    return total_gap


@njit(cache=True, nogil=True)
def _force(values, multiplier, stiffness, level):
    total = 0.0
    for t in range(values.shape[0]):
        total += max(multiplier[t] + stiffness * (values[t] - level), 0.0)
    return total


@njit(cache=True, nogil=True)
def head_level(board, f, span, floor, ceiling):
    """The peak level that balances pressing down and filling up, within floor and ceiling [kW].

    Row 0 (the head) must stay below the level, row 1 above the level less ``span``.
    """
    rows, multiplier, stiffness = board.rows[f], board.multiplier[f], board.stiffness[f]
    low = max(rows[0].min() - span, floor)
    high = min(rows[0].max() + span, ceiling)
    if high <= low:
        return min(low, ceiling) if floor > -np.inf else ceiling
    for _ in range(LEVEL_ROUNDS):
        level = 0.5 * (low + high)
        press = _force(rows[0], multiplier[0], stiffness, level)
        lift = _force(rows[1], multiplier[1], stiffness, span - level)
        if press > lift:
            low = level
        else:
            high = level
    return 0.5 * (low + high)


@njit(cache=True, nogil=True)
def import_level(board, f, h, floor, limit, demand_charge):
    """The import level of a hub at which another kW of demand charge no longer pays [kW].

    Not below ``floor``: what has been drawn already is paid for.
    """
    if demand_charge <= 0.0:
        return limit
    low, high = min(floor, limit), limit
    multiplier, stiffness = board.import_multiplier[f, h], board.hub_stiffness[f]
    for _ in range(LEVEL_ROUNDS):
        level = 0.5 * (low + high)
        force = _force(board.net[f, h], multiplier, stiffness, level)
        if force * board.slot_hours > demand_charge:
            low = level
        else:
            high = level
    return 0.5 * (low + high)


@njit(cache=True, nogil=True)
def curtail(board):
    """Set the solar power used in every future, hub and slot to what costs least."""
    one = np.empty(1)
    for f in range(board.solar.shape[0]):
        for h in range(board.solar.shape[1]):
            for t in range(board.solar.shape[2]):
                # Using a kW more lowers the draw: worth it while the price there stays positive.
                low, high = 0.0, board.solar[f, h, t]
                if high <= 0.0:
                    continue
                if _price_at(board, f, h, t, board.used[f, h, t] - high) >= 0.0:
                    low = high
                for _ in range(LEVEL_ROUNDS):
                    trial = 0.5 * (low + high)
                    if _price_at(board, f, h, t, board.used[f, h, t] - trial) >= 0.0:
                        low = trial
                    else:
                        high = trial
                one[0] = board.used[f, h, t] - 0.5 * (low + high)
                board.used[f, h, t] -= one[0]
                put(board, f, h, t, one, 1.0)


@njit(cache=True, nogil=True)
def least_costs(units, price, charge_worth, discharge_worth, least):
    """Least cost of every unit at given hub prices; writes ``least`` (units,) [currency].

    ``price`` (hubs, slots): of a kWh drawn at a hub; ``charge_worth``, ``discharge_worth`` (groups,
    slots): what a kWh that the unit charges, or discharges, is worth beside. Where going in a
    circle would pay, the slot's cost is replaced by its chord over all that the unit can do: below
    it everywhere, so the sum stays a bound.
    """
    slots = price.shape[1]
    work = np.empty((6, 2 * slots + 2))
    rows = np.empty((7, slots + 1))
    for u in range(units.hub.shape[0]):
        h, begin, group = units.hub[u], units.arrival[u], units.group[u]
        n = units.departure[u] - begin
        buy, sell, ups, downs = rows[0, :n], rows[1, :n], rows[2, :n], rows[3, :n]
        floor, answer, top = rows[4, :n], rows[5, :n], rows[6, : n + 1]
        fill_bounds(units, u, ups, downs, floor, top)
        below = 0.0
        for k in range(n):
            t, up, down = begin + k, ups[k], downs[k]
            buy[k] = (price[h, t] - charge_worth[group, t]) / units.charge_eff[u]
            worth = price[h, t] + discharge_worth[group, t]
            sell[k] = worth * units.discharge_eff[u] - units.wear[u]
            if sell[k] > buy[k] and up + down > 0.0:
                below += up * down * (sell[k] - buy[k]) / (up + down)
                chord = (buy[k] * up + sell[k] * down) / (up + down)
                buy[k] = chord
                sell[k] = chord
        least[u] = (
            cheapest(
                buy, sell, ups, downs, floor, units.start[u], units.target[u], top,
                0.0, units.limit[u], work, answer,
            )
            - below
        )  # fmt: skip
