"""Who takes part, and what a scenario's fingerprint is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass, replace

import numpy as np

from hubwise.domain import (
    Feeder,
    Hubs,
    Market,
    PriceRules,
    Promises,
    Scenario,
    Situation,
    SoFar,
    Terms,
    WearPricing,
)
from hubwise.domain.errors import Issue, ScenarioError, listed
from hubwise.scenario.delegation import check_share, with_delegates
from hubwise.scenario.reading import TOML
from hubwise.scenario.standby import with_standby

# What counts, in this order: a fingerprint outlives the records that its parts stand in today.
_COUNTED = (
    *("name", "currency", "horizon", "feeder", "hubs", "fleet", "participation_order", "market"),
    *("rules", "promises", "assumptions", "sources", "notes", "battery"),
)
# Who takes part does not change what a plan is measured against; the currency is told above.
_LEFT_OUT = {(Market, "currency"), (Hubs, "standby_kw")}
# Counts only where it is used.
_OPTIONAL = {
    (Hubs, "battery_final_kwh"), (Hubs, "battery_end_value"),
    (Hubs, "phase_kw"), (Hubs, "circuits"),
    (Feeder, "squared_kw"), (Feeder, "squared_kvar"), (Feeder, "phases"),
    (Promises, "counts_energy"), (Promises, "equal_energy"), (Promises, "ramp_kw"),
    (PriceRules, "posting"),
}  # fmt: skip


def with_participation(scenario: Scenario, share: float) -> Scenario:
    """The scenario with the first ``round(share * sessions)`` of its order taking part.

    Raises
    ------
    ValueError
        Where ``share`` is no number within 0 to 1.
    """
    check_share(share, "participation")
    fleet = scenario.situation.fleet
    participants = list(scenario.participation_order[: round(share * len(fleet))])
    participating = np.zeros(len(fleet), dtype=bool)
    participating[participants] = True
    joined = scenario.having(fleet=fleet.with_participating(participating))
    joined = replace(joined, situation=with_standby(joined.situation))
    return with_delegates(replace(joined, participation=share))


def with_wear(scenario: Scenario, wear: WearPricing | str) -> Scenario:
    """The scenario with its wear priced in another way.

    Raises
    ------
    ValueError
        Where that is no such way.
    ScenarioError
        Where wear is to be found and no price of a pack is known.
    """
    if wear not in list(WearPricing):
        raise ValueError(f"wear is priced {' or '.join(WearPricing)}, not {wear!r}")
    prices = dict(scenario.situation.battery.pack_price)
    unknown = [
        n for n in np.unique(scenario.situation.fleet.chemistry) if np.isnan(prices.get(n, np.nan))
    ]
    if wear == WearPricing.NONLINEAR and unknown:
        raise ScenarioError([unpriced(map(str, unknown), scenario.situation.market.currency)])
    return scenario.having(battery=replace(scenario.situation.battery, wear=WearPricing(wear)))


def with_equal_energy(scenario: Scenario) -> Scenario:
    """The scenario in which every session leaves with no less than uncoordinated."""
    situation = scenario.situation
    return scenario.having(
        fleet=situation.fleet.leaving_no_less(),
        promises=replace(situation.promises, equal_energy=True),
    )


def unpriced(chemistries: Iterable[str], currency: str) -> Issue:
    """Nonlinear wear asked for where no price is known for packs of some chemistries."""
    names = sorted(chemistries)
    return Issue(
        TOML,
        "battery.pack_price",
        "",
        f"no price is known in {currency} for packs of {listed(names)}",
        f"give {names[0]} = the price of a new pack per kWh",
    )


def fingerprint(scenario: Scenario) -> str:
    """SHA-256, in hexadecimal, over all that is given, wherever it was read.

    Left out are who takes part and how prices are searched for; a fleet drawn from a seed counts
    as drawn. Else two scenarios with the same fingerprint are the same to the last bit.
    """
    digest = hashlib.sha256()
    for name in _COUNTED:
        for piece in (name.encode(), *_parts(scenario, name)):
            digest.update(len(piece).to_bytes(8, "little"))
            digest.update(piece)
    return digest.hexdigest()


def _parts(scenario: Scenario, name: str) -> Iterator[bytes]:
    """What is counted under a name, wherever it stands."""
    situation = scenario.situation
    if name == "market":
        yield from _market_pieces(situation)
        return
    if name == "fleet":
        yield from _fleet_pieces(scenario)
        return
    holders = (scenario, situation, situation.market)
    yield from _pieces(next(getattr(holder, name) for holder in holders if hasattr(holder, name)))


_SESSION = (
    *("session", "driver", "hub", "arrival_slot", "departure_slot", "actual_departure_slot"),
    *("capacity_kwh", "arrival_kwh", "required_kwh", "reserve_kwh", "max_kwh"),
    *("charge_kw_max", "discharge_kw_max", "charge_efficiency", "discharge_efficiency"),
    *("wear_cost", "discharge_limit_kwh", "surplus_value", "chemistry", "temperature_c"),
    *("age_years", "throughput_kwh", "warranty_kwh", "driving_kwh_per_day"),
    *("fade_limit_per_year", "minimum_saving", "never_discharge"),
)


# Columns that are seldom used.
_SELDOM = (
    *("price_list", "group", "bounds", "at_once_kwh", "at_once_kw", "asked_kwh"),
    *("charge_kw_min", "discharge_kw_min", "plug", "said_delegating", "circuit", "phase"),
    *("late", "early", "standby_kw", "step_kw", "starts_max", "taper"),
)


def _fleet_pieces(scenario: Scenario) -> Iterator[bytes]:
    """Sessions and their drivers, by session; what is seldom used only where it is."""
    fleet = scenario.situation.fleet
    elsewhere = {
        "driver": fleet.driver_name,
        "actual_departure_slot": scenario.hindsight.departures(fleet),
    }
    for name in _SESSION:
        yield name.encode()
        yield from _pieces(elsewhere[name] if name in elsewhere else getattr(fleet, name))
    for name in _SELDOM:
        if getattr(fleet, name) is not None:
            yield name.encode()
            yield from _pieces(getattr(fleet, name))


def _market_pieces(situation: Situation) -> Iterator[bytes]:
    """Prices, and what is paid beside them; other terms, and a past, only where there are any."""
    market, slots = situation.market, situation.horizon.slots
    plain = Terms.on_discharge("incentives", situation.terms.on_discharging(slots))
    for name in ("purchase_price", "feed_in_price", "reference_price"):
        yield name.encode()
        yield from _pieces(getattr(market, name))
    yield b"incentive"
    yield from _pieces(situation.terms.on_discharging(slots))
    yield b"demand_charge"
    yield from _pieces(market.demand_charge)
    if market.demand_charge_by_month:
        yield from _pieces(np.array(market.demand_charge_by_month))
    if market.later_periods:
        yield b"later_periods"
        yield from _pieces(np.array(market.later_periods))
    if market.energy_left_price is not None:
        yield b"energy_left_price"
        yield from _pieces(market.energy_left_price)
    for part, usual in ((situation.terms, plain), (situation.so_far, SoFar())):
        if list(_pieces(part)) != list(_pieces(usual)):
            yield from _pieces(part)


def _pieces(value: object) -> Iterator[bytes]:
    if is_dataclass(value):
        for field in fields(value):
            part, key = getattr(value, field.name), (type(value), field.name)
            nothing = key in _OPTIONAL and (part is None or not np.any(part))
            if key not in _LEFT_OUT and not nothing:
                yield field.name.encode()
                yield from _pieces(part)
    elif isinstance(value, tuple) and any(is_dataclass(part) for part in value):
        for part in value:
            yield from _pieces(part)
    elif isinstance(value, np.ndarray):
        yield from _array_pieces(value)
    else:
        yield repr(str(value) if isinstance(value, str) else value).encode()


def _array_pieces(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Iterator[bytes]:
    yield repr(array.shape).encode()
    if array.dtype.kind == "U":
        yield repr(array.tolist()).encode()
    else:
        yield np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
