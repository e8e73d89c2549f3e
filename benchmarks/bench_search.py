"""Search methods against each other: evolution, surrogate, and the published study's annealing."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from benchmarks.figure import Figure
from benchmarks.race import SHARE, Run, course, raced

NEAR = 0.005
SEEDS = (2023, 1, 2)
# Method, where it begins, and how many tariffs it may try.
RACERS = (
    ("evolution", "guided", 120),
    ("surrogate", "guided", 120),
    ("annealing", "guided", 240),
    ("evolution", "blind", 240),
    ("surrogate", "blind", 120),
    ("annealing", "blind", 480),
)


def bench(quick: bool) -> Iterator[Figure]:
    """Evaluations and CPU seconds to within 0.5 % of the best that any search found; that best."""
    runs = runs_of(quick)
    best = max(run.settled for field in runs.values() for run in field)
    at_bench = max(float(run.merit[-1]) for field in runs.values() for run in field)
    seeds = len(next(iter(runs.values())))
    for (method, start, most), field in runs.items():
        how = (
            f"hubwise.pricing.run_search on ieee33 at {SHARE:g}, three blocks, at most {most} "
            f"tariffs, {_begun(start)}; median of {seeds} seeds, a search that does not get there "
            "counted as infinitely long"
        )
        name = f"{method} from {_where(start)}"
        loss = median(1.0 - run.settled / best for run in field)
        yield Figure(f"{name}: best merit, below the best of all", 100 * loss, "%", how)
        tries = median(run.reaches(at_bench * (1 - NEAR)) or float("inf") for run in field)
        yield Figure(f"{name}: tariffs tried to within 0.5 %", tries, "", how)
        seconds = median(_seconds(run, at_bench * (1 - NEAR)) for run in field)
        yield Figure(f"{name}: CPU to within 0.5 %", seconds, "s", how)
    said = "hubwise.plan.relax and hubwise.pricing.first_prices, CPU, once"
    yield Figure("finding the prices to begin with", course().seconds, "s", said)


def runs_of(quick: bool) -> dict[tuple[str, str, int], list[Run]]:
    """The searches, by racer; one seed and a third of the evaluations where ``quick``."""
    seeds = SEEDS[:1] if quick else SEEDS
    racers = [(method, start, most // 3 if quick else most) for method, start, most in RACERS]
    return {racer: [raced(*racer, seed) for seed in seeds] for racer in racers}


def _seconds(run: Run, merit: float) -> float:
    tries = run.reaches(merit)
    return float("inf") if tries is None else float(run.seconds[tries - 1])


def _where(start: str) -> str:
    return {"guided": "the relaxed prices", "blind": "the reference tariff"}[start]


def _begun(start: str) -> str:
    seconds = course().seconds
    return {
        "guided": f"begun near the relaxed problem's prices ({seconds:.1f} s, not counted)",
        "blind": "begun at the reference tariff with nothing bought back",
    }[start]
