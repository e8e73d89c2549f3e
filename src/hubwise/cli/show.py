"""Results as short tables, and what they miss."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rich.box import SIMPLE_HEAD
from rich.table import Table

from hubwise.cli.console import messages
from hubwise.domain import Scenario, WearPricing
from hubwise.domain.plain import JsonObject, finite, is_list, named, number, rows
from hubwise.record.outcome import LIMIT_KINDS

Result = JsonObject


def limits_broken(result: Result) -> int:
    """Limits broken over the horizon, of all kinds."""
    return sum(int(number(result[f"{kind}_violations"])) for kind in LIMIT_KINDS)


def plan_table(result: Result, scenario: Scenario, lowest: str = "lowest voltage") -> Table:
    """One result, a line for each figure; ``lowest`` is what to call the lowest voltage."""
    money = scenario.situation.market.currency
    # Found wear is of this plan's schedule; the bounds are on tariffs at the same.
    at_wear = ", at this wear" if result["wear"] == WearPricing.NONLINEAR else ""
    lines = [
        ("peak-valley difference", figure(result["peak_valley_kw"]), "kW"),
        ("  of uncoordinated", _percent(result["peak_valley_ratio"]), ""),
        ("participants' cost, wear included", figure(result["participant_cost"]), money),
        ("  of theirs uncoordinated", _percent(result["participant_cost_ratio"]), ""),
        *_energy_fair(
            result,
            ("their energy left, to uncoordinated", "energy_left_kwh", "kWh"),
            ("their cost if they buy it back", "energy_fair_cost_ratio", ""),
        ),
        *([("drivers who decline", str(declined), "")] if (declined := result["declined"]) else []),
        (f"  of which wear, {result['wear']}", figure(result["wear_priced"]), money),
        ("  wear by the cell models", figure(result["wear_nonlinear"]), money),
        ("operator's profit", figure(result["operator_profit"]), money),
        ("  of the fleet's uncoordinated cost", _percent(result["profit_ratio"]), ""),
        *_energy_fair(
            result,
            ("stations' energy left", "station_energy_left_kwh", "kWh"),
            ("if it buys all of it back", "energy_fair_profit", money),
            ("of the fleet's uncoordinated cost", "energy_fair_profit_ratio", ""),
        ),
        *(
            [("  without the incentive", figure(bare), money)]
            if (bare := result["operator_profit_without_incentive"]) != result["operator_profit"]
            else []
        ),
        (f"  bound for any tariff{at_wear}", figure(result["profit_bound"]), money),
        (f"  bound for such tariffs{at_wear}", figure(result["family_bound"]), money),
        *(
            (f"  {name}", figure(named(outcome)["operator_profit"]), money)
            for name, outcome in named(result["outcomes"]).items()
            if name != "dispatched"
        ),
        ("  at the reference tariff, no station", figure(result["reference_margin"]), money),
        (lowest, figure(result["min_voltage_pu"], ".4f"), "p.u."),
        ("highest transformer loading", _percent(result["transformer_peak_loading"]), ""),
        ("limits broken", str(limits_broken(result)), ""),
        ("choose by themselves", _alone(result), ""),
        ("shortfall", figure(result["shortfall_kwh"]), "kWh"),
        ("largest step at the feeder head", figure(result["head_ramp_kw"]), "kW per 15 min"),
        ("slots below a charger's least power", _slots(result, "below_least"), ""),
        ("slots off a charger's steps", _slots(result, "off_step"), ""),
        ("starts above what was asked", _starts_above(result), ""),
        ("credited for schedules above the least cost", _credited(result), money),
        ("largest regret", f"{number(result['max_regret']):.0e}", money),
        ("tariffs tried", str(result["evaluations"]), ""),
        ("time", figure(result["wall_seconds"]), "s"),
    ]
    share = _percent(result["participation"], ".0%")
    title = f"{scenario.name}: {result['strategy']}, {share} participating"
    table = Table("", title=title, show_header=False, title_justify="left")
    table.add_column(justify="right")
    table.add_column()
    for words, value, unit in lines:
        if value:
            table.add_row(words, value, unit)
    return table


def _credited(result: Result) -> str:
    """What drivers are credited for schedules above their least cost; nothing where none are."""
    cars = int(number(result["credited_sessions"]))
    return f"{number(result['credited_regret']):,.2f} ({cars:,} cars)" if cars else ""


def _alone(result: Result) -> str:
    """What share does not delegate, and what their devices do; nothing where all do."""
    if result["device_ties"] is None:
        return ""
    return f"{1.0 - number(result['delegating']):.0%}, devices {result['device_ties']}"


def _slots(result: Result, kind: str) -> str:
    """Slots that a charger cannot hold, in one way; nothing where there are none."""
    ways = ("charging_slots", "discharging_slots")
    below = sum(int(number(result[f"{way}_{kind}"])) for way in ways)
    return f"{below} of {sum(int(number(result[way])) for way in ways):,}" if below else ""


def _starts_above(result: Result) -> str:
    """Starts above what was asked of stays; nothing where there are none."""
    above = int(number(result["starts_above_most"]))
    return f"{above} of {int(number(result['starts'])):,}" if above else ""


# Energy that is rounding [kWh].
ROUNDING_KWH = 0.005


def _energy_fair(result: Result, *lines: tuple[str, str, str]) -> list[tuple[str, str, str]]:
    """Lines that count what batteries are left with, where that is not what it was."""
    if _left_alike(result):
        return []
    return [
        (f"  {words}", (_percent if key.endswith("_ratio") else figure)(result[key]), unit)
        for words, key, unit in lines
        if not key.endswith("_kwh") or abs(number(result[key])) >= ROUNDING_KWH
    ]


def _left_alike(result: Result) -> bool:
    """Whether batteries are left as on the uncoordinated day."""
    keys = ("energy_left_kwh", "station_energy_left_kwh")
    return max(abs(number(result[key])) for key in keys) < ROUNDING_KWH


def study_table(results: Sequence[Result], scenario: Scenario) -> Table:
    """Several results, a line for each; fits a screen of 80 columns."""
    table = Table(
        "strategy",
        title=f"{scenario.name}; shares are of the uncoordinated day",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    heads = (
        "take\npart",
        "peak-\nvalley",
        "their\ncost",
        f"profit\n{scenario.situation.market.currency}",
        "of all\ncosts",
        "lowest\np.u.",
        "trans-\nformer",
        "limits\nbroken",
    )
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for before, result in pairwise([None, *results]):
        assert result is not None
        if before is not None and before["participation"] != result["participation"]:
            table.add_section()
        table.add_row(
            str(result["strategy"]),
            f"{number(result['participation']):.0%}",
            _percent(result["peak_valley_ratio"]),
            _percent(result["participant_cost_ratio"]),
            figure(result["operator_profit"]),
            _percent(result["profit_ratio"]),
            figure(result["min_voltage_pu"], ".4f"),
            _percent(result["transformer_peak_loading"]),
            str(limits_broken(result)),
        )
    return table


def energy_table(results: Sequence[Result], scenario: Scenario) -> Table | None:
    """Where batteries are not left as uncoordinated, what it comes to; None where all are.

    Cost and profit are counted with it in turn: one or the other buys back what is lacking.
    """
    lines = [result for result in results if not _left_alike(result)]
    if not lines:
        return None
    prices = (number(lines[0][key]) for key in ("energy_left_price", "station_energy_left_price"))
    car, station = (f"{price:g}" for price in prices)
    money = scenario.situation.market.currency
    table = Table(
        "strategy",
        title=f"energy left, to uncoordinated; bought at {car} in cars, {station} in stations "
        f"[{money}/kWh]",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    heads = ("take\npart", "cars\nkWh", "stations\nkWh", "their cost,\nbought back")
    for head in (*heads, f"or profit\n{money}", "of all\ncosts"):
        table.add_column(head, justify="right", no_wrap=True)
    for result in lines:
        table.add_row(
            str(result["strategy"]),
            f"{number(result['participation']):.0%}",
            str(round(number(result["energy_left_kwh"]))),
            str(round(number(result["station_energy_left_kwh"]))),
            _percent(result["energy_fair_cost_ratio"]),
            figure(result["energy_fair_profit"]),
            _percent(result["energy_fair_profit_ratio"]),
        )
    return table


def draws_table(summary: Result, scenario: Scenario) -> Table:
    """Mean and interval of the main figures over the draws of the fleet."""
    seeds = named(summary["draws"])["seeds"]
    count = len(seeds) if is_list(seeds) else 0
    table = Table(
        "strategy",
        title=f"over {count} draws of the fleet: mean ± half of its 95 % interval",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    heads = (
        "take\npart",
        "peak-valley\n%",
        "their cost\n%",
        f"profit\n{scenario.situation.market.currency}",
    )
    for head in (*heads, "of all costs\n%", "most limits\nbroken"):
        table.add_column(head, justify="right", no_wrap=True)
    for result in rows(summary["results"]):
        found = {key: named(one) for key, one in named(result["intervals"]).items()}
        broken = [number(found[f"{kind}_violations"]["greatest"]) for kind in LIMIT_KINDS]
        table.add_row(
            str(result["strategy"]),
            f"{number(result['participation']):.0%}",
            _interval(found.get("peak_valley_ratio"), 100, ".1f"),
            _interval(found.get("participant_cost_ratio"), 100, ".1f"),
            _interval(found["operator_profit"], 1, ""),
            _interval(found.get("profit_ratio"), 100, ".1f"),
            f"{sum(broken):.0f}",
        )
    return table


def _interval(found: Result | None, scale: float, form: str) -> str:
    if found is None:
        return ""
    mean, low, high = (scale * number(found[part]) for part in ("mean", "low", "high"))
    half = (high - low) / 2
    form = form or (",.0f" if abs(mean) >= 1000.0 else ",.2f")
    return f"{mean:{form}} ± {half:{form}}"


def zones_table(summary: Result) -> Table:
    """What a nation's zones come to, a line for each figure."""
    money = summary["currency"]
    ranges = {key: named(ends) for key, ends in named(summary["ranges"]).items()}
    table = Table("", "all zones", "least", "greatest zone", box=SIMPLE_HEAD, title_justify="left")
    table.title = (
        f"{summary['nation']}: {number(summary['zones']):,} zones, "
        f"{number(summary['sessions']):,} sessions, "
        f"{number(summary['participating']):,} participating; {summary['made']}"
    )
    ratios = (
        ("peak-valley difference, of uncoordinated", "peak_valley_ratio"),
        ("participants' cost, of theirs uncoordinated", "participant_cost_ratio"),
        ("operator's profit, of all uncoordinated costs", "profit_ratio"),
    )
    for words, key in ratios:
        ends = (_percent(ranges[key][end]) for end in ("least", "greatest"))
        table.add_row(words, _percent(summary[key]), *ends)
    lowest = (figure(ranges["min_voltage_pu"][end], ".4f") for end in ("least", "greatest"))
    table.add_row("lowest voltage, p.u.", "", *lowest)
    table.add_row(f"operator's profit, {money}", figure(summary["operator_profit"]))
    table.add_row(
        "zones in which limits are broken", f"{number(summary['zones_with_broken_limits']):,}"
    )
    table.add_row(f"largest regret, {money}", f"{number(summary['max_regret']):.0e}")
    spent = (figure(ranges["wall_seconds"][end]) for end in ("least", "greatest"))
    table.add_row("time, s", figure(summary["wall_seconds"]), *spent)
    return table


def frontier_table(points: Sequence[Result], scenario: str) -> Table:
    """Every pair of promises, a line for each; fits a screen of 80 columns."""
    table = Table(
        "partici-\npating",
        title=f"{scenario}; v peak-valley, c drivers' cost, π profit, of uncoordinated",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    heads = ("promised\nv", "\nc", "reached\nv", "\nc", "\nπ", "bound\nπ", "\ngap")
    for head in (*heads, "limits\nbroken", "\nkept"):
        table.add_column(head, justify="right", no_wrap=True)
    for before, point in pairwise([None, *points]):
        assert point is not None
        if before is not None and before["participation"] != point["participation"]:
            table.add_section()
        ratios = ("peak_valley_ratio", "participant_cost_ratio", "profit_ratio", "bound_ratio")
        table.add_row(
            f"{number(point['participation']):.0%}",
            f"{number(point['peak_valley_promise']):g}",
            f"{number(point['saving_promise']):g}",
            *(figure(point[key], ".3f") for key in ratios),
            _percent(point["gap"]),
            str(point["violations"]),
            "yes" if point["kept"] else "no",
        )
    return table


def rule_costs_table(figures: Result, scenario: Scenario) -> Table:
    """What each price rule was found to cost, a line for each."""
    table = Table("price rule", "set to", title="what price rules cost", title_justify="left")
    money = scenario.situation.market.currency
    table.add_column(f"profit without it, {money}", justify="right")
    table.add_column(f"cost, {money}", justify="right")
    table.add_column("of that profit", justify="right")
    for line in rows(figures["rules"]):
        without, cost = number(line["profit_without"]), number(line["cost"])
        share = cost / abs(without) if without else 0.0
        cells = (figure(without), figure(cost), _percent(share))
        table.add_row(str(line["rule"]), str(line["set_to"]), *cells)
    return table


def say_better(better: Sequence[str]) -> None:
    """Name what would be better than a poor plan, on stderr."""
    for words in better:
        messages.print(f"poor — {words}", style="yellow", highlight=False, markup=False)


def say_broken(broken: Sequence[str]) -> None:
    """Name the price rules that a tariff breaks, on stderr."""
    for words in broken:
        messages.print(f"breaks — {words}", style="yellow", highlight=False, markup=False)


def say_missed(missed: Sequence[str]) -> None:
    """Name what a plan misses, on stderr."""
    for miss in missed:
        messages.print(f"missed — {miss}", style="yellow", highlight=False)


def say_told(told: Sequence[str]) -> None:
    """Name what drivers have to be told before their stays, on stderr."""
    for words in told:
        messages.print(f"told — {words}", highlight=False, markup=False)


def say_warnings(warnings: Sequence[str]) -> None:
    """Say once that batteries leave what their cells were tested at, on stderr.

    Hardly any plan keeps to tests of full cycles: each sentence stands in summary and report.
    """
    if warnings:
        said = (
            f"note — wear and fade are extrapolated beyond {len(warnings)} of the ranges that "
            "cells were tested in: Batteries in the report, warnings in summary.json"
        )
        messages.print(said, style="dim", highlight=False)


def figure(found: object, form: str = "") -> str:
    """A number as people read it, whole where it is large; empty where there is none."""
    value = finite(found)
    if value is None:
        return ""
    # What rounds to nothing has no sign.
    return format(value, "z" + (form or (",.0f" if abs(value) >= 1000.0 else ",.2f")))


def _voltage(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _percent(found: object, form: str = ".1%") -> str:
    share = finite(found)
    return "" if share is None else format(share, form)
