"""Bounds against lawful tariffs of random scenarios with every option (see `bounds_hunt`).

The short version of ``make nightly``.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

import bounds_hunt
from bounds_hunt import OPTIONS, Found, draw, hunt, worst

SCENARIOS, TARIFFS = 12, 36


@pytest.fixture(scope="module")
def found() -> Found:
    return hunt(range(SCENARIOS), TARIFFS)


def test_no_lawful_tariff_passes_a_bound(found: Found) -> None:
    """What keeps all promises and limits brings no more than the plan's bounds say."""
    assert [str(one) for one in worst(found.passed)] == []


def test_the_hunt_looks_at_what_matters(found: Found) -> None:
    """Most tariffs keep everything, and some scenarios have a bound of their family."""
    assert found.pairs >= 0.8 * SCENARIOS * TARIFFS
    assert found.keeping >= 0.4 * found.pairs
    assert found.boxed >= SCENARIOS // 4


def test_every_option_is_drawn() -> None:
    """Among a few hundred scenarios each option is there."""
    words = {word for made in map(draw, range(0, 300, 2)) if made for word in made[1].split(", ")}
    assert {option.__name__.strip("_") for option in OPTIONS} <= words


def test_a_bound_that_is_too_low_is_caught(monkeypatch) -> None:
    """Tariffs come near enough to the bounds that a lower one would be passed, and told."""
    honest = bounds_hunt._Judge.of.__func__

    def lower(cls: type, *given: object) -> object:
        judge = honest(cls, *given)
        bounds = tuple((name, said - 0.3 * abs(said) - 0.5) for name, said in judge.bounds)
        return replace(judge, bounds=bounds)

    monkeypatch.setattr(bounds_hunt._Judge, "of", classmethod(lower))
    assert {one.bound for one in hunt(range(4), 24).passed} == {"any tariff", "family"}
