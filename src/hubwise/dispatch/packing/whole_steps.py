"""Powers in whole steps whose sum stays: all but one slot, which takes what remains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hubwise.domain.arrays import Array

# Powers that differ by less are the same [kW].
SAME_KW = 1e-7
# Of so many slots it is tried which one takes what remains.
TRIED = 12


@dataclass(frozen=True, slots=True)
class Slots:
    """Slots in use that cost the same, in time; every array has shape (slots,) [kW].

    Parameters
    ----------
    power
        As it is.
    cap
        The most that may flow.
    most
        The charger's highest power, at which no step is needed.
    least, step
        Its least power, and what others are whole numbers of.
    """

    power: Array
    cap: Array
    most: Array
    least: Array
    step: Array


def fulls(total: float, most: float, step: float, slots: int) -> int | None:
    """With how few of ``slots`` at the highest power the rest of ``total`` is whole steps [kW].

    None where it is so with none.
    """
    count = np.arange(slots + 1)
    rest = total - count * most
    whole = (np.abs(rest - step * np.round(rest / step)) < SAME_KW) & (rest > -SAME_KW)
    return int(np.argmax(whole)) if whole.any() else None


def candidates(slots: Slots) -> Iterator[Array]:
    """Powers in whole steps, or full, but for one slot; of the same sum, nearest first.

    Energy may run ahead of what it was, or behind it, by some steps: some candidates are never
    behind, and some never ahead.
    """
    n = len(slots.power)
    last = np.arange(n)[::-1][:TRIED]
    for odd in last.tolist():
        for lead in (0.5, 1.0 - 1e-6, 1e-6):
            found = _rounded(slots, odd, lead)
            if found is not None:
                yield found


def _rounded(slots: Slots, odd: int, lead: float) -> Array | None:
    """All but ``odd`` rounded, each as near as can be once the others' rests are counted.

    ``lead``: the share of a step from which on it is rounded up, taken from 1.
    """
    lowest = np.maximum(np.ceil(slots.least / slots.step - SAME_KW), 1.0) * slots.step
    highest = np.floor(slots.cap / slots.step + SAME_KW) * slots.step
    power, behind = np.zeros(len(slots.power)), 0.0
    for k in range(len(power)):
        wanted = slots.power[k] + behind
        if k == odd:
            # What remains in the end is added to it.
            power[k] = slots.power[k]
            continue
        power[k] = _nearest(wanted, lowest[k], highest[k], slots.step[k], lead)
        full = slots.cap[k] >= slots.most[k] - SAME_KW
        if full and (power[k] < lowest[k] - SAME_KW or wanted >= slots.most[k] - SAME_KW):
            power[k] = slots.most[k]
        elif power[k] < lowest[k] - SAME_KW:
            return None
        behind = wanted - power[k]
    power[odd] += behind
    return _evened(slots, power, odd, lowest, highest)


def _nearest(wanted: float, lowest: float, highest: float, step: float, lead: float) -> float:
    """Whole steps about ``wanted``, between the lowest and the highest; below both for none."""
    steps = np.floor(wanted / step + lead + SAME_KW * (lead < 0.5))
    return float(min(max(steps * step, lowest), highest))


def _evened(slots: Slots, power: Array, odd: int, lowest: Array, highest: Array) -> Array | None:
    """With steps moved between ``odd`` and the others until it is between least and most."""
    stepped = np.abs(power - slots.step * np.round(power / slots.step)) < SAME_KW
    stepped[odd] = False
    for k in np.flatnonzero(stepped)[::-1].tolist():
        step = float(slots.step[k])
        if power[odd] > slots.cap[odd] + SAME_KW:
            some = min(
                np.ceil((power[odd] - slots.cap[odd]) / step - SAME_KW),
                np.round((highest[k] - power[k]) / step),
            )
        elif power[odd] < slots.least[odd] - SAME_KW:
            some = -min(
                np.ceil((slots.least[odd] - power[odd]) / step - SAME_KW),
                np.round((power[k] - lowest[k]) / step),
            )
        else:
            break
        power[k] += some * step
        power[odd] -= some * step
    fits = slots.least[odd] - SAME_KW <= power[odd] <= slots.cap[odd] + SAME_KW
    return power if fits else None
