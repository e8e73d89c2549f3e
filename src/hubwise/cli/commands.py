"""The commands: each parses, calls the room that does the work, and shows what came back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from errno import ENOENT
from pathlib import Path
from typing import Annotated

import typer

from hubwise.audit import AuditReport, audit_days, audit_record
from hubwise.audit.books import audit_books, is_site
from hubwise.audit.report import Status
from hubwise.cli import show
from hubwise.cli.console import messages, progress_bar, put_json, results
from hubwise.cli.days import has_days, planned_days, show_days
from hubwise.cli.evaluate import evaluate
from hubwise.cli.export import export
from hubwise.cli.failure import ExitCode, explained
from hubwise.cli.futures import planned_for, recorded
from hubwise.cli.futures import show as show_futures
from hubwise.cli.options import (
    AsJson,
    Delegating,
    Devices,
    Fresh,
    Method,
    Out,
    Scheduler,
    Share,
    Source,
    Workers,
    delegated,
    processes,
)
from hubwise.cli.replay import replay_command
from hubwise.cli.rule_costs import costs_of
from hubwise.cli.statement import statement
from hubwise.cli.verdict import verdict
from hubwise.cli.zones import zones
from hubwise.domain import Scenario, Strategy, TariffFamily, Ties, WearPricing
from hubwise.domain.plain import number, texts
from hubwise.plan import make_plan
from hubwise.record import read, write
from hubwise.record.days import days_said, is_days
from hubwise.record.folder import is_plan
from hubwise.record.phases import lowest_at
from hubwise.record.place import check_place, reserved, whole_folder
from hubwise.scenario import Issue, ScenarioError, load, with_wear
from hubwise.study import PARTICIPATIONS, RunOptions, Sweep, make_frontier, make_study
from hubwise.study.days.run import DaysResult, lean
from hubwise.study.frontier import EVALUATIONS, PEAK_VALLEYS, SAVINGS
from hubwise.study.frontier import PARTICIPATIONS as FRONTIER_PARTICIPATIONS
from hubwise.study.report import write_plan_report

Family = Annotated[
    TariffFamily | None,
    typer.Option(help="Tariff family in place of the scenario's own."),
]
Boxes = Annotated[
    int | None,
    typer.Option(min=0, help="Most boxes of prices for the family's bound; 0 for no such bound."),
]
PerHub = Annotated[
    bool | None,
    typer.Option(
        "--per-hub/--all-hubs",
        show_default=False,
        help="Prices of each hub's own, or the same at all hubs; else as the scenario says.",
    ),
]
Wear = Annotated[
    WearPricing | None,
    typer.Option(
        help="What a kWh drawn costs in battery life: as given for each session, or as the cell "
        "models find it; else as the scenario says."
    ),
]

Rounds = Annotated[
    bool,
    typer.Option(
        "--round-schedules",
        help="Round away what no charger can follow; drivers are credited what it costs them.",
    ),
]

PassiveTies = Annotated[
    Ties | None,
    typer.Option(
        help="With --strategy passive, which of the schedules that cost a driver the same its "
        "device takes: the earliest, one at random, or what spreads load for the grid."
    ),
]

app = typer.Typer(rich_markup_mode="markdown")


@app.command()
def plan(
    scenario: Source,
    out: Out,
    strategy: Annotated[Strategy, typer.Option(help="How the hubs are run.")] = Strategy.HUBWISE,
    ties: PassiveTies = None,
    participation: Share = None,
    delegating: Delegating = None,
    device_ties: Devices = None,
    method: Method = None,
    family: Family = None,
    per_hub: PerHub = None,
    wear: Wear = None,
    evaluations: Annotated[int | None, typer.Option(min=1, help="Most tariffs to try.")] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the search, and of ties at random.")
    ] = None,
    boxes: Boxes = None,
    futures: Annotated[
        int | None,
        typer.Option(min=2, help="Post prices for the mean over so many drawn fleets."),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Plan so many days of the scenario's tables one after the other; else as many as "
            "its horizon has.",
        ),
    ] = None,
    fresh: Fresh = False,
    with_rule_costs: Annotated[
        bool, typer.Option("--rule-costs", help="Also plan without each price rule: what it costs.")
    ] = False,
    rounds: Rounds = False,
    as_json: AsJson = False,
) -> None:
    """Plan one day with one strategy: prices, schedules, bills, the feeder, a page to look at.

    Of a scenario of many days, or with --days, every day begins with what the one before has left,
    and money is summed by billing month. Broken off, the same command goes on where it was.

    Exit code 1 says that the plan is written and misses a limit or a promise, or that the hub is
    better left without posted prices; what it is stands beside the table.
    """
    many: DaysResult | None = None
    with explained(as_json=as_json, out=out), progress_bar() as bar:
        check_place(out, _is_planned, "a plan")
        strategy = _tied(strategy, ties)
        site = _rounding(_worn(load(scenario, days=days), wear), rounds, days)
        if days is not None or has_days(site):
            _refuse_futures(futures)
            site = _adjusted(_by(lean(site), method), family, per_hub, evaluations, seed, boxes)
            site = delegated(site, strategy, delegating, device_ties)
            run = RunOptions(fresh=fresh, progress=bar)
            many = planned_days(site, out, days, strategy, participation, run)
    if many is not None:
        show_days(many, as_json=as_json)
        return
    with (
        explained(as_json=as_json),
        progress_bar() as bar,
        reserved(out, _is_planned, "a plan") as place,
    ):
        given = _adjusted(site, family, per_hub, evaluations, seed, boxes)
        given = delegated(given, strategy, delegating, device_ties)
        seen = None
        if futures is not None:
            seen, made = planned_for(given, futures, strategy, participation, method, bar)
        else:
            made = make_plan(
                given, strategy=strategy, participation=participation, method=method, progress=bar
            )
        costs = costs_of(given, made, method, bar) if with_rule_costs else None
        more = [*([] if seen is None else [recorded(seen)]), *([] if costs is None else [costs])]
        with whole_folder(place, _is_planned, "a plan") as beside:
            write(made, beside, *more)
            report = out / write_plan_report(made.scenario, beside).name
    missed = list(made.result.advice)
    if as_json:
        content = {"folder": str(out), "report": str(report), "misses": missed}
        put_json({**content, **read(out).summary})
    else:
        show.say_better(made.result.shortcomings.better)
        results.print(show.plan_table(made.result.to_json(), given, lowest_at(made)))
        if seen is not None:
            show_futures(seen, given.situation.market.currency)
        if costs is not None:
            results.print(show.rule_costs_table(costs.figures, given))
        show.say_missed(missed)
        show.say_told(made.result.notices)
        show.say_warnings(made.result.warnings)
        results.print(f"Plan: {out}; to look at it, open {report}", soft_wrap=True)
    if missed or made.result.better_alone:
        raise typer.Exit(ExitCode.DOES_NOT_HOLD)


def _is_planned(folder: Path) -> bool:
    """Whether a folder holds a plan, of one day or of many."""
    return is_plan(folder) or is_days(folder)


def _refuse_futures(futures: int | None) -> None:
    if futures is not None:
        wrong = "several days are planned, and futures are drawn of one"
        raise ScenarioError([Issue("--futures", "", "", wrong, "leave it out, or give one day")])


def _tied(strategy: Strategy, ties: Ties | None) -> Strategy:
    """The strategy with its ties broken as the command line says."""
    if ties is not None and strategy.ties is None:
        right = f"leave --ties out, or give --strategy {Strategy.PASSIVE}"
        wrong = f"{strategy.value} leaves no ties to drivers' own devices"
        raise ScenarioError([Issue("--ties", "", "", wrong, right)])
    return strategy if ties is None else strategy.with_ties(ties)


def _worn(scenario: Scenario, wear: WearPricing | None) -> Scenario:
    """The scenario with its wear priced as the command line says."""
    return scenario if wear is None else with_wear(scenario, wear)


def _by(scenario: Scenario, method: str | None) -> Scenario:
    """The scenario with its prices searched for as the command line says."""
    search = scenario.search if method is None else replace(scenario.search, method=method)
    return replace(scenario, search=search)


def _rounding(scenario: Scenario, rounds: bool, days: int | None) -> Scenario:
    """The scenario, its schedules rounded where the command line asks for it."""
    if not rounds:
        return scenario
    if days is not None or has_days(scenario):
        wrong = "several days are planned, and a stay over midnight is credited in none"
        raise ScenarioError([Issue("--round-schedules", "", "", wrong, "leave it out")])
    return replace(scenario, search=replace(scenario.search, rounds_schedules=True))


def _adjusted(
    scenario: Scenario,
    family: TariffFamily | None = None,
    per_hub: bool | None = None,
    evaluations: int | None = None,
    seed: int | None = None,
    boxes: int | None = None,
) -> Scenario:
    """The scenario with what the command line says otherwise."""
    search = scenario.search
    search = replace(
        search,
        evaluations=search.evaluations if evaluations is None else evaluations,
        seed=search.seed if seed is None else seed,
        boxes=search.boxes if boxes is None else boxes,
    )
    rules = scenario.situation.rules
    rules = replace(
        rules,
        family=family or rules.family,
        per_hub=rules.per_hub if per_hub is None else per_hub,
    )
    return replace(scenario.having(rules=rules), search=search)


@app.command()
def study(
    scenario: Source,
    out: Out,
    participation: Annotated[
        list[float] | None,
        typer.Option(min=0, max=1, help="Repeat for several; else 0.6, 0.7, 0.8."),
    ] = None,
    strategy: Annotated[
        list[Strategy] | None, typer.Option(help="Repeat for several; else all.")
    ] = None,
    seeds: Annotated[
        int,
        typer.Option(min=1, help="Draws of the fleet; with several, figures have intervals."),
    ] = 1,
    freedom: Annotated[
        bool, typer.Option(help="Also with prices less and more free than the scenario's own.")
    ] = True,
    delegation: Annotated[
        bool,
        typer.Option(
            "--delegation",
            help="Also with none to all of those who take part delegating, their devices early or "
            "at random, at the same prices and at prices found for it.",
        ),
    ] = False,
    keep_plans: Annotated[
        bool, typer.Option("--keep-plans", help="Keep the plans of all draws, not of the first.")
    ] = False,
    method: Method = None,
    wear: Wear = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
) -> None:
    """Plan every strategy at every participation, side by side, and report on them together.

    Broken off, the study goes on where it was when the same command is given again.

    Exit code 1 says that a hubwise plan misses a limit or a promise; what the strategies it is
    compared with miss is only shown.
    """
    with explained(as_json=as_json, out=out), progress_bar() as bar:
        given = _by(_worn(load(scenario), wear), method)
        sweeps = {Sweep.FREEDOM: freedom, Sweep.DELEGATION: delegation}
        made = make_study(
            given,
            out,
            participations=list(dict.fromkeys(participation or PARTICIPATIONS)),
            strategies=list(dict.fromkeys(strategy or Strategy)),
            seeds=seeds,
            sweeps=[sweep for sweep, asked in sweeps.items() if asked],
            keep_plans=keep_plans,
            run=RunOptions(processes(workers), scheduler, fresh, bar),
        )
    missed = [
        f"{number(result['participation']):g}: {miss}"
        for result in made.results
        if result["strategy"] == Strategy.HUBWISE
        for miss in texts(result["advice"])
    ]
    if as_json:
        put_json({"folder": str(out), "report": str(made.report), "misses": missed, **made.summary})
    else:
        results.print(show.study_table(made.results, given))
        if (left := show.energy_table(made.results, given)) is not None:
            results.print(left)
        if seeds > 1:
            results.print(show.draws_table(made.summary, given))
        show.say_missed(missed)
        results.print(f"Study: {out}; to look at it, open {made.report}", soft_wrap=True)
    if missed:
        raise typer.Exit(ExitCode.DOES_NOT_HOLD)


def _listed(values: Sequence[float]) -> str:
    return "Repeat for several; else " + ", ".join(f"{value:g}" for value in values) + "."


@app.command()
def frontier(
    scenario: Source,
    out: Out,
    participation: Annotated[
        list[float] | None, typer.Option(min=0, max=1, help=_listed(FRONTIER_PARTICIPATIONS))
    ] = None,
    peak_valley: Annotated[
        list[float] | None,
        typer.Option(min=0, help=f"Peak-valley promise. {_listed(PEAK_VALLEYS)}"),
    ] = None,
    saving: Annotated[
        list[float] | None, typer.Option(min=0, help=f"Saving promise. {_listed(SAVINGS)}")
    ] = None,
    method: Method = None,
    evaluations: Annotated[
        int, typer.Option(min=1, help="Most tariffs to try for each plan.")
    ] = EVALUATIONS,
    workers: Workers = None,
    scheduler: Scheduler = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
) -> None:
    """Draw which promises to grid and drivers, and which profit, can be had together.

    Plans every pair of promises, in place of the scenario's own, and bounds the profit of each.
    Exit code 1 says that some promises cannot be kept, or were not; they are shown as such.
    """
    with explained(as_json=as_json, out=out), progress_bar() as bar:
        made = make_frontier(
            _by(load(scenario), method),
            out,
            participations=participation or FRONTIER_PARTICIPATIONS,
            peak_valleys=peak_valley or PEAK_VALLEYS,
            savings=saving or SAVINGS,
            evaluations=evaluations,
            run=RunOptions(processes(workers), scheduler, fresh, bar),
        )
    if as_json:
        put_json({"folder": str(out), "page": str(made.page), **made.content})
    else:
        results.print(show.frontier_table(made.points, str(made.content["scenario"])))
        results.print(f"Frontier: {out}; to look at it, open {made.page}", soft_wrap=True)
    if not all(point["kept"] for point in made.points):
        raise typer.Exit(ExitCode.DOES_NOT_HOLD)


@app.command()
def audit(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A plan folder, or a live site's folder.")
    ],
    scenario: Annotated[
        str | None, typer.Option(help="The scenario, where it is no longer where the plan says.")
    ] = None,
    family: Family = None,
    per_hub: PerHub = None,
    store: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Of a site: its database, else where it was served last."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every check in a row of its own, also what holds.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Re-derive a plan from its folder and the scenario, by other means than those that made it.

    A plan that was made with another tariff family than its scenario's is a plan of another
    scenario: name both, --scenario and --family (or --per-hub).

    Exit code 1 says that the folder holds something that is not so, or that a truthful plan misses
    a limit or a promise; the table says which of the two. Exit code 2 says that folder or scenario
    cannot be read.
    """
    for hint, asked in (("--family", family), ("--per-hub", per_hub)):
        if asked is not None and not scenario:
            raise typer.BadParameter("needs --scenario beside it", param_hint=hint)
    with explained(as_json=as_json), messages.status("auditing"):
        if not folder.is_dir():
            raise FileNotFoundError(ENOENT, "there is no such folder", str(folder))
        if is_site(folder):
            report = audit_books(folder, store)
        else:
            report = _audited(folder, scenario, family, per_hub)
    if as_json:
        put_json(report.to_dict())
    else:
        results.print(report if every else report.short())
    if not report.readable:
        raise typer.Exit(ExitCode.BAD_INPUT)
    if not report.ok or report.having(Status.MISSED):
        raise typer.Exit(ExitCode.DOES_NOT_HOLD)


def _audited(
    folder: Path, scenario: str | None, family: TariffFamily | None, per_hub: bool | None
) -> AuditReport:
    """The audit of a plan, or of many days."""
    days = days_said(folder)
    given = _adjusted(load(scenario, days=days), family, per_hub) if scenario else None
    return audit_days(folder, given) if is_days(folder) else audit_record(folder, given)


app.command()(evaluate)
app.command()(export)
app.command("replay")(replay_command)
app.command()(statement)
app.command()(verdict)
app.command()(zones)
