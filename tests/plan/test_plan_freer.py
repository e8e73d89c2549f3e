"""More freedom of prices never makes a plan that misses what less freedom keeps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hubwise.domain import Promises
from hubwise.plan import make_plan


@pytest.mark.parametrize("seed", range(6))
def test_hours_keep_what_one_price_keeps(small_scenario, seed: int) -> None:
    """Few cars, hard promises: prices by the hour keep what one price keeps, and earn as much."""
    scenario = small_scenario(seed, sessions=12, levels=6)
    scenario = scenario.having(promises=Promises(saving=0.95, peak_valley=0.9))

    def made(family: str):
        rules = replace(scenario.situation.rules, family=family)
        return make_plan(scenario.having(rules=rules)).result.to_json()

    one, hours = made("flat"), made("hourly")
    assert len(hours["advice"]) <= len(one["advice"])
    if not one["advice"]:
        earned = one["operator_profit"]
        assert hours["operator_profit"] >= earned - 0.02 * abs(earned)
