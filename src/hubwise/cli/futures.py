"""Prices for several futures on the command line: what they bring, and what knowing would."""

from __future__ import annotations

from dataclasses import replace

from rich.table import Table

from hubwise.cli.console import results
from hubwise.domain import Scenario, Strategy
from hubwise.plan import Plan, make_plan
from hubwise.plan.futures import FuturesPlan, as_table, draw_futures, in_short, plan_for_futures
from hubwise.plan.price_search import Progress
from hubwise.record import Appendix
from hubwise.scenario import Issue, ScenarioError, lawful, with_participation

WORDS = {
    "profit_in_futures": "operator's profit in the futures planned for",
    "profit_if_known": "  were each known (wait and see)",
    "value_of_knowing": "  value of knowing",
    "profit_on_fresh_draws": "operator's profit on fresh draws",
    "profit_spread_on_fresh_draws": "  its standard deviation",
    "profit_of_one_draw": "  with the prices of one draw",
    "value_of_many_at_equal_cost": "  more than these, at equal cost to drivers",
    "value_of_many_standard_error": "  standard error of that",
    "cost_ratio_on_fresh_draws": "participants' cost, of theirs uncoordinated",
    "cost_ratio_of_one_draw": "  with the prices of one draw",
    "worst_peak_valley_on_fresh_draws": "highest peak-valley difference, of uncoordinated",
}


def planned_for(
    scenario: Scenario,
    count: int,
    strategy: Strategy,
    participation: float | None,
    method: str | None,
    progress: Progress | None,
) -> tuple[FuturesPlan, Plan]:
    """Prices for ``count`` drawn futures, and the scenario's own day at them."""
    if strategy is not Strategy.HUBWISE:
        wrong = f"{strategy.value} posts no prices that futures could be drawn for"
        right = f"leave --futures out, or give --strategy {Strategy.HUBWISE.value}"
        raise ScenarioError([Issue("--strategy", "", "", wrong, right)])
    if (method or scenario.search.method) == "exact":
        wrong = "the exact method solves for one future, the others would be left out"
        raise ScenarioError([Issue("--futures", "", "", wrong, "give --method auto, or another")])
    if method is not None:
        scenario = replace(scenario, search=replace(scenario.search, method=method))
    if participation is not None:
        scenario = with_participation(scenario, participation)
    made = plan_for_futures(scenario, draw_futures(scenario, count), progress=progress)
    posted = lawful(made.tariff, scenario.situation.fleet)
    return made, make_plan(scenario, tariff=posted)


def recorded(made: FuturesPlan) -> Appendix:
    """What a plan folder holds of it: ``futures.parquet``, and ``futures`` in the summary."""
    return Appendix("futures", in_short(made), as_table(made))


def show(made: FuturesPlan, currency: str) -> None:
    """The figures that one looks at first."""
    figures = in_short(made)
    table = Table(
        title=f"prices for {figures['futures']} futures, on {figures['fresh_draws']} fresh draws"
    )
    table.add_column("")
    table.add_column("", justify="right")
    for key, words in WORDS.items():
        ratio = "ratio" in key or "peak_valley" in key
        text = f"{figures[key]:.1%}" if ratio else f"{figures[key]:,.2f} {currency}"
        table.add_row(words, text)
    results.print(table)
