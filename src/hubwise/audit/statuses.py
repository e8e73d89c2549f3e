"""How the plan says that search, dispatch and bound ended: in words that there are."""

from __future__ import annotations

from hubwise.audit.evidence import Evidence
from hubwise.audit.promises import most_peak_valley_share, peak_valley_share
from hubwise.audit.report import Check, Finding, judge
from hubwise.domain import Status
from hubwise.domain.plain import is_number, is_object, number
from hubwise.grid import FeederState

KEY = "status"
# Two power flows may differ by so much of a share.
NEAR = 1e-7
ENDED = ("search", "ac_dispatch", "family_bound")


def check_statuses(evidence: Evidence, uncoordinated: FeederState) -> Check:
    """Every status is a word of `hubwise.domain.Status`, with its advice and no other.

    A dispatch says that limits hold exactly where none is broken and the promise to the grid is
    kept, to the rounding of two power flows. Whether a search has really come to rest needs the
    search.
    """
    said = evidence.result.get(KEY)
    wrong = [] if said is None else [name for name in ENDED if not _is_status(said, name)]
    if is_object(said) and said.keys() - {*ENDED}:
        wrong += sorted(said.keys() - {*ENDED})
    if not wrong and is_object(said) and not _fits(_holds(said), evidence, uncoordinated):
        wrong.append("ac_dispatch")
    return judge(
        "summary: status",
        "Search, dispatch and bound ended as can be, and where limits hold none is broken",
        Finding(float(len(wrong)), f"summary.json, {KEY}: {', '.join(wrong)}"),
        0.0,
        advice="write each status as planning names it",
    )


def derived_statuses(evidence: Evidence) -> set[str]:
    """The paths of statuses that figures tell: of a dispatch that says that limits hold."""
    said = evidence.result.get(KEY)
    return {f"{KEY}.ac_dispatch.status"} if is_object(said) and _holds(said) else set()


def _is_status(said: object, name: str) -> bool:
    one = said.get(name) if is_object(said) else None
    if not is_object(one) or one.keys() != {"status", "advice"}:
        return False
    return any((one["status"], one["advice"]) == (known, known.advice) for known in Status)


def _holds(said: dict[str, object]) -> bool:
    dispatch = said.get("ac_dispatch")
    return is_object(dispatch) and dispatch.get("status") == Status.LIMITS_HOLD


def _fits(holds: bool, evidence: Evidence, uncoordinated: FeederState) -> bool:
    """Whether limits may be said to hold, or else to be missed."""
    share = peak_valley_share(evidence, uncoordinated)
    promise = most_peak_valley_share(evidence, uncoordinated)
    free = share is None or promise == float("inf")
    over = -1.0 if free else number(share) / promise - 1.0
    if holds:
        return not _broken(evidence) and over <= NEAR
    return _broken(evidence) or over >= -NEAR


def _broken(evidence: Evidence) -> bool:
    counts = {key: n for key, n in evidence.result.items() if key.endswith("_violations")}
    return any(is_number(count) and count > 0 for count in counts.values())
