"""Every strategy at every participation, on the same drivers, or on several draws of them.

The study appears in its place whole or not at all. Until then its plans stand beside it, and an
interrupted study is gone on with.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import polars as pl

from hubwise.domain import Scenario, Strategy, Tariff, TariffFamily
from hubwise.domain.plain import named, rows
from hubwise.plan import Plan, make_plan
from hubwise.record import read, write
from hubwise.record.folder import is_plan
from hubwise.record.place import write_table
from hubwise.scenario import Draws, fingerprint, load_draws, with_participation
from hubwise.study.delegation import ALL, Sharing, as_json, posted_in, sharings
from hubwise.study.draws import HOW, intervals
from hubwise.study.freedom import Step, own_step, steps
from hubwise.study.options import RunOptions
from hubwise.study.report import write_report
from hubwise.study.unfinished import Unfinished, keep_plan, unfinished
from hubwise.study.workers import done_by

PARTICIPATIONS = (0.6, 0.7, 0.8)


class Sweep(StrEnum):
    """What a study plans beside its strategies."""

    FREEDOM = "freedom"
    DELEGATION = "delegation"


@dataclass(frozen=True, slots=True)
class StudyResult:
    """A study as it stands on disk.

    Parameters
    ----------
    folder
        Holds ``summary.json``, ``report.html`` and a plan folder under ``plans/`` for each result;
        with several draws of the fleet ``draws.parquet``, a row for each plan.
    summary
        What ``summary.json`` holds; ``summary["results"]`` has one entry for each plan.
    """

    folder: Path
    summary: dict[str, object]

    @property
    def results(self) -> list[dict[str, object]]:
        """The results, by participation and in the order of the strategies."""
        return rows(self.summary["results"])

    @property
    def report(self) -> Path:
        """The page to look at."""
        return self.folder / "report.html"

    def table(self) -> pl.DataFrame:
        """One row for each result, with every figure that is one number or one word."""
        return pl.DataFrame([_plain(result) for result in self.results], infer_schema_length=None)


Record = dict[str, object]
Files = dict[str, bytes]


class Job(NamedTuple):
    """A plan to make.

    ``seed`` is that of another draw of the fleet, None the one that is given; ``step`` asks for
    prices more or less free than the scenario's own, ``sharing`` for others who delegate.
    """

    strategy: str
    participation: float
    seed: int | None = None
    step: Step | None = None
    sharing: Sharing | None = None

    @property
    def plain(self) -> bool:
        """Whether it is one of the strategies side by side."""
        return self.step is None and self.sharing is None

    def __str__(self) -> str:
        drawn = "" if self.seed is None else f"@{self.seed}"
        freely = "" if self.step is None else f" {self.step}"
        sharing = "" if self.sharing is None else f" {self.sharing}"
        return f"{self.strategy}-{self.participation:g}{drawn}{freely}{sharing}"


@dataclass(frozen=True, slots=True)
class _Task:
    """What all plans of a study share; ``posted``: what is posted where prices are the same."""

    draws: Draws
    keep_plans: bool
    posted: Tariff | None = None

    def run(self, job: Job) -> tuple[Record, Files]:
        """A plan's result and the files of its folder, if that is kept."""
        given = self.draws.scenario if job.seed is None else self.draws.draw(job.seed)
        given = given if job.step is None else job.step.of(given)
        given = with_participation(given, job.participation)
        made = self._made(given, job)
        with TemporaryDirectory() as place:
            folder = write(made, Path(place) / str(job))
            files = {file.name: file.read_bytes() for file in folder.iterdir()}
            result = read(folder).result
            if job.sharing is not None:
                result = {**result, "posted": as_json(made.tariff)}
            return result, files if self.keeps(job) else {}

    def _made(self, given: Scenario, job: Job) -> Plan:
        """The plan, for others who delegate where the job has them."""
        if job.sharing is None:
            return make_plan(given, strategy=job.strategy)
        same, given = job.sharing.same, job.sharing.of(given)
        posted = self.posted if same else None
        return make_plan(given, strategy=job.strategy, tariff=posted, held=same)

    def keeps(self, job: Job) -> bool:
        """Whether the plan's folder is kept, beside its result."""
        return job.plain and (self.keep_plans or job.seed is None)


def make_study(
    scenario: Scenario,
    out: str | Path,
    *,
    participations: Sequence[float] = PARTICIPATIONS,
    strategies: Sequence[str] = tuple(Strategy),
    seeds: int = 1,
    sweeps: Collection[Sweep] = (Sweep.FREEDOM,),
    keep_plans: bool = False,
    run: RunOptions | None = None,
) -> StudyResult:
    """Plan every strategy at every participation, and write the whole as one folder.

    Parameters
    ----------
    scenario
        What is given, its search with it; its own participation is not used.
    out
        Folder to write. A study that stands there is replaced once the new one is complete;
        anything else that stands there is left alone. Until then, finished plans are kept in
        ``OUT.unfinished``, where the same study, broken off, takes them up.
    participations
        Shares of the sessions that take part, each in 0-1.
    strategies
        Which; all by default.
    seeds
        Draws of the fleet. With two or more, every result has ``intervals``; the first draw is the
        scenario as given, the others have the seeds that follow its own
        (see `hubwise.scenario.Draws`).
    sweeps
        What else the day is planned with, at the highest participation: prices less and more free
        than the scenario's own (``summary["freedom"]``), fewer who delegate, at the same and at
        other prices (``summary["delegation"]``).
    keep_plans
        Whether the plan folders of all draws are kept, not only those of the first.
    run
        Who makes the plans, whether to start over, and who hears of it.

    Returns
    -------
    StudyResult
        The folder, and what its ``summary.json`` holds.

    Raises
    ------
    FileExistsError
        Something else than a study stands at ``out``.
    """
    if seeds < 1:
        raise ValueError(f"a study has one draw of the fleet at least, not {seeds}")
    jobs = [
        Job(strategy, share, seed)
        for seed in (None, *range(scenario.search.seed + 1, scenario.search.seed + seeds))
        for share in participations
        for strategy in strategies
    ]
    later: list[Job] = []
    if Strategy.HUBWISE in strategies and participations:
        most = max(participations)
        if Sweep.FREEDOM in sweeps:
            own = own_step(scenario.situation.rules)
            others = [step for step in steps(scenario) if step != own]
            jobs += [Job(Strategy.HUBWISE, most, step=step) for step in others]
        if Sweep.DELEGATION in sweeps:
            own_prices = (ALL, *sharings(same=False))
            jobs += [Job(Strategy.HUBWISE, most, sharing=each) for each in own_prices]
            later = [Job(Strategy.HUBWISE, most, sharing=each) for each in sharings(same=True)]
    if len(set(map(str, jobs))) < len(jobs) or not jobs:
        raise ValueError("a study needs a strategy and a participation at least, and none twice")
    run = run or RunOptions()
    section = load_draws(scenario.source).section if seeds > 1 else None
    task = _Task(Draws(scenario, section), keep_plans)
    identity = _identity(scenario)
    with unfinished(Path(out), _is_study, "a study", identity, fresh=run.fresh) as work:
        _tidy(work.folder / "plans", {str(job) for job in jobs if task.keeps(job)})
        found = _run(task, jobs, work, run)
        if later:
            first = next(job for job in jobs if job.sharing == ALL)
            found |= _run(replace(task, posted=posted_in(found[first])), later, work, run)
        summary = _summary(scenario, found)
        _write(work.folder, summary, found, scenario.search.seed)
        write_report(scenario, work.folder)
    return StudyResult(Path(out), summary)


def _run(task: _Task, jobs: list[Job], work: Unfinished, run: RunOptions) -> dict[Job, Record]:
    """The results of the jobs, in their order; those that are finished already are taken up."""
    plans = work.folder / "plans"
    before = work.finished()
    found = {
        job: named(before[str(job)])
        for job in jobs
        if str(job) in before and (not task.keeps(job) or is_plan(plans / str(job)))
    }
    if found:
        run.tell(len(found), len(jobs), "taken up")
    # The search for prices takes longest: begin with it.
    due = sorted(
        (job for job in jobs if job not in found), key=lambda job: job[0] != Strategy.HUBWISE
    )
    for job, (result, files) in done_by(task, due, run):
        if files:
            keep_plan(plans / str(job), files)
        work.keep(str(job), result)
        found[job] = result
        run.tell(len(found), len(jobs), str(job))
    return {job: found[job] for job in jobs}


def _tidy(plans: Path, due: set[str]) -> None:
    """Keep only the plans that are asked for, and whole."""
    plans.mkdir(exist_ok=True)
    for folder in plans.iterdir():
        if folder.name not in due:
            shutil.rmtree(folder)


def _identity(scenario: Scenario) -> Record:
    """What the plans of a study depend on."""
    return {
        "scenario": scenario.name,
        "fingerprint": fingerprint(scenario),
        "search": asdict(scenario.search),
        "delegation": asdict(scenario.delegation),
        "version": version("hubwise"),
    }


def _summary(scenario: Scenario, found: dict[Job, Record]) -> Record:
    """What ``summary.json`` holds: the results of the first draw, with intervals over all."""
    plain = {job: result for job, result in found.items() if job.plain}
    first = {job: result for job, result in plain.items() if job.seed is None}
    summary: Record = {
        "scenario": scenario.name,
        "currency": scenario.situation.market.currency,
        "version": version("hubwise"),
        "results": list(first.values()),
    }
    if any(job.step is not None for job in found):
        summary |= {"freedom": _freedom(scenario, found)}
    if shared := _delegation(found):
        summary |= {"delegation": shared}
    if len(first) == len(plain):
        return summary
    for job in first:
        same = [result for other, result in plain.items() if other[:2] == job[:2]]
        first[job] = {**first[job], "intervals": intervals(same)}
    seeds = sorted({_seed(scenario, job) for job in plain})
    return {**summary, "results": list(first.values()), "draws": {"seeds": seeds, "how": HOW}}


def _freedom(scenario: Scenario, found: dict[Job, Record]) -> list[Record]:
    """A result for each step of freedom, from the least; the scenario's own is a plan already."""
    made = {job.step: result for job, result in found.items() if job.step is not None}
    share = next(job.participation for job in found if job.step is not None)
    made[own_step(scenario.situation.rules)] = found[Job(Strategy.HUBWISE, share)]
    order = sorted(made, key=lambda step: (step.per_hub, list(TariffFamily).index(step.family)))
    return [
        {
            "family": step.family,
            "per_hub": step.per_hub,
            "kept": not made[step]["advice"],
            **_plain(made[step]),
        }
        for step in order
    ]


def _delegation(found: dict[Job, Record]) -> list[Record]:
    """A result for each share of who delegates, each way of devices, and both kinds of prices."""
    return [
        {
            "devices": job.sharing.ties,
            "prices": "same" if job.sharing.same else "found",
            "kept": not result["advice"],
            **_plain(result),
        }
        for job, result in found.items()
        if job.sharing is not None
    ]


def _seed(scenario: Scenario, job: Job) -> int:
    return scenario.search.seed if job.seed is None else job.seed


def _write(folder: Path, summary: Record, found: dict[Job, Record], seed: int) -> None:
    text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "summary.json").write_text(text + "\n", encoding="utf-8")
    if "draws" in summary:
        rows = [
            {"seed": seed if job.seed is None else job.seed, **_plain(result)}
            for job, result in found.items()
            if job.plain
        ]
        write_table(pl.DataFrame(rows, infer_schema_length=None), folder / "draws.parquet")


def _plain(result: Record) -> Record:
    """The figures of a result that are one number or one word."""
    return {key: value for key, value in result.items() if not isinstance(value, dict | list)}


def _is_study(folder: Path) -> bool:
    return (folder / "summary.json").is_file() and (folder / "plans").is_dir()
