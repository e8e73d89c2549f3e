"""Prices: read, laid over the slots, and checked against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hubwise.domain import Cap, Horizon, Market, Posting, PriceRules, TariffFamily, Terms
from hubwise.domain.arrays import Array, Flags
from hubwise.domain.errors import listed
from hubwise.scenario.clock import in_windows
from hubwise.scenario.days import months_from
from hubwise.scenario.files import NamedHours, PriceBlock, PricesSection, RulesSection
from hubwise.scenario.price_files import Prices, asked_of, read_prices, read_series
from hubwise.scenario.price_units import KWH_IN, check_told
from hubwise.scenario.reading import TOML, Reader
from hubwise.scenario.sections import Sections

PURCHASE = "purchase"


def read_market(
    sections: Sections, horizon: Horizon | None, reader: Reader
) -> tuple[Market | None, tuple[str, ...]]:
    """The market, or nothing where its prices have a mistake, which is noted; and what is said.

    What is said of a series of prices are sentences: what was assumed, chosen and passed over.
    """
    section = sections.prices
    name = sections.said("prices", "series", str)
    series = None if name is None else _read_series(name, sections, horizon, reader)
    sold_series = None
    if section is not None and isinstance(section.feed_in, str) and section.feed_in != PURCHASE:
        sold_series = _read_series(section.feed_in, sections, horizon, reader)
    if section is None or horizon is None:
        return None, ()
    purchase: Array | None = None
    unit: str | None = section.unit
    if section.blocks is not None and check_blocks(
        "prices.blocks", section.blocks, horizon, reader
    ):
        purchase = _price_of_blocks(section.blocks, horizon)
    elif series is not None:
        purchase, unit = series.by_slot, section.unit or series.unit
    if purchase is None:
        return None, ()
    purchase = purchase / KWH_IN[unit or "kWh"]
    sold = _feed_in(section, sold_series, purchase)
    if sold is None:
        return None, ()
    notes = [*(series.notes if series else ()), *(sold_series.notes if sold_series else ())]
    several = len(horizon.day_edges()) > 2
    charges = series.demand_charges if series is not None and several else ()
    market = _build_market(section, purchase, sold)
    market = _with_demand(market, section, charges, horizon)
    return market, tuple(dict.fromkeys(notes))


def _with_demand(
    market: Market, section: PricesSection, tariffs: tuple[float, ...], horizon: Horizon
) -> Market:
    """The market with the demand charges of the horizon's months, and of each month if they differ.

    What the scenario tells goes before what a tariff has, which is for months.
    """
    told = section.demand_charge
    if isinstance(told, float | int):
        by_month = tuple([float(told)] * 12)
    else:
        by_month = tuple(map(float, tariffs if told is None else told))
    if not any(by_month):
        return market
    charges = [(first, by_month[int(month[-2:]) - 1]) for month, first in months_from(horizon)]
    return replace(
        market,
        demand_charge=charges[0][1],
        demand_charge_by_month=by_month if len(set(by_month)) > 1 else (),
        later_periods=tuple(charges[1:]),
    )


def _read_series(
    name: str, sections: Sections, horizon: Horizon | None, reader: Reader
) -> Prices | None:
    """A series that ``[prices]`` names, whatever else is wrong in that section."""
    currency = None if sections.head is None else sections.head.currency
    asked = replace(
        asked_of(horizon),
        stamps_zone=sections.said("prices", "prices_zone", str),
        prices_of=sections.said("prices", "prices_of", str),
        currency=currency,
        hold=sections.said("prices", "curve", str) == "hold",
    )
    if horizon is None:
        read_series(reader, name, asked)
        return None
    found = read_prices(reader, name, asked, horizon)
    unit = sections.said("prices", "unit", str)
    if found is not None:
        check_told(TOML, "prices", {"unit": (unit, found.unit)}, name, reader)
        check_told(TOML, "", {"currency": (currency, found.currency)}, name, reader)
    return found


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


def _feed_in(section: PricesSection, series: Prices | None, purchase: Array) -> Array | None:
    """What is paid for energy sold before the fee; shape (slots,) [currency/kWh]."""
    if not isinstance(section.feed_in, str):
        return np.full(len(purchase), section.feed_in)
    if section.feed_in == PURCHASE:
        return purchase
    if series is None:
        return None
    return series.by_slot / KWH_IN[section.unit or series.unit or "kWh"]


def _build_market(section: PricesSection, purchase: Array, sold: Array) -> Market:
    """The market at prices of shape (slots,) [currency/kWh]."""
    return Market(
        purchase_price=purchase,
        feed_in_price=sold - section.feed_in_fee,
        reference_price=purchase + section.service_fee,
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
