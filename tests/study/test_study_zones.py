"""Nations: zones one by one, a row each, the same however many work at them."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from hubwise.audit import audit_record
from hubwise.domain import Scenario
from hubwise.plan import Plan, make_plan
from hubwise.plan.evaluation import evaluate, start_of
from hubwise.record import make_tables
from hubwise.scenario import (
    Nation,
    ScenarioError,
    check_tariff,
    lawful,
    load,
    load_draws,
    load_nation,
    new,
)
from hubwise.study import ZonesResult, make_zones
from hubwise.study.options import RunOptions


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with one price for the whole day and few evaluations."""
    folder = new(tmp_path_factory.mktemp("sites") / "site")
    toml = folder / "scenario.toml"
    text = toml.read_text("utf-8").replace("evaluations = 400", "evaluations = 3")
    toml.write_text(text.replace('family = "hourly"', 'family = "flat"'), "utf-8")
    return folder


@pytest.fixture(scope="module")
def nation(site: Path) -> Nation:
    """Five zones."""
    return load_nation(site, copies=5)


@pytest.fixture(scope="module")
def planned(site: Path) -> Plan:
    """The plan whose prices are evaluated."""
    return make_plan(load(site))


@pytest.fixture(scope="module")
def prices(planned: Plan) -> pl.DataFrame:
    """What that plan posts."""
    return make_tables(planned)["prices"]


@pytest.fixture(scope="module")
def made(
    nation: Nation, prices: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> ZonesResult:
    """Evaluated by one process; not to be changed."""
    return make_zones(nation, tmp_path_factory.mktemp("nations") / "one", prices=prices)


def untimed(table: pl.DataFrame) -> pl.DataFrame:
    return table.drop("wall_seconds")


def test_a_row_is_what_the_prices_do_in_the_zone(
    made: ZonesResult, site: Path, planned: Plan
) -> None:
    """Each zone's row holds the figures of its own draw at the given prices, and no regret.

    All zones of a kind start from one answer; their own would hardly say otherwise.
    """
    shared = start_of(load(site).situation, planned.tariff)
    table = made.table()
    assert table["zone"].to_list() == [f"example@{seed}" for seed in table["seed"]]
    assert table["seed"].to_list() == list(range(1, 6))
    for row in table.iter_rows(named=True):
        zone = load(f"{site}@{row['seed']}")
        figures = evaluate(zone.situation, planned.tariff, start=shared).figures
        assert {key: row[key] for key in figures} == figures
        own = evaluate(zone.situation, planned.tariff).figures
        for key in ("operator_profit", "participant_cost", "peak_valley_kw"):
            assert row[key] == pytest.approx(own[key], rel=0.02)
    assert made.summary["max_regret"] < 1e-9
    assert len(set(table["operator_profit"].to_list())) == 5


def test_sums_are_of_the_rows(made: ZonesResult) -> None:
    """The nation's money and sessions are the zones' added up; its head is the heads' sum."""
    table, summary = made.table(), made.summary
    assert summary == json.loads((made.folder / "summary.json").read_text("utf-8"))
    for key in ("sessions", "participating", "operator_profit", "participant_cost"):
        assert summary[key] == pytest.approx(table[key].sum())
    profile = pl.read_parquet(made.folder / "profile.parquet")
    assert profile["slot"].to_list() == list(range(96))
    assert profile["start_utc"][0] == load("example").situation.horizon.start_utc
    span = profile["uncoordinated_head_kw"].max() - profile["uncoordinated_head_kw"].min()
    assert summary["uncoordinated_peak_valley_kw"] == span
    # Peaks of different zones do not fall together: the whole is at most as spread as its parts.
    assert span <= table["uncoordinated_peak_valley_kw"].sum() + 1e-9
    assert sorted(file.name for file in made.folder.iterdir()) == [
        "profile.parquet",
        "summary.json",
        "zones.parquet",
    ]


def test_limits_of_every_kind_are_counted(site: Path, prices: pl.DataFrame, tmp_path: Path) -> None:
    """Every kind that a plan's result counts is summed, hubs' own transformers with the rest."""
    folder = shutil.copytree(site, tmp_path / "small")
    toml = folder / "scenario.toml"
    text = toml.read_text("utf-8").replace("bus = 5", "bus = 5\ntransformer_kva = 3.0")
    text = text.replace("transformer_kva = 250.0", "transformer_kva = 30.0")
    toml.write_text(text, "utf-8")
    made = make_zones(load_nation(folder, copies=1), tmp_path / "nation", prices=prices)
    kinds = [key for key in made.table().columns if key.endswith("_violations")]
    assert {key: made.summary[key] for key in kinds} == made.table().select(kinds).row(
        0, named=True
    )
    assert "hub_transformer_violations" in kinds
    assert made.summary["transformer_violations"] > 0
    assert made.summary["zones_with_broken_limits"] == 1


def test_workers_do_not_change_the_rows(
    made: ZonesResult, nation: Nation, prices: pl.DataFrame, tmp_path: Path
) -> None:
    """Two processes write the same rows to the bit, and sums that differ by rounding at most."""
    beside = make_zones(nation, tmp_path / "two", prices=prices, run=RunOptions(workers=2))
    assert untimed(beside.table()).equals(untimed(made.table()))
    mine, theirs = (
        pl.read_parquet(one.folder / "profile.parquet").drop("slot", "start_utc").to_numpy()
        for one in (made, beside)
    )
    np.testing.assert_allclose(mine, theirs, rtol=1e-12)


def test_zones_go_on_where_they_were_broken_off(
    made: ZonesResult, nation: Nation, prices: pl.DataFrame, tmp_path: Path
) -> None:
    """Rows that were finished are kept and not made again; the nation is the same."""

    class BrokenOffError(Exception):
        """As Ctrl-C after the second zone."""

    def stop(done: int, *_: Any) -> None:
        if done == 2:
            raise BrokenOffError

    with pytest.raises(BrokenOffError):
        make_zones(nation, tmp_path / "it", prices=prices, run=RunOptions(progress=stop))
    heard: list[tuple[int, int, str]] = []
    whole = make_zones(
        nation,
        tmp_path / "it",
        prices=prices,
        run=RunOptions(progress=lambda *step: heard.append(step)),
    )
    assert [step[0] for step in heard] == [2, 3, 4, 5]
    assert heard[0][2] == "taken up"
    assert untimed(whole.table()).equals(untimed(made.table()))
    assert [folder.name for folder in tmp_path.iterdir()] == ["it"]


def test_every_zone_has_a_plan_of_its_own(nation: Nation, site: Path, tmp_path: Path) -> None:
    """Without prices each zone is planned; a kept plan passes the audit, found by its name."""
    two = replace(nation, kinds=(replace(nation.kinds[0], copies=2),))
    done = make_zones(two, tmp_path / "it", keep_plans=True)
    for row in done.table().iter_rows(named=True):
        result = make_plan(load(f"{site}@{row['seed']}")).result.to_json()
        for key in ("operator_profit", "peak_valley_kw", "profit_bound", "participant_cost_ratio"):
            assert row[key] == pytest.approx(result[key], rel=1e-9)
        assert audit_record(done.folder / "plans" / row["zone"]).ok


def test_memory_grows_with_the_zone(
    nation: Nation, prices: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are written as they come: no more of them are held than a part has."""
    rows = sys.modules["hubwise.study.zones"]
    monkeypatch.setattr(rows, "PART", 2)
    written: list[int] = []
    write: Callable[[Path, list[Any]], None] = rows._write_part

    def counted(parts: Path, held: list[Any]) -> None:
        written.append(len(held))
        write(parts, held)

    monkeypatch.setattr(rows, "_write_part", counted)
    make_zones(nation, tmp_path / "it", prices=prices)
    assert written == [2, 2, 1]


def test_a_nation_of_several_kinds(site: Path, tmp_path: Path) -> None:
    """A nation.toml names zones of several kinds, packaged or in folders beside it."""
    (tmp_path / "nation.toml").write_text(
        'name = "two"\n[[zones]]\nscenario = "site"\ncopies = 3\nseed = 7\n'
        '[[zones]]\nscenario = "example"\nname = "other"\n'
    )
    (tmp_path / "site").symlink_to(site)
    nation = load_nation(tmp_path)
    assert (nation.name, nation.currency, len(nation)) == ("two", "EUR", 4)
    assert [list(kind.seeds) for kind in nation.kinds] == [[7, 8, 9], [1]]
    assert nation.kinds[1].zone(1) == "other@1"
    assert nation.kinds[0].draws().scenario.name == load_draws(site).scenario.name


def test_all_that_is_wrong_with_a_nation_is_said_at_once(tmp_path: Path) -> None:
    """Zones twice, scenarios that are none, two currencies and two horizons: one list of all."""
    (tmp_path / "nation.toml").write_text(
        'name = "n"\n[[zones]]\nscenario = "ieee33"\ncopies = 3\n[[zones]]\nscenario = "ieee33"\n'
        '[[zones]]\nscenario = "example"\n[[zones]]\nscenario = "nowhere"\n'
    )
    with pytest.raises(ScenarioError) as caught:
        load_nation(tmp_path)
    wrong = [problem.wrong for problem in caught.value.issues]
    assert wrong[0] == "ieee33@2023 stands here twice"
    assert wrong[1] == "is not a scenario"
    assert wrong[2] == "zones have CNY and EUR"
    assert "96 x 15 min" in wrong[3]
    with pytest.raises(ScenarioError, match=r"give copies in nation\.toml"):
        load_nation(tmp_path, copies=3)


def test_prices_of_other_hubs_are_refused(
    nation: Nation, prices: pl.DataFrame, tmp_path: Path
) -> None:
    """Prices that leave a hub or slot without one are an error, before anything is evaluated."""
    with pytest.raises(ScenarioError, match="every hub and slot of"):
        make_zones(nation, tmp_path / "it", prices=prices.filter(pl.col("slot") > 0))
    assert list(tmp_path.iterdir()) == []


def test_prices_are_lawful_for_every_zone(site: Path, planned: Plan) -> None:
    """Where a draw has a driver to whom buying and selling at once would pay, less is paid."""
    given: Scenario = load(site)
    greedy = replace(planned.tariff, discharge_price=planned.tariff.charge_price + 5.0)
    assert check_tariff(
        greedy, given.situation.fleet, given.situation.hubs, given.situation.horizon
    )
    mild = lawful(greedy, given.situation.fleet)
    assert not check_tariff(
        mild, given.situation.fleet, given.situation.hubs, given.situation.horizon
    )
    np.testing.assert_array_equal(mild.charge_price, greedy.charge_price)
    kept = lawful(planned.tariff, given.situation.fleet)
    np.testing.assert_array_equal(kept.discharge_price, planned.tariff.discharge_price)
