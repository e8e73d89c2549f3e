"""How good any tariff of a family can be: boxes of prices, the answers in them, and a bound."""

from hubwise.pricing.family_bound.bound import BOXES, FamilyBound, bound_family

__all__ = ["BOXES", "FamilyBound", "bound_family"]
