"""Packing: schedules that chargers can follow."""

from hubwise.dispatch.packing.chargers import left_of, starts_of
from hubwise.dispatch.packing.exact import Worth, follow_exactly, is_followable
from hubwise.dispatch.packing.jobs import pack
from hubwise.dispatch.packing.rounding import round_off

__all__ = [
    "Worth",
    "follow_exactly",
    "is_followable",
    "left_of",
    "pack",
    "round_off",
    "starts_of",
]
