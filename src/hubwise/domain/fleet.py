"""The fleet: charging sessions as columns, one array per attribute."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from hubwise.domain.arrays import Array, Flags, Index, Names


@dataclass(frozen=True, slots=True)
class Fleet:
    """Sessions as columns; every array has shape (sessions,).

    Energies are inside the battery, powers at the charger (AC side). A session may use the slots
    ``arrival_slot <= t < departure_slot``.

    Parameters
    ----------
    session, driver
        Identifiers.
    hub
        Index of the session's hub.
    arrival_slot, departure_slot
        First slot of the stay, and the first slot after its *stated* end.
    actual_departure_slot
        The first slot after the stay's actual end, where known; else the stated one.
    capacity_kwh, arrival_kwh, required_kwh, reserve_kwh, max_kwh
        Battery size, energy at arrival, energy required at departure, reserve, and highest energy
        [kWh].
    charge_kw_max, discharge_kw_max
        Limits at the charger [kW]; discharge 0 where charger or vehicle is one-way.
    charge_efficiency, discharge_efficiency
        One-way efficiencies, in (0, 1].
    wear_cost
        Battery life lost per kWh drawn from the battery [currency/kWh].
    discharge_limit_kwh
        Most energy that may be drawn from the battery during the stay [kWh]; ``inf`` for none.
    surplus_value
        What a kWh above the required energy is worth to the driver at departure [currency/kWh].
    chemistry
        Cell chemistry, for example ``LFP`` or ``NMC``.
    temperature_c
        Mean temperature of the battery over the stay [degree Celsius].
    age_years
        Age of the battery [years].
    throughput_kwh
        Energy drawn from the battery in its life so far [kWh].
    warranty_kwh
        Energy drawn from the battery that its warranty covers; ``inf`` where none is stated [kWh].
    driving_kwh_per_day
        Energy that a day's driving draws from the battery [kWh].
    fade_limit_per_year
        Most capacity that the driver lets discharging to the grid cost, as a share of the capacity
        a year; ``inf`` for none.
    minimum_saving
        Saving on the stay, below which the driver does not take part [currency].
    never_discharge
        Whether the driver forbids discharging; ``discharge_kw_max`` is 0 then.
    participating
        Whether Hubwise schedules the session; the others plug in and charge at once.
    """

    session: Names
    driver: Names
    hub: Index
    arrival_slot: Index
    departure_slot: Index
    actual_departure_slot: Index
    capacity_kwh: Array
    arrival_kwh: Array
    required_kwh: Array
    reserve_kwh: Array
    max_kwh: Array
    charge_kw_max: Array
    discharge_kw_max: Array
    charge_efficiency: Array
    discharge_efficiency: Array
    wear_cost: Array
    discharge_limit_kwh: Array
    surplus_value: Array
    chemistry: Names
    temperature_c: Array
    age_years: Array
    throughput_kwh: Array
    warranty_kwh: Array
    driving_kwh_per_day: Array
    fade_limit_per_year: Array
    minimum_saving: Array
    never_discharge: Flags
    participating: Flags

    def __len__(self) -> int:
        return len(self.session)

    def select(self, keep: Flags | Index) -> Fleet:
        """The sessions that ``keep`` (a mask or indices) picks, in that order."""
        return Fleet(**{f.name: getattr(self, f.name)[keep] for f in fields(self)})

    def one_way(self) -> Fleet:
        """The same sessions, none of which can discharge."""
        return replace(self, discharge_kw_max=np.zeros(len(self)))

    def with_participating(self, participating: Flags) -> Fleet:
        """The same sessions with another set of participants."""
        return replace(self, participating=participating)
