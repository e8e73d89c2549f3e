"""The feeder under AC power flow: state, limits, sensitivities, transformer ageing."""

from hubwise.grid.flow import power_flow
from hubwise.grid.gauss import power_flow_gauss
from hubwise.grid.limits import Kind, Violation, count, violations
from hubwise.grid.newton import PowerFlow
from hubwise.grid.pandapower_flow import power_flow_pandapower
from hubwise.grid.phase_flow import PhaseFlow
from hubwise.grid.phase_newton import power_flow_phases
from hubwise.grid.sensitivity import Tangent, tangent
from hubwise.grid.state import FeederState
from hubwise.grid.transformer import (
    DISTRIBUTION_ONAN,
    NORMAL_LIFE_YEARS,
    POWER_ONAN,
    Paper,
    Temperatures,
    ThermalModel,
    life_years,
    loss_of_life_by_rating,
    loss_of_life_days,
    relative_ageing_rate,
    temperatures,
    thermal_model,
)
from hubwise.grid.transformers import SUBSTATION, TransformerDay, transformer_day

__all__ = [
    "DISTRIBUTION_ONAN",
    "NORMAL_LIFE_YEARS",
    "POWER_ONAN",
    "SUBSTATION",
    "FeederState",
    "Kind",
    "Paper",
    "PhaseFlow",
    "PowerFlow",
    "Tangent",
    "Temperatures",
    "ThermalModel",
    "TransformerDay",
    "Violation",
    "count",
    "life_years",
    "loss_of_life_by_rating",
    "loss_of_life_days",
    "power_flow",
    "power_flow_gauss",
    "power_flow_pandapower",
    "power_flow_phases",
    "relative_ageing_rate",
    "tangent",
    "temperatures",
    "thermal_model",
    "transformer_day",
    "violations",
]
