"""Replayed days as JSON: for each the keys of a plan's summary, and what not knowing cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hubwise.domain.plain import Json
from hubwise.study.replay.run import Ran, Replayed


def summary_of(found: Sequence[Replayed]) -> dict[str, Json]:
    """Days, each with what every policy did, by the keys of a plan's results and some beside."""
    days: dict[int, dict[str, Json]] = {}
    for it in found:
        days.setdefault(it.seed, {})[it.policy.value] = _one(it)
    return {"days": [{"draw": seed, "policies": policies} for seed, policies in days.items()]}


def _one(it: Replayed) -> dict[str, Json]:
    return {
        "loss": it.loss,
        "adjusted_profit": it.adjusted,
        "adjusted_loss": it.adjusted_loss,
        **beside(it),
        **it.plan.result.to_json(),
    }


def beside(it: Ran) -> dict[str, Json]:
    """What drivers who left early lack, and what decisions took."""
    return {
        "early_leavers_lack_kwh": it.shortfall_kwh,
        "early_leavers_who_lack": it.short,
        "decision_cpu_ms": {
            name: float(np.percentile(it.cpu_ms, share)) if len(it.cpu_ms) else None
            for name, share in (("p50", 50.0), ("p99", 99.0))
        },
    }
