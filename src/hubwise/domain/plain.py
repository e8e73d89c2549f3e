"""Plain data, as JSON and TOML hold it: one type for it, and ways to see what a value is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeGuard

Json = object
"""A value of plain data; what it is has to be asked."""

JsonObject = Mapping[str, object]
"""Plain data with names."""


def is_number(value: object) -> TypeGuard[float]:
    """Whether a number stands here; truth is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def number(value: object) -> float:
    """The number that stands here; NaN where none does."""
    return value if is_number(value) else math.nan


def finite(value: object) -> float | None:
    """The number that stands here; None where none does, or none that is finite."""
    return float(value) if is_number(value) and math.isfinite(value) else None


def text(value: object) -> str:
    """The text that stands here; empty where none does."""
    return value if isinstance(value, str) else ""


def texts(value: object) -> list[str]:
    """The texts of a list; empty where none stands here."""
    return [str(item) for item in value] if is_list(value) else []


def is_list(value: object) -> TypeGuard[Sequence[object]]:
    """Whether a list stands here."""
    return isinstance(value, list | tuple)


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """Whether plain data with names stands here."""
    return isinstance(value, dict)


def named(value: object) -> dict[str, object]:
    """Plain data with names; empty where none stands here."""
    return value if is_object(value) else {}


def rows(value: object) -> list[dict[str, object]]:
    """The rows of a list of objects; empty where none stands here, other items left out."""
    return [item for item in value if is_object(item)] if is_list(value) else []
