"""Workers: a cluster does what one process does, and a killed worker costs time alone."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from distributed import LocalCluster

from hubwise.scenario import load
from hubwise.study import make_study
from hubwise.study import workers as module
from hubwise.study.options import RunOptions
from hubwise.study.workers import WorkerLostError, done_by, each_done_by

# Workers cannot import a test.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a scheduler with two worker processes, as somebody else would start it."""
    with LocalCluster(
        n_workers=2,
        threads_per_worker=2,
        dashboard_address=":0",
        memory_limit=None,
        silence_logs=logging.CRITICAL,
    ) as own:
        yield own.scheduler_address


@dataclass(frozen=True)
class Power:
    """Raises numbers to a power; some numbers are dangerous."""

    exponent: int
    marker: Path

    def run(self, job: int) -> int:
        """The power; the first worker that is given 3 dies of it, and all that are given 13."""
        if (job == 3 and not self.marker.exists()) or job == 13:
            self.marker.touch()
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGKILL)
        if job == 7:
            raise ValueError("sevens are not for us")
        return int(job**self.exponent)


def test_a_killed_worker_costs_time_not_results(cluster: str, tmp_path: Path) -> None:
    """The job of a worker that is killed in the middle is done again; nothing is lost or twice."""
    task, jobs = Power(2, tmp_path / "killed"), list(range(7))
    found = sorted(done_by(task, jobs, RunOptions(scheduler=cluster)))
    assert task.marker.exists()
    assert found == [(job, job * job) for job in jobs]


def test_an_error_names_its_job(cluster: str, tmp_path: Path) -> None:
    """What a job raises comes through as it is, with the job's name beside it."""
    for workers in (RunOptions(), RunOptions(scheduler=cluster)):
        with pytest.raises(ValueError, match="sevens are not for us") as caught:
            list(done_by(Power(2, tmp_path / "it"), [7, 8], workers))
        assert caught.value.__notes__ == ["while working on 7"]


def test_a_job_that_kills_worker_after_worker_is_named(cluster: str, tmp_path: Path) -> None:
    """No job is tried for ever: where workers keep dying of one, the error says of which."""
    with pytest.raises(WorkerLostError, match="4 workers died over 13"):
        list(done_by(Power(2, tmp_path / "it"), [13], RunOptions(scheduler=cluster)))


def test_batches_are_asked_for_when_there_is_room(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each job is done by its own task, and tasks far ahead of the work are not even made."""
    monkeypatch.setattr(module, "IN_FLIGHT", 1)
    made: list[int] = []

    def batches() -> Iterator[tuple[Power, list[int]]]:
        for exponent in range(10):
            made.append(exponent)
            yield Power(exponent, tmp_path / "it"), [100 * exponent + k for k in range(20, 28)]

    results = each_done_by(batches(), 80, RunOptions(scheduler=cluster))
    first = next(results)
    assert len(made) < 10
    found = dict([first, *results])
    assert found == {100 * e + k: (100 * e + k) ** e for e in range(10) for k in range(20, 28)}


def test_a_scheduler_that_is_not_there_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody at the address is an error of the network, soon, with the address in it."""
    monkeypatch.setattr(module, "PATIENCE_S", 0.5)
    with pytest.raises(ConnectionRefusedError) as caught:
        list(done_by(Power(2, tmp_path / "it"), [1], RunOptions(scheduler="tcp://127.0.0.1:9")))
    assert caught.value.filename == "tcp://127.0.0.1:9"


def test_workers_of_another_version_are_refused(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cluster with another hubwise could give other results: it is not used."""
    monkeypatch.setattr(module, "_version", lambda: "999.0")
    with pytest.raises(ConnectionRefusedError, match="this is 999"):
        list(done_by(Power(2, tmp_path / "it"), [1], RunOptions(scheduler=cluster)))


def test_a_study_by_a_cluster_is_the_same(cluster: str, tmp_path: Path) -> None:
    """Workers of somebody else's scheduler plan what this process plans, to the bit."""
    given = load("example")
    asked: dict[str, Any] = {"participations": [0.5], "strategies": ["storage", "passive"]}
    here = make_study(given, tmp_path / "here", **asked)
    there = make_study(given, tmp_path / "there", run=RunOptions(scheduler=cluster), **asked)
    for mine, theirs in zip(here.results, there.results, strict=True):
        assert {**mine, "wall_seconds": 0} == {**theirs, "wall_seconds": 0}
    for file in sorted(here.folder.glob("plans/*/*.parquet")):
        assert (there.folder / file.relative_to(here.folder)).read_bytes() == file.read_bytes()


COMPILES = """
from dataclasses import dataclass

import numba

from hubwise.study.options import RunOptions
from hubwise.study.workers import done_by


@dataclass(frozen=True)
class Compiler:
    def run(self, job):
        same = numba.njit(lambda number: number + 0)
        return int(same(job)), int(numba.config.NUMBA_NUM_THREADS)


if __name__ == "__main__":
    print(sorted(done_by(Compiler(), [1, 2, 3], RunOptions(workers=2))))
"""


def test_workers_of_our_own_can_compile_on_one_core(tmp_path: Path) -> None:
    """Where nothing is compiled yet, as in a new installation, our workers compile it.

    A script of its own: workers begin with what the script imports, numba here, as the command
    line's do.
    """
    script = tmp_path / "compiles.py"
    script.write_text(COMPILES)
    ran = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == str([(job, (job, 1)) for job in (1, 2, 3)]), ran.stderr[-2000:]
