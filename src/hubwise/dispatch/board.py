"""The board: what the units see of each other, made from problems, and its free levels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hubwise.dispatch import kernel
from hubwise.dispatch.kernel import Board
from hubwise.dispatch.problem import Problem
from hubwise.dispatch.warm import Multipliers
from hubwise.domain.arrays import Array

# How hard a shared limit pushes back before its multiplier has settled: half the mean purchase
# price when it is broken by the whole spread of the head. Softer needs more rounds to keep limits,
# harder makes the units' own weight felt and the last per cent slow. A hub's own limits push back
# as many times harder as there are hubs: that much smaller is its share of the spread.
STIFFNESS = 0.5
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
    """
    height = max(len(problem.limits.row) for problem in problems)
    rows = [problem.limits.rows(kw) for problem, kw in zip(problems, fixed_kw, strict=True)]
    begun = list(zip(problems, fixed_kw, starts, strict=True))
    limits = [problem.limits for problem in problems]
    markets = [problem.situation.market for problem in problems]
    solar = np.stack([problem.situation.hubs.solar_kw for problem in problems])
    worth = [float(np.abs(market.purchase_price).mean()) or 1.0 for market in markets]
    spread = [problem.spread_kw for problem in problems]
    push = np.array([STIFFNESS * w / s for w, s in zip(worth, spread, strict=True)])
    hubs = solar.shape[1]
    terms = problems[0].terms
    pulls = [
        [pull * w / s * flat for w, s in zip(worth, spread, strict=True)]
        for pull in (FLATNESS, HUB_FLATNESS)
    ]
    return Board(
        share=shares,
        net=np.stack(fixed_kw),
        rows=_stacked(rows, height, 0.0),
        coefficient=_stacked([part.coefficient for part in limits], height, 0.0),
        bound=_stacked([part.upper for part in limits], height, np.inf),
        multiplier=_stacked([_rows_of(each) for each in begun], height, 0.0),
        import_level=np.stack([problem.import_limit_kw for problem in problems]),
        export_level=np.stack([problem.export_limit_kw for problem in problems]),
        import_multiplier=np.stack([kw * 0.0 if s is None else s.imports for _, kw, s in begun]),
        export_multiplier=np.stack([kw * 0.0 if s is None else s.exports for _, kw, s in begun]),
        purchase=np.stack([market.purchase_price for market in markets]),
        feed_in=np.stack([market.feed_in_price for market in markets]),
        charge_worth=terms.charge,
        discharge_worth=terms.discharge,
        solar=solar,
        used=solar.copy(),
        slot_hours=problems[0].situation.horizon.slot_hours,
        kink=KINK * np.array(spread),
        stiffness=push,
        hub_stiffness=push * hubs,
        flatness=np.array(pulls[0]),
        middle=np.array([float(row[0].mean()) for row in rows]),
        hub_flatness=np.array(pulls[1]) * hubs,
        hub_middle=np.stack([kw.mean(axis=1) for kw in fixed_kw]),
    )


def _rows_of(begun: tuple[Problem, Array, Multipliers | None]) -> Array:
    problem, _, start = begun
    if start is None:
        return np.zeros_like(problem.limits.upper)
    return start.on(problem.limits.row)


def _stacked(parts: Sequence[Array], height: int, fill: float) -> Array:
    """The parts of all futures, those with fewer rows filled up; (futures, rows, ...)."""
    whole = np.full((len(parts), height, *parts[0].shape[1:]), fill)
    for future, part in zip(whole, parts, strict=True):
        future[: len(part)] = part
    return whole


def with_levels(board: Board, problems: Sequence[Problem], kink: float, *, learn: bool) -> Board:
    """Set the free levels to balance; then, where ``learn``, let the multipliers follow."""
    for f, problem in enumerate(problems):
        _set_levels(board, f, problem)
        if learn:
            duals = duals_of(board, f, problem)
            board.multiplier[f, : len(duals.rows)] = duals.rows
            board.import_multiplier[f] = duals.imports
            board.export_multiplier[f] = duals.exports
        board.hub_middle[f] = board.net[f].mean(axis=1)
        board.middle[f] = board.rows[f, 0].mean()
        board.kink[f] = kink * problem.spread_kw
    return board


def _set_levels(board: Board, f: int, problem: Problem) -> None:
    """The peak of the head, and of every hub's imports, within what has been so far."""
    past, span = problem.situation.so_far, problem.span_kw
    if np.isfinite(span):
        upper = problem.limits.upper
        span = max(span, past.head_span_kw)
        most = min(float(upper[0].max()), past.head_valley_kw + span)
        peak = kernel.head_level(board, f, span, past.head_peak_kw, most)
        board.bound[f, 0] = np.minimum(peak, upper[0])
        board.bound[f, 1] = np.minimum(span - peak, upper[1])
    charge = problem.situation.market.demand_charge
    for h, limit in enumerate(problem.import_limit_kw):
        board.import_level[f, h] = kernel.import_level(
            board, f, h, past.import_peak_at(h), limit, charge
        )


def duals_of(board: Board, f: int, problem: Problem) -> Multipliers:
    """How hard each shared limit pushes now: its multiplier, moved by what is over."""
    row = problem.limits.row
    height = len(row)
    over_import = board.net[f] - board.import_level[f][:, None]
    over_export = -board.net[f] - board.export_level[f][:, None]
    over = board.rows[f, :height] - board.bound[f, :height]
    push, hub_push = board.stiffness[f], board.hub_stiffness[f]
    return Multipliers(
        row,
        _pushed(board.multiplier[f, :height], push * over),
        _pushed(board.import_multiplier[f], hub_push * over_import),
        _pushed(board.export_multiplier[f], hub_push * over_export),
    )


def _pushed(multiplier: Array, by: Array) -> Array:
    pushed: Array = np.maximum(multiplier + by, 0.0)
    return pushed
