"""Hubs: chargers, a station battery and solar behind one grid connection, as columns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hubwise.domain.arrays import Array, Index
from hubwise.domain.lines import Circuits, Lines, lines_of


@dataclass(frozen=True, slots=True)
class Hubs:
    """Hubs as columns; arrays have shape (hubs,) unless said otherwise.

    Parameters
    ----------
    name, bus
        Name, and number of the bus that the hub is connected to.
    import_limit_kw, export_limit_kw
        Limits of the grid connection [kW].
    battery_kw, battery_kwh
        Power at the AC side and usable energy of the station battery; 0 where there is none.
    battery_charge_efficiency, battery_discharge_efficiency
        One-way efficiencies, in (0, 1].
    battery_initial_kwh
        Energy at the start of the horizon [kWh].
    battery_wear_cost
        Per kWh drawn from the station battery [currency/kWh].
    lease_cost, running_cost
        Station-battery lease and station running cost for the horizon [currency].
    solar_kw
        Solar power available; shape (hubs, slots) [kW].
    transformer_kva
        Rating of the transformer between hub and feeder; ``inf`` where there is none [kVA].
    transformer_limit
        Its highest loading, as a share of the rating. Hubs draw at unity power factor and the
        transformer's losses are left out, so that this limits the net power either way.
    battery_final_kwh
        Least energy at the end of the horizon; as much as at its start where ``None`` [kWh].
    battery_end_value
        What a kWh above that is worth at the end [currency/kWh].
    phase_kw
        Most that may flow on each phase of the connection, either way; ``None`` for no limit [kW].
    circuits
        Circuits below the connections; ``None`` for none.
    standby_kw
        What two-way chargers draw while they are awake for those who are asked to take part, where
        prices are posted; shape (hubs, slots); ``None`` for nothing [kW].
    allowed_kw
        The most that whoever runs the grid lets them draw for a while; ``inf`` where nobody limits;
        shape (hubs, slots); ``None`` for all that connections carry [kW].
    """

    name: tuple[str, ...]
    bus: Index
    import_limit_kw: Array
    export_limit_kw: Array
    battery_kw: Array
    battery_kwh: Array
    battery_charge_efficiency: Array
    battery_discharge_efficiency: Array
    battery_initial_kwh: Array
    battery_wear_cost: Array
    lease_cost: Array
    running_cost: Array
    solar_kw: Array
    transformer_kva: Array | float = np.inf
    transformer_limit: Array | float = 1.0
    battery_final_kwh: Array | None = None
    battery_end_value: Array | float = 0.0
    phase_kw: Array | None = None
    circuits: Circuits | None = None
    standby_kw: Array | None = None
    allowed_kw: Array | None = None

    def resting(self) -> Hubs:
        """The same hubs where no charger is awake: used one way."""
        return replace(self, standby_kw=None)

    @property
    def least_final_kwh(self) -> Array:
        """Least energy at the end of the horizon; shape (hubs,) [kWh]."""
        return (
            self.battery_initial_kwh if self.battery_final_kwh is None else self.battery_final_kwh
        )

    @property
    def most_import_kw(self) -> Array:
        """Most that may be drawn, by connection and transformer; shape (hubs,) [kW]."""
        return np.minimum(self.import_limit_kw, self.transformer_kva * self.transformer_limit)

    def most_import_at(self, slot: int) -> Array:
        """The same in a slot, as far as the grid lets them; shape (hubs,) [kW]."""
        if self.allowed_kw is None:
            return self.most_import_kw
        return np.minimum(self.most_import_kw, self.allowed_kw[:, slot])

    @property
    def most_export_kw(self) -> Array:
        """Most that may be fed back, by connection and transformer; shape (hubs,) [kW]."""
        return np.minimum(self.export_limit_kw, self.transformer_kva * self.transformer_limit)

    @property
    def lines(self) -> Lines:
        """Limits that sessions share below the connections, and on their phases."""
        return lines_of(self)

    def __len__(self) -> int:
        return len(self.name)
