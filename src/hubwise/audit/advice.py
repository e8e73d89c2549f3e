"""Advice: whether what is said to be missed is missed, and what is said to mend it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

from hubwise.audit.circuits import planned_flows
from hubwise.audit.evidence import Evidence
from hubwise.audit.feeder import flow_again
from hubwise.audit.hubs import net_kw
from hubwise.audit.limits import broken
from hubwise.audit.report import Check, Finding, judge
from hubwise.domain.arrays import Array
from hubwise.domain.plain import is_number
from hubwise.grid import FeederState


def check_advice(evidence: Evidence, state: FeederState) -> Iterator[Check]:
    """The lists of missed limits and of changes that mend them, against a second power flow."""
    yield _missed(evidence, state)
    yield _mends(evidence)


def _missed(evidence: Evidence, state: FeederState) -> Check:
    situation = evidence.scenario.situation
    said = {
        (str(row.get("kind")), str(row.get("element")), slot)
        for row in _rows(evidence, "limits_missed")
        for slot in _slots(row)
    }
    flows = planned_flows(evidence)
    sure, perhaps = broken(situation.feeder, situation.hubs, state, net_kw(evidence), flows)
    wrong = sorted(map(str, (sure - said) | (said - perhaps)))
    elements = [(row.get("kind"), row.get("element")) for row in _rows(evidence, "limits_missed")]
    wrong += sorted({f"{element}, twice" for element in _twice(elements)})
    return judge(
        "advice: limits missed",
        "Every limit that a second power flow finds broken is named, and no other",
        Finding(float(len(wrong)), f"summary.json, limits_missed: {', '.join(wrong[:3])}"),
        0.0,
        advice="list the violations again",
    )


def _mends(evidence: Evidence) -> Check:
    """Does what the advice says, and looks whether the limits then hold where it says so."""
    rows = _rows(evidence, "mends")
    power, names = net_kw(evidence), evidence.scenario.situation.hubs.name
    for row in rows:
        for hub, kw in _changes(row).items():
            slot = row.get("slot")
            if hub in names and _is_slot(slot, power):
                power[names.index(hub), slot] += kw
    left = _broken_slots(evidence, power) if rows else set()
    wrong = {
        str(row.get("slot")) for row in rows if row.get("holds") != (row.get("slot") not in left)
    }
    missed = {str(slot) for row in _rows(evidence, "limits_missed") for slot in _slots(row)}
    wrong |= missed ^ {str(row.get("slot")) for row in rows}
    wrong |= {str(slot) for slot in _twice([row.get("slot") for row in rows])}
    wrong |= {hub for row in rows for hub in _changes(row) if hub not in names}
    return judge(
        "advice: what would mend it",
        "Each slot with a missed limit has its changes at hubs, and limits hold with them as said",
        Finding(float(len(wrong)), f"summary.json, mends: slots {', '.join(sorted(wrong)[:8])}"),
        0.0,
        advice="look for the least changes again",
    )


def _twice(items: Sequence[object]) -> list[object]:
    return [item for k, item in enumerate(items) if item in items[:k]]


def _slots(row: Mapping[str, object]) -> list[object]:
    said = row.get("slots")
    return (
        [str(slot) if type(slot) is not int else slot for slot in said]
        if isinstance(said, list)
        else []
    )


def _changes(row: Mapping[str, object]) -> dict[str, float]:
    said = row.get("hub_kw")
    pairs = said.items() if isinstance(said, dict) else ()
    return {hub: float(kw) for hub, kw in pairs if is_number(kw)}


def _is_slot(slot: object, power: Array) -> TypeGuard[int]:
    return type(slot) is int and 0 <= slot < power.shape[1]


def _broken_slots(evidence: Evidence, power: Array) -> set[int]:
    """Slots in which a limit is broken by more than rounding between two power flows."""
    situation = evidence.scenario.situation
    feeder, hubs = situation.feeder, situation.hubs
    state = flow_again(feeder, hubs.bus, power)
    sure, _ = broken(feeder, hubs, state, power, planned_flows(evidence))
    return {slot for _, _, slot in sure}


def _rows(evidence: Evidence, key: str) -> list[Mapping[str, object]]:
    said = evidence.result.get(key)
    return [row for row in said if isinstance(row, dict)] if isinstance(said, list) else []
