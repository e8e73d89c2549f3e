"""Tariff families: which prices an operator is free to choose, as a vector of numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hubwise.domain import Horizon, Situation, Tariff, TariffFamily, chosen
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.pricing.posting import bounds_of, filled, make_signs, slots_with_cars
from hubwise.pricing.rounding import down, in_money, in_ticks, up
from hubwise.pricing.sign import Frame, Sign
from hubwise.scenario import Issue, ScenarioError

# Two averages of prices that differ by less are the same [currency/kWh].
ROUNDING = 1e-12
# So many groups are made one in every way that leaves few enough changes.
MOST_JOINED = 6


@dataclass(frozen=True, slots=True)
class Family:
    """A tariff family: one charge and one discharge price per group of slots and hubs.

    A price vector has shape (2, groups): charge prices, then discharge prices.

    Parameters
    ----------
    group
        Group of each slot at each hub; shape (hubs, slots). Hubs that post the same prices have the
        same groups.
    low, high
        Bounds of the price vector, themselves with at most ``decimals`` decimals; shape (2, groups)
        [currency/kWh].
    headroom
        Lines (intercept, slope) in the charge price that the discharge price must stay below, or
        buying and selling in one slot would pay; shape (2, lines).
    average_cap
        Highest time-average of the charge price [currency/kWh].
    decimals
        Posted prices are rounded to this many decimals.
    accepted
        Price lists that sessions keep, whatever is posted now.
    signs
        What ties prices of different groups to each other, hub by hub; nothing without such rules.
    counted
        Slots that the price of a group is read off, where not all show it; shape (hubs, slots).
    """

    group: Index
    low: Array
    high: Array
    headroom: Array
    average_cap: float
    decimals: int
    accepted: Tariff | None = None
    signs: tuple[Sign, ...] = ()
    counted: Flags | None = None

    @property
    def groups(self) -> int:
        """Number of groups."""
        return int(self.low.shape[1])

    def project(self, prices: Array) -> Array:
        """A lawful price vector near ``prices``, rounded as posted; lawful ones stay as they are.

        Charge prices are clipped to their bounds and lowered to the average cap; discharge prices
        are clipped to theirs, and to what leaves no arbitrage at these charge prices. Where a sign
        ties prices to each other, they give way to each other alike.
        """
        if self.signs:
            return self._on_signs(prices)
        charge = np.clip(np.round(prices[0], self.decimals), self.low[0], self.high[0])
        charge = self._capped(charge) + 0.0  # no negative zero on a price list
        intercept, slope = self.headroom[:, :, None]
        free = np.min(intercept + slope * charge, axis=0, initial=np.inf)
        ceiling = down(np.minimum(self.high[1], free), self.decimals)
        discharge = np.clip(np.round(prices[1], self.decimals), self.low[1], ceiling) + 0.0
        return np.stack([charge, discharge])

    def tariff(self, prices: Array) -> Tariff:
        """The tariff of a price vector: what is posted, and the lists that were accepted before."""
        charge, discharge = prices[0][self.group], prices[1][self.group]
        if self.accepted is None:
            return Tariff(charge, discharge)
        return Tariff(
            np.concatenate([charge, self.accepted.charge_price]),
            np.concatenate([discharge, self.accepted.discharge_price]),
        )

    def posted(self, tariff: Tariff) -> Array:
        """The price vector of a tariff, taken where each group begins; shape (2, groups)."""
        if self.counted is None:
            _, first = np.unique(self.group, return_index=True)
        else:
            order = np.argsort(~self.counted.ravel(), kind="stable")
            first = order[np.unique(self.group.ravel()[order], return_index=True)[1]]
        return np.stack([tariff.charge_price.flat[first], tariff.discharge_price.flat[first]])

    def sums(self, values: Array) -> Array:
        """Sums of ``values``, shape (hubs, slots), over every group; shape (groups,)."""
        sums: Array = np.bincount(self.group.ravel(), values.ravel(), self.groups).astype(float)
        return sums

    def vector(self, charge: Array, discharge: Array, weight: Array) -> Array:
        """Means of prices in every group, weighted by ``weight``; shape (2, groups).

        ``charge``, ``discharge``: shape (hubs, slots) [currency/kWh]; ``weight``: shape (2, hubs,
        slots).
        """
        weight = weight + 1e-9  # groups of no weight have a mean, too
        pairs = zip((charge, discharge), weight, strict=True)
        return np.stack([self.sums(values * each) / self.sums(each) for values, each in pairs])

    def _on_signs(self, prices: Array) -> Array:
        lawful, wanted = np.empty_like(self.low), in_ticks(prices, self.decimals)
        for sign in self.signs:
            members = sign.members
            found = sign.lawful(wanted[:, members], self.frame(members, sign.weight))
            lawful[:, members] = in_money(found, self.decimals)
        return lawful

    def frame(self, members: Index, weight: Array) -> Frame:
        """What bounds the prices of some groups of one hub, whose slots are ``weight``."""
        intercept, slope = self.headroom[:, :, None]
        share, scale = weight / weight.sum(), 10.0**self.decimals

        def ceiling(charge: Array) -> Array:
            lines = intercept + slope * in_money(charge, self.decimals)
            most = np.min(lines, axis=0, initial=np.inf)
            return in_ticks(down(most, self.decimals), self.decimals)

        def floor(discharge: Array) -> Array:
            needed = (in_money(discharge, self.decimals) - intercept) / slope
            least = np.max(needed, axis=0, initial=-np.inf)
            return in_ticks(up(least, self.decimals), self.decimals)

        def capped(charge: Array, least: Array) -> Array | None:
            most = (self.average_cap + ROUNDING) * scale
            if share @ charge <= most:
                return charge
            low, high = 0.0, float(np.max(charge - least))
            if share @ least > most:
                return None
            while high - low > 1.0:
                cut = np.floor(0.5 * (low + high))
                over = share @ np.maximum(charge - cut, least) > most
                low, high = (cut, high) if over else (low, cut)
            lowered: Array = np.maximum(charge - high, least)
            return lowered

        low, high = (in_ticks(each[:, members], self.decimals) for each in (self.low, self.high))
        return Frame(low, high, ceiling, floor, capped)

    def _capped(self, charge: Array) -> Array:
        """Lower a hub's charge prices alike, down to their bounds, until they meet the cap."""
        if not np.isfinite(self.average_cap):
            return charge
        for row in np.unique(self.group, axis=0):
            mine, size = np.unique(row, return_counts=True)
            charge = charge.copy()
            charge[mine] = self._hub_capped(charge[mine], self.low[0, mine], size / len(row))
        return charge

    def _hub_capped(self, charge: Array, least: Array, share: Array) -> Array:
        """The same for one hub; ``share``: of the slots, in each group."""
        if share @ charge <= self.average_cap + ROUNDING:
            return charge
        low, high = 0.0, float(np.max(charge - least))
        for _ in range(60):
            cut = 0.5 * (low + high)
            if share @ np.maximum(charge - cut, least) > self.average_cap:
                low = cut
            else:
                high = cut
        lowered: Array = np.maximum(down(charge - high, self.decimals), least)
        return lowered


def make_family(
    situation: Situation, name: str | None = None, *, per_hub: bool | None = None
) -> Family:
    """The tariff family ``name`` under the scenario's price rules.

    ``name`` and ``per_hub`` (whether each hub posts prices of its own) are the scenario's own by
    default.

    Raises
    ------
    ValueError
        If the family is unknown.
    ScenarioError
        If the rules leave a group no lawful price.
    """
    rules, hubs = situation.rules, len(situation.hubs)
    slot_group = price_groups(situation, name)
    alone = rules.per_hub if per_hub is None else per_hub
    first = np.arange(hubs) * (int(slot_group.max()) + 1) * alone
    group, counted = slot_group + first[:, None], None
    cars = slots_with_cars(situation, alike=not alone)
    if rules.own.fills_empty:
        group, counted = filled(group, cars), cars
    least, most = bounds_of(situation, cars)
    low = np.full((2, int(group.max()) + 1), -np.inf)
    high = np.full_like(low, np.inf)
    for k, hub in np.ndindex(2, hubs):
        there = slice(None) if counted is None else counted[hub]
        np.maximum.at(low[k], group[hub, there], up(least[k, hub, there], rules.decimals))
        np.minimum.at(high[k], group[hub, there], down(most[k, hub, there], rules.decimals))
    headroom = _headroom(situation)
    bare = Family(
        group, low, high, headroom, rules.average_cap, rules.decimals, situation.accepted,
        counted=counted,
    )  # fmt: skip
    family = replace(bare, signs=make_signs(situation, group, cars))
    for sign in family.signs:
        sign.close(low, high, rules.decimals)
    intercept, slope = headroom[:, :, None]
    # Below this charge price even the least discharge price would invite going in a circle.
    circle = np.max((low[1] - intercept) / slope, axis=0, initial=-np.inf)
    low[0] = np.maximum(low[0], up(circle, rules.decimals))
    for sign in family.signs:
        sign.close(low, high, rules.decimals)
    _refuse_where_nothing_is_lawful(family, situation.horizon)
    return _with_spare(family)


def _with_spare(family: Family) -> Family:
    """The family, where levels or changes are counted with prices known to have few enough.

    Raises
    ------
    ScenarioError
        If there are none.
    """
    signs = []
    for sign in family.signs:
        frame = family.frame(sign.members, sign.weight)
        known = sign.with_spare(frame)
        if known is None:
            said = (
                "no tariff was found that keeps the price rules with at most "
                f"{sign.levels_max:g} prices and {sign.changes_max:g} changes"
            )
            right = "allow more levels_max or changes_max, or wider bounds"
            raise ScenarioError([Issue("scenario.toml", "rules", "", said, right)])
        signs.append(known)
    return replace(family, signs=tuple(signs))


def coarse_to_fine(situation: Situation) -> tuple[Family, ...]:
    """The scenario's family, and before it the coarser ones that are part of it.

    Time-of-use blocks, then the slots of the family in use at all hubs alike, then hub by hub.
    """
    rules = situation.rules
    asked = make_family(situation, per_hub=False)
    blocks = np.unique(rules.block)
    # A part of it where no group of slots reaches over a block's end.
    shown = slice(None) if asked.counted is None else asked.counted[0]
    pairs = np.stack([asked.group[0], rules.block])[:, shown]
    within = len(np.unique(pairs, axis=1).T) == asked.groups
    families = [*fewer_changes(asked), asked]
    if within and 1 < len(blocks) < asked.groups:
        families.insert(0, make_family(situation, TariffFamily.TIME_OF_USE, per_hub=False))
    if rules.per_hub and len(situation.hubs) > 1:
        families.append(make_family(situation))
    return tuple(families)


def poorer_families(situation: Situation) -> tuple[Family, ...]:
    """Every family that is part of the scenario's, poorest first, and that one itself at the end.

    One is part of another where each of its groups of slots is a union of the other's.
    """
    last = make_family(situation)
    found: list[Family] = []
    sides = (False, True) if situation.rules.per_hub and len(situation.hubs) > 1 else (False,)
    for per_hub in sides:
        for name in TariffFamily:
            try:
                family = make_family(situation, name, per_hub=per_hub)
            except ValueError:  # it leaves no lawful price
                continue
            pairs = np.stack([last.group.ravel(), family.group.ravel()])
            pairs = pairs if last.counted is None else pairs[:, last.counted.ravel()]
            known = any(np.array_equal(one.group, family.group) for one in found)
            if len(np.unique(pairs, axis=1).T) == last.groups > family.groups and not known:
                found.append(family)
    found += fewer_changes(last)
    found.sort(key=lambda family: family.groups)
    return *found, last


def fewer_changes(family: Family) -> tuple[Family, ...]:
    """Families with groups made one, which together hold all tariffs with few enough changes.

    None where changes are not counted, or hubs post their own, or groups are many.
    """
    if len(family.signs) != 1 or family.groups > MOST_JOINED:
        return ()
    joined = [_joined(family, sign, labels) for sign, labels in family.signs[0].joinings()]
    return tuple(each for each in joined if each is not None)


def _joined(family: Family, sign: Sign, labels: Index) -> Family | None:
    """The family with groups of one label made one; None where no price is lawful then."""
    low, high = np.full((2, len(sign.members)), -np.inf), np.full((2, len(sign.members)), np.inf)
    for kind in (0, 1):
        np.maximum.at(low[kind], labels, family.low[kind])
        np.minimum.at(high[kind], labels, family.high[kind])
    sign.close(low, high, family.decimals)
    if (low > high).any():
        return None
    fewer = replace(family, group=labels[family.group], low=low, high=high, signs=(sign,))
    spare = sign.with_spare(fewer.frame(sign.members, sign.weight))
    return None if spare is None else replace(fewer, signs=(spare,))


def _refuse_where_nothing_is_lawful(family: Family, horizon: Horizon) -> None:
    moment = horizon.slot_names()
    wrong = [
        f"from {moment[int(np.argmax(row == g))]} on a {kind} price must be at "
        f"least {family.low[k, g]:g} and at most {family.high[k, g]:g}"
        for row in family.group
        for k, kind in enumerate(("charge", "discharge"))
        for g in np.unique(row)
        if family.low[k, g] > family.high[k, g]
    ]
    least = max(float(family.low[0, row].mean()) for row in family.group)
    if least > family.average_cap + ROUNDING:
        wrong.append(f"charge prices average at least {least:g}, above the cap")
    wrong = list(dict.fromkeys(wrong))
    if wrong:
        said = "the price rules leave no lawful tariff: " + "; ".join(wrong)
        raise ScenarioError([Issue("scenario.toml", "rules", "", said, "allow wider bounds")])


def price_groups(situation: Situation, name: str | None = None) -> Index:
    """Which slots share a price in the family ``name`` (default: the scenario's own).

    Groups are 0, 1, ...; shape (slots,).

    Raises
    ------
    ValueError
        If the family is unknown.
    """
    horizon = situation.horizon
    match chosen(TariffFamily, name or situation.rules.family, "tariff family"):
        case TariffFamily.FLAT:
            return np.zeros(horizon.slots, np.int64)
        case TariffFamily.TIME_OF_USE:
            return np.unique(situation.rules.block, return_inverse=True)[1].astype(np.int64)
        case TariffFamily.HOURLY:
            return np.arange(horizon.slots) * horizon.slot_minutes // 60
        case TariffFamily.EVERY_SLOT:
            return np.arange(horizon.slots)


def _headroom(situation: Situation) -> Array:
    """Lines that discharge prices stay below: r <= (c + w*eta_in) / (eta_in*eta_out) for all.

    Prices are those that drivers feel: what terms give them for both together lowers the line. Who
    keeps a list that was accepted before does not answer to these prices.
    """
    fleet = situation.fleet
    answers = fleet.participating & (fleet.lists == fleet.hub)
    two_way = answers & (fleet.discharge_kw_max > 0.0)
    charge_eff = fleet.charge_efficiency[two_way]
    discharge_eff = fleet.discharge_efficiency[two_way]
    slope = 1.0 / (charge_eff * discharge_eff)
    intercept = fleet.wear_cost[two_way] / discharge_eff
    terms = situation.terms.sums(situation.horizon.slots)
    if terms.felt:
        group = fleet.groups[two_way]
        most_in = terms.charge_to_driver.max(axis=1)[group]
        most_out = terms.discharge_to_driver.max(axis=1)[group]
        intercept = intercept - slope * most_in - most_out
    lines = np.stack([intercept, slope])
    if situation.rules.own.discharge_at_most_charge:
        lines = np.concatenate([lines, [[0.0], [1.0]]], axis=1)
    return np.unique(lines, axis=1) if lines.size else lines
