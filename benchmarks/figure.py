"""One measured figure and the target it is held against."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Literal

Sense = Literal["at least", "at most", "above"]
Target = tuple[Sense, float]

_HOLDS: dict[Sense, Callable[[float, float], bool]] = {
    "at least": operator.ge,
    "at most": operator.le,
    "above": operator.gt,
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value, its target, and how it was measured.

    Parameters
    ----------
    name
        What was measured; one line.
    value, unit
        The value (not finite where there is none), and its unit (``x`` for a ratio).
    how
        The command or the method in words, so that a reader can judge it.
    target
        What is promised, such as ``("at least", 300)``; ``None`` where nothing is.
    """

    name: str
    value: float
    unit: str
    how: str
    target: Target | None = None

    @property
    def aim(self) -> str | None:
        """The target in words; ``None`` where there is none."""
        return f"{self.target[0]} {self.target[1]:g}" if self.target else None

    @property
    def shown(self) -> str:
        """The value for people, with enough digits to judge the target by."""
        if not isfinite(self.value):
            return "none"
        if self.value == round(self.value) and abs(self.value) < 1e7:
            return f"{self.value:,.0f}"
        digits = 4
        while digits < 9 and self.target and float(f"{self.value:.{digits}g}") == self.target[1]:
            digits += 1
        return f"{self.value:,.{digits}g}"

    @property
    def met(self) -> bool | None:
        """Whether the target is met; ``None`` without one. What is no number meets nothing."""
        if self.target is None:
            return None
        return bool(_HOLDS[self.target[0]](self.value, self.target[1]))

    def as_record(self) -> dict[str, object]:
        """The figure as it stands in ``bench.json``."""
        return {
            "name": self.name,
            "value": float(self.value) if isfinite(self.value) else None,
            "unit": self.unit,
            "target": self.aim,
            "met": self.met,
            "how": self.how,
        }
