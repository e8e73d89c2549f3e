"""The fleet: charging sessions as columns, one array per attribute."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from hubwise.domain.arrays import Array, Flags, Index, Names
from hubwise.domain.lines import spots
from hubwise.domain.taper import Taper

# A charger's least current on a phase (IEC 61851-1), and what one and three phases carry at most.
LEAST_AMPERES, PHASE_VOLTS = 6.0, 230.0
ONE_PHASE_KW, THREE_PHASES_KW = 7.4, 43.7


def usual_least_kw(most_kw: Array) -> Array:
    """The least power, other than none, of chargers with so much at most; the same shape [kW].

    Six amperes on each phase; direct current, beyond what three phases carry, knows none.
    """
    three = np.where(most_kw <= THREE_PHASES_KW, 3.0, 0.0)
    return least_on_phases(np.where(most_kw <= ONE_PHASE_KW, 1.0, three), most_kw)


def least_on_phases(phases: Array, most_kw: Array) -> Array:
    """The least power on so many phases, at most ``most_kw``; the same shape [kW]."""
    return np.minimum(phases * LEAST_AMPERES * PHASE_VOLTS / 1000.0, most_kw)


def _least(told: Array | None, most_kw: Array) -> Array:
    return usual_least_kw(most_kw) if told is None else np.minimum(told, most_kw)


@dataclass(frozen=True, slots=True)
class SlotBounds:
    """Bounds of sessions that change over the stay; arrays of shape (sessions, slots).

    They tighten what the fleet says of all slots: infinite where they do not. Powers are those
    while the car is there: in a slot that it uses in part they count for its share
    (`Fleet.presence`). Such are charging that tapers near full, a grid operator's dimming, an
    outage, a right to call on a car, head-room for reserve.

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

    def between(self, first: int, last: int) -> SlotBounds:
        """The slots from ``first`` to before ``last``."""
        return SlotBounds(**{f.name: getattr(self, f.name)[:, first:last] for f in fields(self)})


@dataclass(frozen=True, slots=True)
class Drivers:
    """What belongs to a driver and the car, whatever the stay; arrays have shape (drivers,).

    A driver with two cars has two rows.

    Parameters
    ----------
    name
        Identifier.
    chemistry
        Cell chemistry, for example ``LFP`` or ``NMC``.
    age_years
        Age of the battery [years].
    throughput_kwh
        Energy drawn from the battery in its life so far [kWh].
    warranty_kwh
        Energy drawn from the battery that its warranty covers; ``inf`` where none is stated [kWh].
    fade_limit_per_year
        Most capacity that the driver lets discharging to the grid cost, as a share of the capacity
        a year; ``inf`` for none.
    """

    name: Names
    chemistry: Names
    age_years: Array
    throughput_kwh: Array
    warranty_kwh: Array
    fade_limit_per_year: Array


@dataclass(frozen=True, slots=True)
class Fleet:
    """Sessions as columns; every array has shape (sessions,).

    Energies are inside the battery, powers at the charger (AC side). A session may use the slots
    ``arrival_slot <= t < departure_slot``, the first and the last of them in part where it arrives
    or departs inside them: a schedule's powers are means over a slot.

    Parameters
    ----------
    session
        Identifiers.
    driver
        Row of each session's driver in ``drivers``.
    drivers
        What belongs to drivers rather than to stays.
    hub
        Index of the session's hub.
    arrival_slot, departure_slot
        First slot of the stay, and the first slot that begins at or after its *stated* end.
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
    temperature_c
        Mean temperature of the battery over the stay [degree Celsius].
    driving_kwh_per_day
        Energy that a day's driving draws from the battery [kWh].
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
    taper
        How charging power falls near full, where any session tells of it; schedules keep to it by
        ``bounds``.
    charge_kw_min, discharge_kw_min
        Least power at the charger, other than none; `usual_least_kw` where ``None`` [kW].
    step_kw
        What the charger's power is set in, each way, but for the highest; 0, and all where
        ``None``, for any power [kW].
    starts_max
        How often the charger may begin to charge, and to discharge, in the stay; ``inf``, and all
        where ``None``, for no limit.
    at_once_kwh
        Energy that would be in the battery now had the stay, begun before the horizon, charged at
        once from its arrival on: where charging at once goes on from [kWh]. As much as
        ``arrival_kwh`` where ``None``.
    at_once_kw
        Most power when charging at once, where a hub's connection does not bring it to all who
        would, as a mean over the slot; infinite elsewhere; shape (sessions, slots). No limit where
        ``None`` [kW].
    standby_kw
        What a two-way charger draws while it is awake, whatever flows; nothing where ``None`` [kW].
    late, early
        Share of the first slot that has passed at arrival, and of the last slot that is left at the
        stated departure; in [0, 1). Whole slots where ``None``.
    plug
        The plug that each stay occupies; ``None`` where plugs are not told of.
    asked_kwh
        Energy that was asked for at departure, where less can be promised; ``required_kwh`` where
        ``None`` [kWh].
    delegating
        Whether the platform chooses among the cheapest schedules of who takes part; the others' own
        devices do. All of them where ``None``.
    said_delegating
        What a session says of that itself: 1 for yes, 0 for no, -1 for nothing; ``None`` where none
        says anything.
    device_begins
        Where in the time at one price the session's own device begins, as a share of it within 0
        to 1; at its beginning where ``None``.
    circuit
        The circuit that each stay draws from, as a row of `Circuits`, -1 at the connection; all at
        the connection where ``None``.
    phase
        The phase that each stay loads: 1 to 3, and 0 for all three alike, as where ``None``.
    """

    session: Names
    driver: Index
    drivers: Drivers
    hub: Index
    arrival_slot: Index
    departure_slot: Index
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
    temperature_c: Array
    driving_kwh_per_day: Array
    minimum_saving: Array
    never_discharge: Flags
    participating: Flags
    price_list: Index | None = None
    group: Index | None = None
    bounds: SlotBounds | None = None
    taper: Taper | None = None
    charge_kw_min: Array | None = None
    discharge_kw_min: Array | None = None
    step_kw: Array | None = None
    starts_max: Array | None = None
    at_once_kwh: Array | None = None
    at_once_kw: Array | None = None
    asked_kwh: Array | None = None
    plug: Names | None = None
    delegating: Flags | None = None
    said_delegating: Index | None = None
    device_begins: Array | None = None
    circuit: Index | None = None
    phase: Index | None = None
    standby_kw: Array | None = None
    late: Array | None = None
    early: Array | None = None

    def __len__(self) -> int:
        return len(self.session)

    @classmethod
    def of(cls, **columns: Any) -> Fleet:
        """A fleet from columns of sessions, those of drivers among them; ``driver`` names them.

        Sessions of one driver and car, of the same chemistry, age, throughput, warranty and fade
        limit, share a row of `Drivers`.
        """
        names = [field.name for field in fields(Drivers)]
        own = {
            name: np.asarray(columns.pop("driver" if name == "name" else name)) for name in names
        }
        rows: dict[tuple[object, ...], int] = {}
        cars = zip(*(own[name].tolist() for name in names), strict=True)
        driver = np.array([rows.setdefault(car, len(rows)) for car in cars], np.int64)
        first = np.unique(driver, return_index=True)[1]
        drivers = Drivers(**{name: column[first] for name, column in own.items()})
        return cls(driver=driver, drivers=drivers, **columns)

    def with_drivers(self, **columns: Any) -> Fleet:
        """The same sessions, of whose drivers some columns are others; shape (sessions,) each."""
        mine = {field.name: getattr(self.drivers, field.name) for field in fields(Drivers)}
        own = {name: column[self.driver] for name, column in mine.items()} | columns
        rest = {f.name: getattr(self, f.name) for f in fields(self)}
        del rest["driver"], rest["drivers"]
        return Fleet.of(driver=own.pop("name"), **own, **rest)

    @property
    def driver_name(self) -> Names:
        """Who drives; shape (sessions,)."""
        return self.drivers.name[self.driver]

    @property
    def chemistry(self) -> Names:
        """Cell chemistry of every session's battery; shape (sessions,)."""
        return self.drivers.chemistry[self.driver]

    @property
    def age_years(self) -> Array:
        """Age of every session's battery; shape (sessions,) [years]."""
        return self.drivers.age_years[self.driver]

    @property
    def throughput_kwh(self) -> Array:
        """Energy drawn in the battery's life so far; shape (sessions,) [kWh]."""
        return self.drivers.throughput_kwh[self.driver]

    @property
    def warranty_kwh(self) -> Array:
        """Energy drawn that the warranty covers; shape (sessions,) [kWh]."""
        return self.drivers.warranty_kwh[self.driver]

    @property
    def fade_limit_per_year(self) -> Array:
        """Most capacity that discharging may cost; shape (sessions,) [share a year]."""
        return self.drivers.fade_limit_per_year[self.driver]

    @property
    def lists(self) -> Index:
        """The price list of every session; shape (sessions,)."""
        return self.hub if self.price_list is None else self.price_list

    @property
    def spots(self) -> Index:
        """Where every session draws, for `hubwise.domain.Lines`; shape (sessions,)."""
        return spots(self.hub, self.circuit, self.phase)

    @property
    def groups(self) -> Index:
        """The group of terms of every session; shape (sessions,)."""
        return np.zeros(len(self), np.int64) if self.group is None else self.group

    @property
    def begins(self) -> Array:
        """When stays begin, counted in slots; shape (sessions,)."""
        first = self.arrival_slot.astype(np.float64)
        return first if self.late is None else first + self.late

    @property
    def ends(self) -> Array:
        """When stays were stated to end, counted in slots; shape (sessions,)."""
        last = self.departure_slot.astype(np.float64)
        return last if self.early is None else last - self.early

    @property
    def inside_slots(self) -> bool:
        """Whether any stay begins or ends inside a slot."""
        return self.late is not None or self.early is not None

    def presence(self, slots: int) -> Array:
        """Share of each slot in which the car is there; shape (sessions, slots)."""
        slot = np.arange(slots)
        there = np.minimum(slot + 1, self.ends[:, None]) - np.maximum(slot, self.begins[:, None])
        share: Array = there.clip(0.0, 1.0)
        return share

    def staying(self, begins: Array, ends: Array) -> Fleet:
        """The same sessions from ``begins`` to ``ends``, counted in slots; shape (sessions,)."""
        first, last = np.floor(begins), np.ceil(ends)
        late, early = begins - first, last - ends
        return replace(
            self,
            arrival_slot=first.astype(np.int64),
            departure_slot=last.astype(np.int64),
            late=late if late.any() else None,
            early=early if early.any() else None,
        )

    @property
    def wished_kwh(self) -> Array:
        """Energy that was asked for at departure; shape (sessions,) [kWh]."""
        return self.required_kwh if self.asked_kwh is None else self.asked_kwh

    @property
    def tapers(self) -> Flags:
        """Whose charging power falls near full; shape (sessions,)."""
        return np.zeros(len(self), np.bool_) if self.taper is None else self.taper.name != ""

    @property
    def least_charge_kw(self) -> Array:
        """Least power of charging, other than none; shape (sessions,) [kW]."""
        return _least(self.charge_kw_min, self.charge_kw_max)

    @property
    def least_discharge_kw(self) -> Array:
        """Least power of discharging, other than none; shape (sessions,) [kW]."""
        return _least(self.discharge_kw_min, self.discharge_kw_max)

    @property
    def steps_kw(self) -> Array:
        """What chargers' powers are set in, 0 for any power; shape (sessions,) [kW]."""
        return np.zeros(len(self)) if self.step_kw is None else self.step_kw

    @property
    def most_starts(self) -> Array:
        """How often chargers may start in a stay, each way; shape (sessions,)."""
        return np.full(len(self), np.inf) if self.starts_max is None else self.starts_max

    def select(self, keep: Flags | Index) -> Fleet:
        """The sessions that ``keep`` (a mask or indices) picks, in that order."""
        kept: dict[str, Any] = {}
        for field in fields(self):
            column = getattr(self, field.name)
            if isinstance(column, SlotBounds | Taper):
                kept[field.name] = column.select(keep)
            elif isinstance(column, Drivers):
                kept[field.name] = column
            else:
                kept[field.name] = None if column is None else column[keep]
        return Fleet(**kept)

    def offered(self, price_list: Index) -> Fleet:
        """The same sessions, each offered a price list."""
        return replace(self, price_list=price_list)

    def one_way(self) -> Fleet:
        """The same sessions, none of which can discharge."""
        return replace(self, discharge_kw_max=np.zeros(len(self)))

    def charging_at_once(self) -> Fleet:
        """The same sessions where charging at once from their arrivals on would have them."""
        fleet = self
        if self.at_once_kwh is not None:
            fleet = replace(fleet, arrival_kwh=self.at_once_kwh, at_once_kwh=None)
        if self.at_once_kw is not None:
            fleet = replace(fleet, bounds=self._bounds_at_once(self.at_once_kw), at_once_kw=None)
        return fleet

    def _bounds_at_once(self, most_kw: Array) -> SlotBounds:
        """The stays' bounds with less power for charging at once."""
        if self.inside_slots:
            share = self.presence(most_kw.shape[1])
            most_kw = np.divide(most_kw, share, np.full(share.shape, np.inf), where=share > 0.0)
        if self.bounds is not None:
            return replace(self.bounds, charge_kw=np.minimum(self.bounds.charge_kw, most_kw))
        free = np.full(most_kw.shape, np.inf)
        return SlotBounds(most_kw, free, -free, free)

    def leaving_no_less(self) -> Fleet:
        """The same sessions, each required to leave with no less than uncoordinated.

        Charging at once goes to the required energy and never below the energy at arrival.
        """
        return replace(self, required_kwh=np.maximum(self.required_kwh, self.arrival_kwh))

    @property
    def delegates(self) -> Flags:
        """Whom the platform chooses for, where they take part; shape (sessions,)."""
        return np.ones(len(self), np.bool_) if self.delegating is None else self.delegating

    def delegated(self) -> Fleet:
        """The same sessions, all of which let the platform choose."""
        return replace(self, delegating=None, said_delegating=None, device_begins=None)

    def with_participating(self, participating: Flags) -> Fleet:
        """The same sessions with another set of participants."""
        return replace(self, participating=participating)
