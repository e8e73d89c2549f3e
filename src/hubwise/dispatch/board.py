"""The board: what the units see of each other, made from problems, and its free levels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hubwise.dispatch import kernel, levels
from hubwise.dispatch.kernel import Board
from hubwise.dispatch.lines import LinesOnBoard
from hubwise.dispatch.problem import Problem
from hubwise.dispatch.warm import Multipliers
from hubwise.domain import connection_spots
from hubwise.domain.arrays import Array

# How hard a shared limit pushes back before its multiplier has settled: half the mean purchase
# price when it is broken by the whole spread of the head. Softer needs more rounds to keep limits,
# harder makes the units' own weight felt and the last per cent slow. A hub's own limits push back
# as many times harder as there are hubs: that much smaller is its share of the spread.
STIFFNESS = 0.5
# Rounds in which multipliers of charged imports follow by whole steps.
WHOLE_STEPS = 10
# Pull towards a flat head, among what costs the operator the same, in the same measure.
FLATNESS = 0.01
# The same for each hub. Without it a hub may crowd its energy into any few slots of one price;
# power flow and dispatch then chase each other, and voltages and losses suffer.
HUB_FLATNESS = 0.03
# Half-width of the band in which the purchase price passes into feed-in, as a share of the spread,
# in the last round.
KINK = 1e-3


def make_board(
    problems: Sequence[Problem],
    shares: Array,
    fixed_kw: Sequence[Array],
    starts: Sequence[Multipliers | None],
    *,
    flat: bool,
    line_kw: Sequence[Array] | None = None,
) -> Board:
    """The board of one or several futures before any unit moves.

    Parameters
    ----------
    problems, shares
        Of each future, and its weight.
    fixed_kw
        Hub net draw before any unit moves; each of shape (hubs, slots) [kW].
    starts
        Multipliers to begin with.
    flat
        Whether a flat draw is preferred among what costs the same.
    line_kw
        What flows through each line then; each (lines, slots) [kW]. By default what others draw.
    """
    height = max(len(problem.limits.row) for problem in problems)
    values = [problem.limits.rows(kw) for problem, kw in zip(problems, fixed_kw, strict=True)]
    begun = list(zip(problems, fixed_kw, starts, strict=True))
    limits = [problem.limits for problem in problems]
    markets = [problem.situation.market for problem in problems]
    solar = np.concatenate([problem.situation.hubs.solar_kw for problem in problems])
    hubs = len(problems[0].situation.hubs)
    return Board(
        hubs=hubs,
        height=height,
        net=np.concatenate(fixed_kw),
        rows=_stacked(values, height, 0.0),
        coefficient=_stacked([part.coefficient for part in limits], height, 0.0),
        bound=_stacked([part.upper for part in limits], height, np.inf),
        multiplier=_stacked([_rows_of(each) for each in begun], height, 0.0),
        connection=np.concatenate([_connections(*each) for each in begun]),
        purchase=np.stack([market.purchase_price for market in markets]),
        feed_in=np.stack([market.feed_in_price for market in markets]),
        charge_worth=problems[0].terms.charge,
        discharge_worth=problems[0].terms.discharge,
        solar=solar,
        used=solar.copy(),
        slot_hours=problems[0].situation.horizon.slot_hours,
        of_future=_of_futures(problems, shares, values, flat=flat),
        of_place=np.concatenate(
            [
                np.stack([kw.mean(axis=1), problem.export_limit_kw], axis=1)
                for problem, kw in zip(problems, fixed_kw, strict=True)
            ]
        ),
        lines=_lines_on(problems, starts, line_kw),
    )


def _connections(problem: Problem, fixed_kw: Array, start: Multipliers | None) -> Array:
    """What a future's hubs have at their connections; (hubs, slots, 3), columns as in `Board`."""
    found = np.zeros((*fixed_kw.shape, 3))
    if start is not None:
        found[:, :, kernel.IMPORT_PRICE] = start.imports
        found[:, :, kernel.EXPORT_PRICE] = start.exports
    found[:, :, kernel.IMPORT_LEVEL] = problem.import_limit_kw[:, None]
    return found


def _lines_on(
    problems: Sequence[Problem],
    starts: Sequence[Multipliers | None],
    line_kw: Sequence[Array] | None,
) -> LinesOnBoard | None:
    """Circuits and phases of all futures, if any, and the prices that they begin with."""
    first = problems[0].lines
    if not len(first):
        return None
    loads = [problem.others_line_kw for problem in problems] if line_kw is None else line_kw
    known = [
        s is not None and s.lines.shape == first_kw.shape
        for s, first_kw in zip(starts, loads, strict=True)
    ]
    prices = [
        s.lines if s is not None and fits else np.zeros_like(kw)
        for s, kw, fits in zip(starts, loads, known, strict=True)
    ]
    worth = [float(np.abs(p.situation.market.purchase_price).mean()) or 1.0 for p in problems]
    limit = np.concatenate([problem.lines.limit_kw for problem in problems])
    push = STIFFNESS * np.repeat(worth, len(first)) / np.maximum(limit, 1.0)
    return LinesOnBoard(
        width=len(first),
        load=np.concatenate(loads),
        multiplier=np.concatenate(prices),
        of_line=np.stack([limit, push], axis=1),
        begin=first.begin,
        line=first.line,
        share=first.share,
        connection=connection_spots(len(problems[0].situation.hubs)),
    )


def _of_futures(
    problems: Sequence[Problem], shares: Array, values: Sequence[Array], *, flat: bool
) -> Array:
    """Numbers of every future; shape (futures, 7), columns as in `Board`."""
    rows = []
    for problem, share, row in zip(problems, shares, values, strict=True):
        hubs, spread = len(problem.situation.hubs), problem.spread_kw
        worth = float(np.abs(problem.situation.market.purchase_price).mean()) or 1.0
        push = STIFFNESS * worth / spread
        pull, hub_pull = FLATNESS * worth / spread * flat, HUB_FLATNESS * worth / spread
        middle = float(row[0].mean())
        rows.append([share, KINK * spread, push, push * hubs, pull, middle, hub_pull * hubs * flat])
    return np.array(rows)


def _rows_of(begun: tuple[Problem, Array, Multipliers | None]) -> Array:
    problem, _, start = begun
    if start is None:
        return np.zeros_like(problem.limits.upper)
    return start.on(problem.limits.row)


def _stacked(parts: Sequence[Array], height: int, fill: float) -> Array:
    """The parts of all futures, those with fewer rows filled up; (futures * height, ...)."""
    whole = np.full((len(parts) * height, *parts[0].shape[1:]), fill)
    for f, part in enumerate(parts):
        whole[f * height : f * height + len(part)] = part
    return whole


def places(board: Board, f: int) -> slice:
    """Where a future's hubs stand."""
    return slice(f * board.hubs, (f + 1) * board.hubs)


def line_prices(board: Board, f: int) -> Array:
    """The prices of a future's circuits and phases, as they stand on the board; (lines, slots)."""
    if board.lines is None:
        return np.zeros((0, board.net.shape[1]))
    return board.lines.multiplier[f * board.lines.width : (f + 1) * board.lines.width]


def rows(board: Board, f: int, problem: Problem) -> slice:
    """Where the limits of a future's problem stand."""
    return slice(f * board.height, f * board.height + len(problem.limits.row))


def with_levels(
    board: Board, problems: Sequence[Problem], kink: float, *, learn: bool, count: int = 0
) -> Board:
    """Set the free levels to balance; then, where ``learn``, let the multipliers follow.

    Those of imports follow ever less where demand is charged for (``count`` rounds have been):
    one round over the units does not end at the level's balance, and whole steps then send the
    peak round and round its slots for ever.
    """
    for f, problem in enumerate(problems):
        _set_levels(board, f, problem)
        here, limits = places(board, f), rows(board, f, problem)
        if learn:
            duals = duals_of(board, f, problem)
            board.multiplier[limits] = duals.rows
            charged = problem.situation.periods.charged
            step = min(1.0, (WHOLE_STEPS / max(count, 1)) ** 0.5) if charged else 1.0
            imports = board.import_multiplier[here]
            board.import_multiplier[here] = step * duals.imports + (1.0 - step) * imports
            board.export_multiplier[here] = duals.exports
            line_prices(board, f)[:] = duals.lines
        board.of_place[here, kernel.HUB_MIDDLE] = board.net[here].mean(axis=1)
        board.of_future[f, kernel.MIDDLE] = board.rows[f * board.height].mean()
        board.of_future[f, kernel.KINK] = kink * problem.spread_kw
    return board


def _set_levels(board: Board, f: int, problem: Problem) -> None:
    """The peak of the head, and of every hub's imports by period, within what has been so far."""
    past, span, head = problem.situation.so_far, problem.span_kw, f * board.height
    if np.isfinite(span):
        upper = problem.limits.upper
        # Who aims inside the past's own difference aims inside both its ends.
        inside = max(past.head_span_kw - span, 0.0)
        most = min(float(upper[0].max()), past.head_valley_kw + span)
        peak = levels.head_level(board, f, span - inside, past.head_peak_kw - inside, most)
        board.bound[head] = np.minimum(peak, upper[0])
        board.bound[head + 1] = np.minimum(span - inside - peak, upper[1])
    periods = problem.situation.periods
    for h, limit in enumerate(problem.import_limit_kw):
        place = f * board.hubs + h
        for k, slots in enumerate(periods):
            board.import_level[place, slots] = levels.import_level(
                board, place, (slots.start, slots.stop), periods.past_kw[h, k], limit,
                periods.charge[k],
            )  # fmt: skip


def duals_of(board: Board, f: int, problem: Problem) -> Multipliers:
    """How hard each shared limit pushes now: its multiplier, moved by what is over."""
    here, limits = places(board, f), rows(board, f, problem)
    net = board.net[here]
    over_import = net - board.import_level[here]
    over_export = -net - board.of_place[here, kernel.EXPORT_LEVEL, None]
    push = board.of_future[f, kernel.STIFFNESS]
    hub_push = board.of_future[f, kernel.HUB_STIFFNESS]
    return Multipliers(
        problem.limits.row,
        _pushed(board.multiplier[limits], push * (board.rows[limits] - board.bound[limits])),
        _pushed(board.import_multiplier[here], hub_push * over_import),
        _pushed(board.export_multiplier[here], hub_push * over_export),
        _pushed_lines(board, f),
    )


def _pushed_lines(board: Board, f: int) -> Array:
    """The same of circuits and phases, either way: at most one way at a time."""
    multiplier = line_prices(board, f)
    if board.lines is None:
        return multiplier
    here = slice(f * board.lines.width, (f + 1) * board.lines.width)
    load, (limit, push) = board.lines.load[here], board.lines.of_line[here].T[:, :, None]
    over = _pushed(np.maximum(multiplier, 0.0), push * (load - limit))
    return over - _pushed(np.maximum(-multiplier, 0.0), push * (-load - limit))


def _pushed(multiplier: Array, by: Array) -> Array:
    pushed: Array = np.maximum(multiplier + by, 0.0)
    return pushed
