"""A plan: its record, and where the next one may begin."""

from __future__ import annotations

from dataclasses import dataclass

from hubwise.dispatch import Baseline, Dispatch
from hubwise.record import Record


@dataclass(frozen=True, slots=True)
class Memory:
    """What a plan leaves to the next one; it is not written to the plan folder.

    Parameters
    ----------
    baseline
        The uncoordinated day.
    relaxed
        The relaxed problem's answer.
    final
        The dispatched answer.
    """

    baseline: Baseline
    relaxed: Dispatch
    final: Dispatch


@dataclass(frozen=True, slots=True)
class Plan(Record):
    """A record as planning made it.

    Parameters
    ----------
    memory
        For `hubwise.plan.make_replan`, where prices were sought.
    """

    memory: Memory | None = None
