"""One plan of ieee33 in a fresh process: seconds and memory, with and without compiling first."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from statistics import median

from benchmarks.figure import Figure
from benchmarks.watch import hubwise

COMMAND = ("plan", "ieee33", "--participation", "0.8")


def bench(quick: bool) -> Iterator[Figure]:
    """``hubwise plan ieee33``, report and folder included."""
    repeats = 1 if quick else 3
    with tempfile.TemporaryDirectory() as place:
        out = ("--out", f"{place}/plan")
        first = hubwise(*COMMAND, *out, environment={"NUMBA_CACHE_DIR": f"{place}/compiled"})
        runs = [hubwise(*COMMAND, *out) for _ in range(repeats)]
    said = f"`hubwise {' '.join(COMMAND)} --out DIR` in a fresh process"
    cpu = median(run.cpu_seconds for run in runs)
    yield Figure(
        "one plan of ieee33",
        median(run.seconds for run in runs),
        "s",
        f"{said}, start of Python, folder and report included; wall clock, median of {repeats} "
        f"({cpu:.1f} s of one core)",
        ("at most", 60),
    )
    yield Figure(
        "one plan of ieee33, the first after installing",
        first.seconds,
        "s",
        f"{said} with an empty numba cache, so that everything is compiled; wall clock, once "
        f"({first.cpu_seconds:.1f} s of one core)",
        ("at most", 60),
    )
    yield Figure(
        "one plan of ieee33, peak memory",
        max(run.peak_mb for run in [first, *runs]),
        "MB",
        f"{said}: the greatest ru_maxrss of {repeats + 1} runs, one of them compiling",
        ("at most", 1000),
    )
