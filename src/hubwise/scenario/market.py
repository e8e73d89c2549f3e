"""Prices: read, laid over the slots, and checked against each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hubwise.domain import Cap, Horizon, Market, Posting, PriceRules, TariffFamily, Terms
from hubwise.domain.arrays import Array, Flags
from hubwise.scenario.clock import in_windows
from hubwise.scenario.errors import listed
from hubwise.scenario.files import NamedHours, PriceBlock, PricesSection, RulesSection
from hubwise.scenario.reading import TOML, Reader
from hubwise.scenario.rows import PriceRow
from hubwise.scenario.sections import Sections
from hubwise.scenario.series import read_series
from hubwise.scenario.tables import read_table

KWH_IN = {"kWh": 1.0, "MWh": 1000.0}


def read_market(sections: Sections, horizon: Horizon | None, reader: Reader) -> Market | None:
    """The market, or nothing where its prices have a mistake; mistakes are noted."""
    section = sections.prices
    table = None
    if name := sections.said("prices", "series", str):
        table = read_table(reader, name, PriceRow)
    if section is None or horizon is None:
        return None
    purchase = None
    if section.blocks is not None and check_blocks(
        "prices.blocks", section.blocks, horizon, reader
    ):
        purchase = _price_of_blocks(section.blocks, horizon)
    elif table is not None:
        purchase = read_series(table, horizon, reader)
    if purchase is None:
        return None
    market = _build_market(section, purchase / KWH_IN[section.unit], horizon)
    check_market(market, horizon, reader)
    return market


def read_rules(
    sections: Sections, market: Market | None, horizon: Horizon | None, reader: Reader
) -> PriceRules | None:
    """The rules, or nothing where they have a mistake; mistakes are noted.

    Without blocks of their own the rules have those of the purchase price; without any, the whole
    horizon is one block.
    """
    section = sections.rules
    if section is None or horizon is None:
        return None
    own = section.blocks or []
    if own and not check_blocks("rules.blocks", own, horizon, reader):
        return None
    if sections.prices is None or market is None:
        return None
    blocks = own or sections.prices.blocks or []
    if section.family == TariffFamily.TIME_OF_USE and not blocks:
        right = "give [[rules.blocks]] with names and hours"
        reader.wrong(TOML, "rules", "blocks", "are missing for the time-of-use family", right)
        return None
    rules = _build_rules(section, blocks, market, horizon)
    check_rules(rules, market.reference_price, horizon, reader)
    return rules


def _price_of_blocks(blocks: Sequence[PriceBlock], horizon: Horizon) -> Array:
    """Each slot's price by its block; shape (slots,) [currency/kWh]."""
    price = np.zeros(horizon.slots)
    for block in blocks:
        price[in_windows(horizon, block.hours)] = block.price
    return price


def _build_market(section: PricesSection, purchase: Array, horizon: Horizon) -> Market:
    """The market at purchase prices of shape (slots,) [currency/kWh]."""
    sold = purchase if isinstance(section.feed_in, str) else np.full(horizon.slots, section.feed_in)
    return Market(
        purchase_price=purchase,
        feed_in_price=sold - section.feed_in_fee,
        reference_price=purchase + section.service_fee,
        demand_charge=section.demand_charge,
        energy_left_price=None if isinstance(section.energy_left, str) else section.energy_left,
    )


def read_terms(section: PricesSection, horizon: Horizon) -> Terms:
    """What the operator receives for what vehicles discharge."""
    incentive = np.zeros(horizon.slots)
    for rule in section.incentives:
        incentive[in_windows(horizon, rule.hours)] += rule.price
    return Terms.on_discharge("incentives", incentive)


def _build_rules(
    section: RulesSection,
    blocks: Sequence[NamedHours],
    market: Market,
    horizon: Horizon,
) -> PriceRules:
    """What a tariff may be; without ``blocks`` the whole horizon is one."""
    block = np.zeros(horizon.slots, dtype=np.int64)
    for k, named in enumerate(blocks):
        block[in_windows(horizon, named.hours)] = k
    posting = _posting(section)
    return PriceRules(
        charge_price_min=np.full(horizon.slots, section.charge_price_min, dtype=float),
        charge_price_max=_charge_price_max(section, market.reference_price),
        discharge_price_min=np.full(horizon.slots, section.discharge_price_min, dtype=float),
        discharge_price_max=np.full(horizon.slots, section.discharge_price_max, dtype=float),
        block=block,
        block_names=tuple(named.name for named in blocks) or ("whole horizon",),
        average_cap=section.average_cap,
        family=section.family,
        decimals=section.decimals,
        per_hub=section.per_hub,
        posting=posting if posting.set_rules else None,
    )


def _charge_price_max(section: RulesSection, reference: Array) -> Array:
    """The highest charge price of each slot; shape (slots,) [currency/kWh].

    Where the reference tariff does not cap each slot by itself, its dearest slot bounds all.
    """
    high = section.charge_price_max
    if not isinstance(high, str):
        return np.full(len(reference), high, dtype=float)
    if section.cap is Cap.SLOT:
        return reference.copy()
    return np.full(len(reference), reference.max())


def _posting(section: RulesSection) -> Posting:
    """The rules that the operator has set itself."""
    none = float("inf")
    return Posting(
        charge_at_least_purchase=section.charge_at_least_purchase,
        discharge_at_most_charge=section.discharge_at_most_charge,
        step_max=section.step_max,
        levels_max=none if section.levels_max is None else section.levels_max,
        changes_max=none if section.changes_max is None else section.changes_max,
        keeps_order=section.keeps_order,
        fills_empty=section.fills_empty,
        cap=section.cap,
    )


def check_blocks(
    where: str, blocks: Sequence[NamedHours], horizon: Horizon, reader: Reader
) -> bool:
    """Whether every slot is in exactly one block; a name that stands twice is noted, too."""
    count = np.zeros(horizon.slots, dtype=int)
    for named in blocks:
        count += in_windows(horizon, named.hours)
    for bad, wrong in ((count == 0, "no block covers"), (count > 1, "several blocks cover")):
        if bad.any():
            wrong = f"{wrong} {clock_times(horizon, bad)}"
            reader.wrong(TOML, where, "hours", wrong, "each slot is in one block")
    names = [named.name for named in blocks]
    for name in sorted({name for name in names if names.count(name) > 1}):
        reader.wrong(TOML, where, "name", f"{name!r} is there twice", "put its hours in one block")
    return bool(np.all(count == 1))


def check_market(market: Market, horizon: Horizon, reader: Reader) -> None:
    """Energy is never sold above the price that it is bought at."""
    above = market.feed_in_price > market.purchase_price + 1e-12
    if above.any():
        wrong = f"is above the purchase price at {clock_times(horizon, above)}"
        right = 'give "purchase", or a price at most the lowest purchase price'
        reader.wrong(TOML, "prices", "feed_in", wrong, right)


def check_rules(rules: PriceRules, reference: Array, horizon: Horizon, reader: Reader) -> None:
    """Bounds do not cross, and the cap leaves room above the lowest prices.

    Nobody pays more than on the ``reference`` tariff: that bounds charge prices, too.
    """
    # In which slots there are cars is not known here.
    by_slot = rules.own.cap is Cap.SLOT and not rules.own.fills_empty
    capped = np.minimum(rules.charge_price_max, reference if by_slot else np.inf)
    for price, high in (("charge_price", capped), ("discharge_price", rules.discharge_price_max)):
        low = getattr(rules, f"{price}_min")
        crossed = low > high + 1e-12
        if crossed.any():
            k = int(np.argmax(low - high))
            own = high[k] == getattr(rules, f"{price}_max")[k]
            most = f"{price}_max" if own else "the reference tariff"
            wrong = (
                f"is above {most} at {clock_times(horizon, crossed)}, at worst "
                f"{low[k]:.5g} above {high[k]:.5g}"
            )
            right = f"give at most {np.min(high):.5g}"
            reader.wrong(TOML, "rules", f"{price}_min", wrong, right)
    lowest = float(np.mean(rules.charge_price_min))
    if rules.average_cap < lowest:
        wrong = f"{rules.average_cap:g} is below the lowest average that the bounds allow"
        reader.wrong(TOML, "rules", "average_cap", wrong, f"give at least {lowest:.5g}")


def clock_times(horizon: Horizon, slots: Flags) -> str:
    """The local times of some slots as runs, such as ``10:00-15:00, 18:00-21:00``."""
    if slots.all():
        return "all hours"
    starts = [moment.strftime("%H:%M") for moment in horizon.local_starts()]
    starts.append(starts[0])
    edges = np.flatnonzero(np.diff(np.r_[0, slots.astype(int), 0]))
    return listed(f"{starts[a]}-{starts[b]}" for a, b in edges.reshape(-1, 2))
