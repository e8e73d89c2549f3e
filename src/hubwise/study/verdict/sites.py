"""The same site with other equipment: all cars one-way or two-way, another station battery."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hubwise.domain import Fleet, Hubs, Scenario
from hubwise.domain.arrays import Array
from hubwise.drivers import uncoordinated
from hubwise.scenario import with_standby

# A station battery of whom nothing is known: two hours at full power, full to half at first.
HOURS, EFFICIENCY, FILLED = 2.0, 0.95, 0.5
# Sizes that are tried: of the battery that is there, or of what cars charge in a day.
OF_OWN = (0.5, 1.0, 2.0)
OF_CHARGED = (0.1, 0.25, 0.5)


def own_battery_kwh(scenario: Scenario) -> float:
    """What station batteries hold together [kWh]."""
    return float(scenario.situation.hubs.battery_kwh.sum())


def is_two_way(scenario: Scenario) -> bool:
    """Whether any stay can discharge."""
    return bool((scenario.situation.fleet.discharge_kw_max > 0.0).any())


def can_be_two_way(scenario: Scenario) -> bool:
    """Whether any stay could discharge, were its charger and car made for it."""
    fleet = scenario.situation.fleet
    return bool((_discharge_kw(fleet) > 0.0).any())


def _discharge_kw(fleet: Fleet) -> Array:
    """Most power of stays that all discharge as fast as they charge; none where forbidden [kW]."""
    return np.where(fleet.never_discharge, 0.0, fleet.charge_kw_max)


def with_cars(scenario: Scenario, *, two_way: bool) -> Scenario:
    """The site whose cars are all one-way, or two-way; as it is where it is so already.

    Cars that become two-way discharge as fast as they charge, at their own efficiency and wear;
    those whose drivers forbid it do not.
    """
    fleet = scenario.situation.fleet
    if two_way == is_two_way(scenario):
        return scenario
    able = replace(fleet, discharge_kw_max=_discharge_kw(fleet)) if two_way else fleet.one_way()
    return replace(scenario, situation=with_standby(replace(scenario.situation, fleet=able)))


def with_battery(scenario: Scenario, kwh: float) -> Scenario:
    """The site whose station batteries hold ``kwh`` together; as it is where they do already.

    Those that are there grow or shrink by the same share, their power with them. Where there is
    none, hubs get shares of what their cars charge, with `HOURS`, `EFFICIENCY` and `FILLED`.
    """
    hubs, own = scenario.situation.hubs, own_battery_kwh(scenario)
    if kwh == own:
        return scenario
    if own == 0.0:
        return scenario.having(hubs=_equipped(hubs, kwh * _shares(scenario)))
    share, final = kwh / own, hubs.battery_final_kwh
    return scenario.having(
        hubs=replace(
            hubs,
            battery_kw=share * hubs.battery_kw,
            battery_kwh=share * hubs.battery_kwh,
            battery_initial_kwh=share * hubs.battery_initial_kwh,
            battery_final_kwh=None if final is None else share * final,
        )
    )


def _equipped(hubs: Hubs, kwh: Array) -> Hubs:
    """Hubs with new batteries; shape (hubs,) [kWh]."""
    return replace(
        hubs,
        battery_kw=kwh / HOURS,
        battery_kwh=kwh,
        battery_charge_efficiency=np.full(len(hubs), EFFICIENCY),
        battery_discharge_efficiency=np.full(len(hubs), EFFICIENCY),
        battery_initial_kwh=FILLED * kwh,
    )


def _charged_kwh(scenario: Scenario) -> Array:
    """What cars charge a day when all charge at once; shape (hubs,) [kWh a day]."""
    situation = scenario.situation
    fleet, horizon = situation.fleet, situation.horizon
    each = uncoordinated(fleet, horizon).charge_kw.sum(axis=1) * horizon.slot_hours
    found = np.bincount(fleet.hub, each, minlength=len(situation.hubs))
    a_day: Array = found / (horizon.slots * horizon.slot_hours / 24.0)
    return a_day


def _shares(scenario: Scenario) -> Array:
    charged = _charged_kwh(scenario)
    shares: Array = charged / charged.sum()
    return shares


def sizes_to_try(scenario: Scenario) -> tuple[float, ...]:
    """Batteries that are tried beside none [kWh]; nothing where no car charges."""
    own = own_battery_kwh(scenario)
    if own > 0.0:
        return tuple(share * own for share in OF_OWN)
    charged = float(_charged_kwh(scenario).sum())
    return tuple(float(f"{share * charged:.2g}") for share in OF_CHARGED if charged > 0.0)


def chargers_needed(scenario: Scenario) -> int:
    """Two-way chargers: the most stays at once, of those that can discharge, at every hub.

    Of cars that are all one-way, those that could be made two-way count.
    """
    situation = scenario.situation
    fleet = situation.fleet
    able = with_cars(scenario, two_way=True).situation.fleet.discharge_kw_max > 0.0
    needed = 0
    for hub in range(len(situation.hubs)):
        mine = able & (fleet.hub == hub)
        moments = np.round(np.concatenate([fleet.begins[mine], fleet.ends[mine]]), 9)
        change = np.repeat([1, -1], int(mine.sum()))
        # Who leaves makes room for who comes at the same moment.
        there = np.cumsum(change[np.lexsort((change, moments))])
        needed += int(there.max(initial=0))
    return needed
