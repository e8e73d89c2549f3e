"""A tariff of one's own on the command line: what it would bring, as a plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hubwise.cli import show
from hubwise.cli.console import messages, put_json, results
from hubwise.cli.failure import ExitCode, explained
from hubwise.cli.options import AsJson, Delegating, Devices, Out, Share, Source, delegated
from hubwise.domain import Scenario, Strategy, Tariff
from hubwise.plan import make_plan
from hubwise.pricing import broken_rules
from hubwise.record import Appendix, read, write
from hubwise.record.folder import is_plan
from hubwise.record.phases import lowest_at
from hubwise.record.place import reserved, whole_folder
from hubwise.scenario import (
    ScenarioError,
    check_tariff,
    load,
    read_own_prices,
    with_participation,
)
from hubwise.study.report import write_plan_report


def evaluate(
    scenario: Source,
    prices: Annotated[
        Path,
        typer.Option(
            help="Table of the prices: start (07:30, or a date and time) or hour, charge, "
            "discharge, and hub where hubs differ."
        ),
    ],
    out: Out,
    participation: Share = None,
    delegating: Delegating = None,
    device_ties: Devices = None,
    as_json: AsJson = False,
) -> None:
    """What a tariff of your own brings: the same tables and page as a plan, nothing searched.

    Price rules that it breaks are named, and it is evaluated all the same; one at which buying and
    selling in the same slot pays is refused. Exit code 1 says that it breaks a rule, or misses a
    limit or a promise.
    """
    with explained(as_json=as_json), reserved(out, is_plan, "a plan") as place:
        given = load(scenario)
        if participation is not None:
            given = with_participation(given, participation)
        given = delegated(given, Strategy.HUBWISE, delegating, device_ties)
        tariff = own_tariff(given, prices)
        breaks = broken_rules(given.situation, tariff)
        with messages.status("evaluating"):
            made = make_plan(given, tariff=tariff, held=True)
        said = Appendix("evaluated", {"prices": prices.name, "breaks": list(breaks)})
        with whole_folder(place, is_plan, "a plan") as beside:
            write(made, beside, said)
            report = out / write_plan_report(made.scenario, beside).name
    missed = list(made.result.advice)
    if as_json:
        put_json({"folder": str(out), "report": str(report), "misses": missed, **read(out).summary})
    else:
        results.print(show.plan_table(made.result.to_json(), given, lowest_at(made)))
        show.say_broken(breaks)
        show.say_missed(missed)
        show.say_told(made.result.notices)
        show.say_warnings(made.result.warnings)
        results.print(f"Plan: {out}; to look at it, open {report}", soft_wrap=True)
    if missed or breaks:
        raise typer.Exit(ExitCode.DOES_NOT_HOLD)


def own_tariff(scenario: Scenario, file: Path) -> Tariff:
    """The tariff in a file.

    Raises
    ------
    ScenarioError
        If the file is no tariff for the scenario, or one that would be gone in a circle with.
    """
    tariff, situation = read_own_prices(file, scenario.situation), scenario.situation
    issues = check_tariff(
        tariff, situation.fleet, situation.hubs, situation.horizon, file=file.name
    )
    if issues:
        raise ScenarioError(issues)
    return tariff
