"""A command in a fresh process: how long it took and how much memory it used.

``python -m benchmarks.watch COMMAND ...`` prints it as JSON. The command is started by this small
process and not by the bench itself, because a child's peak memory begins with that of its parent.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

LOOK_EVERY_S = 0.1
# The command line's exit codes for "done" and "done, but a promise is missed".
DONE = (0, 1)


@dataclass(frozen=True, slots=True)
class Watched:
    """What a command took.

    Parameters
    ----------
    seconds
        Wall-clock time from start to end.
    cpu_seconds
        Seconds of one core that all its processes used; on a busy machine the steadier figure.
    peak_mb
        Most memory of any one of its processes (``ru_maxrss``) [MB].
    together_mb
        Most memory of all its processes together, shared pages counted once, looked at every
        `LOOK_EVERY_S`; 0 where the system does not tell [MB].
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    together_mb: float


def hubwise(*arguments: str, environment: Mapping[str, str] | None = None) -> Watched:
    """Run the command line in a fresh process.

    Raises
    ------
    RuntimeError
        If it did not come to its end.
    """
    command = [sys.executable, "-m", "benchmarks.watch"]
    command += [sys.executable, "-c", "from hubwise.cli import main; main()", *arguments]
    whole = {**os.environ, **(environment or {})}
    told = subprocess.run(command, env=whole, capture_output=True, text=True, check=False)
    if told.returncode:
        raise RuntimeError(f"hubwise {' '.join(arguments)} failed: {told.stderr[-2000:]}")
    return Watched(**json.loads(told.stdout))


def watch(command: Sequence[str]) -> Watched:
    """Run a command to its end."""
    together = 0.0
    with tempfile.TemporaryFile("w+") as said:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        while True:
            try:
                process.wait(LOOK_EVERY_S)
                break
            except subprocess.TimeoutExpired:
                together = max(together, sum(map(_memory_mb, _family(process.pid))))
        spent = time.perf_counter() - began
        if process.returncode not in DONE:
            said.seek(0)
            raise RuntimeError(f"exit code {process.returncode}: {said.read()[-2000:]}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return Watched(spent, used.ru_utime + used.ru_stime, peak, together)


def _family(process: int) -> Iterator[int]:
    """The process and all its descendants."""
    yield process
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            found = children.read_text().split()
        except OSError:  # gone meanwhile
            continue
        for child in found:
            yield from _family(int(child))


def _memory_mb(process: int) -> float:
    """Memory of a process, its part of what it shares with others included [MB]."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:  # gone meanwhile, or a system without it
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1e3


if __name__ == "__main__":
    print(json.dumps(asdict(watch(sys.argv[1:]))))
