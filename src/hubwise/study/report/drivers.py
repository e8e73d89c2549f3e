"""Any driver's statement: data for the page, packed, since there are as many as drivers."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from itertools import groupby

import polars as pl

from hubwise.domain import Horizon
from hubwise.domain.plain import texts
from hubwise.domain.why import told_once
from hubwise.record import PlanFolder, PlanFolderError, Statement, make_statements, read
from hubwise.record.statement import Honoured, StayStatement
from hubwise.study.explained import with_reasons
from hubwise.study.report.axes import Spec, clock_axis, figure, layout, value_axis
from hubwise.study.report.cases import Case, Cases
from hubwise.study.report.packed import packed
from hubwise.study.report.palette import CHARGE, DISCHARGE, LIMIT, MUTED, STRATEGIES

MOST_SESSIONS = 20_000
"""Beyond this many sessions the page holds no statements; the command line gives each."""

# Digits that are kept of energies and shares; fade is small.
_DIGITS, _FADE_DIGITS = 3, 8


def packed_statements(cases: Cases) -> str:
    """Every driver's statement at every participation: JSON, gzip, base64; empty without any."""
    at = {f"{p:g}": made for p in cases.participations if (made := _at(cases.chosen(p)))}
    if not at:
        return ""
    content = {
        "currency": cases.scenario.situation.market.currency,
        "hours": cases.scenario.situation.horizon.slot_hours,
        "reference": cases.scenario.situation.market.reference_price.round(4).tolist(),
        "figure": _figure(
            cases.scenario.situation.horizon, cases.scenario.situation.market.currency
        ),
        "at": at,
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return packed(text)


def _at(case: Case | None) -> dict[str, object] | None:
    """The statements of a case, or nothing where its folder is no whole plan, or is too large."""
    try:
        folder = None if case is None else read(case.folder)
    except PlanFolderError:
        return None
    if folder is None or folder.tables["sessions"].height > MOST_SESSIONS:
        return None
    made, power = with_reasons(folder, make_statements(folder)), _powers(folder)
    terms = {row["session"]: row for row in folder.tables["sessions"].iter_rows(named=True)}
    return {
        "drivers": {
            one.driver: {
                "line": one.line,
                "total": _money(one) if len(one.stays) > 1 else None,
                "stays": [
                    _stay(stay, terms[stay.session], power[stay.session]) for stay in one.stays
                ],
            }
            for one in made
        },
        "picks": _picks(made),
        "told": texts(folder.result.get("told")),
        "prices": _prices(folder),
    }


def _stay(stay: StayStatement, terms: dict[str, float], power: list[float]) -> dict[str, object]:
    """One session as the page's script reads it."""
    gain = (terms["charge_efficiency"], terms["discharge_efficiency"])
    return {
        "session": stay.session,
        "hub": stay.hub,
        "from": _moment(stay, "arrival"),
        "to": _moment(stay, "departure"),
        "part": stay.participating,
        "declined": stay.declined,
        "money": stay.money.to_dict() | {"earned_share": _round(stay.money.earned_share)},
        "energy": {name: _round(kwh) for name, kwh in stay.energy.items()},
        "battery": {name: _round(value, name) for name, value in stay.battery.items()},
        "wishes": [_wish(wish) for wish in stay.wishes],
        "why": [
            [f"{each.begins:%H:%M}\u2013{each.until:%H:%M}", each.text]
            for each in told_once(stay.why)
        ],
        "slots": [terms["arrival_slot"], terms["departure_slot"]],
        "power": power,
        "gain": [_round(share, "fade") for share in gain],
    }


def _moment(stay: StayStatement, end: str) -> str:
    moment = getattr(stay, end)
    return f"{moment:%a} {moment.day} {moment:%b %H:%M}"


def _money(made: Statement) -> dict[str, object]:
    return made.money.to_dict() | {"earned_share": _round(made.money.earned_share)}


def _wish(wish: Honoured) -> list[object]:
    return [wish.title, wish.asked_words, wish.given_words, int(wish.honoured), wish.notice]


def _round(value: float | None, name: str = "") -> float | None:
    digits = _FADE_DIGITS if "fade" in name or "warranty_v2g" in name else _DIGITS
    return None if value is None else round(value, digits)


def _powers(folder: PlanFolder) -> dict[str, list[float]]:
    """Every stay's net power [kW] as runs: power, slots, power, slots, …"""
    rows = folder.tables["schedule"].select(
        "session", kw=(pl.col("charge_kw") - pl.col("discharge_kw")).round(2) + 0.0
    )
    found: dict[str, list[float]] = {}
    for (session, kw), run in groupby(rows.iter_rows()):
        found.setdefault(session, []).extend((kw, sum(1 for _ in run)))
    return found


def _prices(folder: PlanFolder) -> dict[str, list[list[float]]]:
    """Charge and discharge price of each hub in every slot [currency/kWh]."""
    found: dict[str, list[list[float]]] = {}
    for hub, charge, discharge in (
        folder.tables["prices"].select("hub", "charge_price", "discharge_price").iter_rows()
    ):
        pair = found.setdefault(hub, [[], []])
        pair[0].append(round(charge, 4))
        pair[1].append(round(discharge, 4))
    return found


def _picks(made: list[Statement]) -> list[list[str]]:
    """Drivers whom one may want to look at first: words and name."""
    participants = [one for one in made if any(stay.participating for stay in one.stays)]
    ranked: list[tuple[str, list[Statement], Callable[[Statement], Decimal]]] = [
        ("saves most", participants, lambda one: one.money.saving),
        ("saves least", participants, lambda one: -one.money.saving),
        (
            "earns most",
            [one for one in participants if one.money.earned > 0],
            lambda o: o.money.earned,
        ),
        ("was told something", [one for one in made if _has_notice(one)], lambda _: Decimal(0)),
        (
            "does not take part",
            [one for one in made if one not in participants],
            lambda _: Decimal(0),
        ),
    ]
    return [[words, max(some, key=rank).driver] for words, some, rank in ranked if some]


def _has_notice(made: Statement) -> bool:
    return any(wish.notice for stay in made.stays for wish in stay.wishes)


def _figure(horizon: Horizon, currency: str) -> Spec:
    """The figure of one stay without its numbers, which the page's script fills in."""
    axis = clock_axis(horizon) | {"anchor": "y2"}
    before, start, *_ = axis["categoryarray"]
    first = {"x0": start, "dx": 1}
    energy = {
        **first,
        "type": "scatter",
        "mode": "lines",
        "name": "Energy in the battery",
        "line": {"color": STRATEGIES["hubwise"], "width": 2.5},
        "hovertemplate": "%{y:.1f} kWh",
    }
    reserve = {
        **first,
        "type": "scatter",
        "mode": "lines",
        "name": "Reserve",
        "line": {"color": LIMIT, "width": 1.5, "dash": "dash"},
        "hovertemplate": "%{y:.1f} kWh",
    }
    bars = [
        {
            **first,
            "type": "bar",
            "name": name,
            "yaxis": "y2",
            "marker": {"color": colour},
            "hovertemplate": f"%{{y:.1f}} kW at %{{customdata:.4f}} {currency}/kWh",
        }
        for name, colour in (("Charging", CHARGE), ("Discharging", DISCHARGE))
    ]
    prices = [
        {
            **first | {"x0": before},  # the script repeats both ends, so that steps reach the edges
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "yaxis": "y3",
            "line": {"color": colour, "width": 1.5, "shape": "hvh"},
            "hovertemplate": f"%{{y:.4f}} {currency}/kWh",
        }
        for name, colour in (("Charge price", MUTED), ("Discharge price", DISCHARGE))
    ]
    look = layout(
        430,
        axis,
        value_axis("battery, kWh", domain=[0.56, 1.0], rangemode="tozero"),
        yaxis2=value_axis("power, kW", domain=[0.27, 0.5], zeroline=True, zerolinecolor="#c9d1d9"),
        yaxis3=value_axis(
            f"price, {currency}/kWh", domain=[0.0, 0.21], rangemode="tozero", tickformat=".2f"
        ),
        barmode="relative",
        bargap=0,
    )
    return figure([energy, reserve, *bars, *prices], look | {"xaxis": axis | {"anchor": "y3"}})
