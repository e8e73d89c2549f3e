"""A simulated site, slot by slot: the same controller as a running hub's, on a simulated clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from hubwise.domain import Fleet, Hubs, Schedule, SoFar, StationSchedule, Tariff
from hubwise.domain.arrays import Array, Flags, Index, Names
from hubwise.domain.between import (
    market_between,
    rules_between,
    tariff_between,
    terms_between,
)
from hubwise.domain.fleets import joined
from hubwise.drivers import uncoordinated
from hubwise.grid import power_flow
from hubwise.ledger import hub_flows, make_bills
from hubwise.plan.decide import Leaving, SetPoints, Warm, decide, draw_at_rest
from hubwise.plan.futures import Futures
from hubwise.study.replay.day import ReplayedDay
from hubwise.study.replay.repricing import is_due, reposted, searched_anew

OnSlot = Callable[[int, int], None]
"""Called with the slot and how many there are, before it is decided about."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done over a day.

    Parameters
    ----------
    schedule, stations
        Of every session, and of station batteries and solar.
    cpu_seconds
        Of every decision; shape (slots,) [s].
    """

    schedule: Schedule
    stations: StationSchedule
    cpu_seconds: Array


@dataclass
class World:
    """The site as it stands; `step` goes on by a slot.

    Parameters
    ----------
    day
        What comes, and what is believed.
    leaving
        What is known of early leavers.
    reprices
        Whether prices are searched for again for cars that come later.
    """

    day: ReplayedDay
    leaving: Leaving | None = None
    reprices: bool = False
    both: tuple[Fleet, ...] = field(init=False)
    usual: Schedule = field(init=False)
    usual_head_kw: Array = field(init=False)
    charge_kw: Array = field(init=False)
    discharge_kw: Array = field(init=False)
    energy_kwh: Array = field(init=False)
    stations: StationSchedule = field(init=False)
    head_kw: list[float] = field(default_factory=list)
    import_kw: Array = field(init=False)
    warm: Warm | None = None

    def __post_init__(self) -> None:
        """Nothing has been done yet."""
        situation = self.day.scenario.situation
        fleet, slots = situation.fleet, situation.horizon.slots
        self._expect()
        self.usual = uncoordinated(fleet, situation.horizon)
        hubs, past = situation.hubs, situation.so_far
        draw = draw_at_rest(situation, self.usual)
        self.usual_head_kw = power_flow(situation.feeder, hubs.bus, draw).head_kw
        self.charge_kw, self.discharge_kw = np.zeros((2, len(fleet), slots))
        self.energy_kwh = np.repeat(fleet.arrival_kwh[:, None], slots, axis=1)
        idle = StationSchedule(*np.zeros((4, *hubs.solar_kw.shape)))
        self.stations = replace(idle, standby_kw=hubs.standby_kw)
        known = past.import_peak_kw
        self.import_kw = np.zeros(len(hubs)) if known is None else known

    def _expect(self) -> None:
        """The day's sessions, and with them those of each possible future."""
        fleet = self.day.scenario.situation.fleet
        self.both = tuple(joined([fleet, each]) for each in self.day.expected)

    def run(self, on_slot: OnSlot | None = None) -> Done:
        """The whole day."""
        slots = self.day.scenario.situation.horizon.slots
        spent = np.zeros(slots)
        for now in range(slots):
            if on_slot is not None:
                on_slot(now, slots)
            if self.reprices and is_due(now, self.day.scenario.situation.horizon):
                self._reprice(now)
            futures, present = self.futures(now)
            posted = tariff_between(self.day.posted, now, slots)
            warm = None if self.warm is None else self.warm.shifted(1)
            began = time.process_time()
            decided = decide(futures, present, posted, warm, leaving=self.leaving)
            spent[now] = time.process_time() - began
            self.enact(now, decided)
            self.warm = decided.warm
        schedule = Schedule(self.charge_kw, self.discharge_kw, self.energy_kwh)
        return Done(schedule, self.stations, spent)

    def _reprice(self, now: int) -> None:
        """Search for prices again, for who comes from now on; who came before keeps their list."""
        situation, hubs = self.futures(now)[0].situations[0], len(self.stations.solar_kw)
        paid, reference_cost = self._money(now)
        past = replace(situation.so_far, paid=paid, reference_cost=reference_cost)
        posted = self.day.posted
        own = Tariff(posted.charge_price[:hubs], posted.discharge_price[:hubs])
        left = tariff_between(own, now, posted.charge_price.shape[1])
        found = searched_anew(replace(situation, so_far=past), left)
        if found is not left:
            self.day = reposted(self.day, own, found, now)
            self._expect()

    def _money(self, now: int) -> tuple[float, float]:
        """What participants have paid so far, and would have uncoordinated [currency]."""
        situation = self.day.scenario.situation
        before = np.arange(situation.horizon.slots) < now
        usual = replace(self.usual, charge_kw=self.usual.charge_kw * before)
        bills = make_bills(
            situation.fleet,
            situation.with_accepted(self.day.posted),
            situation.market,
            situation.horizon,
            schedule=Schedule(self.charge_kw, self.discharge_kw, self.energy_kwh),
            uncoordinated=usual,
            best_response_cost=np.zeros(len(situation.fleet)),
            terms=situation.terms,
        )
        mine, past = situation.fleet.participating, situation.so_far
        return (
            past.paid + float(bills.net_cost[mine].sum()),
            past.reference_cost + float(bills.reference_cost[mine].sum()),
        )

    def here(self, now: int) -> Flags:
        """Who of the day's sessions is plugged in; shape (sessions,)."""
        fleet = self.day.scenario.situation.fleet
        here: Flags = (fleet.arrival_slot <= now) & (now < self.day.leaves)
        return here

    def futures(self, now: int) -> tuple[Futures, Names]:
        """What is known and believed from ``now`` on, and who is here and takes part."""
        whole, here = self.day.scenario.situation, self.here(now)
        slots = whole.horizon.slots
        known = replace(
            whole,
            horizon=whole.horizon.between(now, slots),
            feeder=self.day.believed(now),
            hubs=self._hubs(now),
            market=market_between(whole.market, now, slots),
            rules=rules_between(whole.rules, now, slots),
            terms=terms_between(whole.terms, now, slots),
            so_far=self._so_far(now),
            accepted=None if whole.accepted is None else tariff_between(whole.accepted, now, slots),
        )
        situations = tuple(replace(known, fleet=self._fleet(both, here, now)) for both in self.both)
        present = whole.fleet.session[here & whole.fleet.participating]
        return Futures(situations, np.full(len(situations), 1.0 / len(situations))), present

    def _fleet(self, both: Fleet, here: Flags, now: int) -> Fleet:
        """Who is here as they stand now, and those of ``both`` who are still to come."""
        count = len(here)
        rows = np.flatnonzero(np.concatenate([here, both.arrival_slot[count:] > now]))
        own = both.select(rows)
        known = rows < count
        mine = rows[known]
        energy, at_once = own.arrival_kwh.copy(), own.arrival_kwh.copy()
        limit = own.discharge_limit_kwh.copy()
        if now:
            begun = own.arrival_slot[known] < now
            energy[known] = np.where(begun, self.energy_kwh[mine, now - 1], energy[known])
            at_once[known] = np.where(begun, self.usual.energy_kwh[mine, now - 1], at_once[known])
            drawn = self._drawn_kwh(own.select(np.flatnonzero(known)), mine, now)
            limit[known] = np.maximum(limit[known] - drawn, 0.0)
        slots = self.energy_kwh.shape[1]
        return replace(
            own,
            arrival_kwh=energy,
            at_once_kwh=at_once,
            discharge_limit_kwh=limit,
            bounds=None if own.bounds is None else own.bounds.between(now, slots),
            at_once_kw=None if own.at_once_kw is None else own.at_once_kw[:, now:],
        ).staying(np.maximum(own.begins - now, 0.0), own.ends - now)

    def _drawn_kwh(self, own: Fleet, rows: Index, now: int) -> Array:
        """Energy drawn from batteries in the stay so far [kWh]."""
        hours = self.day.scenario.situation.horizon.slot_hours
        drawn: Array = hours * self.discharge_kw[rows, :now].sum(axis=1)
        return drawn / own.discharge_efficiency

    def _hubs(self, now: int) -> Hubs:
        """Station batteries as they stand, which end where the day's would."""
        hubs, horizon = self.day.scenario.situation.hubs, self.day.scenario.situation.horizon
        left = (horizon.slots - now) * horizon.slot_hours
        stands = hubs.battery_initial_kwh if now == 0 else self.stations.energy_kwh[:, now - 1]
        reached = stands + left * hubs.battery_charge_efficiency * hubs.battery_kw
        return replace(
            hubs,
            battery_initial_kwh=stands,
            battery_final_kwh=np.minimum(hubs.least_final_kwh, reached),
            solar_kw=hubs.solar_kw[:, now:],
            standby_kw=None if hubs.standby_kw is None else hubs.standby_kw[:, now:],
        )

    def _so_far(self, now: int) -> SoFar:
        past = self.day.scenario.situation.so_far
        if now == 0:
            return past
        usual = self.usual_head_kw[:now]
        return replace(
            past,
            head_peak_kw=max(past.head_peak_kw, *self.head_kw),
            head_valley_kw=min(past.head_valley_kw, *self.head_kw),
            baseline_peak_kw=max(past.baseline_peak_kw, float(usual.max())),
            baseline_valley_kw=min(past.baseline_valley_kw, float(usual.min())),
            import_peak_kw=self.import_kw,
        )

    def enact(self, now: int, decided: SetPoints) -> None:
        """Cars, stations and feeder do what is set; those who do not take part charge at once."""
        situation = self.day.scenario.situation
        fleet, hubs = situation.fleet, situation.hubs
        here = self.here(now)
        rows = np.flatnonzero(here & fleet.participating)  # whom is decided about, in this order
        alone = np.flatnonzero(here & ~fleet.participating)
        self.charge_kw[rows, now] = decided.schedule.charge_kw[:, 0]
        self.discharge_kw[rows, now] = decided.schedule.discharge_kw[:, 0]
        self.energy_kwh[rows, now:] = decided.schedule.energy_kwh[:, :1]
        self.charge_kw[alone, now] = self.usual.charge_kw[alone, now]
        self.discharge_kw[alone, now] = self.usual.discharge_kw[alone, now]
        self.energy_kwh[alone, now:] = self.usual.energy_kwh[alone, now][:, None]
        for name in ("charge_kw", "discharge_kw", "energy_kwh", "solar_kw"):
            getattr(self.stations, name)[:, now] = getattr(decided.stations, name)[:, 0]
        draw = self._draw(now)
        feeder = situation.feeder.in_slots(np.arange(now, now + 1))
        self.head_kw.append(float(power_flow(feeder, hubs.bus, draw).head_kw[0]))
        self.import_kw = np.maximum(self.import_kw, draw[:, 0])
        if any(first == now + 1 for first, _ in situation.market.later_periods):
            self.import_kw = np.zeros_like(self.import_kw)  # a new period has no peak yet

    def _draw(self, now: int) -> Array:
        """What hubs have drawn in this slot; shape (hubs, 1) [kW]."""
        situation = self.day.scenario.situation
        done = Schedule(self.charge_kw, self.discharge_kw, self.energy_kwh).between(now, now + 1)
        stations = self.stations.between(now, now + 1)
        return hub_flows(len(situation.hubs), situation.fleet, done, stations).net_kw
