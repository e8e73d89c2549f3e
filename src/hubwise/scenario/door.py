"""The door: a folder or a packaged name in, a checked scenario out, or everything that is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.random import PCG64, Generator

from hubwise.domain import Promises, Scenario, Search
from hubwise.scenario import build
from hubwise.scenario.errors import Problem, ScenarioError
from hubwise.scenario.files import ScenarioFile
from hubwise.scenario.identity import with_participation
from hubwise.scenario.reading import Reader
from hubwise.scenario.rows import BranchRow, BusRow, ShapeRow
from hubwise.scenario.synthetic import draw_fleet

_PACKAGED = Path(__file__).parent / "data"


def load(source: str | Path) -> Scenario:
    """Read and check a scenario.

    Parameters
    ----------
    source
        Name of a packaged scenario, such as ``ieee33``, or path of a scenario's folder.

    Raises
    ------
    ScenarioError
        With every problem found, where there is any.
    """
    scenario, problems = _read(source)
    if scenario is None or problems:
        raise ScenarioError(problems)
    return scenario


def check(source: str | Path) -> tuple[Problem, ...]:
    """Everything that is wrong with a scenario; nothing where ``load`` would read it."""
    return _read(source)[1]


def packaged() -> tuple[str, ...]:
    """Names of the scenarios that ship with Hubwise."""
    return tuple(sorted(folder.name for folder in _PACKAGED.iterdir() if folder.is_dir()))


def _read(source: str | Path) -> tuple[Scenario | None, tuple[Problem, ...]]:
    folder = _PACKAGED / source if str(source) in packaged() else Path(source)
    reader = Reader(folder)
    raw = reader.toml()
    if raw is None:
        return None, tuple(reader.problems)
    defaults = raw.pop("hub_defaults", {})
    raw["hubs"] = [defaults | hub for hub in raw["hubs"]]
    file = reader.section("", ScenarioFile, raw)
    if file is None:
        return None, tuple(reader.problems)
    horizon = build.build_horizon(file.horizon)
    buses = reader.table(file.feeder.buses, BusRow)
    branches = reader.table(file.feeder.branches, BranchRow)
    shape = reader.table(file.feeder.load_shape or "", ShapeRow)
    assert buses and branches and shape and file.fleet and file.prices.blocks
    market = build.build_market(
        file.prices, build.price_of_blocks(file.prices.blocks, horizon), horizon
    )
    rng = Generator(PCG64(file.search.seed))
    fleet = draw_fleet(file.fleet, len(file.hubs), horizon, rng)
    scenario = Scenario(
        name=file.name,
        source=str(source) if str(source) in packaged() else str(folder.resolve()),
        currency=file.currency,
        horizon=horizon,
        feeder=build.build_feeder(file.feeder, buses, branches, build.build_shape(shape, horizon)),
        hubs=build.build_hubs(file.hubs, np.zeros(horizon.slots)),
        fleet=fleet,
        participation_order=tuple(rng.permutation(len(fleet)).tolist()),
        participation=file.participation,
        market=market,
        rules=build.build_rules(file.rules, file.prices.blocks, market, horizon),
        promises=Promises(file.promises.saving, file.promises.peak_valley),
        search=Search(file.search.method, file.search.evaluations, file.search.seed),
        assumptions=tuple(file.assumptions),
        sources=tuple(file.sources),
        notes=tuple(file.notes),
    )
    return with_participation(scenario, file.participation), tuple(reader.problems)
