"""Batteries: fade against BLAST-Lite, how long it takes, and plans with nonlinear wear."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from time import process_time

import numpy as np

from benchmarks.figure import Figure
from benchmarks.timing import in_turn
from hubwise.battery import MODELS, Depth, battery_stress, fleet_ageing, follow, same_shares
from hubwise.domain import Scenario
from hubwise.plan import Plan, make_plan
from hubwise.scenario import load, with_wear

CASES = Path(__file__).parents[1] / "tests" / "battery" / "cases"
# The participation that even a quick look plans, and ageing is timed at.
FULL = 0.8


def bench(quick: bool) -> Iterator[Figure]:
    """Oracle, time of one evaluation, and both participations with nonlinear wear."""
    yield from _oracle()
    scenario = load("ieee33")
    for share in (FULL,) if quick else (0.6, FULL):
        yield from _plans(scenario, share)


def _oracle() -> Iterator[Figure]:
    worst, profiles = 0.0, sorted(CASES.iterdir())
    for folder in profiles:
        said = json.loads((folder / "fade.json").read_text(encoding="utf-8"))["same_shares"]
        year = np.loadtxt(folder / "year.csv", delimiter=",", skiprows=1)
        points = [year[24 * day : 24 * day + 25] for day in range(365)]
        days = [
            battery_stress(p[None, :, 0], p[None, :, 1], np.arange(25.0), depth=Depth.DEEPEST)
            for p in points
        ]
        for cell, due in said.items():
            course = follow(MODELS[cell], days * len(due), same_shares)
            found = np.array([lost.capacity[0] for lost in course[364::365]])
            worst = max(worst, float(np.abs(found / np.array(due) - 1.0).max()))
    yield Figure(
        "fade against BLAST-Lite, worst",
        100.0 * worst,
        "%",
        f"capacity lost after every year, {len(MODELS)} cells on {len(profiles)} profiles, among "
        "them BLAST-Lite's own of ten years (tests/battery/cases)",
        ("at most", 2),
    )


def _plans(scenario: Scenario, share: float) -> Iterator[Figure]:
    """One plan with linear and one with nonlinear wear, each after one that is not counted."""
    made: dict[str, tuple[Plan, float]] = {}
    for wear in ("linear", "nonlinear"):
        given = with_wear(scenario, wear)
        make_plan(given, participation=share)
        began = process_time()
        made[wear] = make_plan(given, participation=share), process_time() - began
    found, spent = made["nonlinear"]
    where = f"ieee33, {share:g} participating, nonlinear wear"
    how = f"hubwise plan ieee33 --participation {share:g} --wear nonlinear"
    result = found.result.to_json()
    broken = sum(number for key, number in result.items() if key.endswith("_violations"))
    yield Figure(f"{where}: peak-valley", result["peak_valley_ratio"], "x", how, ("at most", 0.68))
    yield Figure(
        f"{where}: drivers' cost", result["participant_cost_ratio"], "x", how, ("at most", 0.55)
    )
    yield Figure(f"{where}: profit", result["profit_ratio"], "x", how, ("at least", 0.28))
    yield Figure(f"{where}: AC limits broken", broken, "limits", how, ("at most", 0))
    yield Figure(
        f"{where}: last change of wear",
        100.0 * result["wear_change"],
        "%",
        f"{how}; what all wear at the plan's prices is off the models', as a share of it",
        ("at most", 1),
    )
    yield Figure(
        f"{where}: time, to that with linear wear",
        spent / made["linear"][1],
        "x",
        f"seconds of all cores, second plan of each in one process ({spent:.1f} s to "
        f"{made['linear'][1]:.1f} s)",
        ("at most", 3),
    )
    if share == FULL:
        yield _evaluation(found)


def _evaluation(made: Plan) -> Figure:
    """Ageing of the whole fleet, everybody's ten years with and without V2G."""
    scenario = made.scenario
    fleet, horizon, facts = (
        scenario.situation.fleet,
        scenario.situation.horizon,
        scenario.situation.battery,
    )

    def call() -> None:
        fleet_ageing(fleet, made.schedule, horizon, facts)

    (spent,) = in_turn(call, repeats=5)
    return Figure(
        f"ageing of {len(fleet):,} sessions",
        spent,
        "s",
        "hubwise.battery.fleet_ageing on that plan: ten years of it with and without V2G; one "
        "core, median of 5",
        ("at most", 1),
    )
