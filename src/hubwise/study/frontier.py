"""The frontier: which peak-valley ratios, drivers' cost ratios and profit ratios go together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from hubwise.domain import Scenario
from hubwise.domain.plain import rows, texts
from hubwise.drivers import uncoordinated
from hubwise.plan import make_plan, relax
from hubwise.pricing import profit_bound
from hubwise.record.place import write_table
from hubwise.scenario import fingerprint, with_participation
from hubwise.study.options import RunOptions
from hubwise.study.report.frontier import published, write_frontier_page
from hubwise.study.report.glossary import finite
from hubwise.study.unfinished import Unfinished, unfinished
from hubwise.study.workers import done_by

PEAK_VALLEYS = (0.50, 0.60, 0.70, 0.80)
SAVINGS = (0.48, 0.52, 0.56, 0.60)
PARTICIPATIONS = (0.6, 0.8)
EVALUATIONS = 25
"""Tariffs tried for each plan: the search begins near the best prices, and plans are many."""

# The bound is drawn through at least so many peak-valley promises.
BOUND_STEPS = 13
FILE = "frontier.json"

Record = dict[str, object]


@dataclass(frozen=True, slots=True)
class FrontierResult:
    """A frontier as it stands on disk.

    Parameters
    ----------
    folder
        Holds ``frontier.json``, ``frontier.parquet`` and ``frontier.html``.
    content
        What ``frontier.json`` holds (docs/frontier.md).
    """

    folder: Path
    content: dict[str, object]

    @property
    def points(self) -> list[Record]:
        """One plan for each participation and pair of promises, kept or not."""
        return rows(self.content["points"])

    @property
    def bounds(self) -> list[Record]:
        """The bound for any tariff, on a finer grid of peak-valley promises."""
        return rows(self.content["bounds"])

    @property
    def page(self) -> Path:
        """The page to look at."""
        return self.folder / "frontier.html"

    def table(self) -> pl.DataFrame:
        """The points, one row each; what was missed as text."""
        return _table(self.points)


class Job(NamedTuple):
    """A plan at one pair of promises; or, where ``saving`` is None, the bounds for each saving."""

    participation: float
    peak_valley: float
    saving: float | None

    def __str__(self) -> str:
        what = "bounds" if self.saving is None else f"c {self.saving:g}"
        return f"{self.participation:.0%}, v {self.peak_valley:g}, {what}"


@dataclass(frozen=True, slots=True)
class _Task:
    """What all plans and bounds of a frontier share."""

    scenario: Scenario
    savings: tuple[float, ...]

    def run(self, job: Job) -> list[Record]:
        """The point of a plan, or the bounds for every saving promise."""
        scenario = with_participation(self.scenario, job.participation)
        if job.saving is None:
            return _bounds(_promising(scenario, job.peak_valley, np.inf), self.savings)
        return [_point(_promising(scenario, job.peak_valley, job.saving))]


def make_frontier(
    scenario: Scenario,
    out: str | Path,
    *,
    participations: Sequence[float] = PARTICIPATIONS,
    peak_valleys: Sequence[float] = PEAK_VALLEYS,
    savings: Sequence[float] = SAVINGS,
    evaluations: int = EVALUATIONS,
    run: RunOptions | None = None,
) -> FrontierResult:
    """Plan every pair of promises at every participation, bound each, and draw them together.

    Parameters
    ----------
    scenario
        What is given; its own participation and promises are not used.
    out
        Folder to write, whole or not at all. A frontier that stands there is replaced; anything
        else is left alone. Until then, what is finished is kept in ``OUT.unfinished``, where the
        same frontier, broken off, takes it up.
    participations
        Shares of the sessions that take part, each in 0-1.
    peak_valleys
        Peak-valley promises, as shares of the uncoordinated difference.
    savings
        Saving promises: participants' cost at most, as shares of their uncoordinated cost.
    evaluations
        Most tariffs that are tried for each plan, in place of the scenario's: plans are many.
    run
        Who makes plans and bounds, whether to start over, and who hears of it.

    Raises
    ------
    FileExistsError
        Something else than a frontier stands at ``out``.
    ValueError
        Where there is nothing to plan.
    """
    shares, most, pay = (tuple(sorted(set(x))) for x in (participations, peak_valleys, savings))
    if not (shares and most and pay):
        raise ValueError("a frontier needs a participation and a promise of each kind at least")
    given = replace(scenario, search=replace(scenario.search, evaluations=evaluations))
    run = run or RunOptions()
    task = _Task(given, pay)
    plans = [Job(share, v, c) for share in shares for v in most for c in pay]
    lines = [Job(share, v, None) for share in shares for v in _finer(most)]
    identity = _identity(given) | {
        "search": asdict(given.search),
        "delegation": asdict(given.delegation),
    }
    with unfinished(Path(out), _is_frontier, "a frontier", identity, fresh=run.fresh) as work:
        folder = work.folder
        found = _run(task, plans + lines, work, run)
        points = [record for job in plans for record in found[job]]
        content = {
            **_identity(scenario),
            "published": published(scenario),
            "points": points,
            "bounds": [record for job in lines for record in found[job]],
        }
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        (folder / FILE).write_text(text + "\n", encoding="utf-8")
        write_table(_table(points), folder / "frontier.parquet")
        write_frontier_page(scenario, content, folder)
    return FrontierResult(Path(out), content)


def _run(
    task: _Task, jobs: list[Job], work: Unfinished, run: RunOptions
) -> dict[Job, list[Record]]:
    """The records of all jobs; those that are finished already are taken up."""
    before = work.finished()
    found: dict[Job, list[Record]] = {
        job: rows(before[name]) for job in jobs if (name := _key(job, task.savings)) in before
    }
    if found:
        run.tell(len(found), len(jobs), "taken up")
    for job, records in done_by(task, [job for job in jobs if job not in found], run):
        work.keep(_key(job, task.savings), records)
        found[job] = records
        run.tell(len(found), len(jobs), str(job))
    return found


def _key(job: Job, savings: tuple[float, ...]) -> str:
    """A job's name in the journal: its numbers to the last digit."""
    return repr(savings if job.saving is None else ()) + repr(job)


def _identity(scenario: Scenario) -> dict[str, object]:
    return {
        "scenario": scenario.name,
        "scenario_source": scenario.source,
        "scenario_fingerprint": fingerprint(scenario),
        "currency": scenario.situation.market.currency,
        "version": version("hubwise"),
    }


def _finer(peak_valleys: Sequence[float]) -> list[float]:
    """The promises themselves, and an even grid between the least and the greatest."""
    grid = np.linspace(peak_valleys[0], peak_valleys[-1], BOUND_STEPS)
    return sorted({*peak_valleys, *(round(float(v), 6) for v in grid)})


def _promising(scenario: Scenario, peak_valley: float, saving: float) -> Scenario:
    return scenario.having(
        promises=replace(scenario.situation.promises, saving=saving, peak_valley=peak_valley)
    )


def _fleet_cost(scenario: Scenario) -> float:
    """What the whole fleet pays uncoordinated [currency]: the measure of profits."""
    situation = scenario.situation
    power = uncoordinated(situation.fleet, situation.horizon).charge_kw.sum(axis=0)
    return situation.horizon.slot_hours * float(power @ situation.market.reference_price)


def _point(scenario: Scenario) -> Record:
    """What a plan reached of its promises, and what it misses."""
    made = make_plan(scenario).result
    return {
        "participation": scenario.participation,
        "peak_valley_promise": scenario.situation.promises.peak_valley,
        "saving_promise": scenario.situation.promises.saving,
        **{key: finite(ratio) for key, ratio in asdict(made.ratios).items()},
        "operator_profit": finite(made.money.operator_profit),
        **_bound(scenario, made.bounds.profit_bound),
        "gap": finite(made.bounds.gap),
        "violations": sum(made.feeder.broken().values()),
        "kept": not made.advice,
        "misses": list(made.advice),
        "method": made.search.method,
        "evaluations": made.search.evaluations,
        "wall_seconds": made.wall_seconds,
    }


def _bounds(scenario: Scenario, savings: Sequence[float]) -> list[Record]:
    """The bound at one peak-valley promise for every saving promise."""
    problem, relaxed = relax(scenario.situation)
    records = []
    for saving in savings:
        promising = _promising(scenario, scenario.situation.promises.peak_valley, saving)
        bound = profit_bound(replace(problem, situation=promising.situation), relaxed)
        records.append(
            {
                "participation": scenario.participation,
                "peak_valley_promise": scenario.situation.promises.peak_valley,
                "saving_promise": saving,
                **_bound(promising, bound),
            }
        )
    return records


def _bound(scenario: Scenario, bound: float | None) -> Record:
    """The bound and its ratio; None where a plan that misses its promises has none."""
    cost = _fleet_cost(scenario)
    ratio = bound / cost if bound is not None and cost else None
    return {"profit_bound": finite(bound), "bound_ratio": finite(ratio)}


_SCHEMA = {
    "participation": pl.Float64(),
    "peak_valley_promise": pl.Float64(),
    "saving_promise": pl.Float64(),
    "peak_valley_ratio": pl.Float64(),
    "participant_cost_ratio": pl.Float64(),
    "profit_ratio": pl.Float64(),
    "operator_profit": pl.Float64(),
    "profit_bound": pl.Float64(),
    "bound_ratio": pl.Float64(),
    "gap": pl.Float64(),
    "violations": pl.Int64(),
    "kept": pl.Boolean(),
    "misses": pl.String(),
    "method": pl.String(),
    "evaluations": pl.Int64(),
    "wall_seconds": pl.Float64(),
}


def _table(points: Sequence[Record]) -> pl.DataFrame:
    rows = [{**point, "misses": "; ".join(texts(point["misses"]))} for point in points]
    return pl.DataFrame(rows, schema=_SCHEMA)


def _is_frontier(folder: Path) -> bool:
    return (folder / FILE).is_file()
