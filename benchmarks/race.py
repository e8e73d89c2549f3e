"""Search methods on one problem: merit over evaluations and CPU seconds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from time import process_time

import numpy as np

from benchmarks.reference import ieee33
from hubwise.dispatch import Dispatch, Problem
from hubwise.domain.arrays import Array
from hubwise.plan import relax
from hubwise.pricing import (
    METHODS,
    Family,
    Setting,
    first_prices,
    make_family,
    run_search,
    value_of,
)
from hubwise.scenario import with_participation

SHARE = 0.8
# Rounds of dispatch after which two tariffs' profits can be told apart to a thousandth.
LONG_ROUNDS = 40


@dataclass(frozen=True, slots=True)
class Course:
    """The track: one problem, and two places to begin.

    Parameters
    ----------
    problem, relaxed
        As `hubwise.plan.relax` gives them.
    family
        Of the tariffs searched.
    starts
        Price vectors by name: near the relaxed problem's marginal prices, as a plan begins, and
        the reference tariff with nothing bought back, as one begins who knows nothing.
    seconds
        CPU time of finding the first of them, the relaxed problem included [s].
    """

    problem: Problem
    relaxed: Dispatch
    family: Family
    starts: dict[str, Array]
    seconds: float


@dataclass(frozen=True, slots=True)
class Run:
    """One search.

    Parameters
    ----------
    merit
        Best merit after each evaluation; shape (evaluations,) [currency].
    seconds
        CPU time since the search began, at each evaluation; shape (evaluations,) [s].
    settled
        Merit of the best prices after a long dispatch [currency].
    """

    merit: Array
    seconds: Array
    settled: float

    def reaches(self, merit: float) -> int | None:
        """Evaluations to reach a merit; ``None`` where it never does."""
        there = np.flatnonzero(self.merit >= merit)
        return int(there[0]) + 1 if there.size else None


@cache
def course() -> Course:
    """ieee33 at 0.8 with its own tariff family."""
    situation = with_participation(ieee33(), SHARE).situation
    relax(situation)  # compiles
    began = process_time()
    problem, relaxed = relax(situation)
    family = make_family(situation)
    guided = first_prices(problem, family, relaxed)
    spent = process_time() - began
    even = np.ones((2, *family.group.shape))
    reference = np.broadcast_to(situation.market.reference_price, family.group.shape)
    blind = family.project(family.vector(reference, 0.0 * reference, even))
    return Course(problem, relaxed, family, {"guided": guided, "blind": blind}, spent)


@cache
def raced(method: str, start: str, evaluations: int, seed: int) -> Run:
    """One search on the course, with a clock beside it."""
    track = course()
    clock = [(1, 0.0)]
    began = process_time()
    found = run_search(
        METHODS[method],
        track.problem,
        Setting(track.family, track.starts[start], evaluations, seed),
        track.relaxed.warm().near(),
        lambda done, _: clock.append((done, process_time() - began)),
    )
    done, when = (np.array(column) for column in zip(*clock, strict=True))
    each = when[np.searchsorted(done, np.arange(1, found.evaluations + 1))]
    tariff = track.family.tariff(found.prices)
    settled = value_of(
        track.problem, tariff, rounds=LONG_ROUNDS, warm=track.relaxed.warm().near()
    ).merit
    return Run(np.array(found.history), each, settled)
