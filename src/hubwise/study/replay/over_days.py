"""What days of a site under several policies come to: means, and how sure they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit  # scipy.stats takes a second to import

from hubwise.domain.plain import Json
from hubwise.study.replay.many import DayReplayed
from hubwise.study.replay.run import Policy
from hubwise.study.replay.summary import beside

SURE = 0.95


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over days, and half the width of the interval that holds it in 95 of 100 cases.

    Days are taken as independent of each other; ``None`` of one day.
    """

    value: float
    give_or_take: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Mean:
        """The mean of so many days."""
        count, mean = len(values), float(np.mean(values))
        if count < 2:
            return cls(mean, None)
        spread = float(np.std(values, ddof=1)) / np.sqrt(count)
        return cls(mean, float(stdtrit(count - 1, 0.5 + SURE / 2)) * spread)


Rows = Sequence[DayReplayed]


def of_policy(found: Rows, policy: Policy) -> list[DayReplayed]:
    """Its days, in order."""
    return [it for it in found if it.policy is policy]


def mean(days: Rows, of: Callable[[DayReplayed], float]) -> Mean:
    """A figure's mean."""
    return Mean.of([of(it) for it in days])


def lost(days: Rows, foresight: Rows) -> Mean:
    """What is lost against foresight, as a share of what drivers would have paid uncoordinated.

    What drivers pay more, or less, counts as the operator's: profit less their cost.
    """
    reference = float(np.mean([it.reference_cost for it in foresight])) or np.nan
    pairs = zip(days, foresight, strict=True)
    return Mean.of([(_brings(best) - _brings(it)) / reference for it, best in pairs])


def lost_before_charges(days: Rows, foresight: Rows) -> float | None:
    """What is lost of all days' result before charges for power, as a share of foresight's."""
    best = sum(_energy(it) for it in foresight)
    return (best - sum(_energy(it) for it in days)) / best if best > 0.0 else None


def _brings(it: DayReplayed) -> float:
    return it.profit - it.cost


def _energy(it: DayReplayed) -> float:
    """What energy brings beyond the uncoordinated day, to operator and drivers together."""
    return it.before_charges - it.cost + it.reference_cost


def summary_of_days(found: Rows) -> dict[str, Json]:
    """Days by date, each policy by the keys of a plan's results and some beside; then means."""
    days: dict[str, dict[str, Json]] = {}
    for it in found:
        days.setdefault(it.date, {})[it.policy.value] = _one(it)
    best = of_policy(found, Policy.FORESIGHT)
    return {
        "days": [{"date": date, "policies": policies} for date, policies in days.items()],
        "over_days": {
            policy.value: _over(of_policy(found, policy), best)
            for policy in dict.fromkeys(it.policy for it in found)
        },
    }


def _one(it: DayReplayed) -> dict[str, Json]:
    return {
        **it.plan.result.to_json(),
        "before_charges": it.before_charges,
        "charges": it.charges,
        "profit": it.profit,
        "cost": it.cost,
        "reference_cost": it.reference_cost,
        "peak_kw": it.peak_kw,
        **beside(it),
    }


def _over(days: Rows, foresight: Rows) -> dict[str, Json]:
    def told(found: Mean) -> Json:
        return {"mean": found.value, "give_or_take": found.give_or_take}

    return {
        "profit": told(mean(days, lambda it: it.profit)),
        "before_charges": told(mean(days, lambda it: it.before_charges)),
        "cost": told(mean(days, lambda it: it.cost)),
        "reference_cost": told(mean(days, lambda it: it.reference_cost)),
        "loss_of_reference_cost": told(lost(days, foresight)),
        "loss_of_energy_result": lost_before_charges(days, foresight),
        "charges": float(sum(it.charges for it in days)),
        "peak_kw": float(max(it.peak_kw for it in days)),
    }
