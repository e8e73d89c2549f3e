"""What tables of replayed days share: a column for each policy, and folders of their plans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from rich.table import Table

from hubwise.plan import Plan
from hubwise.record import write
from hubwise.record.folder import is_plan
from hubwise.record.place import whole_folder
from hubwise.study.replay.run import Policy, Ran

Day = TypeVar("Day", bound=Ran)
Line = tuple[str, str, Callable[[list[Day]], str]]
"""Name, unit, and how a cell is made of a policy's days."""


def table_of(title: str, found: Sequence[Day], lines: Iterable[Line[Day]]) -> Table:
    """One column for each policy."""
    of: dict[Policy, list[Day]] = {}
    for it in found:
        of.setdefault(it.policy, []).append(it)
    table = Table(title=title)
    table.add_column("")
    for policy in of:
        table.add_column(policy.value, justify="right")
    table.add_column("")
    for name, unit, cell in lines:
        table.add_row(name, *(cell(days) for days in of.values()), unit)
    return table


def write_plans(plans: Iterable[tuple[Path, Plan]]) -> None:
    """A plan folder for each, whole or not at all."""
    for place, plan in plans:
        place.parent.mkdir(parents=True, exist_ok=True)
        with whole_folder(place, is_plan, "a plan") as beside:
            write(plan, beside)


def at(share: float) -> Callable[[list[Day]], str]:
    """CPU time that so many of a hundred decisions take no more than [ms]."""

    def cell(days: list[Day]) -> str:
        spent = np.concatenate([it.cpu_ms for it in days])
        return f"{np.percentile(spent, share):.0f}" if len(spent) else "-"

    return cell


def broken(it: Ran) -> int:
    """How many limits a day breaks."""
    return sum(it.plan.result.feeder.broken().values())


def misses(found: Iterable[Ran]) -> bool:
    """Whether the rolling policy breaks any limit."""
    return any(broken(it) for it in found if it.policy is Policy.ROLLING)


def regret(it: Ran) -> float:
    """The largest of its drivers' [currency]."""
    return it.plan.result.money.max_regret


def short(it: Ran) -> float:
    """What is lacking at stated departures [kWh]."""
    return it.plan.result.departures.shortfall_kwh
