"""Same-slot arbitrage: a tariff at which buying and selling at once would pay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from hubwise.domain import Fleet, Horizon, Hubs, Market, PriceRules, Tariff, Terms
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.domain.errors import Issue
from hubwise.scenario.days import windows

_TOLERANCE = 1e-9


def check_tariff(
    tariff: Tariff, fleet: Fleet, hubs: Hubs, horizon: Horizon, *, file: str = "tariff"
) -> tuple[Issue, ...]:
    """Every hub and run of slots where buying and selling at once would pay a participating driver.

    It would where ``discharge price x charge efficiency x discharge efficiency`` is above
    ``charge price + wear cost x charge efficiency``: a kWh bought is stored, drawn and sold again
    within the slot.

    Parameters
    ----------
    tariff
        Prices; shape (hubs, slots) [currency/kWh].
    fleet
        Sessions; the participating two-way ones count, in the slots of their stay.
    hubs, horizon
        Name the places and times of problems.
    file
        Where the prices came from, for the problems.
    """
    limit, session = _highest_discharge_price(tariff.charge_price, fleet)
    issues = []
    for h, run in _runs(tariff.discharge_price > limit + _TOLERANCE):
        t = run[int(np.argmin(limit[h, run]))]
        same = len({_prices(tariff, limit, h, slot) for slot in run}) == 1
        issues.append(
            Issue(
                file,
                f"{_list_name(hubs, h)}, {_when(horizon, run)}",
                "discharge_price",
                f"{tariff.discharge_price[h, t]:.5g} lets session {fleet.session[session[h, t]]} "
                f"gain by buying at {tariff.charge_price[h, t]:.5g} and selling at once"
                + ("" if same else f" in slot {t}"),
                f"give at most {limit[h, t]:.5g}",
            )
        )
    return tuple(issues)


def _runs(where: Flags) -> Iterator[tuple[int, list[int]]]:
    """Hub and slots of every run of slots; ``where`` has shape (hubs, slots)."""
    for h, row in enumerate(where):
        slots = enumerate(np.flatnonzero(row).tolist())
        for _, run in groupby(slots, key=lambda pair: pair[1] - pair[0]):
            yield h, [slot for _, slot in run]


def _prices(tariff: Tariff, limit: Array, h: int, t: int) -> tuple[float, ...]:
    return float(tariff.charge_price[h, t]), float(tariff.discharge_price[h, t]), limit[h, t]


def _list_name(hubs: Hubs, row: int) -> str:
    return f"hub {hubs.name[row]}" if row < len(hubs) else f"accepted list {row}"


def _when(horizon: Horizon, run: Sequence[int]) -> str:
    first, last = run[0], run[-1]
    if first == last:
        return f"slot {first} ({horizon.clock(first)})"
    return f"slots {first}-{last} ({horizon.clock(first)}-{horizon.clock(last + 1)})"


def lawful(tariff: Tariff, fleet: Fleet) -> Tariff:
    """The tariff, its discharge prices lowered where buying and selling at once would pay."""
    if _tempts_nobody(tariff, fleet):
        return tariff
    limit, _ = _highest_discharge_price(tariff.charge_price, fleet)
    return Tariff(tariff.charge_price, np.minimum(tariff.discharge_price, limit))


def check_bounds(
    rules: PriceRules, fleet: Fleet, hubs: Hubs, horizon: Horizon, *, file: str
) -> tuple[Issue, ...]:
    """Slots in which no tariff within the rules would be free of arbitrage, whoever takes part.

    The tariff that tempts least buys at the highest price and sells at the lowest.
    """
    issues: list[Issue] = []
    for day, slots, stays, held in windows(horizon, fleet, rules):
        found = _check_bounds_of_day(held, stays, hubs, slots, file)
        several = day.slots < horizon.slots
        issues += [replace(it, where=f"{day.date}, {it.where}") if several else it for it in found]
    return tuple(issues)


def _check_bounds_of_day(
    rules: PriceRules, fleet: Fleet, hubs: Hubs, horizon: Horizon, file: str
) -> tuple[Issue, ...]:
    shape = (len(hubs), horizon.slots)
    mildest = Tariff(
        np.broadcast_to(rules.charge_price_max, shape),
        np.broadcast_to(rules.discharge_price_min, shape),
    )
    everybody = fleet.with_participating(np.ones(len(fleet), dtype=bool))
    return check_tariff(mildest, everybody, hubs, horizon, file=file)


def check_feed_in(
    market: Market, fleet: Fleet, hubs: Hubs, horizon: Horizon, *, file: str
) -> tuple[Issue, ...]:
    """Runs of slots in which a station or a car gains by buying and selling at once.

    It does where ``feed-in price x charge efficiency x discharge efficiency`` is above ``purchase
    price + wear cost x charge efficiency``: energy sold brings more than it costs, losses and wear
    included. Nobody else can sell what was bought, so that nothing else is refused.
    """
    if not market.sells_above:
        return ()
    found = []
    for who, kept, wear, here in _stores(fleet, hubs, horizon):
        gain = np.where(here, kept * market.feed_in_price - market.purchase_price - wear, -np.inf)
        found.append((float(gain.max()), who, kept, wear, gain))
    # One is named of all that do so: what is right for the most tempted is right for all.
    most, who, kept, wear, gain = max(found, key=lambda one: one[0], default=_NOBODY)
    if most <= _TOLERANCE:
        return ()
    others = sum(one[0] > _TOLERANCE for one in found) - 1
    issues = []
    for _, run in _runs((gain > _TOLERANCE)[None]):
        t = run[int(np.argmax(gain[run]))]
        wrong = (
            f"lets {who}{f' and {others} more' if others else ''} gain by buying at "
            f"{market.purchase_price[t]:.5g} and selling at once at "
            f"{market.feed_in_price[t]:.5g}, {_when(horizon, run)}"
        )
        right = f'give "purchase", or at most {(market.purchase_price[t] + wear) / kept:.5g} then'
        issues.append(Issue(file, "prices", "feed_in", wrong, right))
    return tuple(issues)


_NOBODY = (-np.inf, "", 1.0, 0.0, np.zeros(0))


def _stores(
    fleet: Fleet, hubs: Hubs, horizon: Horizon
) -> Iterator[tuple[str, float, float, Flags]]:
    """Whatever can sell what was bought: its name, what it keeps, its wear and its slots.

    Nothing can behind a connection that takes nothing back.
    """
    slot, sells = np.arange(horizon.slots), hubs.export_limit_kw > 0.0
    for h in np.flatnonzero(sells & (hubs.battery_kw * hubs.battery_kwh > 0.0)):
        charge, discharge = hubs.battery_charge_efficiency[h], hubs.battery_discharge_efficiency[h]
        wear = float(hubs.battery_wear_cost[h] * charge)
        yield f"the station of hub {hubs.name[h]}", float(charge * discharge), wear, slot >= 0
    for k in np.flatnonzero(sells[fleet.hub] & (fleet.discharge_kw_max > 0.0)):
        charge, discharge = fleet.charge_efficiency[k], fleet.discharge_efficiency[k]
        here = (slot >= fleet.arrival_slot[k]) & (slot < fleet.departure_slot[k])
        wear = float(fleet.wear_cost[k] * charge)
        yield f"the car of session {fleet.session[k]}", float(charge * discharge), wear, here


def pays_for_pumping(
    market: Market, terms: Terms, fleet: Fleet, horizon: Horizon
) -> tuple[Flags, int]:
    """Slots in which an incentive pays for energy that cars buy only to sell it again; and cars.

    What one car sells another buys meanwhile, so that it pays where ``(purchase price + incentive)
    x charge efficiency x discharge efficiency`` is above ``purchase price + wear cost x charge
    efficiency``, for a two-way car that is there; shape (slots,), and how many such cars there are.
    """
    price, paid = market.purchase_price, terms.on_discharging(horizon.slots)
    cars = fleet.select(np.flatnonzero(fleet.discharge_kw_max > 0.0))
    kept = cars.charge_efficiency * cars.discharge_efficiency
    wear = cars.wear_cost * cars.charge_efficiency
    slots: Flags = np.zeros(horizon.slots, dtype=np.bool_)
    who: Flags = np.zeros(len(cars), dtype=np.bool_)
    for t in np.flatnonzero(paid > 0.0):
        gains = kept * (price[t] + paid[t]) > price[t] + wear + _TOLERANCE
        gains &= (cars.arrival_slot <= t) & (t < cars.departure_slot)
        slots[t], who = gains.any(), who | gains
    return slots, int(who.sum())


def sold_by_somebody(fleet: Fleet, hubs: Hubs, horizon: Horizon) -> Flags:
    """Slots in which any hub has something to sell, and can: solar, a station, a two-way car."""
    some = (hubs.solar_kw[hubs.export_limit_kw > 0.0] > 0.0).any(axis=0)
    for _, _, _, here in _stores(fleet, hubs, horizon):
        some = some | here
    return np.asarray(some, dtype=np.bool_)


def _tempts_nobody(tariff: Tariff, fleet: Fleet) -> bool:
    """Whether not even the least wear and the best efficiencies together would gain; a quick look.

    Where it says no, a closer one is needed: nobody may be as tempted as that.
    """
    stored = tariff.charge_price + (fleet.wear_cost * fleet.charge_efficiency).min(initial=np.inf)
    kept = (fleet.charge_efficiency * fleet.discharge_efficiency).max(initial=0.0)
    return bool((stored >= 0.0).all() and (kept * tariff.discharge_price <= stored).all())


def _highest_discharge_price(charge_price: Array, fleet: Fleet) -> tuple[Array, Index]:
    """The discharge price above which some session gains, and whose it is; shapes (lists, slots).

    Who keeps a list that is no row of ``charge_price`` is left out.
    """
    lists = np.minimum(fleet.lists, len(charge_price) - 1)
    answers = fleet.participating & (fleet.lists == lists)
    two_way = np.flatnonzero(answers & (fleet.discharge_kw_max > 0))
    kept = fleet.charge_efficiency * fleet.discharge_efficiency
    stored = charge_price[lists] + (fleet.wear_cost * fleet.charge_efficiency)[:, None]
    slot = np.arange(charge_price.shape[1])
    away = (slot < fleet.arrival_slot[:, None]) | (slot >= fleet.departure_slot[:, None])
    own = np.where(away, np.inf, stored / kept[:, None])

    limit = np.full(charge_price.shape, np.inf)
    session = np.zeros(charge_price.shape, dtype=np.int64)
    for h in np.unique(lists[two_way]):
        here = two_way[lists[two_way] == h]
        session[h] = here[own[here].argmin(axis=0)]
        limit[h] = own[here].min(axis=0)
    return limit, session
