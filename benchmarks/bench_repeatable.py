"""The same seed gives the same result: to the bit, and by any number of threads and workers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.figure import Figure
from benchmarks.watch import hubwise
from hubwise.record import TABLES, read

SHARE = "0.8"


def bench(quick: bool) -> Iterator[Figure]:
    """Plan folders of fresh processes, compared cell by cell."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        plans = [_plan(place / which, threads=2) for which in ("one", "other")]
        plans.append(_plan(place / "single", threads=1))
        how = (
            f"`hubwise plan ieee33 --participation {SHARE} --out DIR` in two fresh processes; cells"
            f" that are not the same, over {', '.join(sorted(TABLES))} and the result"
        )
        differing = _differing_cells(plans[0], plans[1])
        yield Figure("same seed, cells that differ", differing, "", how, ("at most", 0))
        how = "the same with NUMBA_NUM_THREADS 1 and 2; largest difference of any number"
        apart = _apart(plans[0], plans[2])
        yield Figure("one thread or two, largest difference", apart, "", how, ("at most", 1e-6))
        if quick:
            return
        studies = [_study(place / f"study-{workers}", workers) for workers in (1, 2)]
        pairs = [(studies[0] / name, studies[1] / name) for name in _plan_names(studies[0])]
        how = (
            f"`hubwise study ieee33 --participation {SHARE} --strategy storage --strategy hubwise "
            "--workers N --out DIR` with N = 1 and 2; largest difference of any number in its plans"
        )
        apart = max(_apart(*pair) for pair in pairs)
        yield Figure("one worker or two, largest difference", apart, "", how, ("at most", 1e-6))


def _plan(folder: Path, *, threads: int) -> Path:
    environment = {"NUMBA_NUM_THREADS": str(threads)}
    command = ("plan", "ieee33", "--participation", SHARE, "--out", str(folder))
    hubwise(*command, environment=environment)
    return folder


def _study(folder: Path, workers: int) -> Path:
    strategies = ("--strategy", "storage", "--strategy", "hubwise")
    shares = ("--participation", SHARE)
    hubwise(
        "study", "ieee33", *shares, *strategies, "--workers", f"{workers}", "--out", f"{folder}"
    )
    return folder / "plans"


def _plan_names(plans: Path) -> list[str]:
    return sorted(folder.name for folder in plans.iterdir())


def _differing_cells(one: Path, other: Path) -> int:
    """Cells of all tables, and entries of the result but for its time, that are not the same."""
    first, second = read(one), read(other)
    count = 0
    for name in TABLES:
        left, right = first.tables[name], second.tables[name]
        same = left.select(pl.col(c).eq_missing(right[c]) for c in left.columns)
        count += int((~same.to_numpy()).sum())
    results = [{**folder.result, "wall_seconds": None} for folder in (first, second)]
    return count + sum(bool(results[0][key] != results[1][key]) for key in results[0])


def _apart(one: Path, other: Path) -> float:
    """The largest difference of any number in the tables; words must be the same."""
    first, second = read(one), read(other)
    most = 0.0
    for name in TABLES:
        left, right = first.tables[name], second.tables[name]
        words = left.select(pl.exclude(pl.Float64))
        if not words.equals(right.select(pl.exclude(pl.Float64))):
            return float("inf")
        a, b = (table.select(pl.col(pl.Float64)).to_numpy() for table in (left, right))
        differ = ~((a == b) | (np.isnan(a) & np.isnan(b)))
        distance = np.nan_to_num(np.abs(a[differ] - b[differ]), nan=np.inf)
        most = max(most, float(distance.max(initial=0.0)))
    return most
