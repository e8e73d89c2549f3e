"""From checked files to the frozen objects of the domain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from hubwise.domain import Feeder, Fleet, Horizon, Hubs, Market, PriceRules
from hubwise.scenario.clock import by_hour, in_windows
from hubwise.scenario.files import (
    FeederSection,
    HorizonSection,
    HubSection,
    NamedHours,
    PriceBlock,
    PricesSection,
    RulesSection,
)
from hubwise.scenario.reading import Table

Array = NDArray[np.float64]


def build_horizon(section: HorizonSection) -> Horizon:
    """The local day of ``[horizon]``."""
    return Horizon.local_day(
        section.day, section.zone, start=section.start, slot_minutes=section.slot_minutes
    )


def build_feeder(section: FeederSection, buses: Table, branches: Table, shape: Array) -> Feeder:
    """The feeder; ``shape`` multiplies every bus's load, shape (slots,)."""
    return Feeder(
        bus=np.array(buses["bus"], dtype=np.int64),
        source_bus=section.source_bus,
        nominal_kv=section.nominal_kv,
        source_voltage_pu=section.source_voltage_pu,
        from_bus=np.array(branches["from_bus"], dtype=np.int64),
        to_bus=np.array(branches["to_bus"], dtype=np.int64),
        r_ohm=np.array(branches["r_ohm"], dtype=float),
        x_ohm=np.array(branches["x_ohm"], dtype=float),
        ampacity_a=np.array(branches["ampacity_a"], dtype=float),
        transformer_kva=section.transformer_kva,
        transformer_limit=section.transformer_limit,
        voltage_min_pu=section.voltage_min_pu,
        voltage_max_pu=section.voltage_max_pu,
        base_kw=np.outer(buses["kw"], shape),
        base_kvar=np.outer(buses["kvar"], shape),
    )


def build_shape(table: Table, horizon: Horizon) -> Array:
    """An hour-of-day table of shares over the slots; shape (slots,)."""
    return by_hour(horizon, table["hour"], table["share"])


def build_hubs(sections: Sequence[HubSection], solar_shape: Array) -> Hubs:
    """The hubs; ``solar_shape`` multiplies every hub's ``solar_kw``, shape (slots,)."""

    def column(name: str) -> Array:
        return np.array([getattr(hub, name) for hub in sections], dtype=float)

    return Hubs(
        name=tuple(hub.name for hub in sections),
        bus=np.array([hub.bus for hub in sections], dtype=np.int64),
        import_limit_kw=column("import_limit_kw"),
        export_limit_kw=column("export_limit_kw"),
        battery_kw=column("battery_kw"),
        battery_kwh=column("battery_kwh"),
        battery_charge_efficiency=column("battery_charge_efficiency"),
        battery_discharge_efficiency=column("battery_discharge_efficiency"),
        battery_initial_kwh=column("battery_initial_kwh"),
        battery_wear_cost=column("battery_wear_cost"),
        lease_cost=column("lease_cost"),
        running_cost=column("running_cost"),
        solar_kw=np.outer(column("solar_kw"), solar_shape),
    )


def price_of_blocks(blocks: Sequence[PriceBlock], horizon: Horizon) -> Array:
    """Each slot's price by its block; shape (slots,) [currency/kWh]."""
    price = np.zeros(horizon.slots)
    for block in blocks:
        price[in_windows(horizon, block.hours)] = block.price
    return price


def build_market(section: PricesSection, purchase: Array, horizon: Horizon) -> Market:
    """The market at purchase prices of shape (slots,) [currency/kWh]."""
    incentive = np.zeros(horizon.slots)
    for rule in section.incentives:
        incentive[in_windows(horizon, rule.hours)] += rule.price
    base = purchase if section.feed_in == "purchase" else np.full(horizon.slots, section.feed_in)
    return Market(
        purchase_price=purchase,
        feed_in_price=base.astype(float) - section.feed_in_fee,
        reference_price=purchase + section.service_fee,
        incentive=incentive,
        demand_charge=section.demand_charge,
    )


def build_rules(
    section: RulesSection,
    blocks: Sequence[NamedHours | PriceBlock],
    market: Market,
    horizon: Horizon,
) -> PriceRules:
    """What a tariff may be; without ``blocks`` the whole horizon is one."""
    block = np.zeros(horizon.slots, dtype=np.int64)
    for k, named in enumerate(blocks):
        block[in_windows(horizon, named.hours)] = k
    highest = section.charge_price_max
    return PriceRules(
        charge_price_min=np.full(horizon.slots, section.charge_price_min),
        charge_price_max=market.reference_price.copy()
        if highest == "reference"
        else np.full(horizon.slots, highest, dtype=float),
        discharge_price_min=np.full(horizon.slots, section.discharge_price_min),
        discharge_price_max=np.full(horizon.slots, section.discharge_price_max),
        block=block,
        block_names=tuple(named.name for named in blocks) or ("all day",),
        average_cap=section.average_cap,
        family=section.family,
        decimals=section.decimals,
    )


def build_fleet(table: Table, hubs: Sequence[str], horizon: Horizon) -> Fleet:
    """The fleet of a sessions table; arrivals round up and departures down to a slot."""

    def column(name: str) -> Array:
        return np.array(table[name], dtype=float)

    departure = stay_slots(table["departure"], horizon, up=False)
    actual = [a or d for a, d in zip(table["actual_departure"], table["departure"], strict=True)]
    return Fleet(
        session=np.array(table["session"]),
        driver=np.array(table["driver"]),
        hub=np.array([hubs.index(name) for name in table["hub"]], dtype=np.int64),
        arrival_slot=stay_slots(table["arrival"], horizon, up=True),
        departure_slot=departure,
        actual_departure_slot=np.clip(stay_slots(actual, horizon, up=False), 0, horizon.slots),
        capacity_kwh=column("capacity_kwh"),
        arrival_kwh=column("arrival_kwh"),
        required_kwh=column("required_kwh"),
        reserve_kwh=column("reserve_kwh"),
        max_kwh=column("max_kwh"),
        charge_kw_max=column("charge_kw_max"),
        discharge_kw_max=column("discharge_kw_max"),
        charge_efficiency=column("charge_efficiency"),
        discharge_efficiency=column("discharge_efficiency"),
        wear_cost=column("wear_cost"),
        discharge_limit_kwh=column("discharge_limit_kwh"),
        surplus_value=column("surplus_value"),
        chemistry=np.array(table["chemistry"]),
        participating=np.zeros(len(table), dtype=bool),
    )


def stay_slots(moments: Sequence[datetime], horizon: Horizon, *, up: bool) -> NDArray[np.int64]:
    """Slots of moments, rounded up or down; a moment without an offset is on the local clock."""
    exact = np.array([horizon.slot_of(in_utc(moment, horizon.zone)) for moment in moments])
    return (np.ceil(exact) if up else np.floor(exact)).astype(np.int64)


def in_utc(moment: datetime, zone: str) -> datetime:
    """``moment`` in UTC; without an offset it is read on the clock of ``zone``."""
    local = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
    return local.astimezone(UTC)
