"""What holds for all tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import is_hypothesis_test, settings

from builders import scenario_of
from builders import small_situation as make_small_situation
from databases import server
from hubwise.domain import Scenario, Situation

# Compiled kernels make first calls slow: no deadlines. Continuous integration repeats the same
# examples every time; a developer's run draws new ones.
settings.register_profile("hubwise", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("hubwise")
# Properties and seeds are tried on this share of their examples, at least on a few; what is marked
# `nightly` has a shorter test beside it. `make nightly` tries all.
EXAMPLES, FEWEST = float(os.environ.get("HUBWISE_EXAMPLES", "0.3")), 5


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Scale the examples of every property, and leave for the night what is too long for a day."""
    for test in {id(it): it for it in map(_property, items) if it is not None}.values():
        whole = test._hypothesis_internal_use_settings
        test._hypothesis_internal_use_settings = settings(
            whole, max_examples=_share(whole.max_examples, FEWEST)
        )
    if EXAMPLES < 1.0:
        later = {it for it in items if it.get_closest_marker("nightly") or _is_late_seed(it)}
        config.hook.pytest_deselected(items=list(later))
        items[:] = [it for it in items if it not in later]


def _share(count: int, least: int) -> int:
    return max(round(EXAMPLES * count), min(least, count))


def _property(item: pytest.Item) -> Any:
    test = getattr(item, "obj", None)
    test = getattr(test, "__func__", test)
    whole = getattr(test, "_hypothesis_internal_use_settings", None)
    return test if is_hypothesis_test(test) and whole is not None else None


def _is_late_seed(item: pytest.Item) -> bool:
    """Whether a test that is repeated over seeds has been tried on its share of them before."""
    for mark in item.iter_markers("parametrize"):
        if mark.args[0] == "seed":
            seeds = list(mark.args[1])
            return item.callspec.params["seed"] in seeds[_share(len(seeds), 2) :]
    return False


@pytest.fixture(scope="session")
def small_situation() -> Callable[..., Situation]:
    """Makes small made-up situations; see `builders.small_situation`."""
    return make_small_situation


@pytest.fixture(scope="session")
def small_scenario() -> Callable[..., Scenario]:
    """The same as scenarios."""

    def made(seed: int = 0, **kinds: object) -> Scenario:
        return scenario_of(make_small_situation(seed, **kinds), seed=seed)

    return made


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """A PostgreSQL server of our own, as what makes a new database and says its URL.

    Skips, with its reason, where none starts.
    """
    place = tmp_path_factory.mktemp("pg")
    with server(place) as made:
        yield made
    shutil.rmtree(place, ignore_errors=True)
