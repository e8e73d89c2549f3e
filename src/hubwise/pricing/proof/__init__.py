"""How good any tariff of a family can be: boxes of prices, the answers in them, and a bound."""

from hubwise.pricing.proof.bound import BOXES, FamilyBound, family_bound

__all__ = ["BOXES", "FamilyBound", "family_bound"]
