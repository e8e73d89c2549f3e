"""The operator's problem: tariff families, what a tariff is worth, and the search for the best."""

from hubwise.pricing.bound import profit_bound
from hubwise.pricing.exact import Exact, UnsolvedError, exact, merged
from hubwise.pricing.family import FAMILIES, Family, coarse_to_fine, make_family, price_groups
from hubwise.pricing.first import first_prices
from hubwise.pricing.level import level, participants_pay
from hubwise.pricing.proof import FamilyBound, family_bound
from hubwise.pricing.search import (
    METHODS,
    Found,
    Setting,
    search,
    search_in_steps,
    search_method,
)
from hubwise.pricing.value import Value, best_of, bill_everyone, cost_ceiling, settle, value

__all__ = [
    "FAMILIES",
    "METHODS",
    "Exact",
    "Family",
    "FamilyBound",
    "Found",
    "Setting",
    "UnsolvedError",
    "Value",
    "best_of",
    "bill_everyone",
    "coarse_to_fine",
    "cost_ceiling",
    "exact",
    "family_bound",
    "first_prices",
    "level",
    "make_family",
    "merged",
    "participants_pay",
    "price_groups",
    "profit_bound",
    "search",
    "search_in_steps",
    "search_method",
    "settle",
    "value",
]
