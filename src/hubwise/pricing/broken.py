"""Which price rules a tariff breaks, in words: for prices that were not searched for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hubwise.domain import Situation, Tariff
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.pricing.family import price_groups
from hubwise.pricing.posting import bounds_of, filled, slots_with_cars

# Prices that are passed by less are kept [currency/kWh].
ROUNDING = 1e-9


def broken_rules(situation: Situation, tariff: Tariff) -> tuple[str, ...]:
    """A sentence for every price rule of the scenario that a tariff breaks, with its worst place.

    Parameters
    ----------
    situation
        Whose rules they are.
    tariff
        Prices of every hub and slot; shape (hubs, slots) [currency/kWh].
    """
    said = []
    for words, excess in (*_bounds(situation, tariff), *_ties(situation, tariff)):
        h, t = np.unravel_index(int(excess.argmax()), excess.shape)
        if excess[h, t] > ROUNDING:
            place = f"at hub {situation.hubs.name[h]}, {situation.horizon.clock(int(t))}"
            said.append(f"{words}, at worst by {excess[h, t]:.5g} {place}")
    return (*said, *_counts(situation, tariff))


def _bounds(situation: Situation, tariff: Tariff) -> Iterator[tuple[str, Array]]:
    """What each price is above, or below; arrays of shape (hubs, slots) [currency/kWh]."""
    own, cars = situation.rules.own, slots_with_cars(situation, alike=not situation.rules.per_hub)
    shown = cars if own.fills_empty else np.ones_like(cars)
    least, most = bounds_of(situation, cars)
    prices = {"charge": tariff.charge_price, "discharge": tariff.discharge_price}
    for k, (kind, price) in enumerate(prices.items()):
        yield f"{kind} prices are above their highest", np.where(shown, price - most[k], -np.inf)
        yield f"{kind} prices are below their lowest", np.where(shown, least[k] - price, -np.inf)
        tick = 10.0**-situation.rules.decimals
        off = np.abs(price - np.round(price, situation.rules.decimals))
        yield f"{kind} prices are no multiples of {tick:g}", off
    mean = np.tile(tariff.charge_price.mean(axis=1, keepdims=True), (1, cars.shape[1]))
    yield "charge prices average above the cap", mean - situation.rules.average_cap


def _ties(situation: Situation, tariff: Tariff) -> Iterator[tuple[str, Array]]:
    """What prices are too far from others; arrays of shape (hubs, slots) [currency/kWh]."""
    rules, own = situation.rules, situation.rules.own
    cars = slots_with_cars(situation, alike=not rules.per_hub)
    shown = cars if own.fills_empty else np.ones_like(cars)
    group = np.tile(price_groups(situation), (len(cars), 1))
    if own.fills_empty:
        group = filled(group, cars)
    if own.discharge_at_most_charge:
        over = tariff.discharge_price - tariff.charge_price
        yield "discharge prices are above the charge price (discharge_at_most_charge)", over
    prices = {"charge": tariff.charge_price, "discharge": tariff.discharge_price}
    for kind, price in prices.items():
        words = f"{kind} prices have not the form of the family {str(rules.family)!r}"
        yield words, _apart(price, group, alike=not rules.per_hub)
        if np.isfinite(own.step_max):
            steps = np.abs(np.diff(price, axis=1, prepend=price[:, :1]))
            yield f"{kind} prices step by more than {own.step_max:g}", steps - own.step_max
    if own.keeps_order:
        yield "charge prices are not in the market's order", _out_of_order(situation, tariff, shown)


def _apart(price: Array, group: Index, *, alike: bool) -> Array:
    """How far each price is from the first of its group; shape (hubs, slots)."""
    leader = price[:1] if alike else price
    rows = np.broadcast_to(leader, price.shape)
    apart = np.empty_like(price)
    for h, row in enumerate(group):
        _, first, place = np.unique(row, return_index=True, return_inverse=True)
        apart[h] = np.abs(price[h] - rows[h, first][place])
    return apart


def _out_of_order(situation: Situation, tariff: Tariff, shown: Flags) -> Array:
    """By how much a charge price is below that of a cheaper slot; shape (hubs, slots)."""
    order = np.argsort(situation.market.purchase_price, kind="stable")
    purchase = situation.market.purchase_price[order]
    before = np.searchsorted(purchase, purchase - 1e-12)
    short = np.empty_like(tariff.charge_price)
    for h, row in enumerate(tariff.charge_price):
        most = np.maximum.accumulate(np.where(shown[h], row, -np.inf)[order])
        cheaper = np.where(before > 0, most[np.maximum(before - 1, 0)], -np.inf)
        short[h, order] = np.where(shown[h, order], cheaper - row[order], -np.inf)
    return short


def _counts(situation: Situation, tariff: Tariff) -> Iterator[str]:
    """What there are too many of."""
    own = situation.rules.own
    for h, hub in enumerate(situation.hubs.name):
        posted = np.stack([tariff.charge_price[h], tariff.discharge_price[h]])
        levels = max(len(np.unique(kind)) for kind in posted)
        changes = int((posted[:, 1:] != posted[:, :-1]).any(axis=0).sum())
        if levels > own.levels_max:
            yield f"hub {hub} has {levels} different prices of a kind, above {own.levels_max:g}"
        if changes > own.changes_max:
            yield f"hub {hub} changes prices {changes} times, above {own.changes_max:g}"
