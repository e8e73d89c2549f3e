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

from hubwise.compiled import njit
from hubwise.dispatch.lines import (
    SHARE,
    LinesOnBoard,
    add_prices_of_lines,
    price_at_connection,
    put_at_connection,
    put_on_lines,
    slope_of_lines,
)
from hubwise.domain.arrays import Array
from hubwise.drivers.kernel import cheapest
from hubwise.drivers.runs import fill_bounds, fill_floor

LINE_SEARCH_ROUNDS = 12
LEVEL_ROUNDS = 60


# Columns of what a future, and a place, has as single numbers.
KINK, STIFFNESS, HUB_STIFFNESS, FLATNESS, MIDDLE, HUB_FLATNESS = range(1, 7)
HUB_MIDDLE, EXPORT_LEVEL = range(2)
# Of what a place has in each slot at its connection.
IMPORT_PRICE, EXPORT_PRICE, IMPORT_LEVEL = range(3)


class Board(NamedTuple):
    """What the units see of each other; powers in kW, prices in currency/kWh.

    Futures stand below one another: a *place* is a hub in a future, number ``future * hubs + hub``,
    and each future has ``height`` rows. ``net`` (places, slots): hub net draw. ``rows`` (futures *
    height, slots): shared quantities, affine in ``net`` with ``coefficient`` (futures * height,
    hubs, slots); a future's row 0 is the feeder head, row 1 its negative. ``bound``, ``multiplier``
    (futures * height, slots): their upper limits and multipliers. ``connection`` (places, slots,
    3): of each hub's own connection, together as they are read: ``IMPORT_PRICE`` and
    ``EXPORT_PRICE``, its multipliers, and ``IMPORT_LEVEL``, what imports stay below, one level a
    billing period [kW]. ``purchase``, ``feed_in`` (futures, slots). ``charge_worth``,
    ``discharge_worth`` (groups, slots): what a kWh that a battery of the group charges, or
    discharges, is worth beside. ``solar``, ``used`` (places, slots): solar power that there is, and
    how much of it is in ``net`` [kW].

    ``of_future`` (futures, 7): ``SHARE``, its weight; ``KINK``, half-width of the band in which
    purchase passes into feed-in [kW]; ``STIFFNESS`` of the limits that all share, ``HUB_STIFFNESS``
    of each hub's own [currency/kWh per kW]; ``FLATNESS`` pulls the head to ``MIDDLE``,
    ``HUB_FLATNESS`` each hub to its own. ``of_place`` (places, 2): ``HUB_MIDDLE``, and the level
    that exports stay below. In few arrays: each array of a tuple is counted at every call that it
    is handed to. ``lines``: circuits and phases, if any.
    """

    hubs: int
    height: int
    net: Array
    rows: Array
    coefficient: Array
    bound: Array
    multiplier: Array
    connection: Array
    purchase: Array
    feed_in: Array
    charge_worth: Array
    discharge_worth: Array
    solar: Array
    used: Array
    slot_hours: float
    of_future: Array
    of_place: Array
    lines: LinesOnBoard | None

    @property
    def import_multiplier(self) -> Array:
        """Multipliers of imports, to be written to; (places, slots) [currency/kWh]."""
        return self.connection[:, :, IMPORT_PRICE]

    @property
    def export_multiplier(self) -> Array:
        """Those of exports; (places, slots) [currency/kWh]."""
        return self.connection[:, :, EXPORT_PRICE]

    @property
    def import_level(self) -> Array:
        """What imports stay below, to be written to; (places, slots) [kW]."""
        return self.connection[:, :, IMPORT_LEVEL]


@njit(cache=True, nogil=True, inline="always")
def _side(board, f, h):
    """What is the same in all slots at hub ``h`` of future ``f``: read once, not at every slot."""
    place = f * board.hubs + h
    return (
        f,
        h,
        place,
        f * board.height,
        board.of_future[f, KINK],
        board.of_future[f, STIFFNESS],
        board.of_future[f, FLATNESS],
        board.of_future[f, MIDDLE],
        board.of_future[f, HUB_FLATNESS],
        board.of_place[place, HUB_MIDDLE],
        board.of_future[f, HUB_STIFFNESS],
        board.of_place[place, EXPORT_LEVEL],
    )


@njit(cache=True, nogil=True, inline="always")
def _price_at(board, side, t, step):
    """Price of the next kW at a hub of a future (`_side`) in ``t`` if its draw rose by ``step``."""
    f, h, place, head, kink, stiffness, flatness, middle, hub_flatness = side[:9]
    hub_middle, hub_stiffness, export_level = side[9:]
    net = board.net[place, t] + step
    share = min(max((net + kink) / (2.0 * kink), 0.0), 1.0)
    price = board.feed_in[f, t] + share * (board.purchase[f, t] - board.feed_in[f, t])
    for k in range(head, head + board.height):
        slope = board.coefficient[k, h, t]
        over = board.rows[k, t] + slope * step - board.bound[k, t]
        price += slope * max(board.multiplier[k, t] + stiffness * over, 0.0)
    slope = board.coefficient[head, h, t]
    price += flatness * slope * (board.rows[head, t] + slope * step - middle)
    price += hub_flatness * (net - hub_middle)
    over_import = net - board.connection[place, t, IMPORT_LEVEL]
    price += max(board.connection[place, t, IMPORT_PRICE] + hub_stiffness * over_import, 0.0)
    over_export = -net - export_level
    price -= max(board.connection[place, t, EXPORT_PRICE] + hub_stiffness * over_export, 0.0)
    return price


@njit(cache=True, nogil=True, inline="always")
def marginal(board, side, t, step):
    """Marginal price at a hub of a future (`_side`) in slot ``t`` if its draw rose by ``step``.

    Solar power goes with it: what is curtailed is used first, and it is curtailed before anybody
    is paid to draw [currency/kWh].
    """
    place = side[2]
    if board.solar[place, t] <= 0.0:
        return _price_at(board, side, t, step)
    price = _price_at(board, side, t, step - (board.solar[place, t] - board.used[place, t]))
    if price >= 0.0:
        return price
    return min(_price_at(board, side, t, step + board.used[place, t]), 0.0)


@njit(cache=True, nogil=True)
def marginal_prices(board):
    """Marginal price in every future, hub and slot; (futures * hubs, slots) [currency/kWh]."""
    prices = np.empty_like(board.net)
    for f in range(board.of_future.shape[0]):
        for h in range(board.hubs):
            side = _side(board, f, h)
            for t in range(prices.shape[1]):
                prices[f * board.hubs + h, t] = marginal(board, side, t, 0.0)
    return prices


@njit(cache=True, nogil=True, inline="always")
def _power(change, charge_eff, discharge_eff, hours):
    """Draw at the charger [kW] of an energy change in the battery [kWh]."""
    if change > 0.0:
        return change / (charge_eff * hours)
    return change * discharge_eff / hours


@njit(cache=True, nogil=True)
def _slope(board, first, last, whole, h, begin, draw, constant, share):
    """Derivative of the objective at ``share`` of the step ``draw`` (n,) [currency].

    In the mean over the futures ``first <= f < last``, by their weights, which are ``whole``.
    """
    # Futures outside, slots inside: a loop within the inlined price counted references at every
    # array that it touched, and took eight times as long.
    total = constant
    for f in range(first, last):
        weight, side = board.of_future[f, SHARE] / whole, _side(board, f, h)
        for k in range(draw.shape[0]):
            if draw[k] != 0.0:
                price = marginal(board, side, begin + k, share * draw[k])
                total += weight * (board.slot_hours * draw[k] * price)
    return total


@njit(cache=True, nogil=True, inline="always")
def _slope_at(board, lines, first, last, whole, h, spot, begin, draw, constant, share):
    """The same with circuits and phases, where there are any."""
    total = _slope(board, first, last, whole, h, begin, draw, constant, share)
    if lines is None:
        return total
    slope = slope_of_lines(lines, board.of_future, first, last, whole, spot, begin, draw, share)
    return total + slope * board.slot_hours


@njit(cache=True, nogil=True)
def _line_search(board, lines, first, last, whole, h, spot, begin, draw, constant):
    """Best share of the step in [0, 1]; the derivative rises along it (regula falsi, Illinois)."""
    at_low = _slope_at(board, lines, first, last, whole, h, spot, begin, draw, constant, 0.0)
    low = 0.0
    if at_low >= 0.0:
        return 0.0, 0.0
    gap = -at_low
    at_high = _slope_at(board, lines, first, last, whole, h, spot, begin, draw, constant, 1.0)
    high = 1.0
    if at_high <= 0.0:
        return 1.0, gap
    side = 0
    share = 0.5
    for _ in range(LINE_SEARCH_ROUNDS):
        share = (low * at_high - high * at_low) / (at_high - at_low)
        value = _slope_at(
            board, lines, first, last, whole, h, spot, begin, draw, constant, share
        )  # fmt: skip
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
    place, head = f * board.hubs + h, f * board.height
    for k in range(draw.shape[0]):
        step = share * draw[k]
        if step != 0.0:
            t = begin + k
            board.net[place, t] += step
            for row in range(head, head + board.height):
                board.rows[row, t] += board.coefficient[row, h, t] * step


@njit(cache=True, nogil=True, inline="always")
def _prices_of(units, board, lines, u, whole, charge_price, discharge_price, buy, sell):
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
    for k in range(buy.shape[0]):
        buy[k] = 0.0
    for f in range(first, last):
        weight, side = board.of_future[f, SHARE] / whole, _side(board, f, h)
        for k in range(buy.shape[0]):
            buy[k] += weight * marginal(board, side, begin + k, 0.0)
    add_prices_of_lines(lines, board.of_future, first, last, whole, units.spot[u], begin, buy)
    largest = 1.0
    for k in range(buy.shape[0]):
        t = begin + k
        sell[k] = buy[k] + board.discharge_worth[group, t]
        buy[k] -= board.charge_worth[group, t]
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
def _constant_slope(
    wear, surplus, charge_eff, discharge_eff, charge_worth, discharge_worth, group, begin, before,
    after,
):  # fmt: skip
    """What wear, terms and surplus add to the objective from ``before`` to ``after`` [currency].

    ``charge_worth``, ``discharge_worth``: of the board; ``before``, ``after``: of every slot of the
    stay.
    """
    total, per_stored = 0.0, 1.0 / charge_eff
    for k in range(after.shape[0]):
        drawn = max(-after[k], 0.0) - max(-before[k], 0.0)
        put_in = max(after[k], 0.0) - max(before[k], 0.0)
        worth = discharge_worth[group, begin + k] * discharge_eff
        total += (wear - worth) * drawn - surplus * (after[k] - before[k])
        total -= charge_worth[group, begin + k] * per_stored * put_in
    return total


@njit(cache=True, nogil=True)
def _draw_between(charge_eff, discharge_eff, before, after, share, hours, draw):
    """Write how the draw at the charger changes on ``share`` of the way ``before`` to ``after``."""
    for k in range(after.shape[0]):
        there = before[k] + share * (after[k] - before[k])
        old = _power(before[k], charge_eff, discharge_eff, hours)
        draw[k] = _power(there, charge_eff, discharge_eff, hours) - old


@njit(cache=True, nogil=True)
def go_round(units, board, change, placed, charge_price, discharge_price, order):
    """Visit every unit of ``order`` once; returns the sum of their gaps [currency].

    ``units``: `hubwise.drivers.kernel.Batteries`; ``change`` (units, slots): their schedules [kWh
    in the battery], ``placed`` (units,): whether they have one yet; both are written. The gap of a
    unit is what its exact answer would gain at the prices it sees: the sum over all units is a
    duality gap when nobody moves.
    """
    slots, lines = board.net.shape[1], board.lines
    work = np.empty((6, 2 * slots + 2))
    rows = np.empty((8, slots + 1))
    # Arrays of a tuple are counted at every call that they are handed to: once, here.
    up, down, least, most = units.up, units.down, units.least, units.most
    charge_worth, discharge_worth = board.charge_worth, board.discharge_worth
    varies = up.shape[1] > 1
    total_gap = 0.0
    for u in order:
        h, spot, begin = units.hub[u], units.spot[u], units.arrival[u]
        first, last, start = units.first_future[u], units.last_future[u], units.start[u]
        n = units.departure[u] - begin
        whole = 0.0
        for f in range(first, last):
            whole += board.of_future[f, SHARE]
        charge_eff, discharge_eff = units.charge_eff[u], units.discharge_eff[u]
        before = change[u, begin : begin + n]
        buy, sell, ups, downs = rows[0, :n], rows[1, :n], rows[2, :n], rows[3, :n]
        floor, answer, draw, top = rows[4, :n], rows[5, :n], rows[6, :n], rows[7, : n + 1]
        felt = _prices_of(units, board, lines, u, whole, charge_price, discharge_price, buy, sell)
        if varies:
            fill_bounds(up, down, least, most, u, begin, start, ups, downs, floor, top)
        else:
            ups[:] = up[u, 0]
            downs[:] = down[u, 0]
            top[:] = most[u, 0]
            fill_floor(start, least[u, 0], up[u, 0], floor)
        cheapest(
            buy, sell, ups, downs, floor, start, units.target[u], top,
            felt * units.surplus[u], units.limit[u], work, answer,
        )  # fmt: skip
        share, gap = 1.0, 0.0
        if placed[u]:
            constant = _constant_slope(
                units.wear[u], units.surplus[u], charge_eff, discharge_eff, charge_worth,
                discharge_worth, units.group[u], begin, before, answer,
            )  # fmt: skip
            _draw_between(charge_eff, discharge_eff, before, answer, 1.0, board.slot_hours, draw)
            share, gap = _line_search(
                board, lines, first, last, whole, h, spot, begin, draw, constant
            )  # fmt: skip
        if share == 0.0:
            continue
        placed[u] = True
        _draw_between(charge_eff, discharge_eff, before, answer, share, board.slot_hours, draw)
        for k in range(n):
            before[k] += share * (answer[k] - before[k])
        for f in range(first, last):
            put(board, f, h, begin, draw, 1.0)
            put_on_lines(lines, f, spot, begin, draw, 1.0)
        total_gap += whole * gap
    return total_gap


@njit(cache=True, nogil=True)
def curtail(board):
    """Set the solar power used in every future, hub and slot to what costs least."""
    one = np.empty(1)
    for place in range(board.solar.shape[0]):
        f, h = place // board.hubs, place % board.hubs
        side = _side(board, f, h)
        for t in range(board.solar.shape[1]):
            # Using a kW more lowers the draw: worth it while the price there stays positive.
            low, high = 0.0, board.solar[place, t]
            if high <= 0.0:
                continue
            step = board.used[place, t] - high
            price = _price_at(board, side, t, step)
            if price + price_at_connection(board.lines, f, h, t, step) >= 0.0:
                low = high
            for _ in range(LEVEL_ROUNDS):
                trial = 0.5 * (low + high)
                step = board.used[place, t] - trial
                price = _price_at(board, side, t, step)
                if price + price_at_connection(board.lines, f, h, t, step) >= 0.0:
                    low = trial
                else:
                    high = trial
            one[0] = board.used[place, t] - 0.5 * (low + high)
            board.used[place, t] -= one[0]
            put(board, f, h, t, one, 1.0)
            put_at_connection(board.lines, f, h, t, one, 1.0)


@njit(cache=True, nogil=True)
def least_costs(units, price, charge_worth, discharge_worth, least):
    """Least cost of every unit at given hub prices; writes ``least`` (units,) [currency].

    ``price`` (hubs, slots): of a kWh drawn at a hub; ``charge_worth``, ``discharge_worth`` (groups,
    slots): what a kWh that the unit charges, or discharges, is worth beside. What a unit has above
    its target at the end is taken off at its worth. Where going in a circle would pay, the slot's
    cost is replaced by its chord over all that the unit can do: below it everywhere, so the sum
    stays a bound.
    """
    slots = price.shape[1]
    work = np.empty((6, 2 * slots + 2))
    rows = np.empty((7, slots + 1))
    for u in range(units.hub.shape[0]):
        h, begin, group = units.hub[u], units.arrival[u], units.group[u]
        n = units.departure[u] - begin
        buy, sell, ups, downs = rows[0, :n], rows[1, :n], rows[2, :n], rows[3, :n]
        floor, answer, top = rows[4, :n], rows[5, :n], rows[6, : n + 1]
        fill_bounds(
            units.up, units.down, units.least, units.most, u, begin, units.start[u], ups,
            downs, floor, top,
        )  # fmt: skip
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
                units.surplus[u], units.limit[u], work, answer,
            )
            - below
        )  # fmt: skip
