"""Search methods on merits that are known, and the loop on problems at the edge."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import get_args
from weakref import WeakSet

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.dispatch import dispatch
from hubwise.pricing import (
    METHODS,
    Setting,
    first_prices,
    level_prices,
    make_family,
    run_search,
    value_of,
)
from hubwise.pricing.search import search_by
from hubwise.pricing.search.annealing import Annealing
from hubwise.pricing.search.evolution import Evolution
from hubwise.scenario.files import SearchSection

seeds = st.integers(0, 2**32 - 1)
# The exact method has tests of its own.
SEARCHES = [name for name in METHODS if name != "exact"]


def run(method, setting: Setting, merit) -> tuple[np.ndarray, list[float]]:
    """The loop without a dispatch: best point and merits of all points tried, in order."""
    best, tried = setting.first, [merit(setting.first)]
    state = method.start(setting, tried[0])
    while len(tried) < setting.evaluations:
        points = method.propose(state)
        if not points:
            break
        merits = [merit(point) for point in points]
        if max(merits) > max(tried):
            best = points[int(np.argmax(merits))]
        tried += merits
        state = method.learn(state, points, merits)
    return best, tried


def test_the_door_knows_every_method() -> None:
    """A scenario's [search] takes just the methods that there are, and "auto"."""
    at_the_door = get_args(SearchSection.model_fields["method"].annotation)
    assert set(at_the_door) == {"auto", *METHODS}


def wide_family(small_situation, groups: str):
    """A family with room: prices from 0 to 1, no arbitrage to mind."""
    situation = small_situation(0, levels=3)
    flat = np.ones(24)
    situation = replace(
        situation,
        fleet=replace(situation.fleet, discharge_kw_max=np.zeros(8)),
        market=replace(situation.market, reference_price=9.0 * flat),
        rules=replace(
            situation.rules,
            charge_price_min=0.0 * flat,
            charge_price_max=flat,
            discharge_price_max=flat,
        ),
    )
    return make_family(situation, groups)


@given(seeds, st.sampled_from(["flat", "time-of-use"]))
@settings(max_examples=15)
def test_evolution_climbs_a_crooked_hill(small_situation, seed, name) -> None:
    """A quadratic with axes ten to one, turned at random: its top to a hundredth of a price."""
    family = wide_family(small_situation, name)
    rng = np.random.default_rng(seed)
    size = 2 * family.groups
    axes = np.linalg.qr(rng.standard_normal((size, size)))[0]
    steep = axes @ np.diag(np.geomspace(1.0, 10.0, size)) @ axes.T
    top = rng.uniform(0.3, 0.7, size)

    def merit(point: np.ndarray) -> float:
        away = point.ravel() - top
        return 100.0 - float(away @ steep @ away)

    setting = Setting(family, np.full((2, family.groups), 0.5), 1200, seed)
    best, tried = run(Evolution(), setting, merit)
    assert np.abs(best.ravel() - top).max() <= 0.01
    assert len(tried) < 1200  # it knows when it is there


@given(seeds)
@settings(max_examples=4)
def test_annealing_comes_near_the_top(small_situation, seed) -> None:
    """A smooth hill over two prices: within a few hundredths, every point lawful."""
    family = wide_family(small_situation, "flat")

    def merit(point: np.ndarray) -> float:
        assert np.array_equal(family.project(point), point)
        return 10.0 - float(((point - 0.4) ** 2).sum())

    setting = Setting(family, np.array([[0.9], [0.1]]), 600, seed)
    best, tried = run(Annealing(), setting, merit)
    assert np.abs(best - 0.4).max() <= 0.05
    assert len(tried) == 600


def test_annealing_accepts_losses_while_hot(small_situation) -> None:
    """It walks down early in the search, and hardly ever at its end."""
    family = wide_family(small_situation, "flat")
    setting = Setting(family, np.array([[0.5], [0.5]]), 400, 1)
    method = Annealing(hot=1.0, cold=1e-6)

    def merit(point: np.ndarray) -> float:
        return 1.0 + float(point.sum())

    state, falls = method.start(setting, 2.0), []
    for _ in range(399):
        (point,) = method.propose(state)
        later = method.learn(state, [point], [merit(point)])
        falls.append(later.merit < state.merit)
        state = later
    assert sum(falls[:100]) > 20
    assert sum(falls[-100:]) == 0


@pytest.mark.parametrize("method", [Evolution(), Annealing()])
def test_methods_are_immutable_and_repeatable(small_situation, method) -> None:
    """The same state proposes the same points; learning leaves it as it was."""
    family = wide_family(small_situation, "time-of-use")
    state = method.start(Setting(family, np.full((2, family.groups), 0.5), 50, 7), 1.0)
    first = method.propose(state)
    method.learn(state, first, [1.0] * len(first))
    again = method.propose(state)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_evolution_survives_merits_without_difference(small_situation) -> None:
    """Flat merits, and merits that are not a number, end in a finite state."""
    family = wide_family(small_situation, "flat")
    setting = Setting(family, np.full((2, 1), 0.5), 300, 2)
    for worth in (1.0, np.nan, -np.inf):
        method, state = Evolution(), None
        state = method.start(setting, worth)
        for _ in range(40):
            points = method.propose(state)
            if not points:
                break
            assert np.isfinite(np.stack(points)).all()
            state = method.learn(state, points, [worth] * len(points))


def edges(small_situation):
    """Scenarios at the edge of what there is to price, by name."""
    usual = small_situation(9)
    nothing, one = np.zeros(24), np.arange(8) == 0
    rules = usual.rules
    return {
        "nobody": replace(usual, fleet=usual.fleet.with_participating(np.zeros(8, bool))),
        "one participant": replace(usual, fleet=usual.fleet.with_participating(one)),
        "one session": small_situation(9, sessions=1),
        "one-way only": replace(
            usual,
            fleet=replace(usual.fleet, discharge_kw_max=np.zeros(8)),
            rules=replace(rules, discharge_price_min=nothing, discharge_price_max=nothing),
        ),
        "prices fixed": replace(
            usual,
            rules=replace(
                rules,
                charge_price_min=np.full(24, 0.2),
                charge_price_max=np.full(24, 0.2),
                discharge_price_max=nothing,
            ),
        ),
        "no station": small_situation(9, station=False),
        "solar": small_situation(9, solar=True),
    }


EDGES = (
    "nobody",
    "one participant",
    "one session",
    "one-way only",
    "prices fixed",
    "no station",
    "solar",
)


@pytest.mark.parametrize("name", EDGES)
@pytest.mark.parametrize("promises", [{}, {"saving": 0.7, "peak_valley": 0.7}])
@pytest.mark.parametrize("method", SEARCHES)
def test_search_at_the_edge(small_situation, make_problem_of, name, promises, method) -> None:
    """There is always a lawful best, finite in every figure, never worse than the first."""
    problem = make_problem_of(edges(small_situation)[name], **promises)
    family = make_family(problem.situation)
    relaxed = dispatch(problem, None, rounds=5)
    first = first_prices(problem, family, relaxed)
    assert np.array_equal(family.project(first), first)
    found = run_search(
        METHODS[method], problem, Setting(family, first, 12, 3), relaxed.warm().near()
    )
    assert np.array_equal(family.project(found.prices), found.prices)
    assert np.isfinite(found.history).all()
    assert found.history[-1] == found.value.merit >= found.history[0]
    assert len(found.history) == found.evaluations <= 12


@pytest.mark.parametrize("evaluations", [1, 2, 7])
@pytest.mark.parametrize("method", SEARCHES)
def test_evaluations_are_a_limit(small_situation, make_problem_of, method, evaluations) -> None:
    """No more tariffs are valued than allowed, and progress tells how many were."""
    problem = make_problem_of(small_situation(2), saving=0.8)
    family = make_family(problem.situation)
    start = dispatch(problem, None, rounds=3).warm().near()
    told: list[tuple[int, int]] = []
    first = np.full((2, family.groups), 0.3)
    found = run_search(
        METHODS[method],
        problem,
        Setting(family, first, evaluations, 5),
        start,
        lambda done, total: told.append((done, total)),
    )
    assert found.evaluations == evaluations
    assert [total for _, total in told] == [evaluations] * len(told)
    assert evaluations == 1 or told[-1][0] == evaluations


@pytest.mark.parametrize("method", SEARCHES)
def test_any_number_of_threads(small_situation, make_problem_of, method) -> None:
    """One thread and two find the same prices, worth the same to the bit."""
    if numba.config.NUMBA_NUM_THREADS < 2:
        pytest.skip("one core")
    problem = make_problem_of(small_situation(11, sessions=16), saving=0.7, peak_valley=0.8)
    family = make_family(problem.situation)
    start = dispatch(problem, None, rounds=5).warm().near()
    setting = Setting(family, np.full((2, family.groups), 0.3), 30, 5)
    before, found = numba.get_num_threads(), []
    for threads in (1, 2):
        numba.set_num_threads(threads)
        found.append(run_search(METHODS[method], problem, setting, start))
    numba.set_num_threads(before)
    assert np.array_equal(found[0].prices, found[1].prices)
    assert found[0].history == found[1].history
    assert np.array_equal(found[0].value.dispatch.hub_kw, found[1].value.dispatch.hub_kw)


@given(seeds)
@settings(max_examples=10)
def test_merit_is_profit_where_promises_are_kept(small_situation, make_problem_of, seed) -> None:
    """Without promises merit is profit; a broken saving promise costs more than it brings."""
    free = make_problem_of(small_situation(seed))
    family = make_family(free.situation)
    tariff = family.tariff(family.project(np.full((2, family.groups), 0.4)))
    worth = value_of(free, tariff, rounds=3)
    assert worth.merit == worth.account.profit
    if worth.participant_cost > 0.0:
        reference = free.uncoordinated.charge_kw.sum(axis=0) @ free.situation.market.reference_price
        share = 0.9 * worth.participant_cost / (0.5 * reference)
        broken = value_of(make_problem_of(free.situation, saving=share), tariff, rounds=3)
        assert broken.merit < worth.merit - 0.1 * worth.participant_cost


def test_levelled_proposals_keep_the_promise(small_situation, make_problem_of) -> None:
    """What evolution finds is levelled: lawful, and within the saving promise."""
    problem = make_problem_of(small_situation(12, sessions=12), saving=0.6)
    family = make_family(problem.situation)
    start = dispatch(problem, None, rounds=5).warm().near()
    first = level_prices(problem, family, np.full((2, family.groups), 0.3))
    found = run_search(METHODS["evolution"], problem, Setting(family, first, 30, 5), start)
    assert np.array_equal(level_prices(problem, family, found.prices), found.prices)


class Answer:
    """What a price vector is worth, and as large as an answer may be."""

    broken_kw = 0.0

    def __init__(self, merit: float) -> None:
        self.merit = merit


def test_a_search_keeps_no_answer_but_the_best(small_situation) -> None:
    """An answer of a large fleet is large: before each step only the best and the last are left."""
    family = wide_family(small_situation, "hourly")
    kept, left = WeakSet(), []

    class Counting(Evolution):
        def propose(self, state):
            gc.collect()
            left.append(len(kept))
            return super().propose(state)

    def judge(point: np.ndarray, _: bool) -> tuple[np.ndarray, Answer]:
        answer = Answer(-float(((point - 0.4) ** 2).sum()))
        kept.add(answer)
        return point, answer

    setting = Setting(family, family.project(np.full((2, 12), 0.9)), 100, 1)
    found = search_by(Counting(), setting, judge)
    assert len(left) > 3
    assert max(left) <= 2
    assert found.value in kept
    assert found.value.merit == max(found.history)
