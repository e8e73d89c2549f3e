"""Simulated stations and cars: they speak OCPP over real sockets, with a battery behind them."""

from hubwise.edge.simulated.battery import SimulatedBattery
from hubwise.edge.simulated.fleet import Simulation, simulate
from hubwise.edge.simulated.habits import Habits
from hubwise.edge.simulated.link import Link

__all__ = ["Habits", "Link", "SimulatedBattery", "Simulation", "simulate"]
