"""Money: every bill from prices and schedule, the operator's account from sums, books in cents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

import numpy as np
import polars as pl

from hubwise.audit.conduct import Conduct
from hubwise.audit.evidence import Evidence
from hubwise.audit.felt import billed_prices, received
from hubwise.audit.hubs import net_kw
from hubwise.audit.report import Check, Finding, Status, agree, judge
from hubwise.audit.stays import at_once_kw
from hubwise.domain.arrays import Array
from hubwise.domain.plain import is_number, named
from hubwise.ledger import minor_unit

MONEY = 1e-6  # currency
LEAST_CREDIT = 1e-7  # currency; less is rounding


def check_money(evidence: Evidence, conduct: Conduct) -> Iterator[Check]:
    """Bills, account and books."""
    yield _bills(evidence, conduct)
    found, items = leaves(named(evidence.folder.summary["account"])), account(evidence, conduct)
    strange = {key: 0.0 for key in found if key not in items and key != "terms"}
    yield agree_numbers(
        "money: account",
        "The operator's line items are sums over bills, meters and stations, and there are no more",
        {"station_stock": 0.0, "credited_regret": 0.0, "standby": 0.0} | found,
        items | strange,
        MONEY,
    )
    yield _books(evidence)


def agree_numbers(
    name: str,
    promise: str,
    found: Mapping[str, object],
    derived: Mapping[str, float],
    tolerance: float,
    *,
    relative: float = 1e-9,
) -> Check:
    """A check that ``found`` has the derived numbers; a missing one is as wrong as can be.

    The tolerance grows with the number: ``relative`` of its size is rounding.
    """
    findings = [
        Finding(
            _apart(found.get(key), value) - relative * abs(np.nan_to_num(value)),
            f"summary.json, {key}: {found.get(key)!r}, derived {value!r}",
        )
        for key, value in derived.items()
    ]
    advice = "the summary is not of these tables: make the plan again"
    return judge(name, promise, findings, tolerance, advice=advice)


def leaves(value: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Nested keys as one path each, joined by dots."""
    flat: dict[str, object] = {}
    for key, item in value.items():
        nested = named(item)
        flat |= leaves(nested, f"{prefix}{key}.") if nested else {prefix + key: item}
    return flat


def _apart(found: object, value: float) -> float:
    """Distance of a number in JSON from the derived one; what is not finite is null in JSON."""
    if not np.isfinite(value):
        return 0.0 if found is None else np.inf
    return abs(found - value) if is_number(found) else np.inf


def _bills(evidence: Evidence, conduct: Conduct) -> Check:
    derived = bills(evidence, credits=conduct.posts_prices)
    return agree(
        "money: bills",
        "Every bill is prices times energy; net cost, saving and regret follow from it",
        {f"bills.{name}": (evidence.bills[name], derived[name]) for name in derived},
        evidence.sessions_axis,
        MONEY,
        advice="bill again from the posted prices and the schedule",
    )


def bills(evidence: Evidence, *, credits: bool = False) -> dict[str, Array]:
    """The columns of bills.parquet but the best response's cost, added up in the tables.

    ``credits``: whether who is scheduled above its least cost is credited that.
    """
    fleet, found = evidence.fleet, evidence.bills
    sums = _metered(evidence).group_by("session", maintain_order=True).agg(pl.col("*").sum())
    metered = {
        name: sums[name].to_numpy()
        for name in ("charged_kwh", "discharged_kwh", "paid", "earned", "wear")
    }
    beside = received(evidence)
    before = metered["paid"] - metered["earned"] + metered["wear"] - beside
    at_once, _ = at_once_kw(fleet, evidence.scenario.situation.horizon)
    reference = evidence.hours * at_once @ evidence.scenario.situation.market.reference_price
    surplus = evidence.schedule.energy_kwh[:, -1] - fleet.required_kwh
    above = before - fleet.surplus_value * surplus - found["best_response_cost"]
    credited = np.where(fleet.participating & (above > LEAST_CREDIT) & credits, above, 0.0)
    net_cost = before - credited
    return {
        **metered,
        "received": beside,
        "credited": credited,
        "net_cost": net_cost,
        "reference_cost": reference,
        "saving": reference - net_cost,
        "regret": above - credited,
    }


def _metered(evidence: Evidence) -> pl.DataFrame:
    """Energy and money of every slot of every stay."""
    tables, market = evidence.folder.tables, evidence.scenario.situation.market
    reference = pl.DataFrame(
        {"slot": tables["feeder"]["slot"], "reference": market.reference_price}
    )
    terms = ["session", "participating", "wear_cost", "discharge_efficiency"]
    rows = (
        tables["schedule"]
        .join(tables["sessions"].select(terms), on="session", maintain_order="left")
        .join(_offered(evidence), on=["session", "slot"], maintain_order="left")
        .join(reference, on="slot", maintain_order="left")
    )
    participants, hours = pl.col("participating"), evidence.hours
    charged, discharged = pl.col("charge_kw") * hours, pl.col("discharge_kw") * hours
    price = pl.when(participants).then("charge_price").otherwise("reference")
    return rows.select(
        "session",
        charged_kwh=charged,
        discharged_kwh=discharged,
        paid=charged * price,
        earned=pl.when(participants).then(discharged * pl.col("discharge_price")).otherwise(0.0),
        wear=discharged / pl.col("discharge_efficiency") * pl.col("wear_cost"),
    )


def _offered(evidence: Evidence) -> pl.DataFrame:
    """The price list of every session, slot by slot."""
    charge, discharge = billed_prices(evidence)
    sessions, slots = charge.shape
    return pl.DataFrame(
        {
            "session": np.repeat(evidence.fleet.session, slots).tolist(),
            "slot": np.tile(np.arange(slots), sessions),
            "charge_price": charge.ravel(),
            "discharge_price": discharge.ravel(),
        },
        schema_overrides={"session": pl.String},
    )


def account(evidence: Evidence, conduct: Conduct) -> dict[str, float]:
    """The operator's line items, from the tables' sums [currency]."""
    market, place, hours = (
        evidence.scenario.situation.market,
        evidence.scenario.situation.hubs,
        evidence.hours,
    )
    participants, schedule, found = evidence.fleet.participating, evidence.schedule, evidence.bills
    net = net_kw(evidence)
    power = schedule.charge_kw - schedule.discharge_kw
    others = hours * (power[~participants] * market.purchase_price).sum()
    standby = hours * (evidence.hubs["standby_kw"] * market.purchase_price).sum()
    drawn = hours * evidence.hubs["battery_discharge_kw"].sum(axis=1)
    wear = drawn / place.battery_discharge_efficiency * place.battery_wear_cost
    terms = _received_by_operator(evidence)
    items = {
        "charging_revenue": found["paid"][participants].sum(),
        "discharge_payments": found["earned"][participants].sum(),
        "purchases": hours * (np.maximum(net, 0.0) * market.purchase_price).sum()
        - (others + standby),
        "feed_in": hours * (np.maximum(-net, 0.0) * market.feed_in_price).sum(),
        "incentives": terms.pop("incentives", 0.0),
        "demand_charges": demand_charges(evidence, net),
        "running_cost": place.running_cost.sum() * conduct.has_stations,
        "station_lease": place.lease_cost.sum() * conduct.has_stations,
        "station_wear": wear.sum(),
        "margin_on_others": found["paid"][~participants].sum() - others,
        "station_stock": _station_stock(evidence) * conduct.has_stations,
        "credited_regret": found["credited"].sum(),
        "standby": standby,
        **{f"terms.{source}": amount for source, amount in terms.items()},
    }
    return {name: float(amount) for name, amount in items.items()}


def _received_by_operator(evidence: Evidence) -> dict[str, float]:
    """What every term brings the operator, session by session [currency]."""
    fleet, schedule = evidence.fleet, evidence.schedule
    found: dict[str, float] = {}
    for term in evidence.scenario.situation.terms.parts:
        amount = found.get(term.source, 0.0)
        for i in np.flatnonzero(fleet.participating):
            g = int(fleet.groups[i])
            charged = (schedule.charge_kw[i] * term.charge_to_operator[g]).sum()
            drawn = (schedule.discharge_kw[i] * term.discharge_to_operator[g]).sum()
            amount += evidence.hours * (charged + drawn) + term.lump_to_operator[g]
        found[term.source] = float(amount)
    return found


def demand_charges(evidence: Evidence, net: Array) -> float:
    """What highest imports of hubs that draw ``net`` (hubs, slots) cost [currency].

    In each billing period above that of the period so far, which is none where it begins later.
    """
    market, known = evidence.scenario.situation.market, evidence.scenario.situation.so_far
    nothing = np.zeros(len(net))
    past = nothing if known.import_peak_kw is None else known.import_peak_kw
    begins = ((0, market.demand_charge), *market.later_periods)
    ends = (*(slot for slot, _ in market.later_periods), net.shape[1])
    money = 0.0
    for (first, charge), end in zip(begins, ends, strict=True):
        highest = net[:, first:end].max(axis=1)
        money += charge * np.maximum(highest - past, 0.0).sum()
        past = nothing
    return float(money)


def _station_stock(evidence: Evidence) -> float:
    hubs = evidence.scenario.situation.hubs
    left = evidence.hubs["battery_kwh"][:, -1] - hubs.least_final_kwh
    return float((left * hubs.battery_end_value).sum())


def profit(items: Mapping[str, float]) -> float:
    """What the operator keeps of its line items [currency]."""
    income = items["charging_revenue"] + items["feed_in"] + items["incentives"]
    income += items["station_stock"] + sum(
        amount for name, amount in items.items() if name.startswith("terms.")
    )
    names = "discharge_payments purchases demand_charges running_cost station_lease station_wear "
    names += "credited_regret standby"
    return income - sum(items[name] for name in names.split())


def _books(evidence: Evidence) -> Check:
    """Bills rounded half-even one by one; the operator's side is their sum."""
    found, derived = named(evidence.folder.summary["books"]), _posted(evidence)
    wrong = [
        f"summary.json, {name}: {found.get(name)!r}, posted {amount}"
        for name, amount in derived.items()
        if _decimal(found.get(name)) != amount
    ]
    return Check(
        "money: books",
        "Bills in whole cents add up to the operator's books, to the cent; rounding is a line",
        Status.FAILS if wrong else Status.HOLDS,
        where="; ".join(wrong),
        advice="post the bills again" if wrong else "",
    )


def _posted(evidence: Evidence) -> dict[str, Decimal]:
    participants, unit = (
        evidence.fleet.participating,
        minor_unit(evidence.scenario.situation.market.currency),
    )
    exact = {
        name: [Decimal(repr(float(amount))) for amount in evidence.bills[name]]
        for name in ("paid", "earned", "credited")
    }
    cents = {
        name: np.array([amount.quantize(unit, ROUND_HALF_EVEN) for amount in amounts])
        for name, amounts in exact.items()
    }
    unrounded = sum(exact["paid"]) - sum(exact["earned"]) - sum(exact["credited"])
    posted = cents["paid"].sum() - cents["earned"].sum() - cents["credited"].sum()
    return {
        "charging_revenue": cents["paid"][participants].sum(),
        "discharge_payments": cents["earned"][participants].sum(),
        "others_revenue": cents["paid"][~participants].sum(),
        "credits": cents["credited"].sum(),
        "rounding": posted - unrounded,
    }


def _decimal(text: object) -> Decimal | None:
    try:
        return Decimal(text) if isinstance(text, str | int | float) else None
    except (InvalidOperation, TypeError, ValueError):
        return None
