"""Drivers: can every schedule be driven, and is it the cheapest for its driver?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from hubwise.audit.conduct import Conduct
from hubwise.audit.evidence import Evidence
from hubwise.audit.felt import least_costs
from hubwise.audit.program import drawn_at_most
from hubwise.audit.report import Check, agree, difference, judge, worst_of
from hubwise.audit.stays import (
    at_once_kw,
    charging_at_once_kwh,
    least_kwh,
    limits_of,
    most_kwh,
    target_kwh,
)
from hubwise.audit.taper import check_taper
from hubwise.audit.ties import begun_by_devices
from hubwise.domain import Fleet
from hubwise.domain.arrays import Array

POWER = 1e-6  # kW
ENERGY = 1e-6  # kWh
REGRET = 1e-6  # currency
LATE = 1e-4  # kWh, each as late as the whole day


def check_drivers(evidence: Evidence, conduct: Conduct) -> Iterator[Check]:
    """Feasibility of every schedule, and every participant's best response by linear programs."""
    yield _power(evidence, conduct)
    yield _one_direction(evidence)
    yield _recursion(evidence)
    yield _floor(evidence, conduct)
    yield _ceiling(evidence, conduct)
    yield _departure(evidence, conduct)
    yield _throughput(evidence, conduct)
    yield _at_once(evidence, conduct)
    yield from check_taper(evidence)
    least = _least_costs(evidence, conduct)
    yield from _responses(evidence, conduct, least)
    if conduct.posts_prices:
        yield _devices(evidence)
    yield _no_worse_off(evidence, conduct)
    yield _minimum_saving(evidence, conduct, least)


def _power(evidence: Evidence, conduct: Conduct) -> Check:
    schedule, axes, horizon = (
        evidence.schedule,
        evidence.stays_axes,
        evidence.scenario.situation.horizon,
    )
    allowed = limits_of(_able(evidence, conduct), horizon)
    discharge = allowed.discharge_kw
    if not conduct.posts_prices:
        _, forced = at_once_kw(_able(evidence, conduct), horizon)
        discharge = np.minimum(discharge, forced)
    limits = {
        "charge_kw": (schedule.charge_kw, allowed.charge_kw),
        "discharge_kw": (schedule.discharge_kw, discharge),
    }
    findings = [
        worst_of(np.maximum(kw - most, -kw), axes, f"schedule.{name}")
        for name, (kw, most) in limits.items()
    ]
    return judge(
        "drivers: power",
        "Charging and discharging stay within charger and vehicle; one-way ones never discharge, "
        "and nobody does where no prices are posted, but what may not be held any longer",
        findings,
        POWER,
        advice="the schedule cannot be driven: dispatch again",
    )


def _able(evidence: Evidence, conduct: Conduct) -> Fleet:
    """The sessions as the strategy has them: scheduled at no posted prices nobody discharges."""
    fleet = evidence.fleet
    kept = fleet.participating & (conduct.schedules and not conduct.posts_prices)
    return replace(fleet, discharge_kw_max=np.where(kept, 0.0, fleet.discharge_kw_max))


def _one_direction(evidence: Evidence) -> Check:
    both = np.minimum(evidence.schedule.charge_kw, evidence.schedule.discharge_kw)
    return judge(
        "drivers: one direction",
        "No vehicle charges and discharges in the same slot",
        worst_of(both, evidence.stays_axes, "schedule"),
        POWER,
        advice="look for prices at which going in a circle pays",
    )


def _recursion(evidence: Evidence) -> Check:
    fleet, schedule = evidence.fleet, evidence.schedule
    put_in = schedule.charge_kw * fleet.charge_efficiency[:, None]
    drawn = schedule.discharge_kw / fleet.discharge_efficiency[:, None]
    before = np.hstack([fleet.arrival_kwh[:, None], schedule.energy_kwh[:, :-1]])
    derived = before + evidence.hours * (put_in - drawn)
    pairs = {"schedule.energy_kwh": (schedule.energy_kwh, derived)}
    return agree(
        "drivers: energy",
        "Energy changes by what is charged and discharged, efficiencies counted, from arrival on",
        pairs,
        evidence.stays_axes,
        ENERGY,
        advice="powers and energies were not written by the same schedule",
    )


def _floor(evidence: Evidence, conduct: Conduct) -> Check:
    least = least_kwh(_able(evidence, conduct), evidence.scenario.situation.horizon)
    below = np.where(evidence.stay, least - evidence.schedule.energy_kwh, 0.0)
    return judge(
        "drivers: reserve",
        "Energy never falls below the reserve; who arrives below it is charged to it first",
        worst_of(below, evidence.stays_axes, "schedule.energy_kwh"),
        ENERGY,
        advice="a driver who must leave early would be stranded: dispatch again",
    )


def _ceiling(evidence: Evidence, conduct: Conduct) -> Check:
    most = most_kwh(_able(evidence, conduct), evidence.scenario.situation.horizon)
    return judge(
        "drivers: highest energy",
        "Energy never passes the driver's highest, or what the vehicle arrived with",
        worst_of(evidence.schedule.energy_kwh - most, evidence.stays_axes, "schedule.energy_kwh"),
        ENERGY,
        advice="the schedule overcharges: dispatch again",
    )


def _departure(evidence: Evidence, conduct: Conduct) -> Check:
    target = target_kwh(_able(evidence, conduct), evidence.scenario.situation.horizon)
    missing = target - evidence.schedule.energy_kwh[:, -1]
    return judge(
        "drivers: required energy",
        "Every vehicle leaves with the required energy, or with all that its stay allows",
        worst_of(missing, evidence.sessions_axis, "schedule.energy_kwh at departure of"),
        ENERGY,
        advice="the schedule leaves a driver short who need not be: dispatch again",
    )


def _throughput(evidence: Evidence, conduct: Conduct) -> Check:
    fleet, horizon = _able(evidence, conduct), evidence.scenario.situation.horizon
    drawn = evidence.hours * evidence.schedule.discharge_kw.sum(axis=1) / fleet.discharge_efficiency
    most = drawn_at_most(fleet, horizon)
    if not conduct.schedules or not fleet.participating.all():
        _, forced = at_once_kw(fleet, horizon)
        forced = evidence.hours * forced.sum(axis=1) / fleet.discharge_efficiency
        alone = ~fleet.participating | (not conduct.schedules)
        most = np.where(alone, np.maximum(most, forced), most)
    return judge(
        "drivers: discharge limit",
        "No stay draws more from the battery than its driver allows, or than may not be held",
        worst_of(drawn - most, evidence.sessions_axis, "schedule"),
        ENERGY,
        advice="the schedule uses a battery more than its driver agreed to: dispatch again",
    )


def _at_once(evidence: Evidence, conduct: Conduct) -> Check:
    fleet = evidence.fleet
    alone = ~fleet.participating if conduct.schedules else np.ones(len(fleet), np.bool_)
    at_once = charging_at_once_kwh(fleet, evidence.scenario.situation.horizon)
    apart = difference(evidence.schedule.energy_kwh, at_once) * alone[:, None]
    return judge(
        "drivers: others charge at once",
        "Whoever is not scheduled plugs in and charges at full power up to the required energy",
        worst_of(apart, evidence.stays_axes, "schedule.energy_kwh"),
        ENERGY,
        advice="drivers who do not take part must not be scheduled",
    )


def _least_costs(evidence: Evidence, conduct: Conduct) -> Array:
    """The least cost, by a linear program, of all who were asked; the others' own cost."""
    least = felt_cost(evidence)
    least[evidence.asked] = least_costs(evidence, evidence.asked, one_way=not conduct.posts_prices)
    return least


def _responses(evidence: Evidence, conduct: Conduct, least: Array) -> Iterator[Check]:
    """Every participant's best response against the least cost, and its schedule's regret."""
    felt = felt_cost(evidence)
    least = np.where(evidence.fleet.participating, least, felt)
    yield agree(
        "drivers: best response",
        "The best response's cost is the optimum of the driver's linear program (HiGHS)",
        {"bills.best_response_cost": (evidence.bills["best_response_cost"], least)},
        evidence.sessions_axis,
        REGRET,
        advice="the best response was not exact, or the prices were changed afterwards",
    )
    if conduct.schedules:
        yield judge(
            "drivers: regret",
            "No participating driver could do better at the posted prices, its credit counted",
            worst_of(felt - least, evidence.sessions_axis, "schedule"),
            REGRET,
            advice="the dispatch moved a driver away from a cheapest schedule",
        )


def _devices(evidence: Evidence) -> Check:
    """Devices of who does not delegate choose as is said among what costs their driver the same."""
    fleet = evidence.fleet
    alone = np.flatnonzero(fleet.participating & ~fleet.delegates)
    apart = np.zeros(len(fleet))
    if len(alone):
        did, least = begun_by_devices(evidence, alone)
        apart[alone] = np.abs(did - least)
    return judge(
        "drivers: devices",
        "Who does not delegate follows its own device: among its cheapest schedules the earliest, "
        "or that from its own moment on, by two linear programs a driver",
        worst_of(apart, evidence.sessions_axis, "schedule"),
        LATE,
        advice="the platform may not choose for who does not delegate: dispatch again",
    )


def _no_worse_off(evidence: Evidence, conduct: Conduct) -> Check:
    """Cost as drivers feel it: the worth of energy above the required is taken off both sides.

    Where nobody is asked, what comes beside the reference tariff comes to both sides. A stay that
    has begun before may lose what it has saved so far: its least saving is below 0 by as much.
    """
    loss = felt_cost(evidence) - felt_cost_at_once(evidence)
    loss = loss + np.minimum(evidence.original.minimum_saving, 0.0)
    if not conduct.posts_prices:
        loss -= _beside_at_once(evidence, conduct)
    loss = np.where(evidence.fleet.participating, loss, 0.0)
    return judge(
        "drivers: no worse off",
        "No participating driver is worse off than charging at once on the reference tariff",
        worst_of(loss, evidence.sessions_axis, "bills.net_cost"),
        REGRET,
        advice="the posted prices are above the reference tariff where this driver must charge",
    )


def _beside_at_once(evidence: Evidence, conduct: Conduct) -> Array:
    """Wear, less what terms give, of charging at once as if taking part; (sessions,) [currency]."""
    fleet, hours = _able(evidence, conduct), evidence.hours
    put_in, taken = at_once_kw(fleet, evidence.scenario.situation.horizon)
    worn: Array = fleet.wear_cost / fleet.discharge_efficiency * hours * taken.sum(axis=1)
    for term in evidence.scenario.situation.terms.parts:
        g = fleet.groups
        given = put_in * term.charge_to_driver[g] + taken * term.discharge_to_driver[g]
        worn = worn - hours * given.sum(axis=1) - term.lump_to_driver[g]
    return worn


def _minimum_saving(evidence: Evidence, conduct: Conduct, least: Array) -> Check:
    """Who takes part saves the own minimum at least; who declined could not have, at best."""
    fleet = evidence.fleet
    could = felt_cost_at_once(evidence) - least
    saves = felt_cost_at_once(evidence) - felt_cost(evidence)
    lacks = np.where(fleet.participating, fleet.minimum_saving - saves, 0.0)
    left_out = np.where(evidence.declined, could - fleet.minimum_saving, 0.0)
    axes = evidence.sessions_axis
    if not conduct.posts_prices:  # nobody has to decide, and nobody may have
        lacks, left_out = np.zeros(len(fleet)), np.where(evidence.declined, np.inf, 0.0)
    return judge(
        "drivers: minimum saving",
        "Who takes part saves at least what it asks for at the posted prices; no other declined",
        [worst_of(lacks, axes, "saving of"), worst_of(left_out, axes, "declined by")],
        REGRET,
        advice="ask the drivers again at the posted prices",
    )


def felt_cost_at_once(evidence: Evidence) -> Array:
    """What charging at once at the reference tariff costs, as drivers feel it."""
    fleet, horizon = evidence.fleet, evidence.scenario.situation.horizon
    surplus = charging_at_once_kwh(fleet, horizon)[:, -1] - fleet.required_kwh
    felt: Array = evidence.bills["reference_cost"] - fleet.surplus_value * surplus
    return felt


def felt_cost(evidence: Evidence) -> Array:
    """What the plan costs drivers, the worth of energy above the required taken off."""
    fleet = evidence.fleet
    surplus = evidence.schedule.energy_kwh[:, -1] - fleet.required_kwh
    felt: Array = evidence.bills["net_cost"] - fleet.surplus_value * surplus
    return felt
