"""Rules that an operator sets itself, as bounds, as groups, and as ties between prices."""

from __future__ import annotations

import numpy as np

from hubwise.domain import Cap, Posting, Situation
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.pricing.rounding import down, in_ticks
from hubwise.pricing.sign import Sign, closed

# Purchase prices that differ by less are the same [currency/kWh].
SAME = 1e-12


def slots_with_cars(situation: Situation, *, alike: bool) -> Flags:
    """Slots in which a session is present at each hub, or at any where all post ``alike``.

    All sessions count, whoever takes part. A sign that no car ever sees counts in every slot.
    Shape (hubs, slots).
    """
    fleet, slot = situation.fleet, np.arange(situation.horizon.slots)
    cars = np.zeros((len(situation.hubs), len(slot)), bool)
    stay = (slot >= fleet.arrival_slot[:, None]) & (slot < fleet.departure_slot[:, None])
    np.logical_or.at(cars, fleet.hub, stay)
    if alike:
        cars[:] = cars.any(axis=0)
    cars[~cars.any(axis=1)] = True
    return cars


def filled(group: Index, cars: Flags) -> Index:
    """Groups, those without cars joined to that of the nearest slot with cars; (hubs, slots)."""
    joined = group.copy()
    for hub, row in enumerate(group):
        there = np.flatnonzero(cars[hub])
        for empty in np.setdiff1d(row, row[there]):
            mine = np.flatnonzero(row == empty)
            apart = np.abs(mine[:, None] - there[None, :]).min(axis=0)
            joined[hub, mine] = row[there[int(apart.argmin())]]
    number: Index = np.unique(joined, return_inverse=True)[1].reshape(group.shape)
    return number


def bounds_of(situation: Situation, cars: Flags) -> tuple[Array, Array]:
    """The lowest and the highest charge and discharge prices; shape (2, hubs, slots) each."""
    rules, own, market = situation.rules, situation.rules.own, situation.market
    capped = np.ones_like(cars) if own.cap is Cap.SLOT else cars & (own.cap is Cap.OCCUPIED)
    # Nobody pays more than on the reference tariff, so nobody is worse off. Where stays are capped
    # as wholes, whoever would be does not take part.
    most_charge = np.minimum(
        rules.charge_price_max, np.where(capped, market.reference_price, np.inf)
    )
    floored = cars & own.charge_at_least_purchase
    least_charge = np.where(
        floored, np.maximum(rules.charge_price_min, market.purchase_price), rules.charge_price_min
    )
    least = np.stack([least_charge, np.broadcast_to(rules.discharge_price_min, cars.shape)])
    most = np.stack([most_charge, np.broadcast_to(rules.discharge_price_max, cars.shape)])
    return least, most


def make_signs(situation: Situation, group: Index, cars: Flags) -> tuple[Sign, ...]:
    """What ties the prices of each hub, or of those that post the same; nothing without a rule."""
    own = situation.rules.own
    if (
        not own.keeps_order
        and not np.isfinite([own.step_max, own.levels_max, own.changes_max]).any()
    ):
        return ()
    rows, hubs = np.unique(group, axis=0, return_index=True)
    return tuple(_sign(situation, own, row, cars[hub]) for row, hub in zip(rows, hubs, strict=True))


def _sign(situation: Situation, own: Posting, row: Index, cars: Flags) -> Sign:
    members, place, weight = np.unique(row, return_inverse=True, return_counts=True)
    run = place[np.flatnonzero(np.r_[True, place[1:] != place[:-1]])]
    apart = np.full((2, len(members), len(members)), np.inf)
    if np.isfinite(own.step_max):
        step = in_ticks(
            down(np.array(own.step_max), situation.rules.decimals), situation.rules.decimals
        )
        apart[:, run[1:], run[:-1]] = apart[:, run[:-1], run[1:]] = step
    if own.keeps_order:
        # What is filled from neighbours keeps their order, whatever it costs itself.
        shown = cars if own.fills_empty else np.ones_like(cars)
        lower = _cheaper(situation.market.purchase_price[shown], place[shown], len(members))
        apart[0][lower] = 0.0
    spare = np.tile(np.arange(len(members)), (2, 1))
    ties = np.stack([closed(each) for each in apart])
    return Sign(members, ties, run, weight.astype(float), own.levels_max, own.changes_max, spare)


def _cheaper(purchase: Array, place: Index, count: int) -> Flags:
    """Whether some slot of row g is cheaper to buy in than some of column h; (count, count)."""
    least, most = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(least, place, purchase)
    np.maximum.at(most, place, purchase)
    cheaper: Flags = least[:, None] < most[None, :] - SAME
    np.fill_diagonal(cheaper, False)
    return cheaper
