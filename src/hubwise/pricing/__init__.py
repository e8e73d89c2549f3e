"""The operator's problem: tariff families, what a tariff is worth, and the search for the best."""

from hubwise.pricing.bound import bound_profit, most_felt, profit_bound
from hubwise.pricing.broken import broken_rules
from hubwise.pricing.exact import Exact, UnsolvedError, merged, solve_exact
from hubwise.pricing.family import Family, coarse_to_fine, make_family, price_groups
from hubwise.pricing.family_bound import FamilyBound, bound_family
from hubwise.pricing.first import first_prices
from hubwise.pricing.levelling import level_prices, level_where, participants_pay
from hubwise.pricing.search import (
    FEW,
    METHODS,
    SearchResult,
    Setting,
    run_search,
    search_in_steps,
    search_method,
)
from hubwise.pricing.value import (
    Value,
    account_of,
    best_of,
    bill_everyone,
    cost_ceiling,
    reference_cost,
    value_of,
)

__all__ = [
    "FEW",
    "METHODS",
    "Exact",
    "Family",
    "FamilyBound",
    "SearchResult",
    "Setting",
    "UnsolvedError",
    "Value",
    "account_of",
    "best_of",
    "bill_everyone",
    "bound_family",
    "bound_profit",
    "broken_rules",
    "coarse_to_fine",
    "cost_ceiling",
    "first_prices",
    "level_prices",
    "level_where",
    "make_family",
    "merged",
    "most_felt",
    "participants_pay",
    "price_groups",
    "profit_bound",
    "reference_cost",
    "run_search",
    "search_in_steps",
    "search_method",
    "solve_exact",
    "value_of",
]
