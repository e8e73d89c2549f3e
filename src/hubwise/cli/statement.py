"""The driver's statement on the command line: a line to read, a page to print, and all behind."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from hubwise.cli.console import put_json, results
from hubwise.cli.failure import explained
from hubwise.cli.options import AsJson
from hubwise.domain.errors import listed, nearest
from hubwise.domain.why import told_once
from hubwise.record import Statement, UnknownDriverError, make_statement, make_statements, read
from hubwise.record.bill_lines import BillLines
from hubwise.record.days import is_days
from hubwise.record.month_bills import (
    MonthStatement,
    OperatorMonth,
    UnknownMonthError,
    month_statements,
    operator_months,
)
from hubwise.record.statement import Honoured, Money, StayStatement
from hubwise.scenario import Issue, ScenarioError


def statement(
    folder: Annotated[
        Path, typer.Argument(metavar="PLAN_DIR", help="A plan folder, of one day or of many.")
    ],
    driver: Annotated[
        str | None, typer.Option(help="Whose statement; on a page, all drivers' without it.")
    ] = None,
    operator: Annotated[
        bool, typer.Option("--operator", help="The operator's, of the months of a plan of days.")
    ] = False,
    month: Annotated[
        str | None, typer.Option(help="Of a plan of many days, this month: 2025-06. Else all.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Page to write, such as bill.html: one a sheet.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What a plan costs, earns and saves a driver, what it does to the battery, and every wish.

    Of a plan of many days it is a statement for each month. --out writes a page to print, with the
    bill line by line. Reads the plan folder alone. Exit code 2 says that the plan cannot be read,
    or that no session in it is this driver's.
    """
    with explained(as_json=as_json):
        _check(folder, driver, month, out, operator=operator)
        try:
            if operator:
                months = operator_months(folder, month)
                _finish_operator(months, out, as_json=as_json)
            elif is_days(folder):
                made = month_statements(folder, driver, month)
                _finish_months(made, driver, out, as_json=as_json)
            else:
                _finish(folder, driver, out, as_json=as_json)
        except UnknownDriverError as error:
            near = nearest(error.driver, error.known, 3)
            right = f"near it are {', '.join(near)}" if near else f"known are {listed(error.known)}"
            issue = Issue(str(folder), "", "--driver", f"{driver!r} is unknown", right)
            raise ScenarioError([issue]) from error
        except UnknownMonthError as error:
            right = f"known are {listed(error.known)}"
            issue = Issue(str(folder), "", "--month", f"{month!r} is unknown", right)
            raise ScenarioError([issue]) from error


def _check(
    folder: Path, driver: str | None, month: str | None, out: Path | None, *, operator: bool
) -> None:
    """Refuse what does not go together, all at once."""
    wrong: list[tuple[str, str, str]] = []
    if driver is None and not operator and out is None:
        right = "give one, or --out with the name of a page to write for all drivers"
        wrong.append(("--driver", "is missing", right))
    if driver is not None and operator:
        wrong.append(("--operator", "and --driver are two statements", "leave one out"))
    if (operator or month is not None) and folder.is_dir() and not is_days(folder):
        name = "--operator" if operator else "--month"
        right = "name a plan of many days, or leave it out"
        wrong.append((name, "is of months, and this is a plan of one day", right))
    if out is not None and out.suffix.lower() not in (".html", ".htm"):
        wrong.append(("--out", f"{out} is no name of a page", "name it such as bill.html"))
    elif out is not None and out.is_dir():
        wrong.append(("--out", f"{out} is a folder", "name a file in it, such as bill.html"))
    if wrong:
        raise ScenarioError([Issue("", "", option, said, right) for option, said, right in wrong])


def _finish(folder: Path, driver: str | None, out: Path | None, *, as_json: bool) -> None:
    """The statements of a plan of one day: on a page, as data, or to read."""
    from hubwise.study.explained import with_reasons  # whose rooms take a second to open

    plan = read(folder)
    made = make_statements(plan) if driver is None else [make_statement(plan, driver)]
    made = with_reasons(plan, made)
    if out is not None:
        from hubwise.study.report.bills import bill

        lines = BillLines(plan)
        bills = [bill(one, [lines.of(stay) for stay in one.stays]) for one in made]
        _write(bills, driver or str(plan.summary["scenario"]), out, as_json=as_json)
    elif as_json:
        put_json(made[0].to_dict())
    else:
        _show(made[0])


def _finish_months(
    made: list[MonthStatement], driver: str | None, out: Path | None, *, as_json: bool
) -> None:
    if out is not None:
        from hubwise.study.report.bills import month_bill

        title = driver or (made[0].scenario if made else "statements")
        _write([month_bill(one) for one in made], title, out, as_json=as_json)
    elif as_json:
        put_json({"months": [one.to_dict() for one in made]})
    else:
        for one in made:
            results.print(_month_table(one))


def _finish_operator(made: list[OperatorMonth], out: Path | None, *, as_json: bool) -> None:
    if out is not None:
        from hubwise.study.report.bills import operator_bill

        title = made[0].scenario if made else "statements"
        _write([operator_bill(one) for one in made], title, out, as_json=as_json)
    elif as_json:
        put_json({"months": [one.to_dict() for one in made]})
    else:
        for one in made:
            results.print(_operator_table(one))


def _write(bills: Iterable[str], title: str, out: Path, *, as_json: bool) -> None:
    from hubwise.study.report.bills import write_bills

    written = list(bills)
    page = write_bills(written, title, out)
    if as_json:
        put_json({"page": str(page), "statements": len(written)})
    else:
        plural = "" if len(written) == 1 else "s"
        results.print(f"{len(written)} statement{plural}: {page}", soft_wrap=True)


def _month_table(made: MonthStatement) -> Table:
    title = f"{made.driver}, {made.month}, amounts in {made.currency}"
    table = Table(title=title, box=SIMPLE, title_justify="left")
    for name in ("stay", "from", "kWh in", "kWh back", "paid", "earned", "saving"):
        table.add_column(name, justify="left" if name in ("stay", "from") else "right")
    rows: list[tuple[str, str, float, float, Money]] = [
        (
            stay.session,
            f"{stay.arrival:%Y-%m-%d %H:%M}",
            stay.charged_kwh,
            stay.discharged_kwh,
            stay.money,
        )
        for stay in made.stays
    ]
    for name, begins, charged, back, money in [
        *rows,
        ("together", "", made.charged_kwh, made.discharged_kwh, made.money),
    ]:
        amounts = (money.paid, money.earned, money.saving)
        table.add_row(name, begins, f"{charged:,.2f}", f"{back:,.2f}", *map(str, amounts))
    return table


def _operator_table(made: OperatorMonth) -> Table:
    title = f"{made.scenario}, {made.month}, amounts in {made.currency}"
    table = Table(title=title, box=SIMPLE, show_header=False, title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    for name, amount in (*made.lines, ("profit", made.profit)):
        table.add_row(name, f"{amount:,}")
    table.add_row("drivers billed", str(len(made.statements)))
    return table


def _show(made: Statement) -> None:
    results.print(made.line, highlight=False, markup=False, soft_wrap=True)
    for stay in made.stays:
        results.print(_stay_table(stay, made.currency))
        if stay.why:
            results.print(_why_table(stay))
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


def _why_table(stay: StayStatement) -> Table:
    table = Table("from", "until", "why", box=SIMPLE, title_justify="left")
    for each in told_once(stay.why):
        table.add_row(f"{each.begins:%H:%M}", f"{each.until:%H:%M}", Text(each.text))
    return table


def _wishes_table(wishes: tuple[Honoured, ...]) -> Table:
    table = Table("wished", "asked", "given", "", box=SIMPLE, title_justify="left")
    for wish in wishes:
        kept = "honoured" if wish.honoured else "not honoured"
        table.add_row(wish.title, wish.asked_words, wish.given_words, wish.notice or kept)
    return table
