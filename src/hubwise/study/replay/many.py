"""A site's own days replayed: each expects what its last days alike were, and none is drawn.

Every policy has a chain of its own: what a day leaves (stays, station batteries, lists kept, the
month's peak) is what its next day begins with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hubwise.domain import Carried, Fleet, Scenario, StationSchedule, Tariff
from hubwise.domain.arrays import Array
from hubwise.domain.scenario import NOTHING_KNOWN
from hubwise.ledger import hub_flows
from hubwise.plan import Plan, make_plan
from hubwise.plan.futures import Futures, search_futures
from hubwise.scenario.days import Day, days_of, scenario_of_day
from hubwise.scenario.fuses import behind_fuses
from hubwise.scenario.taper import tapered
from hubwise.study.days.done import DayDone, done
from hubwise.study.replay.day import Beliefs, ReplayedDay, as_it_turns_out
from hubwise.study.replay.run import Policy, Ran, lacks_kwh, plan_ahead, run_under
from hubwise.study.replay.world import OnSlot

# So many days are looked back at, and known before the first day is replayed.
BACK = 5
SATURDAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReplayed(Ran):
    """A day of a site under one policy; money is of the day itself, not of what it looks on to.

    Parameters
    ----------
    date
        Such as ``2024-05-17``.
    before_charges, charges
        What the operator earned before charges for power, and those: of the month's highest import
        above what it was before, or of the day's own [currency].
    cost, reference_cost
        What participants paid, and would have paid uncoordinated [currency].
    peak_kw
        The hubs' highest import together, each at its own [kW].
    """

    date: str
    before_charges: float
    charges: float
    cost: float
    reference_cost: float
    peak_kw: float

    @property
    def profit(self) -> float:
        """What the operator earned [currency]."""
        return self.before_charges - self.charges


def replay_days(
    site: Scenario,
    policies: Sequence[Policy],
    *,
    days: int | None = None,
    charge_a_day: float | None = None,
    beliefs: Beliefs | None = None,
    as_stated: bool = False,
    on_slot: OnSlot | None = None,
) -> Iterator[DayReplayed]:
    """Days of a site under several policies, beginning where enough days alike are known.

    Parameters
    ----------
    site
        A scenario of many days.
    policies
        How they are run; foresight beside them.
    days
        How many are replayed; all that can be by default.
    charge_a_day
        Charge for each day's own highest import, in the place of the month's [currency/kW].
    beliefs
        How what is believed differs from what comes.
    as_stated
        Whether everybody stays as stated, whatever is known of actual departures.
    on_slot
        Called before each slot of the rolling policy.

    Raises
    ------
    ValueError
        Where the site has too few days.
    """
    if as_stated:
        site = replace(site, hindsight=NOTHING_KNOWN)
    whole, first, can = days_of(site.situation.horizon), BACK, days_to_replay(site)
    if not 1 <= (days or 1) <= can:
        raise ValueError(
            f"of {len(whole)} days {can} can be replayed, as {BACK} must be known before: give "
            f"days from 1 to {can}"
        )
    carried = Carried.nothing(site.situation.hubs.battery_initial_kwh)
    for day in whole[:first]:
        known = make_plan(_of_day(site, day, carried, charge_a_day))
        carried = done(site, day, carried, known).left
    chains = dict.fromkeys([Policy.FORESIGHT, *policies], carried)
    for day in whole[first : None if days is None else first + days]:
        for policy, before in chains.items():
            found, chains[policy] = _replayed(
                site, day, (policy, before), beliefs or Beliefs(), charge_a_day, on_slot
            )
            yield found


def days_to_replay(site: Scenario) -> int:
    """How many days of a site can be replayed: all but those that must be known before."""
    return max(len(days_of(site.situation.horizon)) - BACK, 0)


def _replayed(
    site: Scenario,
    day: Day,
    chain: tuple[Policy, Carried],
    beliefs: Beliefs,
    charge_a_day: float | None,
    on_slot: OnSlot | None,
) -> tuple[DayReplayed, Carried]:
    """A day under one policy, and what it leaves."""
    policy, carried = chain
    scenario = _of_day(site, day, carried, charge_a_day)
    stations: StationSchedule | None = None
    if policy in (Policy.ROLLING, Policy.DAY_AHEAD):
        turned_out, stations = _expecting(site, day, scenario, beliefs)
    else:  # nothing is posted beforehand
        nothing = Tariff(*np.zeros((2, len(scenario.situation.hubs), 0)))
        turned_out = as_it_turns_out(scenario, [], nothing, beliefs, day.number)
    plan, spent = run_under(policy, turned_out, stations, beliefs, on_slot)
    decided = done(site, day, carried, plan)
    lacks = lacks_kwh(plan, turned_out)
    return _told(str(day.date), policy, plan, decided, charge_a_day, (lacks, spent)), decided.left


def _expecting(
    site: Scenario, day: Day, scenario: Scenario, beliefs: Beliefs
) -> tuple[ReplayedDay, StationSchedule]:
    """The day where its last days alike are expected, each as likely; prices are for their mean.

    Stays that go on are known. What stations do is planned for the latest of them alone.
    """
    alike = _alike(days_of(site.situation.horizon), day)
    horizon, hubs = scenario.situation.horizon, scenario.situation.hubs
    came = [tapered(_fleet_of(site, each, horizon.slots), horizon) for each in alike]
    fleets = [behind_fuses(each, hubs, horizon)[0] for each in came]
    fleets = [each for each in fleets if len(each)] or fleets[-1:]
    expected = [replace(scenario.situation, fleet=each) for each in fleets]
    latest = _for(scenario, fleets[-1])
    ahead = plan_ahead(latest)
    futures = Futures(tuple(expected), np.full(len(expected), 1.0 / len(expected)))
    tariff, _ = search_futures(latest, futures, ahead.tariff)
    posted = scenario.situation.with_accepted(tariff)
    return as_it_turns_out(scenario, fleets, posted, beliefs, day.number), ahead.stations


def _for(scenario: Scenario, fleet: Fleet) -> Scenario:
    """The scenario with other drivers, who join in their order."""
    situation = replace(scenario.situation, fleet=fleet)
    order = tuple(range(len(fleet)))
    return replace(
        scenario, situation=situation, participation_order=order, hindsight=NOTHING_KNOWN
    )


def _of_day(site: Scenario, day: Day, carried: Carried, charge_a_day: float | None) -> Scenario:
    """The day as stated, its charge for power the month's, shared, or its own."""
    found = scenario_of_day(site, day, carried).without_family_bound()
    if charge_a_day is None:
        return found
    situation = found.situation
    return replace(
        found,
        situation=replace(
            situation,
            market=replace(situation.market, demand_charge=charge_a_day, later_periods=()),
            so_far=replace(situation.so_far, import_peak_kw=None),
        ),
    )


def _alike(whole: Sequence[Day], day: Day) -> Sequence[Day]:
    """The last days before it of its kind, of the week or its end; of any, where there are few."""
    before = whole[: day.number]
    weekend = day.date.weekday() >= SATURDAY
    alike = [each for each in before if (each.date.weekday() >= SATURDAY) is weekend]
    return (alike if len(alike) >= BACK else before)[-BACK:]


def _fleet_of(site: Scenario, day: Day, slots: int) -> Fleet:
    """Who came on a day, on the slots of another, to its end."""
    fleet = site.situation.fleet
    came = (fleet.arrival_slot >= day.first) & (fleet.arrival_slot < day.last)
    own = fleet.select(came & (fleet.arrival_slot < day.first + slots))
    ends = np.minimum(own.ends - day.first, float(slots))
    return own.staying(own.begins - day.first, ends)


def _told(
    date: str,
    policy: Policy,
    plan: Plan,
    decided: DayDone,
    charge_a_day: float | None,
    measured: tuple[Array, Array],
) -> DayReplayed:
    lacks, spent = measured
    accounts = [part.account for part in decided.parts]
    charged = sum(each.demand_charges for each in accounts)
    slots = sum(part.slots for part in decided.parts)
    situation = plan.scenario.situation
    flows = hub_flows(len(situation.hubs), situation.fleet, plan.schedule, plan.stations)
    peak_kw = float(flows.import_kw[:, :slots].max(axis=1).sum())
    own = [part.bills for part in decided.parts]
    takes_part = decided.parts[0].participating
    return DayReplayed(
        date=date,
        policy=policy,
        plan=plan,
        before_charges=float(sum(each.profit for each in accounts) + charged),
        charges=float(charged) if charge_a_day is None else charge_a_day * peak_kw,
        cost=float(sum(each.net_cost[takes_part].sum() for each in own)),
        reference_cost=float(sum(each.reference_cost[takes_part].sum() for each in own)),
        peak_kw=peak_kw,
        shortfall_kwh=float(lacks.sum()),
        short=int((lacks > 0.0).sum()),
        cpu_ms=1e3 * spent,
    )
