"""Every strategy at every participation, on the same drivers; one folder, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from hubwise.domain import Scenario
from hubwise.plan import plan, read, write
from hubwise.plan.place import whole_folder
from hubwise.study.report import write_report
from hubwise.study.workers import Progress, Workers, done_by

STRATEGIES = ("uncoordinated", "storage", "passive", "hubwise")
PARTICIPATIONS = (0.6, 0.7, 0.8)


@dataclass(frozen=True, slots=True)
class StudyResult:
    """A study as it stands on disk.

    Parameters
    ----------
    folder
        Holds ``summary.json``, ``report.html`` and a plan folder under ``plans/`` for each result.
    summary
        What ``summary.json`` holds; ``summary["results"]`` has one entry for each plan.
    """

    folder: Path
    summary: dict[str, Any]

    @property
    def results(self) -> list[dict[str, Any]]:
        """The results, by participation and in the order of the strategies."""
        results: list[dict[str, Any]] = self.summary["results"]
        return results

    @property
    def report(self) -> Path:
        """The page to look at."""
        return self.folder / "report.html"

    def table(self) -> pl.DataFrame:
        """One row for each result, with every figure that is one number or one word."""
        plain = (
            {key: value for key, value in result.items() if not isinstance(value, dict | list)}
            for result in self.results
        )
        return pl.DataFrame(list(plain), infer_schema_length=None)


Job = tuple[str, float]


def _name(job: Job) -> str:
    strategy, participation = job
    return f"{strategy}-{participation:g}"


@dataclass(frozen=True, slots=True)
class _Task:
    """What all plans of a study share."""

    scenario: Scenario
    method: str | None
    folder: Path

    def run(self, job: Job) -> dict[str, Any]:
        """Make a plan, write its folder, return its result as it stands there."""
        strategy, share = job
        made = plan(self.scenario, strategy=strategy, participation=share, method=self.method)
        return read(write(made, self.folder / "plans" / _name(job))).result


def study(
    scenario: Scenario,
    out: str | Path,
    *,
    participations: Sequence[float] = PARTICIPATIONS,
    strategies: Sequence[str] = STRATEGIES,
    workers: int = 1,
    method: str | None = None,
    progress: Progress | None = None,
) -> StudyResult:
    """Plan every strategy at every participation, and write the whole as one folder.

    Parameters
    ----------
    scenario
        What is given; its own participation is not used.
    out
        Folder to write. A study that stands there is replaced once the new one is complete;
        anything else that stands there is left alone.
    participations
        Shares of the sessions that take part, each in 0-1.
    strategies
        Any of `STRATEGIES`.
    workers
        Processes that plan side by side. Results do not depend on it. More than one starts
        interpreters anew, so a script needs its ``if __name__ == "__main__"``.
    method
        Search method; the scenario's own by default.
    progress
        Hears of every plan that is made.

    Returns
    -------
    StudyResult
        The folder, and what its ``summary.json`` holds.

    Raises
    ------
    FileExistsError
        Something else than a study stands at ``out``.
    """
    jobs = [(strategy, share) for share in participations for strategy in strategies]
    if len({_name(job) for job in jobs}) < len(jobs) or not jobs:
        raise ValueError("a study needs a strategy and a participation at least, and none twice")
    with whole_folder(Path(out), _is_study, "a study") as folder:
        results = _run(_Task(scenario, method, folder), jobs, workers, progress)
        summary = {
            "scenario": scenario.name,
            "currency": scenario.currency,
            "version": version("hubwise"),
            "results": results,
        }
        text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
        (folder / "summary.json").write_text(text + "\n", encoding="utf-8")
        write_report(scenario, folder)
    return StudyResult(Path(out), summary)


def _run(
    task: _Task, jobs: list[Job], workers: int, progress: Progress | None
) -> list[dict[str, Any]]:
    """The results of the jobs, in their order."""
    results: dict[Job, dict[str, Any]] = {}
    # The search for prices takes longest: begin with it.
    order = sorted(jobs, key=lambda job: job[0] != "hubwise")
    for job, result in done_by(task, order, Workers(workers)):
        results[job] = result
        if progress is not None:
            progress(len(results), len(jobs), _name(job))
    return [results[job] for job in jobs]


def _is_study(folder: Path) -> bool:
    return (folder / "summary.json").is_file() and (folder / "plans").is_dir()
