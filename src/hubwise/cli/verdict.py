"""The verdict on a site on the command line: plain sentences, and a page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from hubwise.cli.console import messages, progress_bar, put_json, results
from hubwise.cli.days import has_days
from hubwise.cli.failure import explained
from hubwise.cli.options import AsJson, Method, Scheduler, Share, Source, Workers, processes
from hubwise.domain import Scenario
from hubwise.record.place import reserved, whole_folder
from hubwise.scenario import Issue, ScenarioError, load, with_participation
from hubwise.scenario.days import days_of
from hubwise.study import RunOptions
from hubwise.study.days.run import lean
from hubwise.study.report.verdict import PAGE, write_verdict_page
from hubwise.study.verdict.run import JSON, Verdict, make_verdict, write_json
from hubwise.study.verdict.words import in_kwh


def verdict(
    scenario: Source,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for a page and its figures; else none.")
    ] = None,
    battery_cost: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="What a kWh of station battery costs a year, lease or investment; else the site's "
            "own lease, else 60 in EUR, USD, GBP or CHF.",
        ),
    ] = None,
    charger_cost: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="What a two-way charger costs more than a one-way one a year; else 300 in EUR, "
            "USD, GBP or CHF.",
        ),
    ] = None,
    battery: Annotated[
        list[float] | None,
        typer.Option(
            min=0,
            help="Battery to try, of the whole site [kWh]; repeat for several. Else half, once and "
            "twice what is there, or 10, 25 and 50 % of what cars charge in a day.",
        ),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(min=1, help="Plan so many days, one after the other; else all of the site."),
    ] = None,
    participation: Share = None,
    method: Method = None,
    evaluations: Annotated[
        int | None, typer.Option(min=1, help="Most tariffs to try for each plan.")
    ] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Is two-way charging worth it here, is a station battery, and are posted prices at all?

    Plans the site as it is, with all cars one-way or two-way, without a station battery and with
    several, and compares profits. What lies within the gap between plans and their bounds cannot be
    told apart, and is called so.
    """
    with explained(as_json=as_json), progress_bar() as bar:
        site = load(scenario, days=days)
        if participation is not None:
            site = with_participation(site, participation)
        many = _days(len(days_of(site.situation.horizon)), days, whole=has_days(site))
        site = lean(site) if many is not None else site
        site = _searched(site, method, evaluations)
        run = RunOptions(processes(workers), scheduler, progress=bar)

        def made() -> Verdict:
            return make_verdict(
                site,
                days=many,
                battery_cost=battery_cost,
                charger_cost=charger_cost,
                sizes=[kwh for kwh in battery if kwh] if battery else None,
                run=run,
            )

        if out is None:
            found = made()
        else:
            with reserved(out, _is_verdict, "a verdict") as place:
                found = made()
                with whole_folder(place, _is_verdict, "a verdict") as beside:
                    write_json(found, beside)
                    write_verdict_page(found, beside)
    if as_json:
        put_json({**({"folder": str(out)} if out else {}), **found.to_json()})
        return
    for sentence in found.sentences:
        results.print(f"• {sentence}", highlight=False, markup=False, soft_wrap=True)
    results.print(_table(found))
    for note in found.notes:
        messages.print(f"note — {note}", highlight=False, markup=False)
    if out is not None:
        results.print(f"Verdict: {out}; to look at it, open {out / PAGE}", soft_wrap=True)


def _searched(site: Scenario, method: str | None, evaluations: int | None) -> Scenario:
    """The site with its prices searched for as the command line says."""
    search = replace(
        site.search,
        method=site.search.method if method is None else method,
        evaluations=site.search.evaluations if evaluations is None else evaluations,
    )
    return replace(site, search=search)


def _days(there: int, asked: int | None, *, whole: bool) -> int | None:
    """How many days are planned one after the other; ``None`` for the one of the scenario."""
    if asked is not None and asked > there:
        wrong = f"is {asked}, and the scenario has {there} days"
        raise ScenarioError([Issue("--days", "", "", wrong, f"give 1 to {there}")])
    return asked if asked is not None else there if whole else None


def _is_verdict(folder: Path) -> bool:
    return (folder / JSON).is_file() and (folder / PAGE).is_file()


def _table(found: Verdict) -> Table:
    """All plans, a row each."""
    days = "one day" if found.words.days == 1 else f"{found.words.days} days"
    table = Table(title=f"{found.scenario}: plans, over {days}, before equipment")
    for name in ("run", "cars", "battery kWh", "profit", "at most", "drivers' cost"):
        table.add_column(name, justify="left" if name in ("run", "cars") else "right")
    if any(case.misses for case in found.cases):
        table.add_column("")
    for case in found.cases:
        table.add_row(
            case.strategy,
            "two-way" if case.two_way else "one-way",
            in_kwh(case.battery_kwh),
            f"{case.profit:,.2f}",
            "" if case.bound is None else f"{case.bound:,.2f}",
            f"{case.drivers_cost:,.2f}",
            *(["misses promises or limits"] if case.misses else []),
        )
    return table
