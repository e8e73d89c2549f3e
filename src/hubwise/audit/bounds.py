"""Bounds, and how search, dispatch and bound ended: what must be so of any, whatever was searched.

A bound cannot be derived without the search, and none below the true best can be told from it but
by a better plan. So bounds are sealed; but no profit passes them, and what follows from them does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite

from hubwise.audit.conduct import Conduct
from hubwise.audit.evidence import Evidence
from hubwise.audit.report import Check, words
from hubwise.domain import Status
from hubwise.domain.plain import is_number, is_object, number

SHARE = 1e-9
MONEY = 1e-6
_TOLD = {"profit_bound": "gap", "family_bound": "family_gap"}


def check_bounds(evidence: Evidence, conduct: Conduct) -> Iterator[Check]:
    """Gaps, boxes and words of ending, against the bounds, the profit and what is missed."""
    result = evidence.result
    if conduct.posts_prices:
        yield words(
            "summary: gaps",
            "Gaps are what is between profit and bounds, and no family has more than any tariff",
            [*_gaps(result), *_family(result), *_withheld(evidence)],
            "reckon them again from the profit and the bounds",
        )
        yield words(
            "summary: ended",
            "How the search, the dispatch and the bound ended fits what they found",
            list(_endings(evidence)),
            "write each status as planning found it",
        )
    else:
        yield words(
            "summary: nothing searched",
            "Nobody posts prices: there is no search, no bound, and nothing better to be said",
            [
                f"summary.json, {key}: {result.get(key)!r}"
                for key, due in NOTHING.items()
                if result.get(key) != due
            ],
            "make the plan again",
        )


NOTHING: dict[str, object] = dict.fromkeys(
    ("profit_bound", "gap", "family_bound", "family_gap", "status", "dispatch_objective")
)
NOTHING |= {"without_prices": None, "better": [], "boxes": 0, "evaluations": 0, "method": ""}
NOTHING |= {"wear_rounds": 1}
"""What the result says of a search where nobody posts prices."""


def _gaps(result: Mapping[str, object]) -> Iterator[str]:
    profit = number(result.get("operator_profit"))
    for key, gap in _TOLD.items():
        bound, said = result.get(key), result.get(gap)
        known = is_number(bound) and bound > 0.0 and profit <= bound
        due = 1.0 - profit / number(bound) if known else None
        same = said is None if due is None else is_number(said) and abs(said - due) <= SHARE
        if not same:
            yield f"summary.json, {gap}: {said!r}, derived {due!r}"


def _family(result: Mapping[str, object]) -> Iterator[str]:
    bound, family, boxes = (result.get(key) for key in ("profit_bound", "family_bound", "boxes"))
    if is_number(bound) and is_number(family) and family > bound + MONEY + SHARE * abs(bound):
        yield f"summary.json, family_bound: {family!r}, above profit_bound: {bound!r}"
    if family is not None and boxes == 0:
        yield "summary.json, boxes: 0, where a family has a bound"
    if not (is_number(boxes) and boxes >= 0):
        yield f"summary.json, boxes: {boxes!r}"


def _withheld(evidence: Evidence) -> Iterator[str]:
    """A bound is left out only of a plan that misses something, or where none was looked for.

    None is told where the saving promise counts energy, for bounds know it in money alone, nor
    where energy is sold above the price that it is bought at.
    """
    result, promises = evidence.result, evidence.scenario.situation.promises
    unbounded = promises.counts_energy and isfinite(promises.saving)
    unbounded |= evidence.scenario.situation.market.sells_above
    if not result.get("advice") and not unbounded:
        if result.get("profit_bound") is None:
            yield "summary.json, profit_bound: null, where nothing is missed"
        if result.get("family_bound") is None and result.get("boxes"):
            yield "summary.json, family_bound: null, where boxes were looked at"


def _endings(evidence: Evidence) -> Iterator[str]:
    result = evidence.result
    for key in ("status", "dispatch_objective"):
        if not is_object(result.get(key)):
            yield f"summary.json, {key}: {result.get(key)!r}, where prices are posted"
    said = {name: _status(result, name) for name in ("search", "ac_dispatch", "family_bound")}
    given = said["search"] == Status.GIVEN
    tried, method = result.get("evaluations"), result.get("method")
    if given != (method == "given") or (given and tried != 0):
        yield f"summary.json, method: {method!r}, evaluations: {tried!r}, search {said['search']!r}"
    if not (is_number(tried) and tried >= 0) or not method:
        yield f"summary.json, evaluations: {tried!r}, method: {method!r}"
    boxes = result.get("boxes")
    if (said["family_bound"] == Status.NOT_BOUNDED) and boxes != 0:
        yield f"summary.json, status.family_bound: not bounded, with {boxes!r} boxes"
    if said["family_bound"] == Status.BOXES_SPENT and not boxes:
        yield "summary.json, status.family_bound: boxes spent, and none looked at"
    rounds, linear = result.get("wear_rounds"), result.get("wear") == "linear"
    if not (is_number(rounds) and rounds >= 1):
        yield f"summary.json, wear_rounds: {rounds!r}"
    if linear and not _limited(evidence) and rounds != 1:
        yield f"summary.json, wear_rounds: {rounds!r}, where wear is given"
    spent = result.get("wall_seconds")
    if not (is_number(spent) and spent >= 0.0):
        yield f"summary.json, wall_seconds: {spent!r}"


def _limited(evidence: Evidence) -> bool:
    """Whether drivers limit fade, so that limits are found in rounds even where wear is given."""
    return bool((evidence.original.fade_limit_per_year < float("inf")).any())


def _status(result: Mapping[str, object], name: str) -> object:
    said = result.get("status")
    one = said.get(name) if is_object(said) else None
    return one.get("status") if is_object(one) else None
