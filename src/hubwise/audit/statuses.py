"""How the plan says that search, dispatch and bound ended: in words that there are."""

from __future__ import annotations

from hubwise.audit.evidence import Evidence
from hubwise.audit.report import Check, Finding, judge
from hubwise.domain import Status
from hubwise.domain.plain import is_number, is_object

KEY = "status"
ENDED = ("search", "ac_dispatch", "family_bound")


def check_statuses(evidence: Evidence) -> Check:
    """Every status is a word of `hubwise.domain.Status`, with its advice and no other.

    A dispatch that says that limits hold leaves none broken. Whether a search has really come to
    rest needs the search.
    """
    said = evidence.result.get(KEY)
    wrong = [] if said is None else [name for name in ENDED if not _is_status(said, name)]
    if is_object(said) and said.keys() - {*ENDED}:
        wrong += sorted(said.keys() - {*ENDED})
    if not wrong and is_object(said) and _holds(said) and _broken(evidence):
        wrong.append("ac_dispatch")
    return judge(
        "summary: status",
        "Search, dispatch and bound ended as can be, and where limits hold none is broken",
        Finding(float(len(wrong)), f"summary.json, {KEY}: {', '.join(wrong)}"),
        0.0,
        advice="write each status as planning names it",
    )


def _is_status(said: object, name: str) -> bool:
    one = said.get(name) if is_object(said) else None
    if not is_object(one) or one.keys() != {"status", "advice"}:
        return False
    return any((one["status"], one["advice"]) == (known, known.advice) for known in Status)


def _holds(said: dict[str, object]) -> bool:
    dispatch = said["ac_dispatch"]
    return is_object(dispatch) and dispatch["status"] == Status.LIMITS_HOLD


def _broken(evidence: Evidence) -> bool:
    counts = {key: n for key, n in evidence.result.items() if key.endswith("_violations")}
    return any(is_number(count) and count > 0 for count in counts.values())
