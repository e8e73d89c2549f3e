"""Every strategy at every participation, on the same drivers; one folder, whole or not at all."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from threading import Thread
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
    done = _here(task, jobs) if min(workers, len(jobs)) == 1 else _beside(task, jobs, workers)
    for job, result in done:
        results[job] = result
        if progress is not None:
            progress(len(results), len(jobs), _name(job))
    return [results[job] for job in jobs]


def _here(task: _Task, jobs: list[Job]) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Results as they come, made in this process."""
    for job in jobs:
        yield job, task.run(job)


def _beside(task: _Task, jobs: list[Job], workers: int) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Results as they come, made in worker processes, which are gone when the work is broken off.

    Workers get the task when they start: what goes through the pool's queue later is small, so
    that no writer can be left hanging in it.
    """
    before = set(active_children())
    pool = ProcessPoolExecutor(
        min(workers, len(jobs)),
        mp_context=get_context("spawn"),
        initializer=_start_worker,
        initargs=(task,),
    )
    # The search for prices takes longest: begin with it.
    order = sorted(jobs, key=lambda job: job[0] != "hubwise")
    try:
        futures = {pool.submit(_run_own, job): job for job in order}
        pending = set(futures)
        while pending:
            # An endless wait would not hear Ctrl-C while polars is loaded (pola-rs/polars#21739).
            done, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
            for future in done:
                yield futures[future], future.result()
    except BaseException:
        for child in set(active_children()) - before:
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


_own: _Task


def _start_worker(task: _Task) -> None:
    """Settle in a worker process.

    It keeps to one core, leaves Ctrl-C to its parent, and does not outlive it.
    """
    global _own
    _own = task
    numba.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _run_own(job: Job) -> dict[str, Any]:
    return _own.run(job)


def _is_study(folder: Path) -> bool:
    return (folder / "summary.json").is_file() and (folder / "plans").is_dir()
