"""Many days on the command line: planned one after the other, and shown by month."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer
from rich.table import Table

from hubwise.cli import show
from hubwise.cli.console import messages, put_json, results
from hubwise.cli.failure import ExitCode
from hubwise.domain import Scenario, Strategy
from hubwise.domain.plain import named, number, rows
from hubwise.scenario import Issue, ScenarioError, with_participation
from hubwise.scenario.days import days_of
from hubwise.study.days.run import DaysResult, plan_days
from hubwise.study.options import RunOptions

# So many sentences of what days miss are shown; all stand in the summary.
MOST = 20


def has_days(scenario: Scenario) -> bool:
    """Whether a scenario is of more than one day."""
    return len(days_of(scenario.situation.horizon)) > 1


def planned_days(
    site: Scenario,
    out: Path,
    days: int | None,
    strategy: Strategy,
    participation: float | None,
    run: RunOptions,
) -> DaysResult:
    """Plan the first ``days`` of a site, or all.

    Raises
    ------
    ScenarioError
        If the site has fewer.
    """
    whole = days_of(site.situation.horizon)
    if days is not None and days > len(whole):
        wrong = f"is {days}, and the scenario has {len(whole)} days from {whole[0].date} on"
        raise ScenarioError([Issue("--days", "", "", wrong, f"give 1 to {len(whole)}")])
    if participation is not None:
        site = with_participation(site, participation)
    return plan_days(site, out, days=days, strategy=strategy, run=run)


def show_days(made: DaysResult, *, as_json: bool) -> None:
    """Show a plan of many days; exit code 1 says that some day misses a promise or a limit."""
    if as_json:
        content = {"folder": str(made.folder), "report": str(made.report)}
        put_json({**content, **made.summary})
    else:
        results.print(_table(rows(made.summary["months"]), str(made.summary["currency"])))
        show.say_missed(made.misses[:MOST])
        if len(made.misses) > MOST:
            messages.print(f"and {len(made.misses) - MOST} more; summary.json has all of them")
        results.print(f"Days: {made.folder}; to look at them, open {made.report}", soft_wrap=True)
    if made.misses:
        raise typer.Exit(ExitCode.DOES_NOT_HOLD)


def _table(months: Sequence[dict[str, object]], currency: str) -> Table:
    table = Table(title=f"by billing month, amounts in {currency}")
    for name in ("month", "days", "bills", "charged kWh", "highest import kW", "demand charges"):
        table.add_column(name, justify="left" if name == "month" else "right")
    table.add_column("profit", justify="right")
    for month in months:
        table.add_row(
            str(month["month"]),
            f"{number(month['days']):g}",
            f"{number(month['bills']):g}",
            f"{number(month['charged_kwh']):,.0f}",
            f"{number(month['highest_import_kw']):,.1f}",
            f"{number(named(month['account'])['demand_charges']):,.2f}",
            f"{number(month['profit']):,.2f}",
        )
    return table
