"""Dispatch and power flow in turn, until promises and limits hold under AC."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hubwise.dispatch import (
    EXACTLY,
    Baseline,
    Dispatch,
    Limits,
    Problem,
    WarmStart,
    best_dispatch,
    feeder_limits,
    make_problem,
    rounds_where_large,
)
from hubwise.domain import Lines, Schedule, Situation, Status, Tariff
from hubwise.domain.arrays import Array

# Rounds of the first dispatch, of each that goes on from it, and the most dispatches until limits
# hold under AC.
ROUNDS = 40
ONWARD_ROUNDS = 10
TURNS = 10
# Aim inside a limit by so much more than it was last missed: at most so much [kW], and this share
# of the head's spread.
NUDGE_KW, NUDGE = 0.05, 1e-4
# How much two dispatches of nearly the same problem may differ, as a share of the head's spread.
NOISE = 1e-3


@dataclass(frozen=True, slots=True)
class Aim:
    """Where a dispatch aims within promise and limits.

    Parameters
    ----------
    caution_kw
        How far inside of them the first dispatch aims [kW]: fewer turns, less profit.
    head_kw
        Least and most power at the feeder head, besides; each (slots,) [kW].
    """

    caution_kw: float = 0.0
    head_kw: tuple[Array, Array] | None = None


@dataclass(frozen=True, slots=True)
class AcDispatch:
    """A dispatch under AC limits.

    Parameters
    ----------
    dispatch, problem
        What was dispatched, and the problem it answers.
    missed_kw
        What is missed all the same; see `missed_kw`.
    status
        Whether promises and limits hold, or why the turns ended before they did.
    """

    dispatch: Dispatch
    problem: Problem
    missed_kw: Array
    status: Status


def ac_dispatch(
    situation: Situation,
    tariff: Tariff,
    baseline: Baseline,
    *,
    warm: WarmStart | None = None,
    sessions: Schedule | None = None,
    rounds: int = ROUNDS,
    limits: Limits | None = None,
    aim: Aim | None = None,
) -> AcDispatch:
    """Dispatch at ``tariff`` so that promises and limits hold under AC power flow.

    Each turn linearises the feeder where the last dispatch led, and aims inside the limits by as
    much as they were missed. The turn that misses least is returned: a limit that cannot be met
    (the base load alone may break it) stays missed.

    Parameters
    ----------
    situation, tariff, baseline
        What is dispatched, at which prices, and what promises are measured against.
    warm
        Where the first dispatch begins.
    sessions
        Participants' schedules, where only stations are dispatched.
    rounds
        Of the first dispatch; `EXACTLY` for one linear program, where ``sessions`` are given each
        time.
    limits
        The feeder linearised near where the first dispatch will lead, where that is known.
    aim
        Where dispatches aim within promise and limits; no further inside than has to be by default.
    """
    aim = aim or Aim()
    caution = np.full(4, aim.caution_kw)
    if limits is None:
        limits = (
            baseline.limits
            if warm is None
            else feeder_limits(situation.feeder, situation.hubs.bus, warm.hub_kw)
        )
    best: AcDispatch | None = None
    # Stations alone are a small program, however many cars there are.
    exact = sessions is not None and rounds == EXACTLY
    ended = Status.TURNS_SPENT
    for _ in range(TURNS):
        problem = make_problem(
            situation,
            _narrowed(replace(limits, upper=limits.upper - caution[1]), aim.head_kw),
            everybody=baseline.schedule,
            span_kw=baseline.span_kw - caution[0],
            connection_caution_kw=caution[2],
            line_caution_kw=caution[3],
        )
        how = rounds_where_large(problem, rounds)
        answer = best_dispatch(problem, tariff, rounds=how, warm=warm, sessions=sessions)
        limits = feeder_limits(situation.feeder, situation.hubs.bus, answer.hub_kw)
        missed = missed_kw(situation, limits, baseline.span_kw, answer.hub_kw, answer.line_kw)
        worst = float(missed.max())
        # A miss this small only says that dispatches differ by as much: aim once more.
        noise = NOISE * problem.spread_kw
        least = np.inf if best is None else float(best.missed_kw.max())
        stuck = worst > max(0.9 * least, noise)
        if best is None or worst < least:
            best = AcDispatch(answer, problem, missed, ended)
        if worst <= 0.0 or (stuck and (exact or rounds >= ROUNDS)):
            ended = Status.LIMITS_HOLD if worst <= 0.0 else Status.LIMITS_MISSED
            break
        nudge = min(NUDGE_KW, NUDGE * problem.spread_kw)
        caution += np.where(missed > 0.0, missed + nudge, 0.0)
        # Few rounds may be too few for the multipliers to follow.
        warm = answer.warm()
        rounds = EXACTLY if exact else ROUNDS if stuck else ONWARD_ROUNDS
    assert best is not None
    return replace(best, status=ended)


def _narrowed(limits: Limits, head_kw: tuple[Array, Array] | None) -> Limits:
    """The limits with the head between two curves, where they are given."""
    if head_kw is None:
        return limits
    upper = limits.upper.copy()
    upper[0], upper[1] = np.minimum(upper[0], head_kw[1]), np.minimum(upper[1], -head_kw[0])
    return replace(limits, upper=upper)


def over_lines(lines: Lines, line_kw: Array) -> float:
    """By how much the worst circuit or phase is over its limit, below 0 where none is [kW]."""
    return float(np.max(np.abs(line_kw) - lines.limit_kw[:, None], initial=-np.inf))


def missed_kw(
    situation: Situation,
    limits: Limits,
    span_kw: float,
    hub_kw: Array,
    line_kw: Array | None = None,
) -> Array:
    """By how much peak-valley promise, feeder limits, grid connections and lines are missed.

    ``limits`` must be linearised at ``hub_kw``, where its rows are those of the power flow;
    ``span_kw`` is that of the baseline. The promise holds over the past as well.

    Returns
    -------
    Array
        At worst; shape (4,), 0 or less where all hold [kW].
    """
    rows, hubs, past = limits.rows(hub_kw), situation.hubs, situation.so_far
    over_import = np.max(hub_kw - hubs.most_import_kw[:, None])
    over_export = np.max(-hub_kw - hubs.most_export_kw[:, None])
    return np.array(
        [
            past.span_kw(rows[0]) - span_kw,
            np.max(rows - limits.upper),
            max(over_import, over_export),
            -np.inf if line_kw is None else over_lines(hubs.lines, line_kw),
        ]
    )
