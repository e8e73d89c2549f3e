"""Batteries: ageing.parquet and wear prices, by the library ``rainflow`` and session by session.

The published curves of the cells are taken as they are (the tests hold them against another
implementation); the day, its cycles, its repetition for years and its worth are derived again.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import rainflow

from hubwise.audit.conduct import Conduct
from hubwise.audit.evidence import Evidence
from hubwise.audit.money import MONEY, agree_numbers
from hubwise.audit.report import Check, Finding, Status, agree, judge
from hubwise.battery import MODELS, STEPS, Model, Stress, range_sentences
from hubwise.domain import CELLS, Fleet
from hubwise.domain.arrays import Array, Index

YEAR = 365.0
# Sessions whose fade is derived again; among those that discharge, and among the others.
SAMPLE = 60
SHARE = 1e-9
# How far wear prices may be from what the model finds, as a share of all wear.
STILL = 0.01
# Draws below this are rounding [kWh]; rates below this are rest [1/h].
CRUMB_KWH, REST = 1e-6, 1e-2
CYCLES = 8


def check_batteries(evidence: Evidence, conduct: Conduct) -> Iterator[Check]:
    """Every number of ageing.parquet, fade limits, and whether wear prices hold."""
    columns = evidence.folder.tables["ageing"]
    found = {
        name: columns[name].to_numpy() for name in columns.columns if columns[name].dtype.is_float()
    }
    yield _sums(evidence, found)
    yield _fade(evidence, found)
    yield _fade_limits(evidence, found)
    change = _change(evidence, found, conduct)
    yield _figures(evidence, found, change)
    yield _said(evidence)
    if evidence.scenario.situation.battery.wear == "nonlinear" and conduct.posts_prices:
        yield _prices_hold(change)


def _drawn(evidence: Evidence) -> Array:
    """Energy drawn from each battery; shape (sessions,) [kWh]."""
    power = evidence.schedule.discharge_kw / evidence.fleet.discharge_efficiency[:, None]
    drawn: Array = evidence.hours * power.sum(axis=1)
    return drawn


def _days(evidence: Evidence) -> float:
    return evidence.scenario.situation.horizon.slots * evidence.hours / 24.0


def _worth(evidence: Evidence) -> Array:
    """What a battery's whole capacity is worth while it lasts; shape (sessions,) [currency]."""
    facts, fleet = evidence.scenario.situation.battery, evidence.fleet
    price = {str(name): value for name, value in facts.pack_price}
    packs = np.array([price.get(str(name), np.nan) for name in fleet.chemistry])
    worth: Array = packs * fleet.capacity_kwh / (1.0 - facts.end_of_life)
    return worth


def _sums(evidence: Evidence, found: dict[str, Array]) -> Check:
    """What needs no model: throughput, linear wear, the worth of fade, warranty, earnings."""
    fleet, drawn = evidence.fleet, _drawn(evidence)
    own, kept = _throughput(evidence)
    bills = evidence.bills
    paid = bills["paid"]
    share = np.divide(bills["earned"], paid, out=np.zeros_like(paid), where=paid > 0.0)
    used = fleet.throughput_kwh + fleet.driving_kwh_per_day * _days(evidence) + drawn
    return agree(
        "batteries: sums",
        "Throughput, linear wear, the worth of fade, warranty and earnings are sums over the day",
        {
            "ageing.temperature_c": (found["temperature_c"], fleet.temperature_c),
            "ageing.equivalent_full_cycles_driving": (
                found["equivalent_full_cycles_driving"],
                kept,
            ),
            "ageing.equivalent_full_cycles_v2g": (
                found["equivalent_full_cycles_v2g"],
                own - kept,
            ),
            "ageing.wear_linear": (found["wear_linear"], evidence.original.wear_cost * drawn),
            "ageing.wear_nonlinear": _known(
                found["wear_nonlinear"], found["fade_v2g"] * _worth(evidence)
            ),
            "ageing.warranty_used": (found["warranty_used"], used / fleet.warranty_kwh),
            "ageing.earned_share": (found["earned_share"], share),
        },
        evidence.sessions_axis,
        MONEY,
        advice="make the plan again: what drivers would read of their batteries is not so",
    )


def _known(found: Array, due: Array) -> tuple[Array, Array]:
    """Both with zeros where neither is known."""
    unknown = np.isnan(found) & np.isnan(due)
    return np.where(unknown, 0.0, found), np.where(unknown, 0.0, due)


def _throughput(evidence: Evidence) -> tuple[Array, Array]:
    """Full cycles of every day, with and without discharging: half of all that goes up or down."""
    full = np.empty((2, len(evidence.fleet)))
    for i in range(len(evidence.fleet)):
        for k, path in enumerate(_paths(evidence, i)):
            turns = [*path, path[0]]
            full[k, i] = sum(abs(b - a) for a, b in pairwise(turns)) / 2.0
    return full[0], full[1]


def _paths(evidence: Evidence, i: int) -> tuple[list[float], list[float]]:
    """States of charge round the clock of one session, with and without discharging."""
    fleet = evidence.fleet
    begin, end = int(fleet.arrival_slot[i]), int(fleet.departure_slot[i])
    own = [float(energy) for energy in evidence.schedule.energy_kwh[i, begin:end]]
    kept, owed, level = [], 0.0, float(fleet.arrival_kwh[i])
    for energy in own:
        owed = max(owed + level - energy, 0.0)
        level = energy
        kept.append(level + owed)
    return _round_the_clock(evidence, i, own), _round_the_clock(evidence, i, kept)


def _round_the_clock(evidence: Evidence, i: int, stay: list[float]) -> list[float]:
    """The stay, then driving in the first half of the absence, then back to where it began."""
    fleet, slots = evidence.fleet, evidence.scenario.situation.horizon.slots
    first, left, away = float(fleet.arrival_kwh[i]), stay[-1], slots - len(stay)
    low = left - min(float(fleet.driving_kwh_per_day[i]) * _days(evidence), left)
    path = [first, *stay]
    for k in range(1, away + 1):
        part = 2.0 * k / away
        path.append(
            left + (low - left) * part if part <= 1.0 else low + (first - low) * (part - 1.0)
        )
    capacity = float(fleet.capacity_kwh[i])
    return [min(max(energy / capacity, 0.0), 1.0) for energy in path]


def _fade(evidence: Evidence, found: dict[str, Array]) -> Check:
    """A sample of sessions, with cycles counted by the library and years gone through afresh."""
    facts = evidence.scenario.situation.battery
    cells, drawn = dict(facts.cells), _drawn(evidence) > CRUMB_KWH
    rows = np.concatenate([_some(np.flatnonzero(drawn)), _some(np.flatnonzero(~drawn))])
    due = np.empty((2, len(rows)))
    span = _days(evidence) / (facts.years * YEAR)
    for k, i in enumerate(rows):
        model = MODELS[cells[str(evidence.fleet.chemistry[i])]]
        own, kept = _paths(evidence, int(i))
        begun = np.zeros((3, 1))
        age = float(evidence.fleet.age_years[i])
        if age > 0.0:
            begun = _lived(model, kept, evidence, int(i), age, begun)
        new = _capacity(begun)
        with_v2g, without = (
            _capacity(_lived(model, path, evidence, int(i), facts.years, begun)) - new
            for path in (own, kept)
        )
        due[:, k] = without * span, (with_v2g - without) * span if drawn[i] else 0.0
    return agree(
        "batteries: fade",
        f"Fade is what the cells' published curves make of the day ({len(rows)} sessions sampled)",
        {
            "ageing.fade_driving": (found["fade_driving"][rows], due[0]),
            "ageing.fade_v2g": (found["fade_v2g"][rows], due[1]),
        },
        [("session", evidence.fleet.session[rows].tolist())],
        SHARE,
        advice="make the plan again: the fade is not that of these schedules",
    )


def _some(rows: Index) -> Index:
    """At most `SAMPLE` of the rows, spread evenly."""
    places = np.linspace(0, len(rows) - 1, min(SAMPLE, len(rows))).round().astype(np.int64)
    some: Index = rows[np.unique(places)]
    return some


def _capacity(lost: Array) -> float:
    """Capacity lost: lithium's by time and cycles, or what electrode is lost beyond 1 % spare."""
    return float(max(lost[0, 0] + lost[1, 0], lost[2, 0] - 0.01))


def _lived(
    model: Model, path: list[float], evidence: Evidence, i: int, years: float, begun: Array
) -> Array:
    """What is lost to time, cycles and electrode after years of one day; shape (3, 1)."""
    lost = begun.copy()
    depths = _cycles(path)
    days, full = years * YEAR / STEPS, sum(depths)
    repeats = days / _days(evidence)
    for _ in range(STEPS):
        now = _stress(path, depths, evidence, i, max(1.0 - _capacity(lost), 0.3))
        before = lost.copy()
        lost[0] = model.calendar(now).after(before[0], days / model.day)
        if full > 0.0:
            lost[1] = model.cycles(now).after(before[1], full * repeats / model.cycle)
            if model.electrode is not None:
                lost[2] = model.electrode(now).after(before[2], full * repeats)
    return lost


def _cycles(path: list[float]) -> list[float]:
    """Depths of the day's cycles, deepest first, by the library: whole when begun at the top."""
    top = path.index(max(path))
    turned = [*path[top:], *path[:top], path[top]]
    halves = [
        depth
        for depth, _, count, _, _ in rainflow.extract_cycles(turned)
        for _ in range(round(2 * count))
    ]
    return sorted(halves, reverse=True)[::2]


def _stress(
    path: list[float], depths: list[float], evidence: Evidence, i: int, left: float
) -> Stress:
    """The day's stress on a battery of which ``left`` is left; swings below the top have grown."""
    top, step = max(path), evidence.hours
    soc = np.array([[max(top - (top - level) / left, 0.0) for level in path]])
    weight = np.full(len(path), 1.0)
    weight[[0, -1]] = 0.5
    rates = [abs(b - a) / step for a, b in pairwise(path)]
    told = depths[:CYCLES] or [0.0]
    shares = [depth / (sum(depths) or 1.0) for depth in told]
    shares[-1] += sum(depths[CYCLES:]) / (sum(depths) or 1.0)
    return Stress(
        temperature_k=np.array([[float(evidence.fleet.temperature_c[i]) + 273.15]]),
        soc=soc,
        weight=weight / weight.sum(),
        depth=np.array([[min(depth / left, 1.0) for depth in told]]),
        share=np.array([shares]),
        rate=np.array([sum(rate for rate in rates if rate >= REST) / len(rates)]),
        full_cycles=np.array([sum(depths)]),
        days=_days(evidence),
    )


def _fade_limits(evidence: Evidence, found: dict[str, Array]) -> Check:
    extra = found["fade_v2g"] * YEAR / _days(evidence)
    over = extra - evidence.fleet.fade_limit_per_year
    worst = int(np.argmax(over)) if len(over) else 0
    where = f"session {evidence.fleet.session[worst]}" if len(over) else ""
    return judge(
        "batteries: fade limits",
        "Discharging takes no more capacity a year than each driver accepts",
        [Finding(float(over[worst]) if len(over) else 0.0, where)],
        0.0,
        advice="make the plan again: a driver's limit is broken",
    )


def _figures(evidence: Evidence, found: dict[str, Array], change: float) -> Check:
    fleet: Fleet = evidence.fleet
    participants = fleet.participating
    due = {"wear_priced": float(fleet.wear_cost @ _drawn(evidence)), "wear_change": change}
    due["wear_nonlinear"] = float(found["wear_nonlinear"].sum())
    due |= dict.fromkeys(("fade_per_year_driving", "fade_per_year_v2g"), np.nan)
    if participants.any():
        a_year = YEAR / _days(evidence)
        due["fade_per_year_driving"] = a_year * float(found["fade_driving"][participants].mean())
        due["fade_per_year_v2g"] = a_year * float(found["fade_v2g"][participants].mean())
    return agree_numbers(
        "batteries: figures",
        "Wear and fade in the summary are sums and means over ageing.parquet",
        evidence.result,
        due,
        MONEY,
    )


def _change(evidence: Evidence, found: dict[str, Array], conduct: Conduct) -> float:
    """How far all wear at the plan's prices is from the model's, where those are found; else 0."""
    if evidence.scenario.situation.battery.wear == "linear" or not conduct.posts_prices:
        return 0.0
    drawn = _drawn(evidence)
    off = np.abs(found["wear_nonlinear"] - evidence.fleet.wear_cost * drawn)[drawn > CRUMB_KWH]
    whole = float(np.abs(found["wear_nonlinear"]).sum())
    return float(off.sum()) / whole if whole > 0.0 else 0.0


def _prices_hold(change: float) -> Check:
    return Check(
        "batteries: wear prices",
        "What a kWh drawn is said to cost is what the cell models make of it, within 1 % of all "
        "wear",
        Status.HOLDS if change < STILL else Status.MISSED,
        worst=change,
        tolerance=STILL,
        advice="" if change < STILL else "wear prices have not settled: plan again",
    )


def _said(evidence: Evidence) -> Check:
    """How wear is priced, and what leaves the tested range, in words."""
    result = evidence.result
    due = {
        "wear": evidence.scenario.situation.battery.wear,
        "warnings": list(_warnings(evidence)),
    }
    faults = [name for name, words in due.items() if result.get(name) != words]
    return Check(
        "batteries: said",
        "The summary says how wear is priced, and where batteries leave what cells were tested at",
        Status.FAILS if faults else Status.HOLDS,
        where=", ".join(f"summary.json, {name}: {result.get(name)!r}" for name in faults),
        advice="make the plan again: the words are not of this plan" if faults else "",
    )


def _warnings(evidence: Evidence) -> Iterator[str]:
    """What leaves the tested range: a day's deepest cycle is from its highest to its lowest."""
    fleet, schedule = evidence.fleet, evidence.schedule
    cells = dict(evidence.scenario.situation.battery.cells)
    days = [_paths(evidence, i)[0] for i in range(len(fleet))]
    low, high = np.array([(min(day), max(day)) for day in days]).reshape(-1, 2).T
    into = schedule.charge_kw.max(axis=1) * fleet.charge_efficiency
    out = schedule.discharge_kw.max(axis=1) / fleet.discharge_efficiency
    conditions = {
        "temperature": fleet.temperature_c,
        "lowest state of charge": low,
        "highest state of charge": high,
        "depth of the deepest cycle": high - low,
        "charging": into / fleet.capacity_kwh,
        "discharging": out / fleet.capacity_kwh,
    }
    for chemistry in sorted(set(fleet.chemistry.tolist())):
        own = fleet.chemistry == chemistry
        for condition, found in conditions.items():
            yield from range_sentences(CELLS[cells[chemistry]], condition, found[own])
