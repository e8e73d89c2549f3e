"""Who takes part, and when two scenarios are the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwise.domain import Scenario, Search
from hubwise.scenario import fingerprint, load, new, packaged, with_participation

EXAMPLE = load("example")


@given(low=st.floats(0, 1), high=st.floats(0, 1))
def test_higher_participation_contains_the_lower(low: float, high: float) -> None:
    """Whoever takes part at a share still does at a higher one, and the count is rounded."""
    low, high = sorted((low, high))
    few, many = (
        with_participation(EXAMPLE, share).situation.fleet.participating for share in (low, high)
    )
    assert np.all(many[few])
    assert few.sum() == round(low * len(few))


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), "a"])
def test_participation_is_a_share(share: float) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        with_participation(EXAMPLE, share)


def test_fingerprint_leaves_out_who_takes_part() -> None:
    """Participation is what studies sweep: the scenario stays the same."""
    assert fingerprint(with_participation(EXAMPLE, 0.5)) == fingerprint(EXAMPLE)


def test_fingerprint_leaves_out_the_search() -> None:
    """A plan made with more evaluations or another seed of the search is of the same scenario."""
    other = EXAMPLE.having(search=Search(method="annealing", evaluations=3, seed=2))
    assert fingerprint(other) == fingerprint(EXAMPLE)


@pytest.mark.parametrize(
    "changed",
    [
        EXAMPLE.having(name="other"),
        EXAMPLE.having(market=replace(EXAMPLE.situation.market, demand_charge=1e-12)),
        EXAMPLE.having(participation_order=EXAMPLE.participation_order[::-1]),
        EXAMPLE.having(
            fleet=replace(
                EXAMPLE.situation.fleet, wear_cost=EXAMPLE.situation.fleet.wear_cost + 1e-15
            )
        ),
        EXAMPLE.having(
            fleet=EXAMPLE.situation.fleet.with_drivers(
                name=EXAMPLE.situation.fleet.driver_name[::-1]
            )
        ),
        EXAMPLE.having(
            hubs=replace(EXAMPLE.situation.hubs, solar_kw=EXAMPLE.situation.hubs.solar_kw.T)
        ),
    ],
)
def test_fingerprint_tells_any_change(changed: Scenario) -> None:
    """One bit of one number changes the fingerprint."""
    assert fingerprint(changed) != fingerprint(EXAMPLE)


def test_fingerprint_is_of_the_content_not_the_place(tmp_path: Path) -> None:
    """A copy of a scenario's folder is the same scenario."""
    copy = load(new(tmp_path / "copy"))
    assert copy.source != EXAMPLE.source
    assert fingerprint(copy) == fingerprint(EXAMPLE)


@pytest.mark.parametrize("name", packaged())
def test_same_seed_same_scenario(name: str) -> None:
    """Loading twice gives the same scenario to the last bit."""
    assert fingerprint(load(name)) == fingerprint(load(name))


def test_another_seed_is_another_fleet(tmp_path: Path) -> None:
    """A packaged scenario copied with another seed draws other participants."""
    toml = new(tmp_path / "copy") / "scenario.toml"
    toml.write_text(toml.read_text("utf-8").replace("seed = 1", "seed = 2"), "utf-8")
    assert load(tmp_path / "copy").participation_order != EXAMPLE.participation_order
