"""The driver's statement on the command line: a line to read, and everything behind it."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.table import Table

from hubwise.cli.console import put_json, results
from hubwise.cli.failure import explained
from hubwise.cli.options import AsJson
from hubwise.record import Statement, UnknownDriverError, make_statement, read
from hubwise.record.statement import Honoured, Money, StayStatement
from hubwise.scenario import Issue, ScenarioError
from hubwise.scenario.errors import listed


def statement(
    folder: Annotated[Path, typer.Argument(metavar="PLAN_DIR", help="A plan folder.")],
    driver: Annotated[str, typer.Option(help="Whose statement.")],
    as_json: AsJson = False,
) -> None:
    """What a plan costs, earns and saves a driver, what it does to the battery, and every wish.

    Reads the plan folder alone. Exit code 2 says that the plan cannot be read, or that no session
    in it is this driver's.
    """
    with explained(as_json=as_json):
        try:
            made = make_statement(read(folder), driver)
        except UnknownDriverError as error:
            near = get_close_matches(driver, error.known, n=3)
            right = f"near it are {', '.join(near)}" if near else f"known are {listed(error.known)}"
            issue = Issue(str(folder), "", "--driver", f"{driver!r} is unknown", right)
            raise ScenarioError([issue]) from error
    if as_json:
        put_json(made.to_dict())
    else:
        _show(made)


def _show(made: Statement) -> None:
    results.print(made.line, highlight=False, markup=False, soft_wrap=True)
    for stay in made.stays:
        results.print(_stay_table(stay, made.currency))
        results.print(_wishes_table(stay.wishes))
    if len(made.stays) > 1:
        total = Table(title="together", box=SIMPLE, show_header=False, title_justify="left")
        for line in _money_lines(made.money, made.currency):
            total.add_row(*line)
        results.print(total)


def _stay_table(stay: StayStatement, currency: str) -> Table:
    part = "takes part" if stay.participating else "does not take part"
    title = (
        f"{stay.session} at {stay.hub}, {stay.arrival:%Y-%m-%d %H:%M} to "
        f"{stay.departure:%Y-%m-%d %H:%M}; {part}"
    )
    table = Table(title=title, box=SIMPLE, show_header=False, title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    for line in (
        *_money_lines(stay.money, currency),
        *_energy_lines(stay),
        *_battery_lines(stay, currency),
    ):
        table.add_row(*line)
    return table


def _money_lines(money: Money, currency: str) -> list[tuple[str, str]]:
    share = "" if money.earned_share is None else f"{money.earned_share:.0%}, "
    fifth = "a fifth or more" if money.worthwhile else "less than a fifth"
    return [
        ("paid for charging", f"{money.paid} {currency}"),
        ("earned from discharging", f"{money.earned} {currency}"),
        ("  of what was paid", f"{share}{fifth}"),
        ("battery wear", f"{money.wear} {currency}"),
        *([("credited by the operator", f"{money.credited} {currency}")] if money.credited else []),
        ("net cost", f"{money.net_cost} {currency}"),
        ("on the reference tariff, charging at once", f"{money.reference_cost} {currency}"),
        ("saving", f"{money.saving} {currency}"),
    ]


def _energy_lines(stay: StayStatement) -> list[tuple[str, str]]:
    energy = stay.energy
    return [
        ("into the car, at the charger", f"{energy['charged_kwh']:.1f} kWh"),
        ("back to the grid, at the charger", f"{energy['discharged_kwh']:.1f} kWh"),
        (
            "battery at arrival and departure",
            f"{energy['arrival_kwh']:.1f} and {energy['departure_kwh']:.1f} kWh",
        ),
        (
            "lowest, against the reserve",
            f"{energy['lowest_kwh']:.1f} against {energy['reserve_kwh']:.1f} kWh",
        ),
    ]


def _battery_lines(stay: StayStatement, currency: str) -> list[tuple[str, str]]:
    battery = stay.battery
    lines = [
        ("full cycles: driving, grid", _both(battery, "equivalent_full_cycles", ".2f", 1.0, "")),
        ("capacity lost: driving, grid", _both(battery, "fade", ".4f", 100.0, " %")),
    ]
    if battery["wear_nonlinear"] is not None:
        worth = f"{battery['wear_nonlinear']:.2f} {currency}"
        lines.append(("worth of what the grid took, by the cell's model", worth))
    used, warranty = battery["warranty_used"], battery["warranty_kwh"]
    if warranty is not None and used is not None:
        drawn = f"{battery['throughput_kwh']:,.0f} of {warranty:,.0f} kWh ({used:.1%})"
        lines.append(("warranty: drawn so far", drawn))
    return [line for line in lines if line[1]]


def _both(battery: dict[str, float | None], name: str, form: str, scale: float, unit: str) -> str:
    parts = [battery[f"{name}_{cause}"] for cause in ("driving", "v2g")]
    return ", ".join(f"{scale * part:{form}}{unit}" for part in parts if part is not None)


def _wishes_table(wishes: tuple[Honoured, ...]) -> Table:
    table = Table("wished", "asked", "given", "", box=SIMPLE, title_justify="left")
    for wish in wishes:
        kept = "honoured" if wish.honoured else "not honoured"
        table.add_row(wish.title, wish.asked_words, wish.given_words, wish.notice or kept)
    return table
