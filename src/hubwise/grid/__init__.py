"""The feeder under AC power flow: state, limits, sensitivities, transformer ageing."""

from hubwise.grid.newton import PowerFlow, power_flow
from hubwise.grid.state import FeederState
from hubwise.grid.sweep import power_flow_sweep

__all__ = ["FeederState", "PowerFlow", "power_flow", "power_flow_sweep"]
