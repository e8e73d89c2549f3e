"""What a plan missed, and what would help: where, by how much, and which kW would mend it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from hubwise.domain import Promises, Situation
from hubwise.domain.arrays import Array, Index
from hubwise.grid import FeederState, Kind, Violation, power_flow, violations
from hubwise.grid.redispatch import Excess, draw_at_bus, least_changes
from hubwise.grid.topology import bus_load_kw
from hubwise.record import FeederFigures, Missed, Ratios, Redispatch
from hubwise.record.advice import shortcomings

# Changes below this are rounding [kW].
ROUNDING_KW = 0.005


def missed_limits(
    situation: Situation, hub_kw: Array, state: FeederState, line_kw: Array | None = None
) -> tuple[tuple[Missed, ...], tuple[Redispatch, ...]]:
    """Every limit that a plan misses, and in each slot the least kW at hubs that would mend it.

    Parameters
    ----------
    situation
        Feeder, hubs and their limits.
    hub_kw
        Net draw of every hub in the plan; shape (hubs, slots) [kW].
    state
        The feeder under AC power flow at that draw.
    line_kw
        What flows through circuits and phases; shape (lines, slots) [kW].
    """
    feeder, hubs = situation.feeder, situation.hubs
    broken = violations(feeder, hubs, state, hub_kw, line_kw)
    if not broken:
        return (), ()
    slots = np.unique([violation.slot for violation in broken])
    changed = least_changes(situation, hub_kw, slots)
    there = feeder.in_slots(slots)
    # Hubs' changes are not told car by car: circuits stay as they are.
    flows = None if line_kw is None else line_kw[:, slots]
    after = violations(there, hubs, power_flow(there, hubs.bus, changed), changed, flows)
    left = {(v.kind, v.element, int(slots[v.slot])) for v in after}
    still = {slot for _, _, slot in left}
    change = changed - hub_kw[:, slots]
    redispatches = tuple(
        Redispatch(int(slot), _named(hubs.name, change[:, k]), int(slot) not in still)
        for k, slot in enumerate(slots)
    )
    alone = power_flow(there, hubs.bus, np.zeros_like(changed))
    bare = violations(there, hubs, alone, np.zeros_like(changed))
    base = {(v.kind, v.element, int(slots[v.slot])) for v in bare}
    found = [
        _missed(situation, list(group), (slots, hub_kw[:, slots], alone), left, base)
        for _, group in groupby(sorted(broken, key=_element), key=_element)
    ]
    return tuple(found), redispatches


def _element(violation: Violation) -> tuple[int, str]:
    return list(Kind).index(violation.kind), violation.element


def _named(names: Sequence[str], change: Array) -> dict[str, float]:
    return {
        name: float(kw) for name, kw in zip(names, change, strict=True) if abs(kw) > ROUNDING_KW
    }


Key = tuple[Kind, str, int]


def _missed(
    situation: Situation,
    broken: list[Violation],
    there: tuple[Index, Array, FeederState],
    left: set[Key],
    base: set[Key],
) -> Missed:
    """One element's violations as one."""
    slots, hub_kw, alone = there
    worst = max(broken, key=lambda v: 0.0 if np.isnan(v.value) else abs(v.value - v.limit))
    key = worst.kind, worst.element, worst.slot
    column = int(np.searchsorted(slots, worst.slot))
    lost = worst.kind is Kind.CONVERGENCE
    bare = _value(situation, worst, alone, column)
    missed = Missed(
        kind=worst.kind.value,
        element=worst.element,
        slots=tuple(violation.slot for violation in broken),
        worst_slot=worst.slot,
        value=None if lost else worst.value,
        limit=None if lost else worst.limit,
        without_hubs=None if np.isnan(bare) else bare,
        base_alone=key in base,
        hubs_mend=key not in left,
    )
    if missed.hubs_mend:
        return missed
    bus, kw = _at_bus(situation, worst, hub_kw[:, [column]])
    return missed if bus is None else replace(missed, bus=bus, bus_kw=kw)


def _row(situation: Situation, violation: Violation) -> int:
    """The row of a node, conductor or phase of the transformer that a violation names."""
    feeder = situation.feeder
    match violation.kind:
        case Kind.VOLTAGE:
            names = feeder.node_names
        case Kind.BRANCH:
            names = feeder.conductor_names
        case _:
            names = feeder.by_phase(["substation transformer"])
    return names.index(violation.element)


def _value(situation: Situation, violation: Violation, state: FeederState, slot: int) -> float:
    """What ``state`` shows of the element; NaN where that has no meaning without hubs."""
    match violation.kind:
        case Kind.VOLTAGE:
            return float(state.voltage_pu[_row(situation, violation), slot])
        case Kind.BRANCH:
            return float(state.branch_loading[_row(situation, violation), slot])
        case Kind.TRANSFORMER:
            return float(state.head_loading[_row(situation, violation), slot])
        case _:
            return float("nan")


def _at_bus(
    situation: Situation, violation: Violation, hub_kw: Array
) -> tuple[int | None, float | None]:
    """The bus whose own load would mend what hubs cannot, and by how much it would change [kW]."""
    feeder = situation.feeder.in_slots(np.array([violation.slot]))
    hub_load = bus_load_kw(feeder, situation.hubs.bus, hub_kw) - feeder.base_kw
    heaviest = int(feeder.bus[np.argmax(np.abs(feeder.base_kw[:, 0]))])
    buses: list[int]
    match violation.kind:
        case Kind.VOLTAGE:
            row = _row(situation, violation)
            side = "low" if violation.value < violation.limit else "high"
            sign = -1.0 if side == "low" else 1.0
            excess, buses = Excess(side, row, sign * violation.limit), [int(feeder.node_bus[row])]
        case Kind.BRANCH:
            row = _row(situation, violation)
            branch = row // feeder.phase_count
            buses = [int(feeder.to_bus[branch]), int(feeder.from_bus[branch])]
            excess = Excess("branch", row, violation.limit)
        case Kind.TRANSFORMER:
            row = _row(situation, violation)
            excess, buses = Excess("transformer", row, violation.limit), [heaviest]
        case _:
            return None, None
    tried = [(bus, *draw_at_bus(feeder, hub_load, bus, excess)) for bus in buses]
    held = [(abs(kw), bus, kw) for bus, kw, holds in tried if holds]
    return (min(held)[1], min(held)[2]) if held else (None, None)


def advice(
    promises: Promises,
    ratios: Ratios,
    feeder: FeederFigures,
    before: FeederFigures,
    head_ramp_kw: float,
) -> list[str]:
    """What a plan missed of ``promises`` and limits; empty where all holds."""
    kept = (
        (ratios.peak_valley_ratio, promises.peak_valley),
        (ratios.participant_cost_ratio, promises.saving),
    )
    ramp = head_ramp_kw, promises.ramp_kw
    return shortcomings(*kept, feeder.broken(), before.broken(), ramp)
