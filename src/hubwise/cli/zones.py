"""``hubwise zones``: many zones at once, each a feeder with its hubs and a draw of its drivers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from hubwise.cli import show
from hubwise.cli.console import progress_bar, put_json, results
from hubwise.cli.failure import explained
from hubwise.cli.options import (
    AsJson,
    Fresh,
    Method,
    Out,
    Scheduler,
    Share,
    Workers,
    processes,
)
from hubwise.record.folder import PlanFolderError, read
from hubwise.scenario import Issue, ScenarioError, load_nation
from hubwise.study import RunOptions, make_zones


def zones(
    nation: Annotated[
        str,
        typer.Argument(metavar="NATION", help="A folder that holds nation.toml, or a scenario."),
    ],
    out: Out,
    copies: Annotated[
        int | None,
        typer.Option(min=1, help="Zones of a scenario: its own seed and those that follow."),
    ] = None,
    prices: Annotated[
        Path | None,
        typer.Option(
            metavar="PLAN_DIR",
            help="Evaluate the prices of this plan in every zone, instead of planning each.",
        ),
    ] = None,
    participation: Share = None,
    method: Method = None,
    keep_plans: Annotated[
        bool, typer.Option("--keep-plans", help="Keep the plan folder of every zone.")
    ] = False,
    workers: Workers = None,
    scheduler: Scheduler = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
) -> None:
    """Plan every zone of a nation, or evaluate given prices in all, and add up.

    A zone is a feeder with its hubs and its drivers. Zones are independent: each is drawn, answered
    and forgotten by the worker that has it. Broken off, the work goes on where it was when the same
    command is given again.
    """
    if prices is not None and (method is not None or keep_plans):
        raise typer.BadParameter("is of plans, and --prices makes none", param_hint="--method")
    with explained(as_json=as_json, out=out), progress_bar() as bar:
        made = make_zones(
            load_nation(nation, copies=copies),
            out,
            prices=None if prices is None else _posted(prices),
            participation=participation,
            method=method,
            keep_plans=keep_plans,
            run=RunOptions(processes(workers), scheduler, fresh, bar),
        )
    if as_json:
        put_json({"folder": str(out), **made.summary})
    else:
        results.print(show.zones_table(made.summary))
        results.print(f"Zones: {out}", soft_wrap=True)


def _posted(folder: Path) -> pl.DataFrame:
    """The prices that a plan posts."""
    try:
        return read(folder).tables["prices"]
    except PlanFolderError as error:
        right = "give a folder that hubwise plan has written"
        issues = [Issue(str(folder), "", "", wrong, right) for wrong in error.issues]
        raise ScenarioError(issues) from error
