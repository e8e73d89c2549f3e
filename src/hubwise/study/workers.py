"""Jobs of one task side by side, in processes that are gone when the work is broken off."""

from __future__ import annotations

import os
import signal
from collections.abc import Hashable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from multiprocessing import active_children, get_context, parent_process
from threading import Thread
from typing import Any, Protocol, TypeVar

import numba

Job = TypeVar("Job", bound=Hashable)
Result = TypeVar("Result")
Job_contra = TypeVar("Job_contra", bound=Hashable, contravariant=True)
Result_co = TypeVar("Result_co", covariant=True)


class Progress(Protocol):
    """Hears how far the work is."""

    def __call__(self, done: int, total: int, what: str) -> None:
        """``done`` of ``total`` jobs are done; ``what`` names the last one."""


class Task(Protocol[Job_contra, Result_co]):
    """What all jobs share; goes to every worker once."""

    def run(self, job: Job_contra) -> Result_co:
        """Do one job."""


def done_by(
    task: Task[Job, Result], jobs: Sequence[Job], workers: int
) -> Iterator[tuple[Job, Result]]:
    """Jobs with their results, as they come.

    Parameters
    ----------
    task
        Runs the jobs.
    jobs
        In the order in which they are begun; those that take longest should come first.
    workers
        Processes that work side by side; one means this process.
    """
    if min(workers, len(jobs)) == 1:
        return _here(task, jobs)
    return _beside(task, jobs, workers)


def _here(task: Task[Job, Result], jobs: Sequence[Job]) -> Iterator[tuple[Job, Result]]:
    """Results as they come, made in this process."""
    for job in jobs:
        yield job, task.run(job)


def _beside(
    task: Task[Job, Result], jobs: Sequence[Job], workers: int
) -> Iterator[tuple[Job, Result]]:
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
    try:
        futures = {pool.submit(_run_own, job): job for job in jobs}
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


_own: Task[Any, Any]


def _start_worker(task: Task[Any, Any]) -> None:
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


def _run_own(job: Any) -> Any:
    return _own.run(job)
