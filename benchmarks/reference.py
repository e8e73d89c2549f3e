"""What the benches are run on: ieee33, its plans, and prices of several kinds."""

from __future__ import annotations

import tempfile
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from shutil import copytree

import numpy as np

from hubwise.domain import Scenario, Tariff
from hubwise.domain.arrays import Array
from hubwise.plan import Plan, make_plan
from hubwise.scenario import load

NAME = "ieee33"
SEED = 2023
PRICE_SEED = 7


@cache
def ieee33(seed: int = SEED) -> Scenario:
    """The reference scenario; with another seed another draw of drivers and participants."""
    if seed == SEED:
        return load(NAME)
    with (
        as_file(files("hubwise.scenario") / "data" / NAME) as packaged,
        tempfile.TemporaryDirectory() as place,
    ):
        folder = copytree(packaged, Path(place) / NAME)
        described = folder / "scenario.toml"
        text = described.read_text(encoding="utf-8")
        other = text.replace(f"seed = {SEED}", f"seed = {seed}")
        if other == text:
            raise ValueError(f"{NAME} is not drawn from seed {SEED}")
        described.write_text(other, encoding="utf-8")
        return load(folder)


@cache
def planned(participation: float, strategy: str = "hubwise", seed: int = SEED) -> Plan:
    """The plan of the reference scenario, made once in a run."""
    return make_plan(ieee33(seed), strategy=strategy, participation=participation)


def posted_tariff() -> Tariff:
    """The time-of-use prices that the plan at 0.8 posts."""
    return planned(0.8).tariff


def random_tariff(scenario: Scenario, slots_a_price: int = 1) -> Tariff:
    """Prices drawn anew for every ``slots_a_price`` slots at every hub, free of arbitrage."""
    hubs, slots = len(scenario.situation.hubs), scenario.situation.horizon.slots
    draw = np.random.default_rng(PRICE_SEED).uniform
    shape = (hubs, -(-slots // slots_a_price))
    charge, discharge = draw(0.2, 1.2, shape), draw(0.0, 1.5, shape)

    def each(prices: Array) -> Array:
        return np.ascontiguousarray(np.repeat(prices, slots_a_price, axis=1)[:, :slots])

    return Tariff(each(charge), each(np.minimum(charge, discharge)))
