"""One measured figure and the target it is held against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value, its target, and how it was measured.

    Parameters
    ----------
    name
        What was measured; one line.
    value, unit
        The value, and its unit (``"x"`` for a ratio).
    how
        How it was measured, so that a reader can judge it.
    at_least, at_most
        The target; one of them or none.
    """

    name: str
    value: float
    unit: str
    how: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def target(self) -> str | None:
        """The target in words; None where there is none."""
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        return None if self.at_most is None else f"at most {self.at_most:g}"

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none. A value that is no number fails."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most

    def as_record(self) -> dict[str, object]:
        """The figure as it stands in ``bench.json``."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "target": self.target,
            "met": self.met,
            "how": self.how,
        }
