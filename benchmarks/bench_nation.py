"""A nation: a million sessions in 700 zones answer one evaluation of prices; zones are planned."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.watch import Watched, hubwise

ZONES = 700
WORKERS = 2
# Fleets of about ten thousand, a hundred thousand and a million sessions, 1,500 a zone.
SIZES = (7, 70, ZONES)
QUICK = (4, 16)
SHARE = "0.8"
PLAN = ("plan", "ieee33", "--participation", SHARE)
NATION = ("zones", "ieee33", "--participation", SHARE, "--workers", str(WORKERS))
COUNTED = "start of Python and workers, drawing the fleets and writing the tables included"
PARTS = (
    "in each zone every participant's best response, five rounds of zero-regret dispatch with the "
    "station batteries under the feeder's limits, bills and account, AC power flow before and "
    "after, and every regret measured"
)


@dataclass(frozen=True, slots=True)
class Run:
    """A nation that was run: what it took, and what its summary says."""

    watched: Watched
    summary: dict[str, float]

    @property
    def sessions(self) -> str:
        """How many sessions answered."""
        return f"{self.summary['sessions']:,}"


def bench(quick: bool) -> Iterator[Figure]:
    """``hubwise zones ieee33 --copies N``, with given prices and without."""
    with tempfile.TemporaryDirectory() as place:
        posted = f"{place}/plan"
        hubwise(*PLAN, "--out", posted)
        sizes = QUICK if quick else SIZES
        runs = {zones: _run(place, zones, "--prices", posted) for zones in sizes}
        yield from _evaluations(runs)
        yield from _plans(_run(place, 2 if quick else 6))


def _run(place: str, zones: int, *prices: str) -> Run:
    out = Path(place) / f"zones-{zones}{'-prices' if prices else ''}"
    watched = hubwise(*NATION, "--copies", str(zones), *prices, "--out", str(out))
    return Run(watched, json.loads((out / "summary.json").read_text(encoding="utf-8")))


def _evaluations(runs: dict[int, Run]) -> Iterator[Figure]:
    (_, less), (most, last) = list(runs.items())[-2:]
    for zones, run in runs.items():
        whole = zones == ZONES
        name = f"{run.sessions} sessions in {zones} zones, one evaluation of prices"
        how = _said(zones, run)
        yield Figure(name, run.watched.seconds, "s", how, ("at most", 60) if whole else None)
        memory = run.watched.together_mb or float("nan")
        name = f"{run.sessions} sessions in {zones} zones, peak memory of all processes together"
        yield Figure(name, memory, "MB", how, ("at most", 4000) if whole else None)
    if most != ZONES:
        zones = last.summary["zones"] - less.summary["zones"]
        each = (last.watched.cpu_seconds - less.watched.cpu_seconds) / zones
        how = f"EXTRAPOLATED, not measured: {ZONES} x the seconds of one core that a zone adds"
        said = f"{how} ({1e3 * each:.0f} ms) / {WORKERS} workers; without `--quick` it is measured"
        yield Figure(f"{ZONES} zones, one evaluation", ZONES * each / WORKERS, "s", said)
    regret = max(run.summary["max_regret"] for run in runs.values())
    how = f"the largest of {last.sessions} sessions' regrets, `max_regret` of summary.json"
    yield Figure("a nation's largest regret", regret, "CNY", how, ("at most", 1e-6))


def _said(zones: int, run: Run) -> str:
    return (
        f"`hubwise {' '.join(NATION)} --copies {zones} --prices PLAN --out DIR` in a fresh process,"
        f" PLAN from `hubwise {' '.join(PLAN)}`: {PARTS}; wall clock, {COUNTED}, once "
        f"({run.watched.cpu_seconds:.0f} s of one core); memory as in `--only study`"
    )


def _plans(run: Run) -> Iterator[Figure]:
    zones = run.summary["zones"]
    each = run.watched.seconds / zones
    how = (
        f"`hubwise {' '.join(NATION)} --copies {zones} --out DIR`, a bilevel plan for each zone; "
        f"wall clock / zones, {COUNTED} ({run.watched.cpu_seconds / zones:.1f} s of one core each)"
    )
    yield Figure(f"a plan for each of {zones} zones, a zone", each, "s", how)
    how = f"EXTRAPOLATED, not measured: {ZONES} x the line above, start-up in each"
    name = f"a plan for each of {ZONES} zones, a million sessions"
    yield Figure(name, ZONES * each / 60, "min", how)
