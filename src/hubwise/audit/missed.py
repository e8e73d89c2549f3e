"""Limits that are said to be missed: each number of each, by the second power flow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from hubwise.audit.circuits import planned_flows
from hubwise.audit.evidence import Evidence
from hubwise.audit.feeder import flow_again, rounding_kw
from hubwise.audit.hubs import net_kw
from hubwise.audit.limits import Place, broken, readings
from hubwise.audit.report import Check, words
from hubwise.domain.arrays import Array
from hubwise.domain.plain import is_number, rows
from hubwise.grid import FeederState

# Between two power flows, and between sums of powers: of a value, and in its unit.
NEAR = 2e-6
# What is "the least" is so to this share: with so much less of it the limit is still broken.
LEAST = 0.02
# Kinds whose value without hubs says something; those that a bus's own load can mend.
_OF_THE_FEEDER = ("voltage", "branch", "transformer")

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Flows:
    """What is compared with.

    Parameters
    ----------
    power
        Net draw of every hub; shape (hubs, slots) [kW].
    plan, alone
        Value and limit of every element, in the plan and with nothing drawn at hubs.
    base
        Limits that the base load alone breaks beyond doubt, and to rounding.
    mended
        The same with the changes that are said to mend them.
    """

    power: Array
    plan: dict[tuple[str, str], tuple[Array, Array]]
    alone: dict[tuple[str, str], tuple[Array, Array]]
    base: tuple[set[Place], set[Place]]
    mended: tuple[set[Place], set[Place]]


def check_values(evidence: Evidence, state: FeederState) -> Iterator[Check]:
    """Every row of ``limits_missed``, number by number.

    Elements and slots must have been found right. ``state`` is the second power flow.
    """
    said = rows(evidence.result.get("limits_missed"))
    flows = _flows(evidence, state) if said else None
    yield words(
        "advice: values",
        "What is missed by how much, what the base load does alone, and what would mend it, are "
        "those of power flows",
        [
            f"summary.json, limits_missed, {row['kind']} of {row['element']}: {fault}"
            for row in said
            if flows is not None
            for fault in _faults(evidence, row, flows)
        ],
        "list what is missed again",
    )


def _flows(evidence: Evidence, state: FeederState) -> _Flows:
    feeder, hubs = evidence.scenario.situation.feeder, evidence.scenario.situation.hubs
    power, changed = net_kw(evidence), net_kw(evidence)
    for row in rows(evidence.result.get("mends")):
        slot, changes = row.get("slot"), row.get("hub_kw")
        if isinstance(slot, int) and isinstance(changes, dict):
            for hub, kw in changes.items():
                changed[hubs.name.index(hub), slot] += kw
    nothing, flows = np.zeros_like(power), planned_flows(evidence)
    alone = flow_again(feeder, hubs.bus, nothing)
    after = flow_again(feeder, hubs.bus, changed)
    return _Flows(
        power,
        readings(feeder, hubs, state, power, flows),
        readings(feeder, hubs, alone, nothing),
        broken(feeder, hubs, alone, nothing),
        broken(feeder, hubs, after, changed, flows),
    )


def _faults(evidence: Evidence, row: Row, flows: _Flows) -> Iterator[str]:
    kind, element = str(row["kind"]), str(row["element"])
    slots, worst = row["slots"], row["worst_slot"]
    if not (isinstance(slots, list) and isinstance(worst, int) and worst in slots):
        yield f"worst_slot {worst!r} is none of its slots"
        return
    if slots != sorted(set(slots)):
        yield "slots in another order, or twice"
    place = (kind, element, worst)
    value, limit = flows.plan.get((kind, element), (None, None))
    if value is None or limit is None or not np.isfinite(value[worst]):
        due: dict[str, float | None] = {"value": None, "limit": None}
    else:
        due = {"value": float(value[worst]), "limit": float(limit[worst])}
        over = np.abs(value - limit)[slots]
        if np.nanmax(over) > over[slots.index(worst)] + _near(evidence, limit[worst]):
            yield f"worst_slot {worst}, where another is worse"
    there = flows.alone.get((kind, element))
    bare = there[0][worst] if there is not None and kind in _OF_THE_FEEDER else np.nan
    due["without_hubs"] = float(bare) if np.isfinite(bare) else None
    for key, number in due.items():
        if not _same(row[key], number, _near(evidence, number)):
            yield f"{key} {row[key]!r}, derived {number!r}"
    sure, perhaps = flows.base
    if row["base_alone"] not in {place in sure, place in perhaps}:
        yield f"base_alone {row['base_alone']!r}"
    sure, perhaps = flows.mended
    if row["hubs_mend"] not in {place not in sure, place not in perhaps}:
        yield f"hubs_mend {row['hubs_mend']!r}"
    yield from _bus_faults(evidence, row, flows.power, place)


def _near(evidence: Evidence, number: float | None) -> float:
    size = 1.0 if number is None else max(1.0, abs(number))
    return NEAR * size + 1e-3 * rounding_kw(evidence.scenario.situation.feeder)


def _same(found: object, due: float | None, near: float) -> bool:
    if due is None:
        return found is None
    return is_number(found) and abs(found - due) <= near


def _bus_faults(evidence: Evidence, row: Row, power: Array, place: Place) -> Iterator[str]:
    """Whether the load at the bus would mend it, and hardly less would not."""
    bus, kw = row["bus"], row["bus_kw"]
    if bus is None and kw is None:
        return
    known = evidence.scenario.situation.feeder.bus.tolist()
    told = f"bus {bus!r}, bus_kw {kw!r}"
    if row["hubs_mend"] or place[0] not in _OF_THE_FEEDER or bus not in known or not is_number(kw):
        yield told
        return
    at = known.index(bus)
    if _is_broken(evidence, power, place, at, kw)[0]:
        yield f"{told}: it would still be broken"
    elif not _is_broken(evidence, power, place, at, (1.0 - LEAST) * kw)[1]:
        yield f"{told}: less would do"


def _is_broken(
    evidence: Evidence, power: Array, place: Place, row: int, kw: float
) -> tuple[bool, bool]:
    """Whether a limit is broken with so much more load at a bus: beyond doubt, and perhaps."""
    feeder, hubs = evidence.scenario.situation.feeder, evidence.scenario.situation.hubs
    kind, element, slot = place
    there = feeder.in_slots(np.array([slot]))
    load = there.base_kw.copy()
    load[row] += kw
    there = replace(there, base_kw=load)
    drawn = power[:, [slot]]
    state = flow_again(there, hubs.bus, drawn)
    sure, perhaps = broken(there, hubs, state, drawn)
    return (kind, element, 0) in sure, (kind, element, 0) in perhaps
