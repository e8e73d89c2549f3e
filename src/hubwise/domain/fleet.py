"""The fleet: charging sessions as columns, one array per attribute."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from hubwise.domain.arrays import Array, Flags, Index, Names


@dataclass(frozen=True, slots=True)
class SlotBounds:
    """Bounds of sessions that change over the stay; arrays of shape (sessions, slots).

    They tighten what the fleet says of all slots: infinite where they do not. Such are charging
    that tapers near full, a grid operator's dimming, an outage, a right to call on a car, head-room
    for reserve.

    Parameters
    ----------
    charge_kw, discharge_kw
        Most power at the charger [kW].
    least_kwh, most_kwh
        Least and most energy in the battery at the end of a slot, kept as far as power allows; the
        most before the least [kWh].
    """

    charge_kw: Array
    discharge_kw: Array
    least_kwh: Array
    most_kwh: Array

    def select(self, keep: Flags | Index) -> SlotBounds:
        """The sessions that ``keep`` (a mask or indices) picks, in that order."""
        return SlotBounds(**{f.name: getattr(self, f.name)[keep] for f in fields(self)})


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
    price_list
        The price list that the session was offered, as a row of the tariff; its hub's where
        ``None``.
    group
        The group of sessions whose terms are the session's; the first where ``None``.
    bounds
        Bounds that change over the stay; ``None`` for none.
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
    price_list: Index | None = None
    group: Index | None = None
    bounds: SlotBounds | None = None

    def __len__(self) -> int:
        return len(self.session)

    @property
    def lists(self) -> Index:
        """The price list of every session; shape (sessions,)."""
        return self.hub if self.price_list is None else self.price_list

    @property
    def groups(self) -> Index:
        """The group of terms of every session; shape (sessions,)."""
        return np.zeros(len(self), np.int64) if self.group is None else self.group

    def select(self, keep: Flags | Index) -> Fleet:
        """The sessions that ``keep`` (a mask or indices) picks, in that order."""
        kept: dict[str, Any] = {}
        for field in fields(self):
            column = getattr(self, field.name)
            if isinstance(column, SlotBounds):
                kept[field.name] = column.select(keep)
            else:
                kept[field.name] = None if column is None else column[keep]
        return Fleet(**kept)

    def offered(self, price_list: Index) -> Fleet:
        """The same sessions, each offered a price list."""
        return replace(self, price_list=price_list)

    def one_way(self) -> Fleet:
        """The same sessions, none of which can discharge."""
        return replace(self, discharge_kw_max=np.zeros(len(self)))

    def with_participating(self, participating: Flags) -> Fleet:
        """The same sessions with another set of participants."""
        return replace(self, participating=participating)
