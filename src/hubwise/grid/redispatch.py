"""What would mend missed limits: the least change of hubs' power, found by AC tangents.

Every answer is checked by an AC power flow; what it is then said to hold, holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from hubwise.domain import Feeder, Hubs, Situation
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.grid import FeederState, Tangent, power_flow, tangent

# Linear programs, each with tangents where the last one led.
ROUNDS = 8
# Aim inside every limit by this much, so that what is left of curvature does not break it [kW].
INSIDE_KW = 0.02
# What a kW that no hub can bring counts for, against one that some hub can.
PENALTY = 1e3
# Limits nearer than this become rows: p.u. of voltage, share of a branch's or rating's limit.
NEAR_PU, NEAR_SHARE = 0.05, 0.3
# A hub that moves a limit by less than this share of it per kW does not move it.
FLAT = 1e-10
HALVINGS = 14


@dataclass(frozen=True, slots=True)
class Rows:
    """Limits of one kind as rows that are affine in the hubs' power.

    Parameters
    ----------
    excess
        Above the limit where positive; shape (rows, slots).
    slope
        Change of it per kW at a hub; shape (rows, hubs, slots).
    near
        Below this much under the limit a row is left out.
    """

    excess: Array
    slope: Array
    near: float


def least_changes(situation: Situation, hub_kw: Array, slots: Index) -> Array:
    """The hubs' power at which all limits hold in ``slots``, as near to ``hub_kw`` as can be.

    Hubs move between their limits of export and import, if there is anything at them. Where they
    cannot mend everything, they are where they mend most. Slots without a power flow are led to
    where there is one.

    Parameters
    ----------
    situation
        Feeder and hubs.
    hub_kw
        Net draw of every hub, import positive; shape (hubs, slots) [kW].
    slots
        The slots to mend; shape (n,).

    Returns
    -------
    Array
        Shape (hubs, n) [kW].
    """
    feeder, hubs = situation.feeder.in_slots(slots), situation.hubs
    given, able = hub_kw[:, slots], _able(situation)[:, slots]
    bounds = (
        np.where(able, -hubs.most_export_kw[:, None], given),
        np.where(able, hubs.most_import_kw[:, None], given),
    )
    start = _solvable(feeder, hubs, np.clip(given, *bounds))
    changed = _settle(feeder, hubs, given, start, bounds, None)
    hopeless = [rows.excess > 0.0 for rows in _rows(feeder, tangent(feeder, hubs.bus, changed))]
    if not any(kind.any() for kind in hopeless):
        return changed
    return _settle(feeder, hubs, given, start, bounds, hopeless)


def _able(situation: Situation) -> Flags:
    """Whether a car, a station battery or solar is at a hub in a slot; shape (hubs, slots)."""
    fleet, hubs = situation.fleet, situation.hubs
    slot = np.arange(situation.horizon.slots)
    there = (slot >= fleet.arrival_slot[:, None]) & (slot < fleet.departure_slot[:, None])
    able = (hubs.battery_kw > 0.0)[:, None] | (hubs.solar_kw > 0.0)
    np.logical_or.at(able, fleet.hub, there)
    return able


def _settle(
    feeder: Feeder,
    hubs: Hubs,
    given: Array,
    start: Array,
    bounds: tuple[Array, Array],
    hopeless: list[Flags] | None,
) -> Array:
    """The least changes that linear programs lead to, from ``start``; hopeless rows left out.

    Of all points on the way each slot keeps the one that misses least, and of those that miss
    nothing the one that changes least. Hubs that do nearly the same would take turns, and currents
    bend where they pass zero: so steps have a limit, half of the one before.
    """
    now, best, step = start, start, np.full(start.shape[1], np.inf)
    misses = np.full(start.shape[1], np.inf)
    for turn in range(ROUNDS):
        rows = _without(list(_rows(feeder, tangent(feeder, hubs.bus, now))), hopeless)
        missed = np.maximum(np.max([kind.excess.max(axis=0) for kind in rows], axis=0), 0.0)
        nearer = np.abs(now - given).sum(axis=0) < np.abs(best - given).sum(axis=0)
        better = (missed < misses) | ((missed == misses) & nearer)
        best, misses = np.where(better, now, best), np.where(better, missed, misses)
        near = np.maximum(bounds[0], now - step), np.minimum(bounds[1], now + step)
        found = _program(rows, now, np.clip(given, *bounds), near)
        moved = np.abs(found - now).max(axis=0, initial=1.0)
        step = (moved if turn == 0 else step) / 2.0
        solved = power_flow(feeder, hubs.bus, found).converged
        now = np.where(solved, found, (now + best) / 2.0)
    return best


def _without(rows: list[Rows], hopeless: list[Flags] | None) -> list[Rows]:
    if hopeless is None:
        return rows
    return [
        replace(kind, excess=np.where(out, -np.inf, kind.excess))
        for kind, out in zip(rows, hopeless, strict=True)
    ]


def draw_at_bus(feeder: Feeder, rows: Array, bus: int, excess: Excess) -> tuple[float, bool]:
    """Least change of a bus's own load that brings a limit back, and whether it does under AC.

    Parameters
    ----------
    feeder
        In the one slot that is meant.
    rows
        What hubs draw, added to the base load; shape (buses, 1) [kW].
    bus
        Number of the bus.
    excess
        How far a state is above the limit, and the slope of that by the bus's load.

    Returns
    -------
    tuple
        Change of the load [kW], negative for less; and whether the limit then holds.
    """
    loaded = replace(feeder, base_kw=feeder.base_kw + rows)
    where, change = np.array([bus]), 0.0
    for _ in range(12):
        at = tangent(loaded, where, np.array([[change]]))
        over, slope = excess(at)
        if over <= 0.0:
            return change, True
        if not np.isfinite(over) or abs(slope) < FLAT:
            return change, False
        change -= over / slope * (1.0 + 1e-6)
    return change, False


class Excess:
    """How far a tangent is above one limit, and its slope by the first hub."""

    def __init__(self, kind: str, row: int, limit: float) -> None:
        """Of ``low``, ``high`` voltage, ``branch`` or else the transformer, in row ``row``."""
        self.kind, self.row, self.limit = kind, row, limit

    def __call__(self, at: Tangent) -> tuple[float, float]:
        """Above the limit where positive, and the change per kW."""
        match self.kind:
            case "low":
                value, slope = -at.state.voltage_pu[self.row, 0], -at.voltage_pu[self.row, 0, 0]
            case "high":
                value, slope = at.state.voltage_pu[self.row, 0], at.voltage_pu[self.row, 0, 0]
            case "branch":
                value = at.state.branch_loading[self.row, 0]
                slope = at.branch_loading[self.row, 0, 0]
            case _:
                value = at.state.head_loading[self.row, 0]
                slope = at.head_loading[self.row, 0, 0]
        return float(value) - self.limit, float(slope)


def most_base(feeder: Feeder) -> float:
    """The largest share of the base load, without hubs, that has a power flow in its one slot."""
    least, most = 0.0, 1.0
    nobody = np.zeros(0, dtype=np.int64), np.zeros((0, 1))
    for _ in range(HALVINGS):
        share = (least + most) / 2.0
        part = replace(
            feeder,
            base_kw=share * feeder.base_kw,
            base_kvar=share * feeder.base_kvar,
            squared_kw=share * feeder.squared[0],
            squared_kvar=share * feeder.squared[1],
            phases=None if feeder.phases is None else feeder.phases.scaled(share),
        )
        solved = bool(power_flow(part, *nobody).converged[0])
        least, most = (share, most) if solved else (least, share)
    return least


def _solvable(feeder: Feeder, hubs: Hubs, start: Array) -> Array:
    """``start``, where a slot has no power flow moved towards rest just as far as one needs.

    If there is none at rest, either, the slot stays as it is.
    """
    solved = power_flow(feeder, hubs.bus, start).converged
    rest = power_flow(feeder, hubs.bus, np.zeros_like(start)).converged
    if (solved | ~rest).all():
        return start
    low, high = np.zeros(start.shape[1]), np.where(solved | ~rest, 0.0, 1.0)
    for _ in range(HALVINGS):
        share = (low + high) / 2.0
        found = power_flow(feeder, hubs.bus, start * (1.0 - share)).converged
        low, high = np.where(found, low, share), np.where(found, share, high)
    moved: Array = start * (1.0 - np.where(high > 0.0, high, 0.0))
    return moved


def _rows(feeder: Feeder, at: Tangent) -> Iterator[Rows]:
    state: FeederState = at.state
    yield Rows(feeder.voltage_min_pu - state.voltage_pu, -at.voltage_pu, NEAR_PU)
    yield Rows(state.voltage_pu - feeder.voltage_max_pu, at.voltage_pu, NEAR_PU)
    limit = feeder.conductor_limits[:, None]
    yield Rows(state.branch_loading / limit - 1.0, at.branch_loading / limit[:, None], NEAR_SHARE)
    yield Rows(
        state.head_loading / feeder.transformer_limit - 1.0,
        at.head_loading / feeder.transformer_limit,
        NEAR_SHARE,
    )


def _program(rows: list[Rows], now: Array, given: Array, bounds: tuple[Array, Array]) -> Array:
    """One linear program over all slots: least change of ``given`` with every row at its limit.

    The columns are, for every hub and slot, power taken off and power put on; and for every slot
    what is left over. The result is within ``bounds``.
    """
    hubs, slots = now.shape
    least, most = bounds
    size = hubs * slots
    of_row, of_column, value, right = [], [], [], []
    count = 0
    for kind in rows:
        steepest = np.abs(kind.slope).max(axis=1, initial=0.0)
        element, slot = np.nonzero((kind.excess > -kind.near) & (steepest > FLAT))
        scale = steepest[element, slot]
        slope = kind.slope[element, :, slot] / scale[:, None]  # (n, hubs)
        here = count + np.arange(len(slot))
        count += len(slot)
        column = np.arange(hubs) * slots + slot[:, None]
        off, on = column.ravel(), (size + column).ravel()
        of_row += [np.repeat(here, hubs), np.repeat(here, hubs), here]
        of_column += [off, on, 2 * size + slot]
        value += [-slope.ravel(), slope.ravel(), -np.ones(len(slot))]
        moved = np.einsum("nh,nh->n", slope, (given - now)[:, slot].T)
        right.append(-kind.excess[element, slot] / scale - moved - INSIDE_KW)
    if not count:
        return np.clip(given, least, most)
    entries = np.concatenate(value), (np.concatenate(of_row), np.concatenate(of_column))
    cost = np.concatenate([np.ones(2 * size), np.full(slots, PENALTY)])
    ends = [given - most, least - given, given - least, most - given]
    off_low, on_low, off_high, on_high = (np.maximum(end, 0.0).ravel() for end in ends)
    lower = np.concatenate([off_low, on_low, np.zeros(slots)])
    upper = np.concatenate([off_high, on_high, np.full(slots, np.inf)])
    answer = linprog(
        cost,
        A_ub=coo_array(entries, shape=(count, 2 * size + slots)).tocsr(),
        b_ub=np.concatenate(right),
        bounds=np.column_stack([lower, upper]),
        method="highs",
    )
    if answer.status != 0:
        raise RuntimeError(f"the linear program of the least changes: {answer.message}")
    off, on = answer.x[:size].reshape(hubs, slots), answer.x[size : 2 * size].reshape(hubs, slots)
    changed: Array = given - off + on
    return changed
