"""Tables and cards as HTML; every text that comes from outside is escaped here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape

from hubwise.domain.plain import texts
from hubwise.study.report.cases import Case, Cases, advice, ratios, violations
from hubwise.study.report.glossary import (
    DASH,
    EN,
    OUTCOME_MEANINGS,
    PUBLISHED,
    PUBLISHED_CITATION,
    change,
    finite,
    label,
    money,
    number,
    percent,
    power,
    tiny,
)
from hubwise.study.report.palette import of_strategy

Reading = Callable[[Case], str]


def table(head: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """A table of cells that are HTML already; the first column is the row's heading."""
    return grouped(head, [("", rows)], kind)


def grouped(
    head: Sequence[str], groups: Iterable[tuple[str, Iterable[Sequence[str]]]], kind: str
) -> str:
    """A table whose rows stand in groups, each below its own title."""
    top = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    bodies = "".join(_body(title, rows, len(head)) for title, rows in groups)
    start = f'<div class="scroll"><table class="{kind}"><thead><tr>{top}</tr></thead>'
    return f"{start}{bodies}</table></div>"


def _body(title: str, rows: Iterable[Sequence[str]], columns: int) -> str:
    above = f'<tr class="group"><th colspan="{columns}">{title}</th></tr>' if title else ""
    return f"<tbody>{above}{''.join(_row(row) for row in rows)}</tbody>"


def _row(cells: Sequence[str]) -> str:
    values = "".join(f"<td>{cell}</td>" for cell in cells[1:])
    return f'<tr><th scope="row">{cells[0]}</th>{values}</tr>'


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Names and values under each other; the values are HTML already."""
    body = "".join(f'<tr><th scope="row">{name}</th><td>{value}</td></tr>' for name, value in rows)
    return f'<table class="facts"><tbody>{body}</tbody></table>'


def chip(strategy: str) -> str:
    """A strategy's name behind a dot of its colour."""
    colour = of_strategy(strategy)
    return f'<span class="chip" style="--c:{colour}">{escape(label(strategy))}</span>'


def cards(cases: Cases, share: float) -> str:
    """The headline numbers at one participation."""
    case, yardstick = cases.chosen(share), cases.yardstick(share)
    if case is None:
        return '<p class="note">No result at this participation.</p>'
    parts = ratios(case, yardstick)
    unit = escape(cases.scenario.situation.market.currency)
    known = [
        _card("Peak-valley difference", change(parts["peak_valley"]), _head(case, yardstick)),
        _card("Participants' cost", change(parts["participant_cost"]), _cost(case, unit)),
        _card("Operator's profit", *_profit(case, parts["profit"], unit)),
        _card("Limits broken", *_limits(case, yardstick)),
    ]
    return f'<div class="cards">{"".join(known)}</div>{_missed(case)}'


def _missed(case: Case) -> str:
    """What the plan says it missed, as a notice below the cards; nothing where all holds."""
    panels = {
        "What would be better": texts(case.result.get("better")),
        "What this plan missed": advice(case),
    }
    return "".join(
        f'<div class="panel missed"><h3>{title}</h3><ul>'
        + "".join(f"<li>{escape(line)}</li>" for line in lines)
        + "</ul></div>"
        for title, lines in panels.items()
        if lines
    )


def _card(title: str, figure: str, detail: str, kind: str = "") -> str:
    return (
        f'<article class="card {kind}"><h3>{title}</h3><p class="figure-number">{figure}</p>'
        f"<p>{detail}</p></article>"
    )


def _head(case: Case, yardstick: Case | None) -> str:
    now = power(case.value("peak_valley_kw"), "kW")
    before = yardstick.value("peak_valley_kw") if yardstick else None
    return now if before is None else f"{power(before)} → {now}"


def _cost(case: Case, unit: str) -> str:
    now = money(case.value("participant_cost"), unit)
    before = case.value("participant_reference_cost")
    return now if before is None else f"{money(before)} → {now}, battery wear included"


def _profit(case: Case, share: float | None, unit: str) -> tuple[str, str]:
    figure = money(case.value("operator_profit"))
    if figure != DASH:
        figure += f' <span class="unit">{unit}</span>'
    parts = []
    if share is not None:
        parts.append(f"{percent(share, 1)} of the fleet's uncoordinated cost")
    bare = case.value("operator_profit_without_incentive")
    if bare is not None and bare != case.value("operator_profit"):
        parts.append(f"{money(bare, unit)} without the incentive")
    return figure, "; ".join(parts)


def _limits(case: Case, yardstick: Case | None) -> tuple[str, str, str]:
    count = violations(case)
    before = violations(yardstick) if yardstick else None
    detail = "Limits of voltages, branches, transformers, connections and circuits over all slots"
    if before is not None and yardstick is not case:
        detail += f"; uncoordinated {number(before)}"
    return number(count), detail, "bad" if count else "good"


def headline(cases: Cases, share: float) -> str:
    """The page in one sentence."""
    case, yardstick = cases.chosen(share), cases.yardstick(share)
    if case is None:
        return "This study holds no result."
    parts, count = ratios(case, yardstick), violations(case)
    clauses = [
        _moves("the feeder's peak-valley difference", parts["peak_valley"]),
        _moves("what participants pay", parts["participant_cost"]),
        _kept(case.value("operator_profit"), cases.scenario.situation.market.currency),
    ]
    if count is not None:
        clauses.append(f"<b>{count:,}</b> limits are broken" if count else "no limit is broken")
    opening = f"With <b>{percent(share)}</b> of sessions participating"
    return f"{opening}: {_joined([clause for clause in clauses if clause])}."


def _kept(profit: float | None, unit: str) -> str:
    """What the operator is left with, in words."""
    if profit is None:
        return ""
    word = "keeps" if profit >= 0.0 else "loses"
    return f"the operator {word} <b>{escape(money(abs(profit), unit))}</b>"


def _moves(what: str, ratio: float | None) -> str:
    if ratio is None:
        return ""
    if round(ratio, 2) == 1.0:
        return f"{what} stays as it was"
    verb = "falls" if ratio < 1 else "rises"
    return f"{what} {verb} by <b>{percent(abs(ratio - 1))}</b>"


def _joined(clauses: Sequence[str]) -> str:
    first, last = ", ".join(clauses[:-1]), "".join(clauses[-1:])
    return f"{first}, and {last}" if first else last or "no number is known"


FEEDER_ROWS: tuple[tuple[str, Reading], ...] = (
    ("Peak, kW", lambda case: power(case.value("peak_kw"))),
    ("Valley, kW", lambda case: power(case.value("valley_kw"))),
    ("Peak-valley difference, kW", lambda case: power(case.value("peak_valley_kw"))),
    ("Load factor", lambda case: percent(case.value("load_factor"), 1)),
    ("Losses, kWh", lambda case: power(case.value("losses_kwh"))),
    ("Lowest voltage, p.u.", lambda case: number(case.value("min_voltage_pu"), 4)),
    (
        "Transformer, highest loading",
        lambda case: percent(case.value("transformer_peak_loading"), 1),
    ),
    ("Transformer life used, days", lambda case: number(case.value("transformer_life_days"), 3)),
    ("Limits broken", lambda case: broken(violations(case))),
)


def broken(count: int | None) -> str:
    """A count of broken limits, marked where it is not zero."""
    text = number(count)
    return f'<span class="bad">{text}</span>' if count else text


def feeder_table(cases: Cases, share: float) -> str:
    """What the feeder gained, strategies side by side."""
    side_by_side = cases.at(share)
    rows = [[name, *(read(case) for case in side_by_side)] for name, read in FEEDER_ROWS]
    kind = {1: "numbers", 2: "numbers even pair"}.get(len(side_by_side), "numbers even")
    return table(["", *(chip(case.strategy) for case in side_by_side)], rows, kind)


RESULT_COLUMNS: tuple[tuple[str, Reading], ...] = (
    ("Peak<br>kW", lambda case: power(case.value("peak_kw"))),
    ("Peak-valley<br>kW", lambda case: power(case.value("peak_valley_kw"))),
    ("Losses<br>kWh", lambda case: power(case.value("losses_kwh"))),
    ("Lowest<br>voltage", lambda case: number(case.value("min_voltage_pu"), 3)),
    ("Trans&shy;former", lambda case: percent(case.value("transformer_peak_loading"))),
    ("Limits<br>broken", lambda case: broken(violations(case))),
    ("Fleet's<br>cost", lambda case: money(case.value("fleet_cost"))),
    ("Participants'<br>cost", lambda case: money(case.value("participant_cost"))),
    ("Operator's<br>profit", lambda case: money(case.value("operator_profit"))),
    (
        "… without<br>incentive",
        lambda case: money(case.value("operator_profit_without_incentive")),
    ),
    ("Energy left<br>kWh", lambda case: power(_energy_left(case))),
    ("Cost, energy<br>bought back", lambda case: percent(case.value("energy_fair_cost_ratio"), 1)),
    ("… or profit<br>so", lambda case: money(case.value("energy_fair_profit"))),
    ("Largest<br>regret", lambda case: tiny(case.value("max_regret"))),
    ("Shortfall<br>kWh", lambda case: number(case.value("shortfall_kwh"), 1)),
)


def _energy_left(case: Case) -> float | None:
    """In cars and stations, beyond the uncoordinated day [kWh]."""
    parts = [case.value(key) for key in ("energy_left_kwh", "station_energy_left_kwh")]
    return None if None in parts else sum(part for part in parts if part is not None)


def results_table(cases: Cases) -> str:
    """Every strategy at every participation."""
    groups = [
        (
            f"{percent(share)} participating",
            [
                [chip(case.strategy), *(read(case) for _, read in RESULT_COLUMNS)]
                for case in cases.at(share)
            ],
        )
        for share in cases.participations
    ]
    return grouped(["", *(name for name, _ in RESULT_COLUMNS)], groups, "numbers results many")


OUTCOME_COLUMNS: tuple[tuple[str, str, Callable[[object], str]], ...] = (
    ("Operator's profit", "operator_profit", money),
    ("… without incentive", "operator_profit_without_incentive", money),
    ("Participants' cost", "participant_cost", money),
    ("Peak, kW", "peak_kw", power),
    ("Peak-valley difference, kW", "peak_valley_kw", power),
    ("Transformer, highest loading", "transformer_peak_loading", lambda share: percent(share, 1)),
)


def outcomes_table(cases: Cases, share: float) -> str:
    """The three values of the plan, with a bar behind every number."""
    case = cases.chosen(share)
    outcomes = case.result.get("outcomes") if case else None
    if not isinstance(outcomes, Mapping) or not outcomes:
        return '<p class="note">This result does not hold the three values.</p>'
    known = {name: part for name, part in outcomes.items() if isinstance(part, Mapping)}
    columns = [
        [title, *_barred([part.get(key) for part in known.values()], write)]
        for title, key, write in OUTCOME_COLUMNS
        if any(finite(part.get(key)) is not None for part in known.values())
    ]
    rows = [
        [_outcome_name(name), *(column[1 + k] for column in columns)]
        for k, name in enumerate(known)
    ]
    return table(["", *(column[0] for column in columns)], rows, "numbers outcomes")


def _outcome_name(name: str) -> str:
    title, meaning = OUTCOME_MEANINGS.get(name, (name.capitalize(), ""))
    return f"{escape(title)}<small>{escape(meaning)}</small>"


def _barred(column: Sequence[object], write: Callable[[object], str]) -> list[str]:
    """Cells of a column, each number above a bar that is as long as its share of the greatest."""
    known = [finite(value) or 0.0 for value in column]
    greatest = max((abs(value) for value in known), default=0.0) or 1.0
    return [
        f'{write(value)}<span class="meter{" minus" if size < 0 else ""}" '
        f'style="--w:{100 * abs(size) / greatest:.1f}%"></span>'
        for value, size in zip(column, known, strict=True)
    ]


def published_table(cases: Cases) -> str:
    """The published study's figures beside ours, participations side by side."""
    shares = cases.participations
    promises = cases.scenario.situation.promises
    baseline = {"peak_valley": promises.peak_valley, "participant_cost": promises.saving}
    rows = []
    for measure in PUBLISHED:
        ours = [_ours(cases, share, measure.key) for share in shares]
        said = f"about {number(measure.value, 2)} <small>{measure.said}</small>"
        rows.append([measure.measure, said, *ours, number(baseline.get(measure.key), 2)])
    head = [
        "",
        f"Published study, 60{EN}80 %",
        *(f"Ours at {percent(p)}" for p in shares),
        "Promised",
    ]
    return table(head, rows, "numbers") + f'<p class="note">Source: {PUBLISHED_CITATION}.</p>'


def _ours(cases: Cases, share: float, key: str) -> str:
    case = cases.case(share, "hubwise")
    ratio = ratios(case, cases.yardstick(share))[key] if case else None
    if ratio is None:
        return DASH
    small = percent(ratio, 1) if key == "profit" else change(ratio, 1)
    return f"<b>{number(ratio, 3)}</b> <small>{small}</small>"
