"""A hunt for lies: a hundred kinds and more, told of several plans, plainly and sealed again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import numpy as np
import polars as pl
import pytest

from builders import scenario_of, small_situation
from hubwise.audit import Status, audit_record
from hubwise.audit.futures import futures_figures
from hubwise.audit.sealed import shown
from hubwise.audit.shape import check_shape
from hubwise.audit.summary import check_seal
from hubwise.domain import Promises, Scenario, Search
from hubwise.plan import make_plan
from hubwise.record import Appendix, PlanFolderError, read, seal_again, write
from hubwise.record.tables import OPTIONAL_TABLES
from hubwise.scenario import with_participation
from lies import Lie, lies_about, seal_over


@dataclass(frozen=True)
class Told:
    """A plan that lies are told of."""

    scenario: Scenario
    folder: Path


def tiny() -> Scenario:
    """Three sessions at one hub, a station battery, an incentive."""
    quick = Search(evaluations=5, boxes=20)
    return scenario_of(small_situation(3, sessions=3, hubs=1), search=quick)


def rich() -> Scenario:
    """Hubs with prices of their own, stations, solar, a demand charge, and wishes of all kinds."""
    before = small_situation(5, sessions=8, hubs=2, solar=True)
    fleet, some = before.fleet, np.arange(8)
    never = some == 3
    fleet = replace(
        fleet.with_drivers(fade_limit_per_year=np.where(some == 0, 0.002, np.inf)),
        minimum_saving=np.select([some == 1, some == 2], [0.05, 50.0], 0.0),
        never_discharge=never,
        discharge_kw_max=np.where(never, 0.0, fleet.discharge_kw_max),
        surplus_value=np.where(some == 4, 0.1, 0.0),
    )
    market = replace(
        before.market,
        demand_charge=0.2,
        later_periods=((before.horizon.slots // 2, 0.3),),
        feed_in_price=0.8 * before.market.purchase_price,
    )
    situation = replace(
        before,
        fleet=fleet,
        market=market,
        hubs=replace(before.hubs, battery_end_value=np.full(2, 0.1)),
        rules=replace(before.rules, per_hub=True),
        promises=Promises(peak_valley=1.0, saving=1.0),
    )
    quick = Search(evaluations=10, seed=1, boxes=20)
    return with_participation(scenario_of(situation, seed=1, search=quick), 0.75)


def strained() -> Scenario:
    """Limits that the base load alone breaks, and some that hubs can mend."""
    given = rich()
    feeder = replace(given.situation.feeder, transformer_kva=150.0, voltage_min_pu=0.9996)
    return given.having(feeder=feeder)


def _futures() -> Appendix:
    """A table of futures, made up, with the figures that follow from it."""
    columns = [name for name in OPTIONAL_TABLES["futures"] if name != "draw"]
    rng = np.random.default_rng(0)
    rows = {name: rng.uniform(0.5, 2.0, 6) for name in columns}
    table = pl.DataFrame(
        {"draw": ["future"] * 3 + ["fresh"] * 3, **rows}, schema=OPTIONAL_TABLES["futures"]
    )
    return Appendix("futures", {**futures_figures(table), "evaluations": 9}, table)


PLANS: dict[str, tuple[Callable[[], Scenario], str]] = {
    "tiny": (tiny, "hubwise"),
    "rich": (rich, "hubwise"),
    "strained": (strained, "storage"),
}


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    """Plans with a page to look at, one of them with futures."""
    made = {}
    for name, (make, strategy) in PLANS.items():
        scenario, place = make(), tmp_path_factory.mktemp("told") / name
        beside = [_futures()] if name == "tiny" else []
        write(make_plan(scenario, strategy=strategy), place, *beside)
        (place / "report.html").write_text("<p>profit: much</p>", encoding="utf-8")
        seal_again(place)
        made[name] = Told(scenario, place)
    return made


@pytest.fixture(scope="module")
def lies(plans: dict[str, Told]) -> dict[str, list[Lie]]:
    """Lies by plan: every kind is told of one plan, and of all where ``HUBWISE_HUNT`` is set."""
    about = {name: lies_about(told.folder) for name, told in plans.items()}
    if "HUBWISE_HUNT" in os.environ:
        return about
    having: dict[str, list[str]] = {}
    for name, told in about.items():
        for lie in told:
            having.setdefault(lie.name, []).append(name)
    teller = {kind: names[crc32(kind.encode()) % len(names)] for kind, names in having.items()}
    return {name: [lie for lie in told if teller[lie.name] == name] for name, told in about.items()}


def copies(folder: Path, lies: list[Lie], tmp_path: Path) -> Iterator[tuple[Lie, Path]]:
    """Every lie, and a copy of the folder in which it is told."""
    for k, lie in enumerate(lies):
        place = tmp_path / str(k)
        shutil.copytree(folder, place)
        lie.tell(place)
        yield lie, place
        shutil.rmtree(place)


def caught(place: Path, scenario: Scenario) -> bool:
    """Whether the audit fails; its first checks are asked first, as they are quick."""
    try:
        found = read(place)
    except PlanFolderError:
        return not audit_record(place, scenario).ok
    quick = (check_seal(found), *check_shape(found))
    if any(check.status is Status.FAILS for check in quick):
        return True
    return not audit_record(place, scenario).ok


def named(lie: Lie, place: Path, scenario: Scenario) -> bool:
    """Whether the audit says of what was changed that it is sealed, as the liar has it."""
    sealed = audit_record(place, scenario).having(Status.SEALED)
    said = [part for check in sealed for part in check.where.split(", ")]
    if lie.path == "report.html":
        return any(part.startswith("report.html") for part in said)
    return bool(lie.path) and f"{lie.path} = {shown(lie.value)}" in said


def test_there_are_a_hundred_kinds_of_lies(
    plans: dict[str, Told], lies: dict[str, list[Lie]]
) -> None:
    """Kinds are told apart by what is changed, and how; of the plans as they are all is true."""
    assert len({lie.name for told in lies.values() for lie in told}) >= 100
    for told in plans.values():
        assert audit_record(told.folder, told.scenario).failures == ()


@pytest.mark.parametrize("name", list(PLANS))
def test_no_lie_passes(
    name: str, plans: dict[str, Told], lies: dict[str, list[Lie]], tmp_path: Path
) -> None:
    """A plain lie breaks the seal; sealed again it is derived to be none, or named as sealed."""
    told, passed = plans[name], []
    for lie, place in copies(told.folder, lies[name], tmp_path):
        if not caught(place, told.scenario):
            passed.append(lie.name)
        seal_over(place)
        known = not lie.leaves_a_trace or caught(place, told.scenario)
        if not (known or named(lie, place, told.scenario)):
            passed.append(f"{lie.name}, sealed again")
    assert "\n".join(passed) == ""
