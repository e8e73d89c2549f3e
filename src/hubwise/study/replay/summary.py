"""Replayed days as JSON: for each the keys of a plan's summary, and what not knowing cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hubwise.domain.plain import Json
from hubwise.study.replay.run import Policy, Replayed


def summary_of(found: Sequence[Replayed]) -> dict[str, Json]:
    """Days, each with what every policy did, by the keys of a plan's results and some beside."""
    base = {it.seed: it for it in found if it.policy is Policy.FORESIGHT}
    days = []
    for seed, best in base.items():
        policies = [it for it in found if it.seed == seed]
        days.append(
            {"draw": seed, "policies": {it.policy.value: _one(it, best) for it in policies}}
        )
    return {"days": days}


def _one(it: Replayed, best: Replayed) -> dict[str, Json]:
    return {
        "loss": _loss(it.profit, best.profit),
        "adjusted_profit": it.adjusted,
        "adjusted_loss": _loss(it.adjusted, best.adjusted),
        "early_leavers_lack_kwh": it.shortfall_kwh,
        "early_leavers_who_lack": it.short,
        "decision_cpu_ms": {
            name: float(np.percentile(it.cpu_ms, share)) if len(it.cpu_ms) else None
            for name, share in (("p50", 50.0), ("p99", 99.0))
        },
        **it.plan.result.to_json(),
    }


def _loss(found: float, best: float) -> float | None:
    """Share of foresight's that is lost; none where foresight earns nothing."""
    return (best - found) / best if best > 0.0 else None
