"""The surrogate: it predicts what it has seen, learns classes, and repeats itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.dispatch import dispatch
from hubwise.pricing import Setting, make_family, run_search, value_of
from hubwise.pricing.search.surrogate import Surrogate, driver_classes, predictor

seeds = st.integers(0, 2**32 - 1)


def watched(problem, count: int, seed: int):
    """A state that has seen ``count`` tariffs near each other, and their merits."""
    family = make_family(problem.situation, "flat")
    method = Surrogate()
    first = family.project(np.full((2, 1), 0.3))
    setting = Setting(family, first, 100, seed, problem=problem)
    draws = np.random.default_rng(seed).uniform(-0.1, 0.1, (count, 2, 1))
    points = [family.project(first + draw) for draw in draws]
    answers = [(p, value_of(problem, family.tariff(p), rounds=5)) for p in points]
    return method.watch(method.start(setting, 0.0), answers), points, answers


@given(seeds)
@settings(max_examples=5)
def test_it_knows_what_it_has_seen(small_situation, make_problem_of, seed) -> None:
    """Merits of tariffs seen are predicted to a small part of their spread."""
    problem = make_problem_of(small_situation(seed, sessions=12))
    state, points, answers = watched(problem, 12, seed)
    merits = np.array([worth.merit for _, worth in answers])
    off = predictor(state)(np.stack(points)) - merits
    assert np.abs(off).mean() <= 0.1 * np.ptp(merits) + 1e-3 * np.abs(merits).max()


@given(seeds, st.integers(1, 30))
@settings(max_examples=20)
def test_alike_drivers_are_of_one_class(small_situation, seed, sessions) -> None:
    """Every driver has a class; copies of a driver have the same."""
    fleet = small_situation(seed, sessions=sessions).fleet
    twice = fleet.select(np.tile(np.arange(sessions), 2))
    label = driver_classes(twice, seed)
    assert label.shape == (2 * sessions,)
    assert np.array_equal(label[:sessions], label[sessions:])
    assert set(label) == set(range(int(label.max()) + 1))


def test_nobody_has_no_class(small_situation) -> None:
    """An empty fleet is no mistake."""
    assert driver_classes(small_situation(1).fleet.select(np.zeros(8, bool)), 3).shape == (0,)


def test_proposals_follow_from_the_state(small_situation, make_problem_of) -> None:
    """The same state proposes the same points, and watching leaves the state before as it was."""
    problem = make_problem_of(small_situation(3, sessions=12), saving=0.8)
    state, _, answers = watched(problem, 12, 3)
    method = Surrogate(steps=20)
    before = state.seen.merit.copy()
    first = method.propose(state)
    method.watch(state, answers)
    assert np.array_equal(state.seen.merit, before)
    assert np.array_equal(np.stack(first), np.stack(method.propose(state)))


def test_it_finds_better_prices(small_situation, make_problem_of) -> None:
    """From prices that give everything away it finds some that are worth more, and then stops."""
    problem = make_problem_of(small_situation(12, sessions=12))
    situation = replace(problem.situation, rules=replace(problem.situation.rules, family="flat"))
    family = make_family(situation)
    start = dispatch(problem, None, rounds=10).warm().near()
    blind = np.array([[0.1], [0.0]])
    found = run_search(Surrogate(), problem, Setting(family, blind, 80, 5), start)
    assert found.history[-1] > found.history[0] + 0.01 * abs(found.history[0])
    assert found.evaluations <= 80
