"""The feeder under AC power flow: state, limits, sensitivities, transformer ageing."""

from hubwise.grid.newton import FeederState, PowerFlow, power_flow

__all__ = ["FeederState", "PowerFlow", "power_flow"]
