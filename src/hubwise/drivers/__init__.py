"""The driver's problem: best responses to posted prices, exact and fast."""

from hubwise.drivers.response import (
    Bounds,
    best_response,
    bounds,
    schedule_cost,
    schedule_of,
    uncoordinated,
)

__all__ = [
    "Bounds",
    "best_response",
    "bounds",
    "schedule_cost",
    "schedule_of",
    "uncoordinated",
]
