"""The page of a verdict: three answers, what equipment brings, at which price, and all plans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

from hubwise.study.report.glossary import DASH, label, money, number
from hubwise.study.report.page import part
from hubwise.study.report.palette import of_strategy
from hubwise.study.verdict.answers import Gain, Worth
from hubwise.study.verdict.cases import Case
from hubwise.study.verdict.run import Verdict
from hubwise.study.verdict.words import in_kwh

PAGE = "verdict.html"
COLOURS = {Worth.YES: "#00794f", Worth.NO: "#b3261e", Worth.NONE: "#5d6b79"}
UNCLEAR = "#9a6700"
GAIN, TWO_WAY = "#e69f00", "#0072b2"
ROOM = 0.04  # beside the outermost mark, as a share


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a picture: a bar from nothing to ``value``, what is open, and a price."""

    name: str
    value: float
    colour: str
    low: float | None = None
    high: float | None = None
    price: float | None = None


def write_verdict_page(verdict: Verdict, folder: Path) -> Path:
    """Write ``verdict.html``; one file that loads nothing."""
    unit, days = verdict.words.currency, verdict.words.days
    page = Template(part("verdict.html")).substitute(
        title=escape(verdict.scenario),
        subtitle=escape(_subtitle(verdict)),
        style=part("style.css"),
        answers=_answers(verdict),
        gains_title=escape(f"Gain per day [{unit}/day]"),
        gains=_picture(_gains(verdict), unit, prices=True),
        prices=_break_even(verdict),
        profits_title=escape(f"Operator's profit per day [{unit}/day]"),
        profits=_picture([_profit(case, days) for case in verdict.cases], unit, prices=False),
        table=_table(verdict),
        notes="<ul>" + "".join(f"<li>{escape(note)}</li>" for note in verdict.notes) + "</ul>",
        made_by=escape(f"Hubwise {verdict.version}"),
    )
    path = folder / PAGE
    path.write_text(page, encoding="utf-8")
    return path


def _subtitle(verdict: Verdict) -> str:
    days = "one day" if verdict.words.days == 1 else f"{verdict.words.days} days"
    return f"What is worth it here, from {len(verdict.cases)} plans of {days}"


def _answers(verdict: Verdict) -> str:
    found = zip(
        ("Two-way charging", "Station battery", "Posted prices"),
        (verdict.two_way.worth, verdict.battery.worth, verdict.alone.worth),
        verdict.sentences,
        strict=True,
    )
    return "".join(
        f'<div class="card" style="--c:{COLOURS.get(worth, UNCLEAR)}"><h3>{escape(title)}</h3>'
        f'<p class="figure-number">{escape(worth[:1].upper() + worth[1:])}</p>'
        f"<p>{escape(sentence)}</p></div>"
        for title, worth, sentence in found
    )


def _gains(verdict: Verdict) -> list[Row]:
    """Two-way charging, and every battery, by day."""
    days, rows = verdict.words.days, []
    if (gain := verdict.two_way.gain) is not None:
        rows.append(_gain("Two-way charging", gain, TWO_WAY, verdict.two_way.cost, days))
    return rows + [
        _gain(f"Battery, {in_kwh(size.kwh)} kWh", size.gain, GAIN, size.cost, days)
        for size in verdict.battery.sizes
    ]


def _gain(name: str, gain: Gain, colour: str, cost: float | None, days: int) -> Row:
    low, high, price = (None if x is None else x / days for x in (gain.least, gain.most, cost))
    return Row(name, gain.found / days, colour, low, high, price)


def _profit(case: Case, days: int) -> Row:
    high = None if case.bound is None else case.bound / days
    low = None if high is None else case.profit / days
    return Row(_name(case), case.profit / days, of_strategy(case.strategy), low, high)


def _name(case: Case) -> str:
    way = "two-way" if case.two_way else "one-way"
    battery = f"{in_kwh(case.battery_kwh)} kWh" if case.battery_kwh else "no battery"
    alone = case.strategy == "uncoordinated"
    return label(case.strategy) if alone else f"{label(case.strategy)}, {way}, {battery}"


def _picture(rows: Sequence[Row], unit: str, *, prices: bool) -> str:
    """Bars beside each other on one scale."""
    if not rows:
        return '<p class="note">There is nothing to compare here.</p>'
    marks = [
        mark
        for row in rows
        for mark in (row.value, row.low, row.high, row.price)
        if mark is not None
    ]
    least, most = min(0.0, *marks), max(0.0, *marks)
    room = ROOM * ((most - least) or 1.0)
    least, most = least - room * (least < 0.0), most + room

    def at(value: float) -> float:
        return 100.0 * (value - least) / (most - least)

    lines = "".join(_line(row, at, unit) for row in rows)
    asked = '<span class="tall" style="--k:#d55e00">what it costs</span>' if prices else ""
    spans = "open: up to the bounds" if prices else "from the plan to its bound"
    return (
        f'<div class="rows">{lines}</div><p class="legend">'
        f'<span class="thin" style="--k:var(--ink)">{spans}</span>{asked}</p>'
    )


def _line(row: Row, at: Callable[[float], float], unit: str) -> str:
    start, end = sorted((at(0.0), at(row.value)))
    marks = f'<i class="bar-of" style="left:{start:.2f}%;width:{end - start:.2f}%"></i>'
    marks += f'<i class="zero" style="left:{at(0.0):.2f}%"></i>'
    if row.low is not None and row.high is not None:
        left, right = at(row.low), at(row.high)
        marks += (
            f'<i class="open" style="left:{left:.2f}%;width:{max(right - left, 0.3):.2f}%"></i>'
        )
    if row.price is not None:
        marks += f'<i class="price" style="left:{at(row.price):.2f}%"></i>'
    shown = money(row.value, unit)
    return (
        f'<span class="name">{escape(row.name)}</span>'
        f'<span class="value">{escape(shown)}</span>'
        f'<span class="track" style="--c:{row.colour}" role="img" '
        f'aria-label="{escape(row.name)}: {escape(shown)}">{marks}</span>'
    )


def _break_even(verdict: Verdict) -> str:
    """Per piece of equipment and year: what it may cost, as found and by the bounds."""
    unit, lines = verdict.words.currency, []
    if (gain := verdict.two_way.gain) is not None:
        lines.append(("Two-way charger", gain, verdict.costs.charger))
    lines += [
        (f"kWh of a battery of {in_kwh(size.kwh)} kWh", size.gain, verdict.costs.battery)
        for size in verdict.battery.sizes
    ]
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{_cell(value)}</td>" for value in _prices(gain, cost))
        + "</tr>"
        for name, gain, cost in lines
    )
    head = "".join(
        f'<th scope="col">{escape(text)}</th>'
        for text in ("as found", "at least", "at most", "with drivers' gain", "counted here at")
    )
    return (
        f'<div class="scroll"><table class="numbers"><thead><tr><th>[{escape(unit)} a year]</th>'
        f"{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _prices(gain: Gain, cost: float | None) -> tuple[float | None, ...]:
    with_drivers = gain.a_year(gain.found + gain.drivers)
    return (*map(gain.a_year, (gain.found, gain.least, gain.most)), with_drivers, cost)


def _cell(value: float | None) -> str:
    return DASH if value is None else number(value, 0 if abs(value) >= 100.0 else 1)


def _table(verdict: Verdict) -> str:
    days, unit = verdict.words.days, verdict.words.currency
    over = "the day" if days == 1 else f"{days} days"
    head = (
        "Plan",
        f"Profit, {over} [{unit}]",
        f"At most [{unit}]",
        f"Energy bought back [{unit}]",
        f"Drivers' cost [{unit}]",
        "Promises and limits",
    )
    body = "".join(
        f'<tr><th scope="row">{escape(_name(case))}</th>'
        + "".join(
            f"<td>{money(value)}</td>"
            for value in (case.profit, case.bound, case.fair_profit, case.drivers_cost)
        )
        + f"<td>{escape('; '.join(case.misses)) if case.misses else 'kept'}</td></tr>"
        for case in verdict.cases
    )
    heads = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    return (
        f'<div class="scroll"><table class="numbers plans"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
