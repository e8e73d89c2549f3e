"""Packing: schedules that chargers can follow, and stations that make up for the difference."""

from hubwise.dispatch.packing.jobs import pack
from hubwise.dispatch.packing.stations import with_schedule

__all__ = ["pack", "with_schedule"]
