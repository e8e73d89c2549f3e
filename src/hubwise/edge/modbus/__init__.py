"""Batteries and meters over Modbus TCP: by SunSpec's models, or by a map of registers."""

from hubwise.edge.modbus.devices import ModbusBattery, ModbusMeter
from hubwise.edge.modbus.link import DeviceError, Link
from hubwise.edge.modbus.points import Points, mapped_points, sunspec_points

__all__ = [
    "DeviceError",
    "Link",
    "ModbusBattery",
    "ModbusMeter",
    "Points",
    "mapped_points",
    "sunspec_points",
]
