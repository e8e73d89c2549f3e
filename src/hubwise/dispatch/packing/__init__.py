"""Packing: schedules that chargers can follow."""

from hubwise.dispatch.packing.jobs import pack
from hubwise.dispatch.packing.rounding import round_off

__all__ = ["pack", "round_off"]
