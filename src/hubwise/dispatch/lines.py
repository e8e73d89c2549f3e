"""Circuits and phases on the board: limits over sets of units, as the dispatch kernel sees them."""

from __future__ import annotations

from typing import NamedTuple

from hubwise.compiled import njit
from hubwise.domain.arrays import Array, Index

# The column of a future's weight among what it has as single numbers.
SHARE = 0
# Columns of what a line has as single numbers.
LINE_LIMIT, LINE_STIFFNESS = range(2)


class LinesOnBoard(NamedTuple):
    """Circuits and phases: limits over sets of units, either way (see `hubwise.domain.Lines`).

    ``width``: how many a future has; those of future f stand at ``f * width``. ``load``,
    ``multiplier`` (futures * width, slots): what flows [kW], and its price, negative where what
    flows back is limited. ``of_line`` (futures * width, 2): ``LINE_LIMIT`` [kW],
    ``LINE_STIFFNESS``. ``begin``,
    ``line``, ``share``: through which lines which share flows of what is drawn at a spot;
    ``connection`` (hubs,): the spot of each hub's connection.
    """

    width: int
    load: Array
    multiplier: Array
    of_line: Array
    begin: Index
    line: Index
    share: Array
    connection: Index


@njit(cache=True, nogil=True, inline="always")
def _line_price(load, limit, multiplier, stiffness):
    """Price of a kW through a line, either way [currency/kWh]."""
    over = max(max(multiplier, 0.0) + stiffness * (load - limit), 0.0)
    return over - max(max(-multiplier, 0.0) + stiffness * (-load - limit), 0.0)


@njit(cache=True, nogil=True)
def price_of_lines(lines, f, spot, t, step):
    """Price of the next kW at a spot, of all its lines, if its draw rose by ``step`` in ``t``."""
    price = 0.0
    for k in range(lines.begin[spot], lines.begin[spot + 1]):
        row, share = f * lines.width + lines.line[k], lines.share[k]
        price += share * _line_price(
            lines.load[row, t] + share * step, lines.of_line[row, LINE_LIMIT],
            lines.multiplier[row, t], lines.of_line[row, LINE_STIFFNESS],
        )  # fmt: skip
    return price


@njit(cache=True, nogil=True)
def price_at_connection(lines, f, h, t, step):
    """The same at a hub's connection; nothing without lines."""
    if lines is None:
        return 0.0
    return price_of_lines(lines, f, lines.connection[h], t, step)


@njit(cache=True, nogil=True)
def put_on_lines(lines, f, spot, begin, draw, share):
    """Add ``share`` of the draw (n,) [kW] at a spot to what flows through its lines, if any."""
    if lines is None:
        return
    for k in range(lines.begin[spot], lines.begin[spot + 1]):
        row, part = f * lines.width + lines.line[k], share * lines.share[k]
        for j in range(draw.shape[0]):
            lines.load[row, begin + j] += part * draw[j]


@njit(cache=True, nogil=True)
def put_at_connection(lines, f, h, begin, draw, share):
    """The same at a hub's connection."""
    if lines is None:
        return
    put_on_lines(lines, f, lines.connection[h], begin, draw, share)


@njit(cache=True, nogil=True)
def add_prices_of_lines(lines, of_future, first, last, whole, spot, begin, buy):
    """Add what the lines cost at a spot to ``buy`` (n,), in the mean over futures by weight.

    Nothing without lines.
    """
    if lines is None:
        return
    for f in range(first, last):
        for k in range(buy.shape[0]):
            buy[k] += of_future[f, SHARE] / whole * price_of_lines(lines, f, spot, begin + k, 0.0)


@njit(cache=True, nogil=True)
def slope_of_lines(lines, of_future, first, last, whole, spot, begin, draw, share):
    """What the lines add to the derivative at ``share`` of the step ``draw`` (n,), likewise.

    Nothing without lines.
    """
    if lines is None:
        return 0.0
    total = 0.0
    for f in range(first, last):
        for j in range(draw.shape[0]):
            if draw[j] != 0.0:
                price = price_of_lines(lines, f, spot, begin + j, share * draw[j])
                total += of_future[f, SHARE] / whole * draw[j] * price
    return total
