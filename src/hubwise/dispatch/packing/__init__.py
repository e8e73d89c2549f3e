"""Packing: schedules that chargers can follow."""

from hubwise.dispatch.packing.jobs import pack

__all__ = ["pack"]
