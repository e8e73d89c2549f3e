"""Dispatch for the slots that are about to be executed: rounds until limits hold in these.

What is executed cannot be mended: a valley or a peak that slips by for want of a round is paid for
in all hours that follow. So the rounds end by what is still over in the slots to come soon, and
last of all the stations, which are few, go round alone until the first slot is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hubwise.dispatch import kernel
from hubwise.dispatch.alike import check_alike, weights
from hubwise.dispatch.best import best_dispatch
from hubwise.dispatch.board import KINK, places, rows
from hubwise.dispatch.game import Play
from hubwise.dispatch.problem import Problem
from hubwise.dispatch.size import SMALL, is_small
from hubwise.dispatch.solve import Dispatch, begun, held_in, result_of
from hubwise.dispatch.warm import WarmStart
from hubwise.domain import Tariff
from hubwise.domain.arrays import Names

# Up to this size one program is solved, from nothing or where rounds would go on (see `is_small`).
SMALL_ONWARD = 1_000
# Rounds where a small hub's program finds no optimum.
ROUNDS = 40


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a decision is worked on.

    Parameters
    ----------
    fresh, near
        Rounds over all units where there is nothing to go on from, and where limits' prices are
        known but no schedules.
    rounds, most
        Rounds where both are, at least and at most.
    ahead, ahead_share
        Rounds go on while limits are passed by more than this in so many slots to come, as a share
        of the uncoordinated head's spread.
    station_rounds, first_share
        Then stations go round alone, at most so often, while limits are passed by more than this in
        the first slot, in the same measure.
    """

    fresh: int = 40
    near: int = 5
    rounds: int = 1
    most: int = 4
    ahead: int = 4
    ahead_share: float = 6e-4
    station_rounds: int = 40
    first_share: float = 3e-4


def dispatch_soon(
    problems: Sequence[Problem],
    shares: Sequence[float],
    tariff: Tariff,
    *,
    present: Names,
    warm: Sequence[WarmStart] | None = None,
    pace: Pace | None = None,
) -> tuple[Dispatch, ...]:
    """Schedule participants and stations, most carefully in the slots to come soon.

    Parameters are those of `hubwise.dispatch.dispatch_futures`; ``pace`` says when rounds end. A
    hub that is small is dispatched exactly, where one future is known.
    """
    goes_on = warm is not None and all(start.schedule is not None for start in warm)
    if len(problems) == 1 and is_small(problems[0], SMALL_ONWARD if goes_on else SMALL):
        return (best_dispatch(problems[0], tariff, rounds=ROUNDS),)
    pace = pace or Pace()
    weight = weights(problems, shares)
    check_alike(problems)
    held = [held_in(problem, tariff) for problem in problems]
    starts: list[WarmStart | None] = [None] * len(problems) if warm is None else [*warm]
    game = begun(problems, weight, tariff, starts, held=held, present=present)
    play = Play.of(game, tariff)
    soon = play.before(pace.ahead)
    gap, count = 0.0, 0
    least, most = pace.rounds, pace.most
    if not game.onward:
        least = pace.fresh if None in starts else pace.near
        most += least
    while count < least or (count < most and over(play, pace.ahead) > pace.ahead_share):
        gap = (play if count < least else soon).round(count, least)
        count += 1
    for k in range(pace.station_rounds if len(play.stations) else 0):
        if over(play, 1) <= pace.first_share:
            break
        play.learn(KINK, count + k)
        play.go_round(play.stations)
        kernel.curtail(game.board)
    return tuple(result_of(game, f, gap, count) for f in range(len(problems)))


def over(play: Play, ahead: int) -> float:
    """By how much the worst limit is passed in the next ``ahead`` slots, in any future.

    Shared limits, the promised spread and highest imports as far as their free levels are set,
    connections, circuits and phases; as a share of the uncoordinated head's spread.
    """
    problems = play.game.problems
    return max(_over_kw(play, f, it, ahead) / it.spread_kw for f, it in enumerate(problems))


def _over_kw(play: Play, f: int, problem: Problem, ahead: int) -> float:
    board = play.game.board
    here, limits, soon = places(board, f), rows(board, f, problem), slice(0, ahead)
    net, of_place = board.net[here, soon], board.of_place[here]
    over = [
        board.rows[limits, soon] - board.bound[limits, soon],
        net - board.import_level[here, soon],
        -net - of_place[:, kernel.EXPORT_LEVEL, None],
    ]
    if board.lines is not None:
        mine = slice(f * board.lines.width, (f + 1) * board.lines.width)
        over.append(np.abs(board.lines.load[mine, soon]) - board.lines.of_line[mine, :1])
    return max(float(np.max(part, initial=-np.inf)) for part in over)
