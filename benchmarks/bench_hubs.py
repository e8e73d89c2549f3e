"""Sixty drawn hubs of every kind, with default settings, against the best that is known of each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from benchmarks.figure import Figure, Target
from benchmarks.hub_plans import (
    Best,
    Planned,
    all_known,
    at_tariff,
    best_of_plan,
    plan_hub,
    reference,
)
from benchmarks.hubs import HUBS, QUICK, hub
from hubwise.domain import Scenario, TariffFamily
from hubwise.plan import make_plan
from hubwise.scenario import fingerprint

# Fewest cars, most cars, and most median, nine in ten and worst gap [%], most CPU time [s].
BANDS: tuple[tuple[str, int, int, tuple[float, float, float] | None, float | None], ...] = (
    ("all hubs", 0, 10_000, (1.0, 3.0, 8.0), None),
    ("up to 10 cars", 0, 10, (0.1, 1.0, 5.0), 6.0),
    ("10-30 cars", 11, 30, (0.5, 3.0, 8.0), 10.0),
    ("30-100 cars", 31, 100, None, None),
    ("100-600 cars", 101, 600, (1.0, 3.0, 8.0), 15.0),
    ("more cars", 601, 10_000, None, None),
)
# Differences below this share of the scale are rounding of dispatch and power flow.
TOLERANCE = 1e-3
ROWS = Path("out/hubs.json")
NONE: Target = ("at most", 0)


def bench(quick: bool) -> Iterator[Figure]:
    """Gaps, CPU time, and what none may do: below a poorer family, the reference, a bound."""
    warm_up()
    known = all_known()
    rows, below, poorer, unknown = [], [], [], []
    for number in QUICK if quick else range(HUBS):
        scenario = hub(number)
        best = _fresh(known.get(number), scenario)
        row = plan_hub(number, scenario, best)
        rows.append((row, row.found if row.found.beats(best, row.scale) else best or row.found))
        unknown += [f"hub {number}"] if best is None or best.method == "default" else []
        below += _below(row, "the reference tariff", _reference(scenario))
        if not quick:
            for words, other in _poorer(scenario):
                poorer += _below(row, words, other)
        _leave(rows)
    yield _none("hubs of which nothing is known but plans with default settings", unknown)
    yield from _gaps(rows)
    yield from _promises(rows)
    yield _none("plans below the dispatched reference tariff", below)
    if not quick:
        yield _none("plans below a poorer family's", poorer)
    yield from _words(rows)


def warm_up() -> None:
    """One plan on each route, so that no time is taken for compiling."""
    for cars in (2, 200):
        make_plan(hub(7, cars=cars))


def _fresh(best: Best | None, scenario: Scenario) -> Best | None:
    """What is known of this very scenario."""
    return best if best is not None and best.scenario == fingerprint(scenario) else None


def _reference(scenario: Scenario) -> Best:
    """The reference tariff, as far as the family can post it, answers and stations dispatched."""
    return best_of_plan(scenario, at_tariff(scenario, reference(scenario)), "reference tariff")


def _poorer(scenario: Scenario) -> Iterator[tuple[str, Best]]:
    """The plans of families that are part of the scenario's."""
    rules = scenario.situation.rules
    names = list(TariffFamily)
    for name in names[: names.index(rules.family)]:
        less = scenario.having(rules=replace(rules, family=name))
        yield str(name), best_of_plan(less, make_plan(less), str(name))
    if rules.per_hub:
        less = scenario.having(rules=replace(rules, per_hub=False))
        yield "all hubs alike", best_of_plan(less, make_plan(less), "alike")


def _below(row: Planned, words: str, other: Best) -> list[str]:
    """What to say where a plan is worth less than another."""
    worse = other.kept and not row.found.kept
    if other.kept == row.found.kept:
        worse = other.profit > row.found.profit + TOLERANCE * row.scale
    said = f"hub {row.number} {row.found.profit:.2f}, {words} {other.profit:.2f}"
    return [said] if worse else []


def _leave(rows: Sequence[tuple[Planned, Best]]) -> None:
    """Leave what was found of every hub, the worst first."""
    found = sorted(rows, key=lambda row: -np.nan_to_num(row[0].gap(row[1]), nan=-1.0))
    ROWS.parent.mkdir(parents=True, exist_ok=True)
    written = [{**asdict(row), "gap": row.gap(best), "best": asdict(best)} for row, best in found]
    ROWS.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


def _finite(gap: float) -> float | None:
    return gap if np.isfinite(gap) else None


def _gaps(rows: Sequence[tuple[Planned, Best]]) -> Iterator[Figure]:
    for name, few, most, targets, seconds in BANDS:
        mine = [(row, best) for row, best in rows if few <= row.cars <= most]
        if not mine:
            continue
        gaps = np.array([100.0 * row.gap(best) for row, best in mine])
        told = gaps[~np.isnan(gaps)]
        order = sorted(mine, key=lambda pair: -np.nan_to_num(pair[0].gap(pair[1]), nan=-1.0))
        worst = ", ".join(f"{r.number}: {100.0 * r.gap(b):.2f} %" for r, b in order[:5])
        how = f"{len(mine)} hubs with default settings, to the best known; worst of hubs {worst}"
        shares = (("median", 0.5), ("nine in ten", 0.9), ("worst", 1.0))
        for k, (words, share) in enumerate(shares):
            value = float(np.quantile(told, share, method="higher")) if len(told) else np.nan
            target: Target | None = None if targets is None else ("at most", targets[k])
            yield Figure(f"gap, {name}, {words}", value, "%", how, target)
        spent = max(row.cpu_seconds for row, _ in mine)
        aim: Target | None = None if seconds is None else ("at most", seconds)
        yield Figure(f"CPU, {name}, slowest", spent, "s", "bounds included", aim)


def _promises(rows: Sequence[tuple[Planned, Best]]) -> Iterator[Figure]:
    missed = [f"hub {row.number}" for row, best in rows if best.kept and not row.found.kept]
    yield _none("plans that miss what a known tariff keeps", missed)
    never = [f"hub {row.number}" for row, best in rows if not best.kept]
    how = "no tariff is known that keeps all promises and limits there: " + ", ".join(never)
    yield Figure("hubs where nothing known keeps all", len(never), "", how)
    passed = [
        f"hub {row.number}: {best.profit:.3f} above {row.bound:.3f}"
        for row, best in rows
        if best.kept and row.bound is not None and best.profit > row.bound + TOLERANCE * row.scale
    ]
    yield _none("bounds below the best known", passed)


def _words(rows: Sequence[tuple[Planned, Best]]) -> Iterator[Figure]:
    """Whether every hub that is better left alone says so first."""
    silent = [
        f"hub {row.number}"
        for row, _ in rows
        if row.without is not None
        and row.without > row.found.profit + TOLERANCE * row.scale
        and not any("better left without posted prices" in said for said in row.said[:1])
    ]
    yield _none("hubs better left alone that do not say so first", silent)


def _none(name: str, found: Sequence[str]) -> Figure:
    return Figure(name, len(found), "", "; ".join(found) or "none", NONE)
