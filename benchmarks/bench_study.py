"""The whole study of ieee33 in a fresh process: seconds and memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

from benchmarks.figure import Figure
from benchmarks.watch import hubwise


def bench(quick: bool) -> Iterator[Figure]:
    """``hubwise study ieee33``: four strategies at 0.6, 0.7 and 0.8."""
    fewer = ("--participation", "0.8") if quick else ()
    with tempfile.TemporaryDirectory() as place:
        run = hubwise("study", "ieee33", *fewer, "--out", f"{place}/study")
    how = f"`{' '.join(('hubwise study ieee33', *fewer, '--out DIR'))}` in a fresh process, once"
    clocks = f"{how}; wall clock ({run.cpu_seconds:.1f} s of one core)"
    yield Figure("the whole study", run.seconds, "s", clocks, ("at most", 300))
    yield Figure(
        "the whole study, peak memory of all its processes together",
        run.together_mb or float("nan"),
        "MB",
        f"{how}; proportional set sizes added up ten times a second (the greatest ru_maxrss of any "
        f"one process: {run.peak_mb:.0f} MB)",
        ("at most", 1000),
    )
