"""Days replayed on the command line: what not knowing costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from hubwise.cli.console import messages, progress_bar, put_json, results
from hubwise.cli.failure import ExitCode, explained
from hubwise.cli.options import AsJson, Share, Source
from hubwise.cli.replay_days import days_table
from hubwise.cli.replay_tables import (
    Line,
    at,
    broken,
    misses,
    regret,
    short,
    table_of,
    write_plans,
)
from hubwise.cli.show import figure
from hubwise.domain import Scenario
from hubwise.domain.plain import Json
from hubwise.scenario import load, load_draws, with_participation
from hubwise.scenario.days import days_of
from hubwise.study.replay.day import Beliefs
from hubwise.study.replay.many import BACK, DayReplayed, days_to_replay, replay_days
from hubwise.study.replay.over_days import summary_of_days
from hubwise.study.replay.run import Policy, Replayed, plan_ahead, replay
from hubwise.study.replay.summary import summary_of


def replay_command(
    scenario: Source,
    policy: Annotated[
        list[Policy] | None, typer.Option(help="How days are run; repeat for several. Else all.")
    ] = None,
    draw: Annotated[
        list[int] | None,
        typer.Option(
            min=0,
            help="Seed of a day that comes, with other drivers than the scenario's; repeat for "
            "several. Else the seed after the scenario's own.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for a plan folder of each day and policy; else none."),
    ] = None,
    participation: Share = None,
    cars: Annotated[
        float, typer.Option(min=0.1, max=3, help="Cars that are believed to come, as a share.")
    ] = 1.0,
    late: Annotated[
        int, typer.Option(min=0, help="Cars come by so many minutes later than is believed.")
    ] = 0,
    base_error: Annotated[
        float,
        typer.Option(min=0, max=0.3, help="Standard deviation of the base load from its forecast."),
    ] = 0.0,
    leaving_early: Annotated[
        bool, typer.Option(help="Drivers leave early as those of the ACN sites did.")
    ] = False,
    reprice: Annotated[
        bool,
        typer.Option(
            help="Search for prices again every hour for cars that come later; who is here keeps "
            "the list that was accepted. Of draws of one day."
        ),
    ] = False,
    speed: Annotated[
        float, typer.Option(min=0, help="Times real time; 0 for as fast as it goes.")
    ] = 0.0,
    days: Annotated[
        int | None, typer.Option(min=1, help="Of a site of many days: how many are replayed.")
    ] = None,
    charge_a_day: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Of a site of many days: charge for each day's own highest import, in the place "
            "of the month's [currency/kW].",
        ),
    ] = None,
    as_stated: Annotated[
        bool, typer.Option(help="Of a site of many days: everybody stays as stated.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Replay days slot by slot with the controller of a running hub: what does not knowing cost?

    The scenario's own drivers are who is expected: prices and stations are planned for them the day
    before. Then other drivers come. Of a site of many days each is replayed with its own drivers,
    and its last five days alike are expected. Each policy is held against foresight, which plans
    the day that comes in full knowledge. Exit code 1 says that the rolling policy misses a limit.
    """
    with explained(as_json=as_json), progress_bar() as bar:
        expected = load(scenario)
        if participation is not None:
            expected = with_participation(expected, participation)
        minutes = expected.situation.horizon.slot_minutes
        beliefs = Beliefs(cars, -(-late // minutes), base_error, leaving_early, reprice)
        asked = _Asked(policy or list(Policy), beliefs, bar, speed, out)
        if len(days_of(expected.situation.horizon)) > 1:
            _only_of(
                draw is None, "--draw", "of a scenario of one day; this one has days of its own"
            )
            _only_of(not reprice, "--reprice", "of a scenario of one day")
            told = _days(expected, asked, days, charge_a_day, as_stated=as_stated)
        else:
            _only_of(not (reprice and out), "--reprice", "without --out: a plan has one list a hub")
            alone = days is None and charge_a_day is None and not as_stated
            _only_of(alone, "--days", "(or --charge-a-day, --as-stated) of a site of many days")
            told = _draws(scenario, expected, asked, draw)
    if as_json:
        put_json(told.summary)
    else:
        results.print(told.table)
        if out is not None:
            results.print(f"Plans of all days: {out}", soft_wrap=True)
        if late or base_error or leaving_early or cars != 1.0:
            messages.print("What was believed differs from what came, as asked for.")
    if told.misses:
        raise typer.Exit(ExitCode.DOES_NOT_HOLD)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for, and who hears how far it is."""

    policies: list[Policy]
    beliefs: Beliefs
    bar: Callable[[int, int, str], None]
    speed: float
    out: Path | None

    def on_slot(self, minutes: float, what: str) -> Callable[[int, int], None]:
        """Tell of each slot, and let it last as long as it does."""

        def paced(now: int, slots: int) -> None:
            self.bar(now, slots, what)
            _wait(minutes, self.speed)

        return paced


@dataclass(frozen=True, slots=True)
class _Told:
    """What is told of the days, and whether the rolling policy breaks a limit."""

    summary: dict[str, Json]
    table: Table
    misses: bool


def _only_of(fine: bool, option: str, wrong: str) -> None:
    if not fine:
        raise typer.BadParameter(f"is {wrong}", param_hint=option)


def _draws(scenario: str, expected: Scenario, asked: _Asked, draw: list[int] | None) -> _Told:
    """Other draws of a day."""
    draws, found, horizon = load_draws(scenario), list[Replayed](), expected.situation.horizon
    asked.bar(0, 1, "the day before")
    ahead = plan_ahead(expected)
    for seed in draw or [expected.search.seed + 1]:
        day = with_participation(draws.draw(seed), expected.participation)
        on_slot = asked.on_slot(horizon.slot_minutes, f"day {seed}")
        found += replay(
            day, ahead, asked.policies, beliefs=asked.beliefs, seed=seed, on_slot=on_slot
        )
    if asked.out is not None:
        out = asked.out
        write_plans((out / f"day-{it.seed}" / it.policy.value, it.plan) for it in found)
    table = replay_table(found, expected.situation.market.currency)
    return _Told(summary_of(found), table, misses(found))


def _days(
    site: Scenario,
    asked: _Asked,
    days: int | None,
    charge_a_day: float | None,
    *,
    as_stated: bool,
) -> _Told:
    """A site's own days."""
    can = days_to_replay(site)
    fits = can >= (days or 1)
    _only_of(fits, "--days", f"too many: {can} can be replayed, as {BACK} must be known before")
    found: list[DayReplayed] = []
    for it in replay_days(
        site,
        asked.policies,
        days=days,
        charge_a_day=charge_a_day,
        beliefs=asked.beliefs,
        as_stated=as_stated,
        on_slot=asked.on_slot(site.situation.horizon.slot_minutes, "a slot of a day"),
    ):
        found.append(it)
        asked.bar(0, 1, f"{it.date}, {it.policy.value}")
    if asked.out is not None:
        out = asked.out
        write_plans((out / it.date / it.policy.value, it.plan) for it in found)
    table = days_table(found, site.situation.market.currency)
    return _Told(summary_of_days(found), table, misses(found))


def _wait(minutes: float, speed: float) -> None:
    """Let a slot last as long as it does at this speed."""
    if speed > 0.0:
        time.sleep(60.0 * minutes / speed)


def replay_table(found: Sequence[Replayed], currency: str) -> Table:
    """One column for each policy, means over the days."""
    days = len({it.seed for it in found})
    title = "1 day replayed" if days == 1 else f"{days} days replayed, means"
    return table_of(title, found, _lines(currency))


Cell = Callable[[list[Replayed]], str]


def _lines(currency: str) -> list[Line[Replayed]]:
    def over(
        sums: Callable[[list[float]], float], of: Callable[[Replayed], float | None], form: str
    ) -> Cell:
        def cell(days: list[Replayed]) -> str:
            told = [value for it in days if (value := of(it)) is not None]
            return figure(float(sums(told)), form) if told else "-"

        return cell

    def mean(of: Callable[[Replayed], float | None], form: str = "") -> Cell:
        return over(lambda told: float(np.mean(told)), of, form)

    return [
        ("operator's profit", currency, mean(lambda it: it.profit)),
        ("  less than with foresight", "", mean(lambda it: it.loss, ".1%")),
        ("  with misses of promises priced in", "", mean(lambda it: it.adjusted_loss, ".1%")),
        ("    on the worst day", "", over(max, lambda it: it.adjusted_loss, ".1%")),
        ("drivers' cost, of uncoordinated", "", mean(_cost, ".1%")),
        ("peak-valley, of uncoordinated", "", mean(_span, ".1%")),
        ("limits broken", "", mean(broken, ",.3g")),
        ("largest regret", currency, over(max, regret, ".2g")),
        ("short at stated departures", "kWh", mean(short, ".1f")),
        ("short for leaving early", "kWh", mean(lambda it: it.shortfall_kwh, ",.0f")),
        ("  drivers who are", "", mean(lambda it: it.short, ".0f")),
        ("a decision's CPU, median", "ms", at(50.0)),
        ("  one in a hundred", "ms", at(99.0)),
    ]


def _cost(it: Replayed) -> float | None:
    return it.plan.result.ratios.participant_cost_ratio


def _span(it: Replayed) -> float | None:
    return it.plan.result.ratios.peak_valley_ratio
