"""Every strategy at every participation, on the same drivers; one folder, whole or not at all."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any, Protocol

import numba
import polars as pl

from hubwise.domain import Scenario
from hubwise.plan import plan, read, write
from hubwise.plan.place import whole_folder
from hubwise.study.report import write_report

STRATEGIES = ("uncoordinated", "storage", "passive", "hubwise")
PARTICIPATIONS = (0.6, 0.7, 0.8)


class Progress(Protocol):
    """Hears how far a study is."""

    def __call__(self, done: int, total: int, what: str) -> None:
        """``done`` of ``total`` plans are made; ``what`` names the last one."""


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


@dataclass(frozen=True, slots=True)
class _Job:
    """One plan of a study."""

    scenario: Scenario
    strategy: str
    participation: float
    method: str | None
    folder: Path

    @property
    def name(self) -> str:
        return f"{self.strategy}-{self.participation:g}"

    def run(self) -> dict[str, Any]:
        """Make the plan, write its folder, return its result as it stands there."""
        made = plan(
            self.scenario,
            strategy=self.strategy,
            participation=self.participation,
            method=self.method,
        )
        return read(write(made, self.folder / "plans" / self.name)).result


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
    pairs = [(share, strategy) for share in participations for strategy in strategies]
    if len(set(pairs)) < len(pairs) or not pairs:
        raise ValueError(
            "a study needs at least one strategy and participation, none of them twice"
        )
    with whole_folder(Path(out), _is_study, "a study") as folder:
        jobs = [_Job(scenario, strategy, share, method, folder) for share, strategy in pairs]
        summary = {
            "scenario": scenario.name,
            "currency": scenario.currency,
            "version": version("hubwise"),
            "results": _run(jobs, workers, progress),
        }
        (folder / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
        write_report(scenario, folder)
    return StudyResult(Path(out), summary)


def _run(jobs: list[_Job], workers: int, progress: Progress | None) -> list[dict[str, Any]]:
    """The results of the jobs, in their order."""
    done = [0]

    def heard(job: _Job) -> None:
        done[0] += 1
        if progress is not None:
            progress(done[0], len(jobs), job.name)

    if workers == 1 or len(jobs) == 1:
        results = []
        for job in jobs:
            results.append(job.run())
            heard(job)
        return results
    with _pool(min(workers, len(jobs))) as pool:
        # The search for prices takes longest: begin with it.
        order = sorted(jobs, key=lambda job: job.strategy != "hubwise")
        futures: dict[Future[dict[str, Any]], _Job] = {pool.submit(job.run): job for job in order}
        for future in as_completed(futures):
            future.result()
            heard(futures[future])
        by_name = {job.name: future.result() for future, job in futures.items()}
    return [by_name[job.name] for job in jobs]


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Worker processes that are gone at once when the work is broken off."""
    before = set(active_children())
    context = get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_settle_worker)
    try:
        yield pool
    except BaseException:
        for child in set(active_children()) - before:
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _settle_worker() -> None:
    """One core a worker; and only the parent hears Ctrl-C, so that it is told once."""
    numba.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _is_study(folder: Path) -> bool:
    return (folder / "summary.json").is_file() and (folder / "plans").is_dir()
