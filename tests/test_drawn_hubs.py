"""The hubs that `benchmarks` draws: lawful, repeatable, of every kind; and what is best known."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from benchmarks.hub_plans import all_known, at_tariff, best_of_plan, family_of, prices_of
from benchmarks.hubs import FAMILIES, HUBS, MARKETS, PLACES, SIZES, Traits, hub, traits
from hubwise.domain import Scenario
from hubwise.scenario import check_openings, fingerprint


@cache
def drawn(number: int) -> Scenario:
    return hub(number)


@cache
def kinds() -> list[Traits]:
    return [traits(number) for number in range(HUBS)]


@pytest.mark.parametrize("number", range(HUBS))
def test_every_hub_is_lawful(number: int) -> None:
    """The door reads it, some tariff is lawful in it, and somebody takes part."""
    situation = drawn(number).situation
    assert check_openings(situation) == ()
    assert family_of(drawn(number)).groups >= 1
    assert situation.fleet.participating.any()
    assert len(situation.fleet) == traits(number).cars


@pytest.mark.parametrize("number", [0, 21, 45])
def test_a_number_makes_one_hub(number: int) -> None:
    """The same number makes the same scenario, another one another."""
    assert fingerprint(hub(number)) == fingerprint(drawn(number))
    assert fingerprint(hub(number + 1)) != fingerprint(drawn(number))


def test_sixty_hubs_are_of_every_size() -> None:
    """As many of each size as is published."""
    cars, before = [kind.cars for kind in kinds()], 0
    for few, most, count in SIZES:
        assert all(few <= size <= most for size in cars[before : before + count])
        before += count
    assert before == HUBS == 60


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("place", PLACES),
        ("market", MARKETS),
        ("family", FAMILIES),
        ("minutes", (5, 15, 30, 60)),
        ("two_way", (0.0, 0.5, 1.0)),
        *((name, (True, False)) for name in ("solar", "station", "per_hub")),
    ],
)
def test_every_kind_is_there(name: str, values: tuple[object, ...]) -> None:
    """Each kind is drawn at least three times."""
    found = [getattr(kind, name) for kind in kinds()]
    assert min(found.count(value) for value in values) >= 3


@pytest.mark.parametrize(
    "name",
    ["demand_charge", "incentive", "surplus", "minimum", "fuse", "transformer", "saving",
     "peak_valley"],
)  # fmt: skip
def test_every_condition_is_there(name: str) -> None:
    """Each limit, promise and wish is there in a tenth of the hubs, and not in a third."""
    nothing = 0.0 if name in ("demand_charge", "incentive", "surplus", "minimum") else np.inf
    there = sum(getattr(kind, name) != nothing for kind in kinds())
    assert HUBS / 10 <= there <= 2 * HUBS / 3


def test_what_is_known_is_of_these_hubs_and_lawful() -> None:
    """Each tariff that is kept as data is of the scenario as it is drawn today, and lawful."""
    known = all_known()
    assert len(known) >= 50
    for number, best in known.items():
        assert best.scenario == fingerprint(drawn(number))
        prices = prices_of(drawn(number), best.ticks)
        np.testing.assert_allclose(family_of(drawn(number)).project(prices), prices, atol=1e-9)


@pytest.mark.parametrize("number", [1, 3, 6])
def test_what_is_known_comes_out_again(number: int) -> None:
    """A tariff that is kept as data brings what is written there, promises kept as written."""
    best = all_known()[number]
    tariff = family_of(drawn(number)).tariff(prices_of(drawn(number), best.ticks))
    found = best_of_plan(drawn(number), at_tariff(drawn(number), tariff), best.method)
    assert found.kept == best.kept
    # Schedules that chargers can follow may cost a thousandth.
    assert best.profit * 0.9989 <= found.profit <= best.profit + 1e-4 * abs(best.profit) + 1e-4
