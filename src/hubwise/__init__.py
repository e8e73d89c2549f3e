"""Hubwise: price, plan, check and bill a smart EV-charging hub."""

from importlib.metadata import version

__version__ = version("hubwise")
