"""The feeder's limits as rows that are affine in the hubs' net draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.domain import Feeder
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.grid import Tangent, power_flow, tangent

# A voltage or a branch becomes a row where it comes this near to its limit.
VOLTAGE_MARGIN_PU = 0.01
BRANCH_MARGIN = 0.10
# How often the step is halved in which the most is sought that a slot's power flow carries.
HALVINGS = 5
# The head and its negative are always rows, the first.
HEAD_ROWS = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """Shared quantities, affine in the hubs' net draw, and what they may be at most.

    Row 0 is active power at the feeder head, row 1 its negative [kW]; further rows are voltages
    and branch currents near their limits, scaled to the kW at the hub that moves them most.

    Parameters
    ----------
    row
        What each row is; length rows.
    coefficient
        Change per kW at a hub; shape (rows, hubs, slots).
    offset
        Value with nothing drawn at any hub; shape (rows, slots).
    upper
        Limit; shape (rows, slots). That of row 0 keeps the substation transformer in its limit.
    """

    row: tuple[str, ...]
    coefficient: Array
    offset: Array
    upper: Array

    def rows(self, hub_kw: Array) -> Array:
        """Values at hub draws of shape (hubs, slots); shape (rows, slots)."""
        rows: Array = self.offset + np.einsum("kht,ht->kt", self.coefficient, hub_kw)
        return rows

    def head(self, hub_kw: Array) -> Array:
        """Active power at the feeder head; shape (slots,) [kW]."""
        head: Array = self.rows(hub_kw)[0]
        return head

    def with_hubs(self, most_kw: Array | None) -> Limits:
        """The same, with what hubs may draw by slot, a row for each that is limited in any.

        ``most_kw``: (hubs, slots), ``inf`` where nothing limits; ``None`` for none [kW].
        """
        if most_kw is None or not (limited := np.isfinite(most_kw)).any():
            return self
        hub = np.flatnonzero(limited.any(axis=1))
        coefficient = np.zeros((len(hub), *most_kw.shape))
        coefficient[np.arange(len(hub)), hub] = limited[hub]
        return Limits(
            (*self.row, *(f"hub {h}, allowed" for h in hub)),
            np.concatenate([self.coefficient, coefficient]),
            np.concatenate([self.offset, np.zeros((len(hub), most_kw.shape[1]))]),
            np.concatenate([self.upper, most_kw[hub]]),
        )

    def between(self, first: int, last: int | None) -> Limits:
        """The same in some of the slots."""
        slots = slice(first, last)
        return Limits(
            self.row, self.coefficient[..., slots], self.offset[:, slots], self.upper[:, slots]
        )

    def renewed(self, slots: Index, fresh: Limits) -> Limits:
        """The same, as ``fresh`` has it in ``slots``; rows that no slot is near any more go.

        A row that is not known in a slot limits nothing there.
        """
        row = (*self.row, *(name for name in fresh.row if name not in self.row))
        at = [row.index(name) for name in fresh.row]

        def merged(known: Array, anew: Array, fill: float) -> Array:
            whole = np.full((len(row), *known.shape[1:]), fill)
            whole[: len(known)] = known
            whole[..., slots] = fill
            part = whole[..., slots]
            part[at] = anew
            whole[..., slots] = part
            return whole

        coefficient = merged(self.coefficient, fresh.coefficient, 0.0)
        offset = merged(self.offset, fresh.offset, 0.0)
        upper = merged(self.upper, fresh.upper, np.inf)
        near: Flags = np.isfinite(upper).any(axis=1) | (np.arange(len(row)) < HEAD_ROWS)
        names = tuple(name for name, kept in zip(row, near, strict=True) if kept)
        return Limits(names, coefficient[near], offset[near], upper[near])


Row = tuple[str, Array, Array, Array]
"""A row of limits: what it is, its value, its change per kW at a hub, and the most it may be."""


def feeder_limits(feeder: Feeder, hub_bus: Index, hub_kw: Array) -> Limits:
    """The limits of a feeder, linearised under AC at the hub draws ``hub_kw`` (hubs, slots).

    Slots whose power flow does not converge are linearised nearer to rest, where it does. Those
    without one even at rest keep a lossless head and no further rows.
    """
    at = tangent(feeder, hub_bus, hub_kw)
    if not at.state.converged.all():
        hub_kw = _solvable(feeder, hub_bus, hub_kw)
        at = tangent(feeder, hub_bus, hub_kw)
    lost = np.isnan(at.head_kw).any(axis=0)
    slope = np.where(lost, 1.0, at.head_kw)
    head = np.where(lost, feeder.base_kw.sum(axis=0) + hub_kw.sum(axis=0), at.state.head_kw)
    reactive = np.where(lost, feeder.base_kvar.sum(axis=0), at.state.head_kvar)
    rating = feeder.transformer_limit * feeder.transformer_kva
    most = np.sqrt(np.maximum(rating**2 - reactive**2, 0.0))
    rows = [
        ("head", head, slope, most),
        ("-head", -head, -slope, most),
        *_voltage_rows(feeder, at),
        *_branch_rows(feeder, at),
        *_phase_rows(feeder, at),
    ]
    row, *columns = zip(*rows, strict=True)
    value, coefficient, upper = (np.stack(column) for column in columns)
    offset = value - np.einsum("kht,ht->kt", coefficient, hub_kw)
    return Limits(tuple(row), coefficient, offset, upper)


def _solvable(feeder: Feeder, hub_bus: Index, hub_kw: Array) -> Array:
    """``hub_kw``, in slots without a power flow shrunk to about the most that has one."""
    solved = power_flow(feeder, hub_bus, hub_kw).converged
    most, step = np.where(solved, 1.0, 0.0), 0.5
    for _ in range(HALVINGS):
        share = np.where(solved, 1.0, most + step)
        most = np.where(power_flow(feeder, hub_bus, share * hub_kw).converged, share, most)
        step /= 2.0
    return hub_kw * most


def _voltage_rows(feeder: Feeder, at: Tangent) -> list[Row]:
    """Of every phase one row for the lowest and one for the highest voltage of each slot.

    They are there where near the band.
    """
    found, phases = [], feeder.phase_count
    for name, sign, limit in (
        ("lowest voltage", -1.0, -feeder.voltage_min_pu),
        ("highest voltage", 1.0, feeder.voltage_max_pu),
    ):
        for phase, words in enumerate(feeder.by_phase([name])):
            voltage, slopes = at.state.voltage_pu[phase::phases], at.voltage_pu[phase::phases]
            worst = np.argmax(np.nan_to_num(sign * voltage, nan=-np.inf), axis=0)
            value, slope = sign * _pick(voltage, worst), sign * _pick(slopes, worst)
            found += _scaled(words, value, slope, limit, VOLTAGE_MARGIN_PU)
    return found


def _branch_rows(feeder: Feeder, at: Tangent) -> list[Row]:
    """Of every phase one row for the branch of each slot nearest to its limit, where near."""
    found, phases, limit = [], feeder.phase_count, feeder.branch_limits
    for phase, words in enumerate(feeder.by_phase(["branch"])):
        loading = at.state.branch_loading[phase::phases] / limit[:, None]
        worst = np.argmax(np.nan_to_num(loading, nan=-np.inf), axis=0)
        slope = _pick(at.branch_loading[phase::phases] / limit[:, None, None], worst)
        found += _scaled(words, _pick(loading, worst), slope, 1.0, BRANCH_MARGIN)
    return found


def _phase_rows(feeder: Feeder, at: Tangent) -> list[Row]:
    """One row for each phase of the substation transformer, where phases are told apart."""
    if feeder.phases is None:
        return []
    found, limit = [], feeder.transformer_limit
    for phase, words in enumerate(feeder.by_phase(["transformer"])):
        loading, slope = at.state.head_loading[phase] / limit, at.head_loading[phase] / limit
        found += _scaled(words, loading, slope, 1.0, BRANCH_MARGIN)
    return found


def _pick(values: Array, which: Index) -> Array:
    """The element ``which[t]`` of every slot; (elements, ..., slots) becomes (..., slots)."""
    picked: Array = np.take_along_axis(
        values, which.reshape((1,) * (values.ndim - 1) + (-1,)), axis=0
    )[0]
    return picked


def _scaled(name: str, value: Array, slope: Array, limit: float, margin: float) -> list[Row]:
    """The row in kW-like units, or none where no slot comes near the limit."""
    steepest = np.abs(slope).max(axis=0)
    usable = (value > limit - margin) & (steepest > 0.0)  # neither holds of what is not known
    if not usable.any():
        return []
    scale = 1.0 / np.where(usable, steepest, np.inf)
    upper = np.where(usable, limit * scale, np.inf)
    value, slope = np.where(usable, value * scale, 0.0), np.where(usable, slope * scale, 0.0)
    return [(name, value, slope, upper)]
