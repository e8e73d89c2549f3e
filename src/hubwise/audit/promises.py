"""Promises and limits: what the plan should reach, reported as reached or not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hubwise.audit.conduct import Conduct
from hubwise.audit.energy import check_equal_energy, value
from hubwise.audit.evidence import Evidence
from hubwise.audit.following import following_figures
from hubwise.audit.report import Check, Finding, Status, judge, worst_of
from hubwise.domain.arrays import Array
from hubwise.grid import FeederState

LIMIT = 1e-9
SHARE = 1e-6  # of what is promised
FLAT_KW = 1e-6  # a peak-valley difference that is rounding


def check_promises(
    evidence: Evidence, conduct: Conduct, uncoordinated: FeederState
) -> Iterator[Check]:
    """Promises against the uncoordinated day, and the feeder's limits; missed, where missed.

    Only an operator that posts prices promises anything.
    """
    promises = evidence.scenario.situation.promises
    if conduct.posts_prices and np.isfinite(promises.saving):
        yield _saving(evidence)
    if conduct.schedules and promises.equal_energy:
        yield check_equal_energy(evidence)
    if conduct.posts_prices and np.isfinite(promises.peak_valley):
        yield _peak_valley(evidence, uncoordinated)
    if conduct.posts_prices and promises.ramp_kw is not None:
        yield _ramp(evidence, promises.ramp_kw)
    yield _voltage(evidence)
    yield _transformer(evidence)
    yield _branch(evidence)


def _saving(evidence: Evidence) -> Check:
    promise = evidence.scenario.situation.promises.saving
    counts = evidence.scenario.situation.promises.counts_energy
    share = saving_share(evidence) or 0.0
    return judge(
        "promises: saving",
        f"Participants' net cost is together at most {promise:g} of uncoordinated"
        + (", with what they leave with counted" if counts else ""),
        Finding(share - promise, f"it is {share:.4f}"),
        SHARE,
        advice="this tariff does not keep the operator's promise to its drivers",
        otherwise=Status.MISSED,
    )


def _peak_valley(evidence: Evidence, uncoordinated: FeederState) -> Check:
    promise = evidence.scenario.situation.promises.peak_valley
    share = peak_valley_share(evidence, uncoordinated) or 0.0
    return judge(
        "promises: peak-valley",
        f"The feeder's peak-valley difference is at most {promise:g} of uncoordinated",
        Finding(share - promise, f"it is {share:.4f}"),
        SHARE,
        advice="this plan does not keep the operator's promise to the grid",
        otherwise=Status.MISSED,
    )


def _ramp(evidence: Evidence, promise: float) -> Check:
    steepest = following_figures(evidence)["head_ramp_kw"]
    return judge(
        "promises: ramp",
        f"The feeder head changes by at most {promise:g} kW a quarter-hour",
        Finding(steepest / promise - 1.0, f"it is {steepest:.1f} kW"),
        SHARE,
        advice="this plan does not keep the operator's promise to the grid",
        otherwise=Status.MISSED,
    )


def saving_share(evidence: Evidence) -> float | None:
    """Participants' net cost of theirs uncoordinated, the past counted; None of nothing.

    What they leave with is taken off where the promise counts it.
    """
    participants, bills = evidence.fleet.participating, evidence.bills
    past = evidence.scenario.situation.so_far
    reference = float(bills["reference_cost"][participants].sum()) + past.reference_cost
    paid = float(bills["net_cost"][participants].sum()) + past.paid
    if evidence.scenario.situation.promises.counts_energy:
        paid -= value(evidence)
    return paid / reference if reference else None


def peak_valley_share(evidence: Evidence, uncoordinated: FeederState) -> float | None:
    """The feeder's peak-valley difference of the uncoordinated one, the past counted.

    Of nothing any difference is infinitely much, and none is none.
    """
    past = evidence.scenario.situation.so_far
    before = _span_of_day(uncoordinated.head_kw, past.baseline_peak_kw, past.baseline_valley_kw)
    head = evidence.feeder["head_kw"]
    span = _span_of_day(head, past.head_peak_kw, past.head_valley_kw)
    if before > FLAT_KW:
        return span / before
    return np.inf if span > FLAT_KW else None


def most_peak_valley_share(evidence: Evidence, uncoordinated: FeederState) -> float:
    """The share promised, or what the past alone has made of it, which nobody can mend."""
    situation = evidence.scenario.situation
    past, promise = situation.so_far, situation.promises.peak_valley
    before = _span_of_day(uncoordinated.head_kw, past.baseline_peak_kw, past.baseline_valley_kw)
    alone = max(past.head_peak_kw - past.head_valley_kw, 0.0)
    return max(promise, alone / before) if before > FLAT_KW else promise


def _span_of_day(head_kw: Array, peak_kw: float, valley_kw: float) -> float:
    """Peak-valley difference of the horizon and what has been before it [kW]."""
    known = head_kw[~np.isnan(head_kw)]
    highest, lowest = known.max(initial=-np.inf), known.min(initial=np.inf)
    return float(max(highest, peak_kw) - min(lowest, valley_kw))


def _voltage(evidence: Evidence) -> Check:
    feeder, voltage = evidence.scenario.situation.feeder, evidence.buses["voltage_pu"]
    outside = np.maximum(voltage - feeder.voltage_max_pu, feeder.voltage_min_pu - voltage)
    return judge(
        "limits: voltage",
        "Every bus keeps the voltage band",
        worst_of(outside, evidence.buses_axes, "buses.voltage_pu"),
        LIMIT,
        advice="the feeder's voltage band is broken",
        otherwise=Status.MISSED,
    )


def _transformer(evidence: Evidence) -> Check:
    limit = evidence.scenario.situation.feeder.transformer_limit
    return judge(
        "limits: transformer",
        f"The substation transformer carries at most {limit:.0%} of its rating",
        worst_of(
            evidence.feeder["transformer_loading"] - limit,
            evidence.slots_axis,
            "feeder.transformer_loading",
        ),
        LIMIT,
        advice="the substation transformer is overloaded",
        otherwise=Status.MISSED,
    )


def _branch(evidence: Evidence) -> Check:
    return judge(
        "limits: branches",
        "No branch carries more than it may",
        worst_of(
            evidence.feeder["max_branch_loading"] - 1.0,
            evidence.slots_axis,
            "feeder.max_branch_loading",
        ),
        LIMIT,
        advice="a branch is overloaded",
        otherwise=Status.MISSED,
    )
