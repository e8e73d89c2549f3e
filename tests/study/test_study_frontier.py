"""A frontier: every pair of promises planned, bounded and drawn, kept or not."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from builders import scenario_of, small_situation
from hubwise.domain import Promises, Scenario
from hubwise.plan import make_plan, relax
from hubwise.pricing import profit_bound
from hubwise.scenario import load, with_participation
from hubwise.study import FrontierResult, make_frontier
from hubwise.study.options import RunOptions
from hubwise.study.report.frontier import headline, published

GRID: dict[str, Any] = {
    "participations": (0.5, 1.0),
    "peak_valleys": (0.001, 0.9),
    "savings": (0.7, 0.9),
    "evaluations": 2,
}


@pytest.fixture(scope="module")
def quick() -> Scenario:
    """A few cars, and one price for the whole day."""
    few = scenario_of(small_situation(3, sessions=6, hubs=1))
    return few.having(rules=replace(few.situation.rules, family="flat"))


@pytest.fixture(scope="module")
def made(quick: Scenario, tmp_path_factory: pytest.TempPathFactory) -> FrontierResult:
    """A frontier by one process; not to be changed."""
    return make_frontier(quick, tmp_path_factory.mktemp("frontiers") / "one", **GRID)


def untimed(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in p.items() if key != "wall_seconds"} for p in points]


def test_every_pair_has_a_point(made: FrontierResult) -> None:
    """Each pair of promises at each participation has its point, kept or not, and its bound."""
    asked = [(p, v, c) for p in (0.5, 1.0) for v in (0.001, 0.9) for c in (0.7, 0.9)]
    keys = ("participation", "peak_valley_promise", "saving_promise")
    assert [tuple(point[key] for key in keys) for point in made.points] == asked
    assert set(asked) <= {tuple(bound[key] for key in keys) for bound in made.bounds}
    written = json.loads((made.folder / "frontier.json").read_text("utf-8"))
    assert written == made.content


def test_what_cannot_be_met_is_said(made: FrontierResult) -> None:
    """A feeder that should be flat is not; the point stays, says what it misses and is not kept."""
    for point in made.points:
        impossible = point["peak_valley_promise"] == 0.001
        assert point["kept"] != impossible
        assert bool(point["misses"]) == impossible
        assert (point["peak_valley_ratio"] > point["peak_valley_promise"]) == impossible


def test_a_kept_point_keeps_its_promises_below_its_bound(made: FrontierResult) -> None:
    """Where a point is kept, both ratios hold, nothing is broken, and the profit is in bounds."""
    kept = [point for point in made.points if point["kept"]]
    assert kept
    for point in kept:
        assert point["peak_valley_ratio"] <= point["peak_valley_promise"] * (1 + 1e-9)
        assert point["participant_cost_ratio"] <= point["saving_promise"] * (1 + 1e-9)
        assert point["violations"] == 0
        assert point["operator_profit"] <= point["profit_bound"]
        assert point["profit_ratio"] <= point["bound_ratio"]


def test_a_point_is_the_plan_at_its_promises(made: FrontierResult, quick: Scenario) -> None:
    """A point holds the figures of the plan of the scenario with these promises."""
    given = with_participation(quick, 1.0).having(
        promises=Promises(saving=0.7, peak_valley=0.9),
        search=replace(quick.search, evaluations=2),
    )
    result, point = make_plan(given).result.to_json(), made.points[-2]
    for key in ("profit_ratio", "peak_valley_ratio", "operator_profit", "profit_bound", "gap"):
        assert point[key] == result[key]
    assert point["misses"] == result["advice"]


def test_looser_promises_have_higher_bounds(made: FrontierResult) -> None:
    """The bound rises with what drivers may pay and with the peak-valley difference allowed."""
    bounds = pl.DataFrame(made.bounds)
    for (_, _), line in bounds.group_by("participation", "saving_promise"):
        rising = line.sort("peak_valley_promise")["profit_bound"].to_numpy()
        # Each bound is settled to a tenth of a per cent.
        assert (np.diff(rising) >= -1e-3 * np.abs(rising[1:])).all()
    for (_, _), pair in bounds.group_by("participation", "peak_valley_promise"):
        assert pair.sort("saving_promise")["profit_bound"].is_sorted()


def test_the_relaxed_answer_serves_every_saving_promise(quick: Scenario) -> None:
    """One relaxed answer bounds all saving promises: it is the same whatever drivers may pay."""
    given = with_participation(quick, 1.0).having(promises=Promises(saving=0.7, peak_valley=0.8))
    problem, relaxed = relax(
        given.having(promises=replace(given.situation.promises, saving=np.inf)).situation
    )
    own_problem, own = relax(given.situation)
    assert profit_bound(replace(problem, situation=given.situation), relaxed) == profit_bound(
        own_problem, own
    )


def test_the_table_has_every_point(made: FrontierResult) -> None:
    """``frontier.parquet`` holds the points, and is what `table` gives."""
    table = pl.read_parquet(made.folder / "frontier.parquet")
    assert table.equals(made.table())
    assert table["profit_ratio"].to_list() == [point["profit_ratio"] for point in made.points]
    assert table["kept"].to_list() == [point["kept"] for point in made.points]


def test_the_page_shows_every_point(made: FrontierResult) -> None:
    """The page loads nothing, and draws each plan, kept or not, and each bound."""
    text = made.page.read_text("utf-8")
    assert not re.search(r'<(script|link|img)[^>]+(src|href)="', text)
    found = re.search(r'id="figure-data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    figures = json.loads(gzip.decompress(base64.b64decode(found[1])))["all"]
    assert set(figures) == {f"{kind}-{p}" for kind in ("picture", "grid") for p in ("0.5", "1")}
    traces = figures["picture-1"]["data"]
    dots = sum(len(trace["x"]) for trace in traces if trace["mode"] == "markers")
    lines = [trace for trace in traces if trace["mode"] == "lines"]
    assert dots == 4
    assert [trace["name"] for trace in lines] == ["c ≤ 0.70", "c ≤ 0.90"]
    words = [word["text"] for word in figures["grid-1"]["layout"]["annotations"]]
    assert [word == "not kept" for word in words] == [True, False, True, False]
    assert text.count("<td>yes</td>") == 4
    assert (
        text.count("<li>50\u202f%, v at most 0.001, c at most 0.70: the peak-valley promise") == 1
    )


def test_the_published_point_is_drawn_only_where_it_is_cited(made: FrontierResult) -> None:
    """A scenario made after the published study is drawn beside it; any other is not."""
    assert made.content["published"] is None
    star = published(load("ieee33"))
    assert star == {"peak_valley_ratio": 0.7, "participant_cost_ratio": 0.56, "profit_ratio": 0.28}
    same = {**made.points[-1], "peak_valley_promise": 0.7, "saving_promise": 0.56}
    assert "against its 0.28" in headline({"points": [same], "published": star})
    assert "against" not in headline(made.content)


def test_workers_do_not_change_the_frontier(
    made: FrontierResult, quick: Scenario, tmp_path: Path
) -> None:
    """Two processes find the same points and bounds to the bit; every job is heard of once."""
    heard: list[tuple[int, int, str]] = []
    part = {**GRID, "participations": [1.0], "peak_valleys": [0.9]}
    out = tmp_path / "two"
    beside = make_frontier(
        quick, out, **part, run=RunOptions(workers=2, progress=lambda *step: heard.append(step))
    )
    assert untimed(beside.points) == untimed(made.points)[-2:]
    assert beside.bounds == made.bounds[-2:]
    assert [step[:2] for step in heard] == [(1, 3), (2, 3), (3, 3)]
    assert {name for *_, name in heard} == {
        "100%, v 0.9, c 0.7",
        "100%, v 0.9, c 0.9",
        "100%, v 0.9, bounds",
    }


def test_a_failed_frontier_leaves_what_was_there(quick: Scenario, tmp_path: Path) -> None:
    """Where a plan fails, the error comes through and nothing half-made stays."""
    one: dict[str, Any] = {"participations": [1.0], "peak_valleys": [0.9], "savings": [0.9]}
    magic = quick.having(search=replace(quick.search, method="magic"))
    with pytest.raises(ValueError, match="unknown search method 'magic'"):
        make_frontier(magic, tmp_path / "it", **one)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("precious")
    with pytest.raises(FileExistsError, match="is not a frontier"):
        make_frontier(quick, tmp_path / "letters", **one)
    assert (tmp_path / "letters" / "dear.txt").read_text() == "precious"


@pytest.mark.parametrize("empty", ["participations", "peak_valleys", "savings"])
def test_nothing_to_plan_is_refused(quick: Scenario, tmp_path: Path, empty: str) -> None:
    """A frontier without a participation, or without a promise of each kind, is a mistake."""
    with pytest.raises(ValueError, match="a promise of each kind"):
        make_frontier(quick, tmp_path / "it", **{empty: []})


def test_a_frontier_goes_on_where_it_was_broken_off(
    made: FrontierResult, quick: Scenario, tmp_path: Path
) -> None:
    """Points and bounds that were found are not sought again, and the frontier is the same."""

    class BrokenOffError(Exception):
        """As Ctrl-C after the second job."""

    def stop(done: int, *_: Any) -> None:
        if done == 2:
            raise BrokenOffError

    part = {**GRID, "participations": [1.0], "peak_valleys": [0.9]}
    with pytest.raises(BrokenOffError):
        make_frontier(quick, tmp_path / "it", **part, run=RunOptions(progress=stop))
    heard: list[tuple[int, int, str]] = []
    whole = make_frontier(
        quick, tmp_path / "it", **part, run=RunOptions(progress=lambda *step: heard.append(step))
    )
    assert heard[0] == (2, 3, "taken up")
    assert len(heard) == 2
    assert untimed(whole.points) == untimed(made.points)[-2:]
    assert whole.bounds == made.bounds[-2:]
    assert [folder.name for folder in tmp_path.iterdir()] == ["it"]
