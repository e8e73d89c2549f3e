"""A study: strategies side by side, whole or not at all, the same however many work at it."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from functools import partial
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy.stats

from hubwise.domain import Scenario, Strategy
from hubwise.plan import make_plan
from hubwise.record import read
from hubwise.scenario import load
from hubwise.study import make_study, run
from hubwise.study.options import RunOptions

# Steps of freedom have tests of their own.
study = partial(make_study, sweeps=())
SHARES = (0.5, 1.0)


@pytest.fixture(scope="module")
def quick() -> Scenario:
    """The example with one price for the whole day and few evaluations."""
    example = load("example")
    return example.having(
        search=replace(example.search, evaluations=3),
        rules=replace(example.situation.rules, family="flat"),
    )


@pytest.fixture(scope="module")
def made(quick: Scenario, tmp_path_factory: pytest.TempPathFactory) -> run.StudyResult:
    """A study by one process; not to be changed."""
    return study(quick, tmp_path_factory.mktemp("studies") / "one", participations=SHARES)


def untimed(result: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in result.items() if key != "wall_seconds"}


def test_every_pair_has_a_plan_folder(made: run.StudyResult) -> None:
    """Each strategy at each participation has its folder, and its result is the summary's."""
    names = {f"{strategy}-{share:g}" for strategy in tuple(Strategy) for share in SHARES}
    assert {folder.name for folder in (made.folder / "plans").iterdir()} == names
    summary = json.loads((made.folder / "summary.json").read_text("utf-8"))
    assert summary == made.summary
    assert set(summary) == {"scenario", "currency", "version", "results"}
    for result in summary["results"]:
        name = f"{result['strategy']}-{result['participation']:g}"
        assert read(made.folder / "plans" / name).result == result
    assert made.report.read_text("utf-8").startswith("<!doctype html>")


def test_strategies_have_the_same_drivers(made: run.StudyResult) -> None:
    """At one participation all strategies bill the same participants from the same yardstick."""
    for share in SHARES:
        plans = [
            read(made.folder / "plans" / f"{name}-{share:g}").tables for name in tuple(Strategy)
        ]
        for other in plans[1:]:
            assert other["sessions"].equals(plans[0]["sessions"])
            yardstick = other["bills"]["reference_cost"].to_numpy()
            np.testing.assert_array_equal(yardstick, plans[0]["bills"]["reference_cost"])


def test_results_as_a_table(made: run.StudyResult) -> None:
    """The table has a row for each result and the figures in columns."""
    table = made.table()
    assert table.height == len(tuple(Strategy)) * len(SHARES)
    assert table["strategy"].to_list() == list(Strategy) * len(SHARES)
    at_once = table.filter(strategy="uncoordinated")
    assert at_once["peak_valley_ratio"].to_list() == [1.0] * len(SHARES)


def test_workers_do_not_change_the_result(
    made: run.StudyResult, quick: Scenario, tmp_path: Path
) -> None:
    """Two processes write the same tables to the bit, and the same figures but for the time."""
    heard: list[tuple[int, int, str]] = []
    beside = study(
        quick,
        tmp_path / "two",
        participations=SHARES,
        run=RunOptions(workers=2, progress=lambda *step: heard.append(step)),
    )
    assert [untimed(one) for one in beside.results] == [untimed(one) for one in made.results]
    for file in sorted(made.folder.glob("plans/*/*.parquet")):
        twin = beside.folder / file.relative_to(made.folder)
        assert twin.read_bytes() == file.read_bytes()
    count = len(tuple(Strategy)) * len(SHARES)
    assert [step[:2] for step in heard] == [(k + 1, count) for k in range(count)]
    assert len({name for *_, name in heard}) == count


def test_a_new_study_takes_the_place_of_the_old(quick: Scenario, tmp_path: Path) -> None:
    """A study is replaced as a whole: no plan of the old one stays."""
    out = tmp_path / "study"
    study(quick, out, participations=[0.5], strategies=["uncoordinated"])
    study(quick, out, participations=[1.0], strategies=["passive"])
    assert [folder.name for folder in (out / "plans").iterdir()] == ["passive-1"]
    assert [folder.name for folder in tmp_path.iterdir()] == ["study"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failed_study_leaves_what_was_there(
    quick: Scenario, tmp_path: Path, workers: int
) -> None:
    """Where one plan fails, the error names it, and the earlier study stands untouched."""
    out = tmp_path / "study"
    study(quick, out, participations=[0.5], strategies=["uncoordinated"])
    before = (out / "summary.json").read_bytes()
    with pytest.raises(ValueError, match="unknown strategy 'magic'") as caught:
        study(
            quick,
            out,
            participations=[0.5],
            strategies=["magic", "passive"],
            run=RunOptions(workers),
        )
    assert caught.value.__notes__ == ["while working on magic-0.5"]
    assert (out / "summary.json").read_bytes() == before
    others = {folder.name for folder in tmp_path.iterdir()} - {"study", "study.unfinished"}
    assert not others


def test_a_report_that_fails_leaves_nothing(
    quick: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A study without its page is no study; its plans wait for the next run."""

    def broken(*_: object) -> None:
        raise RuntimeError("no ink")

    monkeypatch.setattr(run, "write_report", broken)
    with pytest.raises(RuntimeError, match="no ink"):
        study(quick, tmp_path / "study", participations=[0.5], strategies=["uncoordinated"])
    assert [folder.name for folder in tmp_path.iterdir()] == ["study.unfinished"]


@pytest.mark.parametrize(
    ("participations", "strategies"),
    [([], tuple(Strategy)), ([0.5], []), ([0.5, 0.5], ["passive"])],
)
def test_nothing_and_twice_are_refused(
    quick: Scenario, tmp_path: Path, participations: list[float], strategies: list[str]
) -> None:
    """A study without a plan, or with one plan twice, is a mistake of the caller."""
    with pytest.raises(ValueError, match="none twice"):
        study(quick, tmp_path / "it", participations=participations, strategies=strategies)


def test_a_study_goes_on_where_it_was_broken_off(
    made: run.StudyResult, quick: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plans that were finished are not made again, and the study is what it would have been."""

    class BrokenOffError(Exception):
        """As Ctrl-C after the third plan."""

    heard: list[tuple[int, int, str]] = []

    def stop(*step: Any) -> None:
        heard.append(step)
        if step[0] == 3:
            raise BrokenOffError

    out = tmp_path / "study"
    with pytest.raises(BrokenOffError):
        study(quick, out, participations=SHARES, run=RunOptions(progress=stop))
    assert not out.exists()
    kept = {folder.name for folder in (tmp_path / "study.unfinished" / "plans").iterdir()}
    assert kept == {name for *_, name in heard}

    planned: list[str] = []
    real = run.make_plan

    def counted(*given: Any, **asked: Any) -> Any:
        planned.append(f"{asked['strategy']}-{given[0].participation:g}")
        return real(*given, **asked)

    monkeypatch.setattr(run, "make_plan", counted)
    whole = study(quick, out, participations=SHARES)
    assert len(planned) == len(tuple(Strategy)) * len(SHARES) - 3
    assert not kept & set(planned)
    assert [untimed(one) for one in whole.results] == [untimed(one) for one in made.results]
    assert {folder.name for folder in tmp_path.iterdir()} == {"study"}
    files = {file.name for file in whole.folder.iterdir()}
    assert files == {"plans", "report.html", "summary.json"}


@pytest.mark.parametrize("other", ["fresh", "scenario", "method", "torn"])
def test_what_is_not_the_same_study_is_not_taken_up(
    quick: Scenario, tmp_path: Path, other: str
) -> None:
    """Another scenario or method starts over, as does --fresh; a torn line is a plan unmade."""

    class BrokenOffError(Exception):
        """As Ctrl-C after the first plan."""

    def stop(*_: Any) -> None:
        raise BrokenOffError

    asked: dict[str, Any] = {"participations": [0.5], "strategies": ["uncoordinated", "passive"]}
    out = tmp_path / "study"
    with pytest.raises(BrokenOffError):
        study(quick, out, run=RunOptions(progress=stop), **asked)
    given = quick
    match other:
        case "method":
            given = quick.having(search=replace(quick.search, method="annealing"))
        case "scenario":
            given = quick.having(promises=replace(quick.situation.promises, saving=0.99))
        case "torn":
            journal = tmp_path / "study.unfinished" / "finished.jsonl"
            journal.write_bytes(journal.read_bytes()[:-20])
    heard: list[Any] = []
    run = RunOptions(fresh=other == "fresh", progress=lambda *step: heard.append(step))
    study(given, out, run=run, **asked)
    assert [step[:2] for step in heard] == [(1, 2), (2, 2)]
    assert "taken up" not in {name for *_, name in heard}


def test_a_worker_killed_in_the_middle_changes_nothing(
    made: run.StudyResult, quick: Scenario, tmp_path: Path
) -> None:
    """A worker process that dies while it plans costs time: the study is the same to the bit."""
    killed: list[int] = []

    def kill(*_: Any) -> None:
        if not killed:
            victim = active_children()[0]
            assert victim.pid is not None
            os.kill(victim.pid, signal.SIGKILL)
            killed.append(victim.pid)

    beside = study(
        quick, tmp_path / "it", participations=SHARES, run=RunOptions(workers=2, progress=kill)
    )
    assert killed
    assert [untimed(one) for one in beside.results] == [untimed(one) for one in made.results]
    for file in sorted(made.folder.glob("plans/*/*.parquet")):
        assert (beside.folder / file.relative_to(made.folder)).read_bytes() == file.read_bytes()


def test_draws_give_intervals(quick: Scenario, tmp_path: Path) -> None:
    """Over several draws each figure has mean, interval and range; the first draw is as given."""
    asked: dict[str, Any] = {"participations": [0.5], "strategies": ["uncoordinated", "passive"]}
    one = study(quick, tmp_path / "one", **asked)
    several = study(quick, tmp_path / "several", seeds=3, **asked)
    seed = quick.search.seed
    assert several.summary["draws"]["seeds"] == [seed, seed + 1, seed + 2]
    plans = {folder.name for folder in (several.folder / "plans").iterdir()}
    assert plans == {"uncoordinated-0.5", "passive-0.5"}
    drawn = pl.read_parquet(several.folder / "draws.parquet")
    assert drawn.height == 6
    for before, result in zip(one.results, several.results, strict=True):
        intervals = result.pop("intervals")
        assert untimed(result) == untimed(before)
        profits = drawn.filter(strategy=result["strategy"])["operator_profit"].to_numpy()
        assert profits[0] == result["operator_profit"]
        assert len(set(profits.tolist())) == 3
        found = intervals["operator_profit"]
        truth = scipy.stats.t.interval(0.95, 2, profits.mean(), scipy.stats.sem(profits))
        assert (found["low"], found["high"]) == pytest.approx(truth)
        assert (found["least"], found["greatest"]) == (profits.min(), profits.max())
    page = several.report.read_text("utf-8")
    assert "Over 3 draws of the fleet" in page
    assert "draws of the fleet" not in one.report.read_text("utf-8")
    again = make_plan(load(f"example@{seed + 2}"), strategy="passive", participation=0.5)
    last = drawn.filter(strategy="passive", seed=seed + 2)
    assert last["participant_cost"].item() == again.result.money.participant_cost


def test_workers_leave_the_environment_as_it_was(quick: Scenario, tmp_path: Path) -> None:
    """What workers are told about threads stays with them."""
    before = dict(os.environ)
    study(
        quick,
        tmp_path / "s",
        participations=[0.5],
        strategies=["uncoordinated"],
        run=RunOptions(workers=2),
    )
    assert dict(os.environ) == before
