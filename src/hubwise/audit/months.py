"""Plans of many days: every day by itself, what one leaves to the next, and the sums."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import polars as pl

from hubwise.audit.auditor import audit_record, planned
from hubwise.audit.conduct import CONDUCT, Conduct
from hubwise.audit.evidence import Evidence, gather
from hubwise.audit.felt import billed_prices
from hubwise.audit.hubs import net_kw
from hubwise.audit.money import agree_numbers, leaves, profit
from hubwise.audit.report import UNREADABLE, AuditReport, Check, Status, words
from hubwise.audit.stays import at_once_kw, charging_at_once_kwh
from hubwise.domain import Carried, Scenario
from hubwise.domain.arrays import Array
from hubwise.domain.plain import named, number, rows
from hubwise.record.days import DAYS, carried_in
from hubwise.record.folder import SUMMARY, PlanFolder, read
from hubwise.scenario import ScenarioError, load, with_participation
from hubwise.scenario.days import Day, Part, days_of, demand_charge_of, months_of, parts_of

EXACT = 1e-6
RELATIVE = 1e-9
_STATE = tuple(field.name for field in fields(Carried) if field.name not in ("session", "lists"))


@dataclass(frozen=True, slots=True)
class _DayFound:
    """A day's folder, what it was made for, and which day it is."""

    day: Day
    folder: PlanFolder
    evidence: Evidence
    conduct: Conduct

    @property
    def slots(self) -> slice:
        """The slots that are done."""
        return slice(0, self.day.slots)


def audit_days(folder: str | Path, scenario: Scenario | None = None) -> AuditReport:
    """Check a plan of many days against its scenario.

    Every day's folder is audited by itself. Then: each day begins with what the one before has
    left, that follows from the tables, and what was done adds up to the months.

    Parameters
    ----------
    folder
        What `hubwise plan --days` wrote.
    scenario
        What it was made for; by default what its summary names.
    """
    place = Path(folder)
    try:
        said = named(json.loads((place / SUMMARY).read_text(encoding="utf-8")))
        many = number(said.get("days_of_site"))
        site = scenario or load(
            str(said.get("scenario_source")), days=int(many) if many >= 1 else None
        )
        share = number(said.get("participation"))
        if 0.0 <= share <= 1.0 and share != site.participation:
            site = with_participation(site, share)
    except (ScenarioError, OSError, ValueError) as error:
        fault = str(error)
        check = Check(UNREADABLE[1], "The scenario can be read", Status.FAILS, where=fault)
        return AuditReport(place, (check,))
    return AuditReport(place, tuple(_checks(place, said, site)))


def _checks(place: Path, said: Mapping[str, object], site: Scenario) -> Iterator[Check]:
    due = days_of(site.situation.horizon)
    dates = sorted(it.name for it in (place / DAYS).iterdir())
    told = [str(day.get("date")) for day in rows(said.get("days"))]
    wanted = [str(day.date) for day in due[: len(dates)]]
    faults = [] if dates == wanted == told else [f"days/ holds {dates}, the summary tells {told}"]
    yield words("days: in a row", "There is one plan for each day, from the first on", faults, "")
    found: list[dict[str, object]] = []
    before = Carried.nothing(site.situation.hubs.battery_initial_kwh)
    for day in [] if faults else due[: len(dates)]:
        report = audit_record(place / DAYS / str(day.date), site)
        yield from _of_day(report, day)
        if not report.ok:
            yield Check("all further", "The rest is so", Status.UNCHECKED)
            return
        folder = read(place / DAYS / str(day.date))
        scenario = planned(folder, site)
        conduct = CONDUCT[str(folder.result["strategy"])]
        it = _DayFound(day, folder, gather(folder, scenario), conduct)
        yield _same(f"{day.date}: begins", before, carried_in(folder, "carried"))
        left, checks = _done(it, site)
        yield from checks
        before = carried_in(folder, "left")
        yield _same(f"{day.date}: leaves", left, before, within=EXACT)
        found.append(dict(folder.summary))
    if found:
        yield from _sums(said, found, place)


def _of_day(report: AuditReport, day: Day) -> Iterator[Check]:
    """One line for a day that holds, and what does not hold beside it."""
    bad = [it for it in report.checks if it.status in (Status.FAILS, Status.MISSED)]
    count = len(report.having(Status.HOLDS))
    yield Check(
        f"{day.date}: plan",
        f"The day's plan is so by itself ({count} checks hold)",
        Status.FAILS if not report.ok else Status.HOLDS,
    )
    yield from (replace(it, name=f"{day.date}: {it.name}") for it in bad)


def _same(name: str, due: Carried, found: Carried, *, within: float = 0.0) -> Check:
    """Two states that should be one."""
    faults = []
    if due.session.tolist() != found.session.tolist():
        faults.append("other stays go on")
    else:
        pairs = {key: (getattr(due, key), getattr(found, key)) for key in _STATE}
        pairs["charge_price"] = (due.lists.charge_price, found.lists.charge_price)
        pairs["discharge_price"] = (due.lists.discharge_price, found.lists.discharge_price)
        faults += [key for key, pair in pairs.items() if not _near(*pair, within)]
    what = "what the day before has left" if name.endswith("begins") else "what its tables give"
    advice = "plan the days again from this one on"
    return words(name, f"Stays, stations, lists and peaks are {what}", faults, advice)


def _near(due: Array, found: Array, within: float) -> bool:
    if due.shape != found.shape:
        return False
    apart = np.abs(due.astype(float) - found.astype(float))
    return bool((apart <= within * (1.0 + np.abs(due.astype(float)))).all())


def _done(it: _DayFound, site: Scenario) -> tuple[Carried, list[Check]]:
    """What the day leaves, and its parts, from the tables."""
    evidence, checks = it.evidence, []
    peak = evidence.scenario.situation.so_far.import_peak_kw
    peaks = np.zeros(len(site.situation.hubs)) if peak is None else peak
    told = rows(named(it.folder.summary["day"]).get("parts"))
    parts = parts_of(site.situation.horizon, it.day)
    money = _money(evidence)
    for k, part in enumerate(parts):
        peaks = peaks if k == 0 else np.zeros_like(peaks)
        items, peaks = _account(it, site, part, money, peaks)
        found = told[k] if k < len(told) else {}
        account = leaves(named(found.get("account")))
        name = f"{it.day.date}: done in {part.month}"
        promise = "The account of what was done is sums over its slots"
        checks.append(
            agree_numbers(
                name,
                promise,
                {**account, "profit": found.get("profit")},
                {**items, "profit": profit(items)},
                EXACT,
            )
        )
    checks.append(_bills_check(it, parts, money))
    return _left(it, site, money, peaks, parts[-1].month), checks


def _money(evidence: Evidence) -> dict[str, Array]:
    """Energy and money of every stay and slot; each of shape (sessions, slots)."""
    fleet, situation, hours = evidence.fleet, evidence.scenario.situation, evidence.hours
    takes_part, schedule = fleet.participating[:, None], evidence.schedule
    charge, discharge = billed_prices(evidence)
    reference = situation.market.reference_price
    at_once, _ = at_once_kw(fleet, situation.horizon)
    charged, discharged = hours * schedule.charge_kw, hours * schedule.discharge_kw
    drawn = discharged / fleet.discharge_efficiency[:, None]
    paid = charged * np.where(takes_part, charge, reference)
    earned = discharged * np.where(takes_part, discharge, 0.0)
    wear = drawn * fleet.wear_cost[:, None]
    return {
        "charged_kwh": charged,
        "discharged_kwh": discharged,
        "drawn": drawn,
        "paid": paid,
        "earned": earned,
        "wear": wear,
        "net_cost": paid - earned + wear,
        "reference_cost": hours * at_once * reference,
    }


def _account(
    it: _DayFound, site: Scenario, part: Part, money: Mapping[str, Array], peaks: Array
) -> tuple[dict[str, float], Array]:
    """The operator's line items in the part's slots, and the month's peaks after it."""
    evidence, slots = it.evidence, slice(part.first, part.last)
    situation, hours = evidence.scenario.situation, evidence.hours
    market, place, takes_part = situation.market, situation.hubs, evidence.fleet.participating
    buy, sell = market.purchase_price[slots], market.feed_in_price[slots]
    net = net_kw(evidence)[:, slots]
    power = (evidence.schedule.charge_kw - evidence.schedule.discharge_kw)[:, slots]
    others = hours * (power[~takes_part] * buy).sum()
    drawn = hours * evidence.hubs["battery_discharge_kw"][:, slots].sum(axis=1)
    standby = hours * (evidence.hubs["standby_kw"][:, slots] * buy).sum()
    highest = np.maximum(peaks, net.max(axis=1).clip(0.0))
    share = (part.last - part.first) / it.day.slots * it.conduct.has_stations
    paid, earned = money["paid"][:, slots], money["earned"][:, slots]
    items = {
        "charging_revenue": paid[takes_part].sum(),
        "discharge_payments": earned[takes_part].sum(),
        "purchases": hours * (np.maximum(net, 0.0) * buy).sum() - others - standby,
        "feed_in": hours * (np.maximum(-net, 0.0) * sell).sum(),
        "incentives": _incentives(evidence, slots),
        "demand_charges": demand_charge_of(site, part.month) * (highest - peaks).sum(),
        "running_cost": share * place.running_cost.sum(),
        "station_lease": share * place.lease_cost.sum(),
        "station_wear": (
            drawn / place.battery_discharge_efficiency * place.battery_wear_cost
        ).sum(),
        "margin_on_others": paid[~takes_part].sum() - others,
        "station_stock": 0.0,
        "standby": standby,
        "credited_regret": 0.0,  # schedules of several days are not rounded
    }
    return {name: float(amount) for name, amount in items.items()}, highest


def _incentives(evidence: Evidence, slots: slice) -> float:
    """What the operator receives for what participants discharge; no file names other terms."""
    takes_part = evidence.fleet.participating
    out = evidence.schedule.discharge_kw[takes_part][:, slots].sum(axis=0)
    paid = sum(
        (term.discharge_to_operator[0, slots] for term in evidence.scenario.situation.terms.parts),
        np.zeros(out.shape),
    )
    return float(evidence.hours * out @ paid)


def _bills_check(it: _DayFound, parts: list[Part], money: Mapping[str, Array]) -> Check:
    """``day.parquet``: every stay's energy and money in each part."""
    table, sessions = it.folder.tables["day"], it.evidence.fleet.session.tolist()
    faults = []
    due = [(part.month, name) for part in parts for name in sessions]
    if list(zip(table["month"], table["session"], strict=True)) != due:
        faults.append("day.parquet: other rows than a stay's in each month")
    else:
        for key in ("charged_kwh", "discharged_kwh", "paid", "earned", "wear", "reference_cost"):
            sums = [money[key][:, part.first : part.last].sum(axis=1) for part in parts]
            if not _near(np.concatenate(sums), table[key].to_numpy(), EXACT):
                faults.append(f"day.parquet, {key}")
    advice = "bill the day again"
    return words(f"{it.day.date}: bills", "Bills are prices times energy", faults, advice)


def _left(
    it: _DayFound, site: Scenario, money: Mapping[str, Array], peaks: Array, month: str
) -> Carried:
    """The state that the day's tables leave; price lists are those of the folder's own prices."""
    evidence, slots, last = it.evidence, it.slots, it.day.slots - 1
    fleet, horizon = evidence.fleet, evidence.scenario.situation.horizon
    on = np.flatnonzero(fleet.departure_slot > it.day.slots)
    told, carried = carried_in(it.folder, "left"), carried_in(it.folder, "carried")
    before = {name: k for k, name in enumerate(carried.session.tolist())}
    row = np.array([before.get(name, -1) for name in fleet.session[on].tolist()], np.int64)

    def since(key: str, so_far: Array) -> Array:
        found: Array = money[key][on, slots].sum(axis=1) + np.append(so_far, 0.0)[row]
        return found

    charge, discharge = billed_prices(evidence)
    keeps = fleet.participating[on] & it.conduct.posts_prices
    lists = told.lists
    for k, i in enumerate(on):  # each keeps what it was billed at
        if keeps[k] and 0 <= told.kept[k] < len(lists.charge_price):
            own = lists.charge_price[told.kept[k]], lists.discharge_price[told.kept[k]]
            rest = charge[i, it.day.slots :], discharge[i, it.day.slots :]
            keeps[k] = all(np.array_equal(a, b) for a, b in zip(own, rest, strict=True))
    whole = site.situation.horizon
    goes_on = it.day.last < whole.slots
    same = goes_on and months_of(whole.between(it.day.last, it.day.last + 1))[0] == month
    return Carried(
        session=fleet.session[on],
        energy_kwh=evidence.schedule.energy_kwh[on, last],
        at_once_kwh=charging_at_once_kwh(fleet, horizon)[on, last],
        drawn_kwh=since("drawn", carried.drawn_kwh),
        net_cost=since("net_cost", carried.net_cost),
        reference_cost=since("reference_cost", carried.reference_cost),
        participating=fleet.participating[on],
        kept=np.where(keeps, told.kept, -1),
        lists=lists,
        battery_kwh=evidence.hubs["battery_kwh"][:, last].clip(0.0),
        import_peak_kw=peaks if same else np.zeros_like(peaks),
    )


def _sums(
    said: Mapping[str, object], found: list[dict[str, object]], place: Path
) -> Iterator[Check]:
    """Months are the sums of what was done on their days, and bills those of every day's."""
    parts = [part for day in found for part in rows(named(day["day"]).get("parts"))]
    months = {str(month.get("month")): month for month in rows(said.get("months"))}
    names = list(dict.fromkeys(str(part["month"]) for part in parts))
    faults = [] if list(months) == names else [f"months {list(months)}, days have {names}"]
    yield words("months: named", "Every month of the days is there, and no other", faults, "")
    for name in names if not faults else []:
        own = [part for part in parts if part["month"] == name]
        yield agree_numbers(
            f"{name}: sums",
            "The month's account is the sum of its days, and its peak is paid for once",
            leaves(months[name]),
            _month(own),
            EXACT,
        )
    days = [
        pl.read_parquet(place / DAYS / str(day.get("date")) / "day.parquet")
        for day in rows(said.get("days"))
    ]
    yield _bills_of_months(pl.concat(days), place)


def _month(parts: list[dict[str, object]]) -> dict[str, float]:
    flat = [leaves(part) for part in parts]
    highest = ("peak_kw", "highest_import_kw")
    left_out = ("month", "import_peak_kw", "valley_kw", "account.terms", *highest)
    keys = dict.fromkeys(key for part in flat for key in part if key not in left_out)
    sums = {key: sum(number(part.get(key, 0.0)) for part in flat) for key in keys}
    return sums | {key: max(number(part[key]) for part in flat) for key in highest}


def _bills_of_months(days: pl.DataFrame, place: Path) -> Check:
    faults = []
    try:
        found = pl.read_parquet(place / "bills.parquet").sort("month", "session")
        due = days.group_by("month", "session").agg(pl.col(pl.Float64).sum())
        due = due.sort("month", "session")
        faults = [
            f"bills.parquet, {key}"
            for key in due.columns
            if not (
                found[key].equals(due[key])
                if key in ("month", "session")
                else _near(due[key].to_numpy(), found[key].to_numpy(), EXACT)
            )
        ]
    except (OSError, pl.exceptions.PolarsError, ValueError) as error:
        faults = [f"bills.parquet: {error}"]
    return words("months: bills", "Bills of a month are the sums of its days", faults, "")
