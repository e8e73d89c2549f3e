"""A site's own days replayed, as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.table import Table

from hubwise.cli.replay_tables import Line, at, broken, regret, short, table_of
from hubwise.cli.show import figure
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
Cell = Callable[[list[DayReplayed]], str]
Figure = Callable[[DayReplayed], float]


def days_table(found: Rows, currency: str) -> Table:
    """One column for each policy, means over the days with their intervals."""
    count = len({it.date for it in found})
    title = f"{count} days replayed, means a day (95 % intervals)"
    return table_of(title, found, _lines(currency, of_policy(found, Policy.FORESIGHT)))


def _lines(currency: str, best: Rows) -> list[Line[DayReplayed]]:
    """Each line, where foresight did ``best``."""

    def of(value: Figure, form: str = ",.2f") -> Cell:
        return lambda days: _told(mean(days, value), form)

    def all_over(sums: Callable[[list[float]], float], value: Figure) -> Cell:
        return lambda days: figure(float(sums([value(it) for it in days])), ",.1f")

    return [
        ("operator's profit", currency, of(lambda it: it.profit)),
        ("  before charges for power", currency, of(lambda it: it.before_charges)),
        ("drivers' cost", currency, of(lambda it: it.cost)),
        ("  uncoordinated", currency, of(lambda it: it.reference_cost)),
        ("lost, of drivers' uncoordinated cost", "", lambda it: _told(lost(it, best), ".1%")),
        ("lost of what energy brings, all days", "", lambda it: _of_energy(it, best)),
        ("charges for power, all days", currency, all_over(sum, lambda it: it.charges)),
        ("highest import", "kW", all_over(max, lambda it: it.peak_kw)),
        ("limits broken, all days", "", all_over(sum, broken)),
        ("largest regret", currency, lambda days: f"{max(map(regret, days)):.2g}"),
        ("short at stated departures", "kWh", of(short, ".1f")),
        ("short for leaving early", "kWh", of(lambda it: it.shortfall_kwh, ".1f")),
        ("  drivers who are", "", of(lambda it: it.short, ".1f")),
        ("a decision's CPU, median", "ms", at(50.0)),
        ("  one in a hundred", "ms", at(99.0)),
    ]


def _told(found: Mean, form: str) -> str:
    """A mean and its interval."""
    about = "" if found.give_or_take is None else f" ± {figure(found.give_or_take, form)}"
    return f"{figure(found.value, form)}{about}"


def _of_energy(days: Rows, best: Rows) -> str:
    found = lost_before_charges(days, best)
    return "-" if found is None else f"{found:z.1%}"
