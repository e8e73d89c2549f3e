"""A made-up study folder in the files' contract; its numbers are only as true as the tests need."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from builders import fleet_of
from hubwise.domain import (
    Feeder,
    Fleet,
    Horizon,
    Hubs,
    Market,
    PriceRules,
    Promises,
    Scenario,
    Search,
    Situation,
    Terms,
)

STRATEGIES = ("uncoordinated", "storage", "passive", "hubwise")
DAY = Horizon.local_day(date(2024, 3, 12), "Asia/Shanghai")


def make_scenario(
    *,
    hubs: int = 6,
    stations: bool = True,
    solar: bool = False,
    horizon: Horizon = DAY,
    sessions: int = 60,
    **texts: Any,
) -> Scenario:
    """A feeder in a row with hubs spread along it."""
    buses, slots = 2 * hubs + 3, horizon.slots
    hour = horizon.local_hours()
    shape = (
        0.5
        + 0.5 * np.exp(-(((hour - 19.5) / 2.8) ** 2))
        + 0.3 * np.exp(-(((hour - 11) / 3.5) ** 2))
    )
    peak = np.isin(np.floor(hour), [10, 11, 12, 13, 14, 18, 19, 20])
    night = (hour >= 23) | (hour < 7)
    purchase = np.where(peak, 0.869, np.where(night, 0.365, 0.687))
    sun = 80.0 * np.exp(-(((hour - 13) / 2.5) ** 2)) if solar else np.zeros(slots)
    ones = np.ones(hubs)
    given = {"name": "ieee33", "sources": ("Journal of Jilin University 53(4)",)}
    situation = Situation(
        horizon=horizon,
        feeder=Feeder(
            bus=np.arange(1, buses + 1),
            source_bus=1,
            nominal_kv=12.66,
            source_voltage_pu=1.0,
            from_bus=np.arange(1, buses),
            to_bus=np.arange(2, buses + 1),
            r_ohm=np.full(buses - 1, 0.4),
            x_ohm=np.full(buses - 1, 0.3),
            ampacity_a=np.full(buses - 1, 400.0),
            transformer_kva=5.3 * sessions + 100,
            transformer_limit=0.85,
            voltage_min_pu=0.90,
            voltage_max_pu=1.10,
            base_kw=np.outer(np.full(buses, (2.5 * sessions + 50) / buses), shape),
            base_kvar=np.outer(np.full(buses, (1.5 * sessions + 30) / buses), shape),
        ),
        hubs=Hubs(
            name=texts.pop("hub_names", None) or tuple(f"Hub {2 * k + 3}" for k in range(hubs)),
            bus=2 * np.arange(hubs) + 3,
            import_limit_kw=2000.0 * ones,
            export_limit_kw=2000.0 * ones,
            battery_kw=sessions / 6.0 * ones * stations,
            battery_kwh=4.0 * sessions / 6.0 * ones * stations,
            battery_charge_efficiency=0.95 * ones,
            battery_discharge_efficiency=0.95 * ones,
            battery_initial_kwh=sessions / 3.0 * ones * stations,
            battery_wear_cost=0.08 * ones,
            lease_cost=250.0 * ones,
            running_cost=200.0 * ones,
            solar_kw=np.outer(ones, sun),
        ),
        fleet=make_fleet(sessions, hubs, slots),
        market=Market(
            purchase_price=purchase,
            feed_in_price=purchase,
            reference_price=purchase + 0.35,
            currency=texts.pop("currency", "CNY"),
        ),
        rules=PriceRules(
            charge_price_min=np.full(slots, 0.2),
            charge_price_max=purchase + 0.35,
            discharge_price_min=np.zeros(slots),
            discharge_price_max=np.full(slots, 1.5),
            block=np.where(night, 0, np.where(peak, 2, 1)),
            block_names=("valley", "shoulder", "peak"),
        ),
        promises=Promises(0.55, 0.68),
        terms=Terms.on_discharge("incentives", np.where((hour >= 18) & (hour < 21), 0.2, 0.0)),
    )
    return Scenario(
        source="made up",
        situation=situation,
        participation_order=tuple(range(sessions)),
        participation=0.7,
        search=Search("annealing", 600, 2023),
        assumptions=texts.pop("assumptions", ("Chargers are two-way, 7 kW.",)),
        notes=texts.pop("notes", ()),
        **{**given, **texts},
    )


def make_fleet(sessions: int, hubs: int, slots: int) -> Fleet:
    """Cars that come in the evening and leave in the morning."""
    draw = np.random.default_rng(7)
    arrival = np.clip(draw.normal(24, 8, sessions), 0, slots // 2 - 1).astype(int)
    return fleet_of(
        sessions,
        slots,
        session=np.array([f"S{k}" for k in range(sessions)]),
        driver=np.array([f"D{k}" for k in range(sessions)]),
        hub=np.arange(sessions) % hubs,
        arrival_slot=arrival,
        departure_slot=np.clip(draw.normal(80, 6, sessions), slots // 2 + 1, slots).astype(int),
        capacity_kwh=draw.choice([40.0, 50.0, 60.0, 75.0], sessions),
        required_kwh=20.0 + draw.uniform(8, 18, sessions),
        wear_cost=draw.uniform(0.08, 0.4, sessions),
        chemistry=draw.choice(["LFP", "NMC"], sessions),
        participating=False,
        arrival_kwh=20.0,
        reserve_kwh=8.0,
        max_kwh=38.0,
    )


def _charging(
    scenario: Scenario, strategy: str, participants: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Charging at once, or (participants) in the cheapest slots after an evening's discharge."""
    fleet, slots = scenario.situation.fleet, scenario.situation.horizon.slots
    charge, discharge = np.zeros((2, len(fleet), slots))
    for k in range(len(fleet)):
        stay = np.arange(fleet.arrival_slot[k], fleet.departure_slot[k])
        need = int(np.ceil((fleet.required_kwh[k] - 20.0) / (7 * 0.95 * 0.25)))
        order = stay
        if strategy in ("passive", "hubwise") and participants[k]:
            order = stay[np.argsort(scenario.situation.market.purchase_price[stay], kind="stable")]
            if strategy == "hubwise":
                order = np.roll(order, -2 * (k % 12))
                need += 5
                discharge[k, stay[stay > 24][:5]] = 7.0
        charge[k, order[:need]] = 7.0
    return np.where(discharge > 0, 0.0, charge), discharge


def _tables(scenario: Scenario, strategy: str, share: float, spread: float) -> dict[str, Any]:
    """The plan folder's tables by name."""
    fleet, hubs, feeder = (
        scenario.situation.fleet,
        scenario.situation.hubs,
        scenario.situation.feeder,
    )
    slots = scenario.situation.horizon.slots
    participants = np.arange(len(fleet)) < round(share * len(fleet))
    charge, discharge = _charging(scenario, strategy, participants)
    by_hub = [
        np.stack([kw[fleet.hub == h].sum(axis=0) for h in range(len(hubs))])
        for kw in (charge, discharge)
    ]
    wave = np.sin(2 * np.pi * np.arange(slots) / slots)[None, :] * hubs.battery_kw[:, None]
    battery = wave * (strategy in ("storage", "hubwise"))
    net = by_hub[0] - by_hub[1] + battery - hubs.solar_kw + 0.05 * hubs.solar_kw
    head = feeder.base_kw.sum(axis=0) + net.sum(axis=0)
    depth = np.linspace(0, 1, len(feeder.bus))[:, None]
    slot, hub = np.arange(slots), np.array(hubs.name)
    long = {"hub": np.repeat(hub, slots), "slot": np.tile(slot, len(hubs))}
    night = scenario.situation.rules.block == 0
    posted = np.where(night, 0.30, 0.95)[None, :] + spread * np.arange(len(hubs))[:, None]
    drawn = 0.25 * (discharge / 0.95).sum(axis=1)
    wear = drawn * fleet.wear_cost
    moved = np.cumsum(0.25 * (0.95 * charge - discharge / 0.95), axis=1)
    energy = np.clip(fleet.arrival_kwh[:, None] + moved, 0.0, 38.0)
    reference = 0.25 * charge @ scenario.situation.market.reference_price
    return {
        "prices": long
        | {"charge_price": posted.ravel(), "discharge_price": (posted * 0.9).ravel()},
        "sessions": {"session": fleet.session, "participating": participants},
        "schedule": {
            "session": np.repeat(fleet.session, slots),
            "slot": np.tile(slot, len(fleet)),
            "charge_kw": charge.ravel(),
            "discharge_kw": discharge.ravel(),
            "energy_kwh": energy.ravel(),
        },
        "ageing": {
            "session": fleet.session,
            "fade_driving": np.full(len(fleet), 2e-5),
            "fade_v2g": 1e-7 * drawn,
            "wear_linear": wear,
            "wear_nonlinear": 0.06 * drawn,
        },
        "hubs": long
        | {
            "ev_charge_kw": by_hub[0].ravel(),
            "ev_discharge_kw": by_hub[1].ravel(),
            "battery_charge_kw": np.maximum(battery, 0).ravel(),
            "battery_discharge_kw": np.maximum(-battery, 0).ravel(),
            "battery_kwh": (hubs.battery_initial_kwh[:, None] + np.cumsum(battery, 1) / 8).ravel(),
            "solar_kw": hubs.solar_kw.ravel(),
            "standby_kw": (0.05 * hubs.solar_kw).ravel(),
        },
        "buses": {
            "bus": np.repeat(feeder.bus, slots),
            "slot": np.tile(slot, len(feeder.bus)),
            "voltage_pu": (1 - depth * head[None, :] / head.max() * 0.09).ravel(),
        },
        "feeder": {
            "slot": slot,
            "head_kw": head,
            "transformer_loading": head / 0.95 / feeder.transformer_kva,
        },
        "bills": {
            "session": fleet.session,
            "saving": np.where(
                participants & (strategy == "hubwise"), 0.45 * reference - wear, 0.0
            ),
            "reference_cost": reference,
        },
    }


def _result(tables: dict[str, Any], strategy: str, share: float) -> dict[str, Any]:
    head = tables["feeder"]["head_kw"]
    reference = float(tables["bills"]["reference_cost"].sum())
    profit = {"hubwise": 0.3, "storage": 0.02, "passive": 0.1}.get(strategy, 0.15) * reference
    swing = float(np.ptp(head))
    outcome = {"operator_profit": profit, "peak_valley_kw": swing, "transformer_peak_loading": 0.7}
    return {
        "strategy": strategy,
        "participation": share,
        "peak_kw": float(head.max()),
        "valley_kw": float(head.min()),
        "peak_valley_kw": swing,
        "load_factor": float(head.mean() / head.max()),
        "losses_kwh": 2345.6,
        "min_voltage_pu": float(tables["buses"]["voltage_pu"].min()),
        "voltage_violations": 12 if strategy == "uncoordinated" else 0,
        "branch_violations": 0,
        "transformer_violations": 3 if strategy == "passive" else 0,
        "transformer_peak_loading": float(tables["feeder"]["transformer_loading"].max()),
        "transformer_life_days": 0.21,
        "fleet_cost": reference * (1 - 0.45 * share * (strategy == "hubwise")),
        "participant_cost": share * reference * (0.54 if strategy == "hubwise" else 1.0),
        "participant_reference_cost": share * reference,
        "operator_profit": profit,
        "operator_profit_without_incentive": 0.9 * profit,
        "profit_bound": None,
        "gap": None,
        "family_bound": None,
        "family_gap": None,
        "boxes": 0,
        "max_regret": 4.4e-13,
        "shortfall_kwh": 0.0,
        "wall_seconds": 24.31,
        "method": "annealing",
        "evaluations": 600,
        "early_departures": 2,
        "shortfall_at_actual_departure_kwh": 1.5,
        "advice": ["a limit <is> broken"] if strategy == "passive" else [],
        "margin_on_others": 321.5,
        "reference_margin": 0.1 * reference,
        "outcomes": {
            "dispatched": outcome,
            "undelegated": outcome
            | {"operator_profit": 0.7 * profit, "peak_valley_kw": 1.6 * swing},
            "pessimistic": outcome
            | {"operator_profit": -0.2 * profit, "peak_valley_kw": 1.8 * swing},
        },
    }


def make_account(profit: float) -> dict[str, float]:
    """Line items, as a plan folder's summary holds them, that add up to the profit."""
    return {
        "charging_revenue": 3.0 * profit,
        "discharge_payments": 1.0 * profit,
        "purchases": 1.2 * profit,
        "feed_in": 0.0,
        "incentives": 0.5 * profit,
        "demand_charges": 0.0,
        "running_cost": 0.1 * profit,
        "station_lease": 0.15 * profit,
        "station_wear": 0.05 * profit,
        "margin_on_others": 321.5,
    }


def write_study(
    scenario: Scenario,
    folder: Path,
    *,
    strategies: tuple[str, ...] = STRATEGIES,
    shares: tuple[float, ...] = (0.6, 0.7, 0.8),
    spread: float = 0.0,
    change: Callable[[dict[str, Any]], None] = lambda _result: None,
) -> dict[str, Any]:
    """Write plan folders and ``summary.json``; ``change`` may spoil each result. The summary."""
    results = []
    for share in shares:
        for strategy in strategies:
            place = folder / "plans" / f"{strategy}-{share:g}"
            place.mkdir(parents=True)
            tables = _tables(scenario, strategy, share, spread)
            for name, columns in tables.items():
                pl.DataFrame(columns).write_parquet(place / f"{name}.parquet")
            results.append(_result(tables, strategy, share))
            account = make_account(results[-1]["operator_profit"])
            change(results[-1])
            plan = {"version": "0.1.0", "results": [results[-1]], "account": account}
            (place / "summary.json").write_text(json.dumps(plan))
    summary = {
        "scenario": scenario.name,
        "currency": scenario.situation.market.currency,
        "version": "0.1.0",
        "results": results,
    }
    (folder / "summary.json").write_text(json.dumps(summary))
    return summary


@pytest.fixture(scope="session")
def scenario() -> Callable[..., Scenario]:
    """Make a scenario."""
    return make_scenario


@pytest.fixture(scope="session")
def study() -> Callable[..., dict[str, Any]]:
    """Write a study folder for it."""
    return write_study
