"""Other draws of the fleet: the results are no luck of one."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.bench_result import LIMITS, REACHED
from benchmarks.figure import Figure
from benchmarks.reference import planned

SEEDS = (1, 2, 3)
WORST = {"at most": max, "at least": min}


def bench(quick: bool) -> Iterator[Figure]:
    """The worst of three fleets, by each figure."""
    for participation in (0.8,) if quick else (0.6, 0.8):
        yield from _worst(participation, SEEDS[:1] if quick else SEEDS)


def _worst(participation: float, seeds: tuple[int, ...]) -> Iterator[Figure]:
    results = [planned(participation, seed=seed).result.to_json() for seed in seeds]
    how = (
        f"hubwise.make_plan of ieee33 at {participation:g} with another `seed` in its "
        "scenario.toml: other drivers, other participants"
    )
    for name, key, target in REACHED:
        values = [result[key] for result in results]
        each = ", ".join(f"{seed}: {value:.4f}" for seed, value in zip(seeds, values, strict=True))
        worst = WORST[target[0]](values)
        named = f"other fleets at {participation:g}: {name}"
        yield Figure(named, worst, "x", f"{how}; the worst of the seeds {each}", target)
    broken = [sum(result[f"{kind}_violations"] for kind in LIMITS) for result in results]
    said = f"{how}; violations added up over {len(seeds)} seeds"
    name = f"other fleets at {participation:g}: limits broken"
    yield Figure(name, sum(broken), "", said, ("at most", 0))
