"""Makers of small fleets, situations and scenarios: what a test does not care for has a default."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from hubwise.domain import (
    Circuits,
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
    SlotBounds,
    Terms,
)
from hubwise.scenario.fuses import behind_fuses

SESSION: dict[str, Any] = {
    "hub": 0,
    "arrival_slot": 0,
    "capacity_kwh": 60.0,
    "arrival_kwh": 20.0,
    "required_kwh": 40.0,
    "reserve_kwh": 0.0,
    "max_kwh": 57.0,
    "charge_kw_max": 7.0,
    "discharge_kw_max": 7.0,
    "charge_efficiency": 0.95,
    "discharge_efficiency": 0.95,
    "wear_cost": 0.0,
    "discharge_limit_kwh": np.inf,
    "surplus_value": 0.0,
    "chemistry": "LFP",
    "temperature_c": 20.0,
    "age_years": 0.0,
    "throughput_kwh": 0.0,
    "warranty_kwh": np.inf,
    "driving_kwh_per_day": 8.0,
    "fade_limit_per_year": np.inf,
    "minimum_saving": 0.0,
    "never_discharge": False,
    "participating": True,
}
"""A session of no special kind."""


def fleet_of(size: int, slots: int, **columns: Any) -> Fleet:
    """``size`` sessions that may stay for all ``slots``; columns are arrays, or one value for all.

    Without names of their own, sessions and drivers are called s0, s1, ...
    """
    names = np.array([f"s{k}" for k in range(size)], dtype=str)
    given: dict[str, Any] = {
        "session": names,
        "driver": names,
        **SESSION,
        "departure_slot": slots,
        **columns,
    }
    return Fleet.of(**{name: _column(value, size) for name, value in given.items()})


def _column(value: Any, size: int) -> Any:
    if value is None or isinstance(value, SlotBounds):
        return value
    return np.full(size, value) if np.ndim(value) == 0 else np.asarray(value)


def scenario_of(situation: Situation, **experiment: Any) -> Scenario:
    """A scenario of a situation in which everybody takes part, in a drawn order."""
    seed = experiment.pop("seed", 0)
    order = np.random.default_rng(seed).permutation(len(situation.fleet))
    usual = {
        "name": "small",
        "source": "small",
        "participation_order": tuple(order.tolist()),
        "participation": 1.0,
        "search": Search(evaluations=20, seed=seed),
    }
    return Scenario(situation=situation, **{**usual, **experiment})


def small_situation(
    seed: int = 0,
    *,
    sessions: int = 8,
    hubs: int = 2,
    slots: int = 24,
    levels: int = 3,
    station: bool = True,
    solar: bool = False,
) -> Situation:
    """A made-up situation of half-hour slots, with sessions of every kind, everybody taking part.

    The purchase price has few ``levels``, so that drivers have ties. The feeder is stiff: its
    losses are small and its limits far away. Energy is sold at the purchase price.
    """
    rng = np.random.default_rng(seed)
    purchase = rng.choice(np.round(rng.uniform(0.1, 0.9, levels), 2), slots)
    blocks = np.unique(purchase, return_inverse=True)[1].astype(np.int64)
    base = 20.0 + 30.0 * rng.uniform() * (1 + np.sin(np.arange(slots) * 2 * np.pi / slots))
    flat = np.ones(hubs)
    shine = np.maximum(np.sin(np.arange(slots) * 2 * np.pi / slots), 0.0)
    return Situation(
        horizon=Horizon(datetime(2025, 5, 14, tzinfo=UTC), slots, 30),
        feeder=stiff_feeder(hubs, base),
        hubs=Hubs(
            name=tuple(f"h{k}" for k in range(hubs)),
            bus=np.arange(2, hubs + 2),
            import_limit_kw=1000.0 * flat,
            export_limit_kw=1000.0 * flat,
            battery_kw=10.0 * station * flat,
            battery_kwh=20.0 * station * flat,
            battery_charge_efficiency=0.95 * flat,
            battery_discharge_efficiency=0.95 * flat,
            battery_initial_kwh=8.0 * station * flat,
            battery_wear_cost=0.02 * flat,
            lease_cost=1.0 * flat,
            running_cost=1.0 * flat,
            solar_kw=np.tile(15.0 * solar * shine, (hubs, 1)),
        ),
        fleet=mixed_fleet(rng, sessions, hubs, slots),
        market=Market(
            purchase_price=purchase,
            feed_in_price=purchase.copy(),
            reference_price=purchase + 0.3,
            currency="EUR",
        ),
        rules=PriceRules(
            charge_price_min=np.full(slots, 0.05),
            charge_price_max=purchase + 0.3,
            discharge_price_min=np.zeros(slots),
            discharge_price_max=np.full(slots, 1.2),
            block=blocks,
            block_names=tuple(f"block {k}" for k in range(int(blocks.max()) + 1)),
        ),
        promises=Promises(),
        terms=Terms.on_discharge("incentives", np.where(np.arange(slots) >= slots // 2, 0.05, 0.0)),
    )


def on_discharging(situation: Situation) -> np.ndarray:
    """What the operator receives for a kWh that participants discharge; shape (slots,)."""
    return situation.terms.on_discharging(situation.horizon.slots)


def stiff_feeder(hubs: int, base_kw: np.ndarray) -> Feeder:
    """A line of buses, one a hub, whose losses are small and whose limits are far away."""
    flat = np.ones(hubs)
    return Feeder(
        bus=np.arange(1, hubs + 2),
        source_bus=1,
        nominal_kv=10.0,
        source_voltage_pu=1.0,
        from_bus=np.arange(1, hubs + 1),
        to_bus=np.arange(2, hubs + 2),
        r_ohm=0.3 * flat,
        x_ohm=0.2 * flat,
        ampacity_a=200.0 * flat,
        transformer_kva=1000.0,
        transformer_limit=0.85,
        voltage_min_pu=0.9,
        voltage_max_pu=1.1,
        base_kw=np.tile(base_kw, (hubs + 1, 1)),
        base_kvar=np.tile(0.3 * base_kw, (hubs + 1, 1)),
    )


def mixed_fleet(rng: np.random.Generator, size: int, hubs: int, slots: int) -> Fleet:
    """Sessions below their reserve, one-way, limited in discharge, and out of reach among them."""
    arrival = rng.integers(0, slots // 2, size)
    departure = rng.integers(arrival + slots // 4, slots + 1)
    capacity = rng.choice([40.0, 60.0, 75.0], size)
    return fleet_of(
        size,
        slots,
        hub=rng.integers(0, hubs, size),
        arrival_slot=arrival,
        departure_slot=departure,
        capacity_kwh=capacity,
        arrival_kwh=capacity * rng.uniform(0.1, 0.7, size),
        required_kwh=capacity * rng.uniform(0.5, 0.9, size),
        reserve_kwh=0.2 * capacity,
        max_kwh=0.95 * capacity,
        charge_kw_max=rng.choice([7.0, 11.0], size),
        discharge_kw_max=rng.choice([0.0, 7.0, 11.0], size),
        charge_efficiency=rng.choice([0.95, 0.9], size),
        wear_cost=rng.choice([0.0, 0.03, 0.11], size),
        discharge_limit_kwh=rng.choice([np.inf, 4.0, 9.0], size),
    )


def inside_slots(fleet: Fleet, rng: np.random.Generator) -> Fleet:
    """The fleet, most of whose stays begin and end inside slots."""
    late, early = rng.choice([0.0, 0.2, 0.45], (2, len(fleet)))
    return fleet.staying(fleet.begins + late, fleet.ends - early)


def stay_bounds(fleet: Fleet, i: int, hours: float) -> tuple[np.ndarray, ...]:
    """Bounds of one stay, slot by slot, in plain steps from what the model's text says.

    Most power each way [kW], least and most energy at the end of each slot [kWh]: shape (n,) each.
    """
    first, last = int(fleet.arrival_slot[i]), int(fleet.departure_slot[i])
    start = float(fleet.arrival_kwh[i])
    lowest = highest = start
    rows = []
    for t in range(first, last):
        power_in, power_out = float(fleet.charge_kw_max[i]), float(fleet.discharge_kw_max[i])
        least, most = float(fleet.reserve_kwh[i]), max(float(fleet.max_kwh[i]), start)
        if fleet.bounds is not None:
            power_in = min(power_in, fleet.bounds.charge_kw[i, t])
            power_out = min(power_out, fleet.bounds.discharge_kw[i, t])
            least = max(least, fleet.bounds.least_kwh[i, t])
            most = min(most, fleet.bounds.most_kwh[i, t])
        away = 0.0
        if t == first and fleet.late is not None:
            away += float(fleet.late[i])
        if t + 1 == last and fleet.early is not None:
            away += float(fleet.early[i])
        power_in, power_out = (1.0 - away) * power_in, (1.0 - away) * power_out
        can_have = highest + hours * power_in * float(fleet.charge_efficiency[i])
        must_have = lowest - hours * power_out / float(fleet.discharge_efficiency[i])
        most = max(most, must_have)
        least = min(least, can_have, most)
        highest, lowest = min(can_have, most), max(must_have, least)
        rows.append((power_in, power_out, least, most))
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    wanted = max(float(fleet.required_kwh[i]), float(fleet.reserve_kwh[i]))
    columns[2][-1] = min(wanted, highest)
    return tuple(columns)


def with_slot_bounds(fleet: Fleet, slots: int, rng: np.random.Generator) -> Fleet:
    """The same sessions with bounds that change: tapers, outages, dimming, calls, head-room.

    Most of them begin and end inside slots.
    """
    shape = (len(fleet), slots)
    power = rng.choice([0.0, 0.3, 0.7, 1.0, np.inf], (2, *shape), p=[0.1, 0.1, 0.2, 0.2, 0.4])
    room = fleet.max_kwh - fleet.arrival_kwh
    least = np.where(
        rng.random(shape) < 0.15,
        fleet.arrival_kwh[:, None] + rng.uniform(-0.3, 0.8, shape) * room[:, None],
        -np.inf,
    )
    most = np.where(
        rng.random(shape) < 0.15, fleet.max_kwh[:, None] * rng.uniform(0.4, 1.0, shape), np.inf
    )
    return replace(
        inside_slots(fleet, rng),
        bounds=SlotBounds(
            charge_kw=power[0] * fleet.charge_kw_max[:, None],
            discharge_kw=np.where(
                np.isinf(power[1]),
                np.inf,
                np.nan_to_num(power[1], posinf=0.0) * fleet.discharge_kw_max[:, None],
            ),
            least_kwh=least,
            most_kwh=most,
        ),
    )


def with_circuits(situation: Situation, seed: int = 0, *, phases: bool = True) -> Situation:
    """The situation with three circuits at every hub, one under another, and limits drawn.

    Cars arrive with their reserve and discharge nothing, so that charging at once keeps what can be
    kept; what limits cannot bring is not asked for. With ``phases`` some load one phase.
    """
    rng = np.random.default_rng(seed)
    hubs, fleet, count = situation.hubs, situation.fleet.one_way(), len(situation.hubs)
    first = 3 * np.arange(count)
    limits = rng.choice([6.0, 9.0, 14.0, np.inf], 3 * count)
    circuits = Circuits(
        name=("outer", "inner", "other") * count,
        hub=np.repeat(np.arange(count), 3),
        parent=np.stack([np.full(count, -1), first, np.full(count, -1)], axis=1).ravel(),
        limit_kw=limits,
        phase_kw=np.where(rng.random(3 * count) < 0.5 * phases, rng.uniform(2.0, 5.0), np.inf),
    )
    hubs = replace(
        hubs, circuits=circuits, phase_kw=rng.uniform(4.0, 9.0, count) if phases else None
    )
    own = rng.integers(0, 4, len(fleet))
    fleet = replace(
        fleet,
        arrival_kwh=np.maximum(fleet.arrival_kwh, fleet.reserve_kwh),
        required_kwh=np.maximum(fleet.required_kwh, fleet.arrival_kwh),
        circuit=np.where(own == 3, -1, 3 * fleet.hub + own),
        phase=rng.integers(0, 4, len(fleet)) if phases else None,
    )
    fleet, _ = behind_fuses(fleet, hubs, situation.horizon)
    return replace(situation, hubs=hubs, fleet=fleet)


def with_periods(market: Market, slots: int, rng: np.random.Generator) -> Market:
    """The market with up to two billing periods that begin later, some free of charge."""
    count = int(rng.integers(0, min(3, slots)))
    firsts = np.sort(rng.choice(np.arange(1, slots), count, replace=False))
    charges = market.demand_charge * rng.choice([0.0, 0.5, 1.0, 3.0], count)
    later = tuple(zip(firsts.tolist(), charges.tolist(), strict=True))
    return replace(market, later_periods=later)


def billed(situation: Situation) -> list[tuple[range, float, np.ndarray]]:
    """Slots of every billing period, its charge [currency/kW], and hubs' past peaks in it [kW]."""
    market, hubs, past = situation.market, len(situation.hubs), situation.so_far.import_peak_kw
    begins = [(0, market.demand_charge), *market.later_periods, (situation.horizon.slots, 0.0)]
    pasts = [np.zeros(hubs) if past is None else past] + [np.zeros(hubs)] * len(begins)
    return [
        (range(first, end), charge, known)
        for (first, charge), (end, _), known in zip(begins, begins[1:], pasts, strict=False)
    ]
