"""What is done of a day's plan: its first day, by billing month, and what it leaves to the next."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hubwise.domain import (
    Carried,
    Scenario,
    Schedule,
    Situation,
    SoFar,
    Strategy,
    Tariff,
)
from hubwise.domain.arrays import Array, Index
from hubwise.domain.between import market_between, tariff_between, terms_between
from hubwise.drivers import uncoordinated
from hubwise.ledger import hub_flows, make_account, make_bills
from hubwise.plan import Plan
from hubwise.record.days import PartDone
from hubwise.scenario.days import (
    Day,
    Part,
    demand_charge_of,
    months_of,
    parts_of,
)

# Where station batteries are leased and run.
WITH_STATIONS = (Strategy.HUBWISE, Strategy.STORAGE)


@dataclass(frozen=True, slots=True)
class DayDone:
    """A day that is decided.

    Parameters
    ----------
    parts
        What was done, by billing month.
    left
        What is left to the next day.
    """

    parts: tuple[PartDone, ...]
    left: Carried


def done(site: Scenario, day: Day, carried: Carried, plan: Plan) -> DayDone:
    """What is done of a plan that looks beyond its day.

    Parameters
    ----------
    site
        The scenario of many days.
    day
        Which of its days was planned.
    carried
        What the day began with.
    plan
        Its plan, of `hubwise.scenario.days.scenario_of_day`.
    """
    situation = plan.scenario.situation
    at_once = uncoordinated(situation.fleet, situation.horizon)
    peak, parts = carried.import_peak_kw, list[PartDone]()
    for part in parts_of(site.situation.horizon, day):
        if parts:  # another month begins
            peak = np.zeros_like(peak)
        parts.append(_part(site, plan, part, at_once, peak, day.slots))
        peak = parts[-1].import_peak_kw
    return DayDone(tuple(parts), _left(site, day, carried, plan, at_once, parts))


def _part(
    site: Scenario, plan: Plan, part: Part, at_once: Schedule, peak: Array, slots: int
) -> PartDone:
    situation = _within(site, plan.scenario.situation, part, peak, slots)
    schedule = plan.schedule.between(part.first, part.last)
    stations = plan.stations.between(part.first, part.last)
    fleet = situation.fleet
    bills = make_bills(
        fleet,
        tariff_between(plan.tariff, part.first, part.last),
        situation.market,
        situation.horizon,
        schedule=schedule,
        uncoordinated=at_once.between(part.first, part.last),
        best_response_cost=np.zeros(len(fleet)),
        terms=situation.terms,
    )
    has_stations = plan.strategy in WITH_STATIONS
    account = make_account(situation, schedule, stations, bills, station_costs=has_stations)
    flows = hub_flows(len(situation.hubs), fleet, schedule, stations)
    hours = situation.horizon.slot_hours
    head = plan.state.head_kw[part.first : part.last]
    takes_part = fleet.participating
    figures = {
        "imported_kwh": float(flows.import_kw.sum() * hours),
        "exported_kwh": float(flows.export_kw.sum() * hours),
        "charged_kwh": float(bills.charged_kwh.sum()),
        "discharged_kwh": float(bills.discharged_kwh.sum()),
        "solar_kwh": float(flows.solar_kw.sum() * hours),
        "participant_cost": float(bills.net_cost[takes_part].sum()),
        "participant_reference_cost": float(bills.reference_cost[takes_part].sum()),
        "peak_kw": float(np.nanmax(head)),
        "valley_kw": float(np.nanmin(head)),
        "highest_import_kw": float(flows.import_kw.sum(axis=0).max(initial=0.0)),
    }
    most = np.maximum(peak, flows.import_kw.max(axis=1, initial=0.0))
    size = part.last - part.first
    return PartDone(part.month, size, account, bills, takes_part, most, figures)


def _within(site: Scenario, situation: Situation, part: Part, peak: Array, slots: int) -> Situation:
    """The situation on the part's slots, as far as money needs it."""
    first, last = part.first, part.last
    share = (last - first) / slots
    hubs = situation.hubs
    return replace(
        situation,
        horizon=situation.horizon.between(first, last),
        market=replace(
            market_between(situation.market, first, last),
            demand_charge=demand_charge_of(site, part.month),
            later_periods=(),
        ),
        hubs=replace(
            hubs,
            solar_kw=hubs.solar_kw[:, first:last],
            standby_kw=None,  # of the stations' schedule
            lease_cost=share * hubs.lease_cost,
            running_cost=share * hubs.running_cost,
        ),
        terms=terms_between(situation.terms, first, last),
        so_far=SoFar(import_peak_kw=peak),
    )


def _left(
    site: Scenario,
    day: Day,
    carried: Carried,
    plan: Plan,
    at_once: Schedule,
    parts: list[PartDone],
) -> Carried:
    """The state at the day's end: of stays that go on, stations, lists and the month's peak."""
    situation, slots = plan.scenario.situation, day.slots
    fleet, last = situation.fleet, slots - 1
    on: Index = np.flatnonzero(fleet.departure_slot > slots).astype(np.int64)
    before = dict(zip(carried.session.tolist(), range(len(carried.session)), strict=True))
    row = np.array([before.get(name, -1) for name in fleet.session[on].tolist()], np.int64)

    def with_before(now: Array, so_far: Array) -> Array:
        found: Array = now + np.append(so_far, 0.0)[row]
        return found

    net = np.sum([part.bills.net_cost for part in parts], axis=0)
    reference = np.sum([part.bills.reference_cost for part in parts], axis=0)
    drawn = plan.schedule.discharge_kw[:, :slots].sum(axis=1) * situation.horizon.slot_hours
    kept, lists = _kept(plan, on, slots)
    return Carried(
        session=fleet.session[on],
        energy_kwh=plan.schedule.energy_kwh[on, last],
        at_once_kwh=at_once.energy_kwh[on, last],
        drawn_kwh=with_before((drawn / fleet.discharge_efficiency)[on], carried.drawn_kwh),
        net_cost=with_before(net[on], carried.net_cost),
        reference_cost=with_before(reference[on], carried.reference_cost),
        participating=fleet.participating[on],
        kept=kept,
        lists=lists,
        battery_kwh=plan.stations.energy_kwh[:, last].clip(0.0, situation.hubs.battery_kwh),
        import_peak_kw=_peak(site, day, parts),
    )


def _kept(plan: Plan, on: Index, slots: int) -> tuple[Index, Tariff]:
    """The lists that stays keep from the day's end on; none where no prices were posted."""
    fleet, posted = plan.scenario.situation.fleet, plan.memory is not None
    keeps = fleet.participating[on] & posted
    used = np.unique(fleet.lists[on][keeps])
    kept: Index = np.where(keeps, np.searchsorted(used, fleet.lists[on]), -1).astype(np.int64)
    tariff = plan.tariff
    return kept, Tariff(tariff.charge_price[used, slots:], tariff.discharge_price[used, slots:])


def _peak(site: Scenario, day: Day, parts: list[PartDone]) -> Array:
    """The peak so far of the month in which the next day begins."""
    whole = site.situation.horizon
    ended = day.last >= whole.slots
    following = "" if ended else months_of(whole.between(day.last, day.last + 1))[0]
    same = following == parts[-1].month
    peak: Array = parts[-1].import_peak_kw if same else np.zeros_like(parts[-1].import_peak_kw)
    return peak
