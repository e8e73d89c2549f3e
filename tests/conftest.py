"""What holds for all tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

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
# A property is tried on this share of its examples, at least on a few; `make nightly` tries all.
EXAMPLES, FEWEST = float(os.environ.get("HUBWISE_EXAMPLES", "0.3")), 5


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Scale the examples of every property."""
    seen = set()
    for item in items:
        test = getattr(item, "obj", None)
        test = getattr(test, "__func__", test)
        whole = getattr(test, "_hypothesis_internal_use_settings", None)
        if not is_hypothesis_test(test) or whole is None or test in seen:
            continue
        seen.add(test)
        count = max(round(EXAMPLES * whole.max_examples), min(FEWEST, whole.max_examples))
        test._hypothesis_internal_use_settings = settings(whole, max_examples=count)


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
