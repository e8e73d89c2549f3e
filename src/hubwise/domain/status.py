"""How an iteration ended, and what to do about it: one enum for all that iterates."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """How a dispatch, a search, a bound or a program ended; ``advice`` says what would help."""

    advice: str

    def __new__(cls, value: str, advice: str = "") -> Status:
        """A status by its word, with a sentence of advice where something can be done."""
        status = str.__new__(cls, value)
        status._value_ = value
        status.advice = advice
        return status

    GIVEN = "given"
    SETTLED = "settled"
    STILL = "still"
    OPTIMAL = "optimal"
    CLOSED = "closed"
    LIMITS_HOLD = "limits hold"
    ROUNDS_SPENT = "rounds spent", "give it more rounds: another would still change it"
    EVALUATIONS_SPENT = (
        "evaluations spent",
        "more evaluations may find better prices; see search.evaluations",
    )
    BOXES_SPENT = "boxes spent", "more boxes may lower the bound; see search.boxes"
    TIME_LIMIT = "time limit", "more time may close the gap to the bound"
    NOT_BOUNDED = (
        "not bounded",
        "fewer prices, or prices between bounds, would give the family a bound of its own",
    )
    LIMITS_MISSED = (
        "limits missed",
        "promise less, or do what the advice on limits says: another dispatch misses them as much",
    )
    TURNS_SPENT = (
        "turns spent",
        "limits are missed and were still being approached; aim further inside them",
    )

    @property
    def fine(self) -> bool:
        """Whether nothing is left to be done."""
        return not self.advice
