"""The page of many days: months in a table, and a calendar of profit, peak and cars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from html import escape
from pathlib import Path
from string import Template

from hubwise.domain import Scenario
from hubwise.domain.plain import is_list, named, number, rows, text
from hubwise.study.report.glossary import number as shown
from hubwise.study.report.page import part

Record = Mapping[str, object]
# Of a day's square and the room around it, in the picture's own units.
CELL, TOP, LEFT = 14, 26, 16
WEEKDAYS = "MTWTFSS"
LOW, HIGH = (239, 244, 248), (0, 90, 150)
BELOW = (176, 58, 46)


def write_days_report(site: Scenario, summary: Record, folder: Path) -> Path:
    """Write ``report.html``; one file that loads nothing.

    Parameters
    ----------
    site
        The scenario of many days.
    summary
        What ``summary.json`` holds.
    folder
        Where.
    """
    currency, days = text(summary["currency"]), rows(summary["days"])
    pictures = (
        calendar(days, "profit", f"Operator's profit per day [{currency}]"),
        calendar(days, "highest_import_kw", "Highest import of all hubs together per day [kW]"),
        calendar(days, "cars", "Cars per day [stays]"),
    )
    page = Template(part("days.html")).substitute(
        title=escape(site.name),
        style=part("style.css"),
        headline=_headline(summary),
        calendars="".join(f'<div class="panel"><figure>{it}</figure></div>' for it in pictures),
        columns="three" if len({text(day["date"])[:7] for day in days}) == 1 else "one",
        months=_months(rows(summary["months"]), currency),
        missed=_missed(days),
        how=escape(_how(summary)),
        made_by=escape(f"Hubwise {summary['version']}"),
    )
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


def calendar(days: Sequence[Record], key: str, title: str) -> str:
    """A small heat map: a column a week, a row a weekday, a picture a month where they wrap.

    Parameters
    ----------
    days
        Rows with ``date`` and ``key``.
    key
        What is shown.
    title
        What it is, with its unit.
    """
    values = {date.fromisoformat(text(day["date"])): number(day[key]) for day in days}
    least, most = min(values.values()), max(values.values())
    months = list(dict.fromkeys((day.year, day.month) for day in values))
    drawn = "".join(_month_picture(month, values, least, most) for month in months)
    lowest, highest = shown(least), shown(most)
    scale = f"all {highest}" if lowest == highest else f"lightest {lowest}, darkest {highest}"
    scale += "; red below 0" if least < 0 else ""
    return (
        f"<h3>{escape(title)}</h3>"
        f'<div class="calendar" role="img" aria-label="{escape(title)}">{drawn}</div>'
        f"<figcaption>{escape(scale)}</figcaption>"
    )


def _month_picture(
    month: tuple[int, int], values: Mapping[date, float], least: float, most: float
) -> str:
    own = [day for day in values if (day.year, day.month) == month]
    first = date(*month, 1)
    begins = first - timedelta(days=first.weekday())
    weeks = (max(own) - begins).days // 7 + 1
    names = "".join(
        f'<text x="0" y="{TOP + CELL * k + 8.5}">{letter}</text>'
        for k, letter in enumerate(WEEKDAYS)
    )
    cells = "".join(
        f'<rect x="{LEFT + CELL * ((day - begins).days // 7)}" y="{TOP + CELL * day.weekday()}" '
        f'width="12" height="12" rx="2" fill="{_colour(values[day], least, most)}">'
        f"<title>{day}: {values[day]:,.1f}</title></rect>"
        for day in own
    )
    wide, high = LEFT + CELL * max(weeks, 5), TOP + CELL * 7
    return (
        f'<svg viewBox="0 0 {wide} {high}" width="{2 * wide}" height="{2 * high}">'
        f'<text x="{LEFT}" y="14">{first:%b %Y}</text>{names}{cells}</svg>'
    )


def _colour(value: float, least: float, most: float) -> str:
    """From light to dark over the range, dark where all are one; below 0 in red, by its share."""
    if value < 0.0:
        share, dark = value / least, BELOW
    else:
        low = max(least, 0.0)
        share, dark = (value - low) / (most - low) if most > low else 1.0, HIGH
    mixed = (round(a + (b - a) * share) for a, b in zip(LOW, dark, strict=True))
    return "#" + "".join(f"{one:02x}" for one in mixed)


LINES = {
    "charging_revenue": ("Charging revenue", 1),
    "discharge_payments": ("Discharge payments", -1),
    "purchases": ("Purchases", -1),
    "standby": ("Chargers in stand-by", -1),
    "feed_in": ("Feed-in", 1),
    "incentives": ("Incentives", 1),
    "demand_charges": ("Demand charges", -1),
    "running_cost": ("Station running cost", -1),
    "station_lease": ("Station lease", -1),
    "station_wear": ("Station wear", -1),
}


def _months(months: Sequence[Record], currency: str) -> str:
    """A column a month: money lines, then energy and powers."""
    head = "".join(f'<th scope="col">{escape(text(month["month"]))}</th>' for month in months)
    lines = [
        (f"{label} [{currency}]", [sign * number(named(m["account"]).get(key)) for m in months])
        for key, (label, sign) in LINES.items()
    ]
    terms = dict.fromkeys(s for m in months for s in named(named(m["account"]).get("terms")))
    lines += [
        (
            f"{source} [{currency}]",
            [number(named(named(m["account"])["terms"]).get(source, 0.0)) for m in months],
        )
        for source in terms
    ]
    lines = [(label, values) for label, values in lines if any(values)]
    lines.append((f"Profit [{currency}]", [number(m["profit"]) for m in months]))
    for label, key in (
        (f"Participants' cost, wear included [{currency}]", "participant_cost"),
        (f"Theirs uncoordinated [{currency}]", "participant_reference_cost"),
        ("Charged [kWh]", "charged_kwh"),
        ("Discharged [kWh]", "discharged_kwh"),
        ("Imported [kWh]", "imported_kwh"),
        ("Highest import of all hubs together [kW]", "highest_import_kw"),
        ("Days", "days"),
        ("Bills", "bills"),
    ):
        lines.append((label, [number(month[key]) for month in months]))
    body = "".join(
        f'<tr><th scope="row">{escape(label)}</th>'
        + "".join(f"<td>{_figure(label, value)}</td>" for value in values)
        + "</tr>"
        for label, values in lines
    )
    return (
        f'<div class="scroll"><table class="numbers"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _figure(label: str, value: float) -> str:
    return shown(value, 0 if label in ("Days", "Bills") else 2)


def _headline(summary: Record) -> str:
    months, days = rows(summary["months"]), rows(summary["days"])
    profit = sum(number(month["profit"]) for month in months)
    cars = sum(number(month["bills"]) for month in months)
    return (
        f"<b>{len(days)}</b> days, <b>{cars:,.0f}</b> bills: the operator "
        f"{'keeps' if profit >= 0.0 else 'loses'} "
        f"<b>{abs(profit):,.2f} {escape(text(summary['currency']))}</b>."
    )


def _missed(days: Sequence[Record]) -> str:
    """Days that miss something, as a notice; nothing where all is kept."""
    lines = "".join(
        f"<li>{escape(text(day['date']))}: {escape('; '.join(map(str, said)))}</li>"
        for day in days
        if is_list(said := day["misses"]) and said
    )
    return (
        f'<div class="panel missed"><h3>What was missed</h3><ul>{lines}</ul></div>' if lines else ""
    )


def _charge(summary: Record) -> float:
    return number(summary["demand_charge"])


def _how(summary: Record) -> str:
    by_month = summary.get("demand_charge_by_month")
    each = [number(charge) for charge in by_month] if is_list(by_month) else []
    charge = " or ".join(f"{price:g}" for price in dict.fromkeys(each or [_charge(summary)]))
    said = (
        "Every day is planned to the end of the last stay that has begun on it; what is done of a "
        "plan is its first day. Cars, station batteries, price lists and the month's peak are "
        "carried on."
    )
    if any(each) or _charge(summary):
        said += (
            f" Demand is charged once a calendar month at {charge} {summary['currency']}/kW of "
            "each hub's highest import; of a month that the site holds in part, by the share of "
            "its time."
        )
    return said
