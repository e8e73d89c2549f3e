"""Jobs of one task side by side, on this machine or on a cluster; a worker may die of it.

The mechanism is dask.distributed: a scheduler hands jobs to worker processes, and the job of one
that died to another. One worker is no cluster: its jobs are done in this process.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import threading
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from errno import ECONNREFUSED
from importlib.metadata import version
from itertools import count, islice
from typing import TYPE_CHECKING, Protocol, TypeVar
from uuid import uuid4

import numba

from hubwise.study.options import RunOptions

if TYPE_CHECKING:
    from distributed import Client, Future

Job = TypeVar("Job", bound=Hashable)
Result = TypeVar("Result")
Job_contra = TypeVar("Job_contra", bound=Hashable, contravariant=True)
Result_co = TypeVar("Result_co", covariant=True)

# How long a scheduler may take to answer [s].
PATIENCE_S = 10.0
# Workers that may die over one job before it is held to be the job's fault.
DEATHS = 3
# Jobs that a cluster holds at least, begun or waiting; others are not even made.
IN_FLIGHT = 32


# Of our own workers. They keep to one core each, and keep the memory that they free: dask's own
# setting gives it back after every array, and a zone then takes 1.4 times as long.
ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), 1),
    "MALLOC_TRIM_THRESHOLD_": 2**28,
    "MALLOC_MMAP_THRESHOLD_": 2**25,
}
# Set in the workers themselves: what dask sets before it spawns them, it sets in this process, and
# numba, asked for another number of threads than it has begun with, refuses to compile.
THEIR_ENVIRONMENT = dict.fromkeys(("NUMBA_NUM_THREADS", "POLARS_MAX_THREADS"), 1)


class Task(Protocol[Job_contra, Result_co]):
    """What all jobs share; goes to every worker once."""

    def run(self, job: Job_contra) -> Result_co:
        """Do one job; the same whenever and wherever it is done."""


class WorkerLostError(ChildProcessError):
    """A job that several workers died of."""


def done_by(
    task: Task[Job, Result], jobs: Sequence[Job], run: RunOptions
) -> Iterator[tuple[Job, Result]]:
    """Jobs of one task with their results, as they come; see `each_done_by`."""
    return each_done_by([(task, jobs)], len(jobs), run)


def each_done_by(
    batches: Iterable[tuple[Task[Job, Result], Iterable[Job]]], total: int, run: RunOptions
) -> Iterator[tuple[Job, Result]]:
    """Jobs with their results, as they come.

    Parameters
    ----------
    batches
        Tasks and the jobs of each, in the order in which they are begun; those that take longest
        should come first. Asked for when there is room to begin them, and not held when done.
    total
        How many jobs there are together.
    run
        Who does them.

    Raises
    ------
    ConnectionError
        The scheduler does not answer, or went away.
    WorkerLostError
        Workers died of the same job, over and over.
    Exception
        What a job raised; a note names the job.
    """
    if run.scheduler is None and min(run.workers, total) <= 1:
        return _here(batches)
    return _beside(batches, total, run)


def _here(
    batches: Iterable[tuple[Task[Job, Result], Iterable[Job]]],
) -> Iterator[tuple[Job, Result]]:
    """Results as they come, made in this process."""
    for task, jobs in batches:
        for job in jobs:
            yield job, _run(task, job)


def _beside(
    batches: Iterable[tuple[Task[Job, Result], Iterable[Job]]], total: int, run: RunOptions
) -> Iterator[tuple[Job, Result]]:
    """Results as they come, made by a cluster, which forgets each when it was handed on."""
    from distributed import as_completed

    with _cluster(min(run.workers, total), run.scheduler) as client:
        room = max(IN_FLIGHT, 4 * sum(client.nthreads().values()))
        waiting = _submitted(client, batches)
        begun: dict[Future[Result], Job] = dict(islice(waiting, room))
        completed = as_completed(begun, loop=client.loop)
        for future in completed:
            job = begun.pop(future)
            yield job, _result(future, job, run)
            future.release()
            for other, its in islice(waiting, room - len(begun)):
                begun[other] = its
                completed.add(other)


def _submitted(
    client: Client, batches: Iterable[tuple[Task[Job, Result], Iterable[Job]]]
) -> Iterator[tuple[Future[Result], Job]]:
    """The jobs, handed to the scheduler one by one as they are asked for."""
    import cloudpickle

    name, number = uuid4().hex[:8], count()
    for task, jobs in batches:
        # The task is itself the result of a job: it is made again where the worker that held it
        # died, which data that is only laid there would not be.
        shared = client.submit(
            pickle.loads, cloudpickle.dumps(task), key=f"task-{name}-{next(number)}"
        )
        for job in jobs:
            yield client.submit(_alone, shared, job, key=f"{job}-{name}-{next(number)}"), job


def _result(future: Future[Result], job: Job, run: RunOptions) -> Result:
    """What a job gave, or what it raised."""
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    try:
        return future.result()
    except KilledWorker as error:
        said = f"{DEATHS + 1} workers died over {job}: out of memory, or a fault of the machine"
        raise WorkerLostError(said) from error
    except FutureCancelledError as error:
        raise ConnectionError(f"the scheduler {run.scheduler or ''} went away") from error


@contextmanager
def _cluster(processes: int, scheduler: str | None) -> Iterator[Client]:
    """Workers of our own, gone at the end; or those of a scheduler that is there already."""
    from dask import config

    settings = {
        "distributed.scheduler.allowed-failures": DEATHS,
        "distributed.comm.timeouts.connect": PATIENCE_S,
        "distributed.nanny.pre-spawn-environ": ENVIRONMENT,
        "distributed.nanny.environ": THEIR_ENVIRONMENT,
        "distributed.worker.profile.enabled": False,
    }
    begun = _connected(scheduler) if scheduler else _local(processes)
    with config.set(settings), begun as client:
        yield client


@contextmanager
def _local(processes: int) -> Iterator[Client]:
    """A client of our own workers."""
    from distributed import Client, LocalCluster

    with ExitStack() as closing:
        closing.enter_context(_environment_kept())
        with _undisturbed():
            cluster = LocalCluster(
                n_workers=processes,
                threads_per_worker=1,
                processes=True,
                dashboard_address=":0",
                memory_limit=None,
                silence_logs=logging.CRITICAL,
            )
            closing.enter_context(cluster)
            client = closing.enter_context(Client(cluster, set_as_default=False))
        yield client


@contextmanager
def _environment_kept() -> Iterator[None]:
    """Leave this process's environment as it was."""
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold Ctrl-C and a polite kill back until the end.

    Threads and processes begun meanwhile never hear Ctrl-C, which all processes of a terminal get.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        for number in heard:
            signal.raise_signal(number)


@contextmanager
def _connected(scheduler: str) -> Iterator[Client]:
    """A client of a scheduler whose workers can do our jobs."""
    from distributed import Client

    try:
        client = Client(scheduler, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        said = f"no dask scheduler answers within {PATIENCE_S:g} s"
        raise ConnectionRefusedError(ECONNREFUSED, said, scheduler) from error
    with client:
        own = _version()
        theirs = set(client.run(version, "hubwise").values())
        if theirs - {own}:
            said = f"its workers have hubwise {', '.join(sorted(theirs))}, this is {own}"
            raise ConnectionRefusedError(ECONNREFUSED, said, scheduler)
        yield client


def _version() -> str:
    return version("hubwise")


# A worker with several threads does one job at a time all the same: the kernels' threads are few.
_busy = threading.Lock()


def _alone(task: Task[Job, Result], job: Job) -> Result:
    """A worker's work on one job, on one core."""
    with _busy:
        # What our workers' environment says came after numba was imported; once its threads have
        # begun it is too late to hear it, and numba would refuse to compile.
        numba.config.reload_config()  # type: ignore[no-untyped-call]
        numba.set_num_threads(1)
        return _run(task, job)


def _run(task: Task[Job, Result], job: Job) -> Result:
    try:
        return task.run(job)
    except Exception as error:
        error.add_note(f"while working on {job}")
        raise
