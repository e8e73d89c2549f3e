"""What plans of ieee33 reach at 0.6 and 0.8: the targets of the result, and other draws of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.figure import Figure, Target
from benchmarks.reference import SEED, planned
from hubwise.plan import Plan, plan, tables

SHARES = (0.6, 0.8)
OTHER_SEEDS = (2024, 2025)
KINDS = ("voltage", "branch", "transformer", "connection", "convergence")
RATIOS: tuple[tuple[str, str, Target], ...] = (
    ("peak-valley ÷ uncoordinated", "peak_valley_ratio", ("at most", 0.68)),
    ("participants' cost ÷ theirs uncoordinated", "participant_cost_ratio", ("at most", 0.55)),
    ("profit ÷ the fleet's uncoordinated cost", "profit_ratio", ("at least", 0.28)),
)


def bench(quick: bool) -> Iterator[Figure]:
    """Targets at both participations, the same twice to the bit, other seeds."""
    for share in SHARES:
        yield from _targets(planned(share), f"at {share:g}")
    yield _repeats(planned(0.8))
    for seed in OTHER_SEEDS[: 1 if quick else None]:
        yield from _ratios(planned(0.8, seed=seed), f"at 0.8, fleet of seed {seed}")


def _ratios(made: Plan, where: str) -> Iterator[Figure]:
    how = f"`hubwise plan ieee33 --participation {made.participation:g} --out DIR`"
    if made.scenario.search.seed != SEED:
        how += " with another seed in its scenario.toml"
    for name, key, target in RATIOS:
        yield Figure(f"{name}, {where}", made.result[key], "x", f"{how}: {key}", target)


def _targets(made: Plan, where: str) -> Iterator[Figure]:
    how = f"`hubwise plan ieee33 --participation {made.participation:g} --out DIR`"
    result = made.result
    yield from _ratios(made, where)
    margin = result["operator_profit"] - result["reference_margin"]
    yield Figure(f"profit above the reference margin, {where}", margin, "CNY", how, ("above", 0))
    alone = result["operator_profit_without_incentive"]
    yield Figure(f"profit without the incentive, {where}", alone, "CNY", how, ("above", 0))
    share_of_bound = result["operator_profit"] / result["profit_bound"]
    said = f"{how}: operator_profit ÷ profit_bound (any tariff, feeder linearised at the plan)"
    yield Figure(f"profit ÷ its bound, {where}", share_of_bound, "x", said, ("at least", 0.97))
    broken = sum(result[f"{kind}_violations"] for kind in KINDS)
    yield Figure(f"limits broken under AC, {where}", broken, "", how, ("at most", 0))
    yield Figure(f"largest regret, {where}", result["max_regret"], "CNY", how, ("at most", 1e-6))
    before = planned(made.participation, "uncoordinated").result["shortfall_kwh"]
    short = result["shortfall_kwh"] - before
    yield Figure(f"shortfall above uncoordinated, {where}", short, "kWh", how, ("at most", 0))
    worst = float(made.bills.saving[made.scenario.fleet.participating].min())
    said = f"{how}: least saving in bills.parquet among participants"
    yield Figure(
        f"saving of the driver who saves least, {where}", worst, "CNY", said, ("at least", -1e-9)
    )


def _repeats(made: Plan) -> Figure:
    again = tables(plan(made.scenario))
    apart = sum(not table.equals(again[name]) for name, table in tables(made).items())
    how = "the plan at 0.8 made again with the same seed; tables with any differing cell"
    return Figure(
        "tables that differ when planned twice", float(np.sum(apart)), "", how, ("at most", 0)
    )
