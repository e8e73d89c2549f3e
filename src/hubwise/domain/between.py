"""Parts of what changes by slot: prices, rules and terms from one slot to another."""

from __future__ import annotations

from dataclasses import replace

from hubwise.domain.tariff import Market, PriceRules, Tariff
from hubwise.domain.terms import Term, Terms


def market_between(market: Market, first: int, last: int) -> Market:
    """Prices on the slots from ``first`` to before ``last``."""
    charges = ((0, market.demand_charge), *market.later_periods)
    return replace(
        market,
        purchase_price=market.purchase_price[first:last],
        feed_in_price=market.feed_in_price[first:last],
        reference_price=market.reference_price[first:last],
        demand_charge=[charge for slot, charge in charges if slot <= first][-1],
        later_periods=tuple((k - first, charge) for k, charge in charges if first < k < last),
    )


def tariff_between(tariff: Tariff, first: int, last: int) -> Tariff:
    """Posted prices on the slots from ``first`` to before ``last``."""
    return Tariff(tariff.charge_price[:, first:last], tariff.discharge_price[:, first:last])


def rules_between(rules: PriceRules, first: int, last: int) -> PriceRules:
    """Price rules on the slots from ``first`` to before ``last``."""
    return replace(
        rules,
        charge_price_min=rules.charge_price_min[first:last],
        charge_price_max=rules.charge_price_max[first:last],
        discharge_price_min=rules.discharge_price_min[first:last],
        discharge_price_max=rules.discharge_price_max[first:last],
        block=rules.block[first:last],
    )


def terms_between(terms: Terms, first: int, last: int) -> Terms:
    """Terms on the slots from ``first`` to before ``last``."""
    return Terms(tuple(_term(part, first, last) for part in terms.parts))


def _term(term: Term, first: int, last: int) -> Term:
    return replace(
        term,
        charge_to_driver=term.charge_to_driver[:, first:last],
        discharge_to_driver=term.discharge_to_driver[:, first:last],
        charge_to_operator=term.charge_to_operator[:, first:last],
        discharge_to_operator=term.discharge_to_operator[:, first:last],
    )
