"""A fleet's day in acnportal, the public simulator of adaptive charging networks (PyPI)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from acnportal import acnsim
from acnportal.algorithms import UncontrolledCharging

from hubwise.domain import Fleet, Horizon
from hubwise.domain.arrays import Array

# The simulator asks for a limit that chargers share; this one never binds.
NO_LIMIT_A = 1e9


@dataclass(frozen=True, slots=True)
class Day:
    """One day, ready to be stepped.

    Efficiency is not part of acnportal's ideal battery: energies are those at the charger.
    """

    simulator: Any

    @classmethod
    def of(cls, fleet: Fleet, horizon: Horizon, volts: float) -> Day:
        """The sessions of a fleet, each at a charger of its own."""
        network = acnsim.ChargingNetwork()
        stations = [f"charger-{k}" for k in range(len(fleet))]
        amperes = 1e3 * fleet.charge_kw_max / volts
        for station, most in zip(stations, amperes.tolist(), strict=True):
            network.register_evse(acnsim.EVSE(station, max_rate=most), volts, 0)
        network.add_constraint(acnsim.Current(stations), NO_LIMIT_A, name="all")
        events = acnsim.EventQueue(
            [_plug_in(fleet, k, station) for k, station in enumerate(stations)]
        )
        simulator = acnsim.Simulator(
            network,
            UncontrolledCharging(),
            events,
            datetime(2023, 7, 12),
            period=horizon.slot_minutes,
            verbose=False,
        )
        return cls(simulator)

    def run(self) -> None:
        """Step the day to its end."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its own, about newer libraries
            self.simulator.run()

    def power_kw(self, slots: int) -> Array:
        """Power at every charger; shape (sessions, slots) [kW]."""
        network = self.simulator.network
        order = [int(name.removeprefix("charger-")) for name in network.station_ids]
        amperes = self.simulator.charging_rates[:, :slots]
        power = np.zeros((len(order), slots))
        volts = np.array([network.voltages[name] for name in network.station_ids])
        power[order, : amperes.shape[1]] = amperes * volts[:, None] / 1e3
        return power


def _plug_in(fleet: Fleet, k: int, station: str) -> Any:
    wanted = max(fleet.required_kwh[k] - fleet.arrival_kwh[k], 0.0) / fleet.charge_efficiency[k]
    battery = acnsim.Battery(wanted, 0.0, fleet.charge_kw_max[k])
    arrival, departure = int(fleet.arrival_slot[k]), int(fleet.departure_slot[k])
    car = acnsim.EV(arrival, departure, wanted, station, str(k), battery)
    return acnsim.PluginEvent(arrival, car)
