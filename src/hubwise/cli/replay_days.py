"""A site's own days replayed, on the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rich.table import Table

from hubwise.cli.show import figure
from hubwise.record import write
from hubwise.record.folder import is_plan
from hubwise.record.place import whole_folder
from hubwise.study.replay.many import DayReplayed
from hubwise.study.replay.over_days import (
    Mean,
    lost,
    lost_before_charges,
    mean,
    of_policy,
)
from hubwise.study.replay.run import Policy

Rows = Sequence[DayReplayed]
Cell = Callable[[Rows, Rows], str]
Figure = Callable[[DayReplayed], float]


def write_days(found: Rows, out: Path) -> None:
    """A plan folder for each day and policy."""
    for it in found:
        place = out / it.date / it.policy.value
        place.parent.mkdir(parents=True, exist_ok=True)
        with whole_folder(place, is_plan, "a plan") as beside:
            write(it.plan, beside)


def days_table(found: Rows, currency: str) -> Table:
    """One column for each policy, means over the days with their intervals."""
    policies = list(dict.fromkeys(it.policy for it in found))
    count = len({it.date for it in found})
    table = Table(title=f"{count} days replayed, means a day (95 % intervals)")
    table.add_column("")
    for policy in policies:
        table.add_column(policy.value, justify="right")
    table.add_column("")
    best = of_policy(found, Policy.FORESIGHT)
    for name, unit, cell in _lines(currency):
        table.add_row(name, *(cell(of_policy(found, each), best) for each in policies), unit)
    return table


def _lines(currency: str) -> list[tuple[str, str, Cell]]:
    """Name, unit, and how a cell is made of a policy's days and foresight's."""

    def of(value: Figure, form: str = ",.2f") -> Cell:
        return lambda days, _: _told(mean(days, value), form)

    def all_over(
        sums: Callable[[list[float]], float], value: Callable[[DayReplayed], float]
    ) -> Cell:
        return lambda days, _: figure(float(sums([value(it) for it in days])), ",.1f")

    def at(share: float) -> Cell:
        def cell(days: Rows, _: Rows) -> str:
            spent = np.concatenate([it.cpu_ms for it in days])
            return f"{np.percentile(spent, share):.0f}" if len(spent) else "-"

        return cell

    return [
        ("operator's profit", currency, of(lambda it: it.profit)),
        ("  before charges for power", currency, of(lambda it: it.before_charges)),
        ("drivers' cost", currency, of(lambda it: it.cost)),
        ("  uncoordinated", currency, of(lambda it: it.reference_cost)),
        (
            "lost, of drivers' uncoordinated cost",
            "",
            lambda days, best: _told(lost(days, best), ".1%"),
        ),
        ("lost of what energy brings, all days", "", _of_energy),
        ("charges for power, all days", currency, all_over(sum, lambda it: it.charges)),
        ("highest import", "kW", all_over(max, lambda it: it.peak_kw)),
        ("limits broken, all days", "", all_over(sum, broken)),
        ("largest regret", currency, lambda days, _: f"{max(map(_regret, days)):.2g}"),
        ("short at stated departures", "kWh", of(_short, ".1f")),
        ("short for leaving early", "kWh", of(lambda it: it.shortfall_kwh, ".1f")),
        ("  drivers who are", "", of(lambda it: it.short, ".1f")),
        ("a decision's CPU, median", "ms", at(50.0)),
        ("  one in a hundred", "ms", at(99.0)),
    ]


def _told(found: Mean, form: str) -> str:
    """A mean and its interval."""
    about = "" if found.give_or_take is None else f" ± {figure(found.give_or_take, form)}"
    return f"{figure(found.value, form)}{about}"


def _of_cost(days: Rows, best: Rows) -> str:
    return _told(lost(days, best), ".1%")


def _of_energy(days: Rows, best: Rows) -> str:
    found = lost_before_charges(days, best)
    return "-" if found is None else f"{found:.1%}"


def broken(it: DayReplayed) -> int:
    """How many limits a day breaks."""
    return sum(it.plan.result.feeder.broken().values())


def _regret(it: DayReplayed) -> float:
    return it.plan.result.money.max_regret


def _short(it: DayReplayed) -> float:
    return it.plan.result.departures.shortfall_kwh
