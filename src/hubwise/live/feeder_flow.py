"""A scenario's feeder at a time of day, under AC, with what a site's hubs draw."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from hubwise.domain import Feeder, Horizon, Hubs, Scenario, Situation
from hubwise.domain.arrays import Array, Index
from hubwise.domain.errors import Issue, ScenarioError
from hubwise.grid import FeederState, power_flow
from hubwise.live.feeder import FeederSeen, FeederShape, FeederStates, MissedNow
from hubwise.plan.advice import missed_limits

DAY = timedelta(days=1)


class LiveFeeder:
    """A scenario's network and the load of its day, with a site's hubs at it by their names.

    Of a scenario of several days the first is every day; it is read on the site's clock. Its own
    cars, batteries and solar are left out: what flows at hubs is said at each look.

    Parameters
    ----------
    scenario
        Whose feeder it is.
    connection_kw
        The site's hubs, and what their connections carry [kW].
    zone
        The site's clock.

    Raises
    ------
    ScenarioError
        Where the scenario has not all of the hubs.
    """

    def __init__(
        self, scenario: Scenario, connection_kw: Mapping[str, float], zone: ZoneInfo
    ) -> None:
        """Nothing is looked at yet."""
        situation = scenario.situation
        names, horizon = situation.hubs.name, situation.horizon
        if unknown := [hub for hub in connection_kw if hub not in names]:
            raise ScenarioError([_unknown(hub, names) for hub in unknown])
        self._situation, self._zone = situation, zone
        self._start = horizon.start_utc.astimezone(ZoneInfo(horizon.zone)).replace(tzinfo=None)
        self._row = {hub: names.index(hub) for hub in connection_kw}

    @property
    def shape(self) -> FeederShape:
        """What does not change of the network."""
        feeder = self._situation.feeder
        place = {int(bus): k for k, bus in enumerate(feeder.bus)}
        ends = zip(feeder.from_bus.tolist(), feeder.to_bus.tolist(), strict=True)
        hub_bus = self._situation.hubs.bus
        return FeederShape(
            buses=tuple(f"bus {bus}" for bus in feeder.bus),
            branches=tuple(feeder.branch_names),
            ends=tuple((place[near], place[far]) for near, far in ends),
            source=place[feeder.source_bus],
            hubs={hub: place[int(hub_bus[row])] for hub, row in self._row.items()},
            band_pu=(feeder.voltage_min_pu, feeder.voltage_max_pu),
        )

    def states(self, at: Sequence[datetime], hub_kw: Mapping[str, Sequence[float]]) -> FeederStates:
        """How it stands at times at which hubs draw this much [kW]; other hubs draw nothing."""
        draw = np.zeros((len(self._situation.hubs), len(at)))
        for hub, row in self._row.items():
            draw[row] = hub_kw.get(hub, 0.0)
        feeder = self._situation.feeder.in_slots(np.array([self.slot(each) for each in at], int))
        state = power_flow(feeder, self._situation.hubs.bus, draw)
        return FeederStates(
            at=tuple(at),
            hub_kw={hub: tuple(draw[row].tolist()) for hub, row in self._row.items()},
            head_kw=tuple(state.head_kw.tolist()),
            head_loading=tuple((state.transformer_loading / feeder.transformer_limit).tolist()),
            voltage_pu=_by_time(_of_buses(feeder, state.voltage_pu).min(axis=1)),
            loading=_by_time(_of_branches(feeder, state.branch_loading).max(axis=1)),
        )

    def look(self, at: datetime, hub_kw: Mapping[str, float]) -> FeederSeen:
        """How it stands where hubs draw this much [kW]; other hubs of the scenario draw nothing."""
        draw = np.zeros((len(self._situation.hubs), 1))
        for hub, row in self._row.items():
            draw[row] = hub_kw.get(hub, 0.0)
        there = self._at(at, draw)
        state = power_flow(there.feeder, there.hubs.bus, draw)
        missed, mends = missed_limits(there, draw, state)
        changes = mends[0].hub_kw if mends else {}
        allowed = {
            hub: max(float(draw[row, 0]) + changes[hub], 0.0)
            for hub, row in self._row.items()
            if changes.get(hub, 0.0) < 0.0
        }
        holds = not missed or all(mend.holds for mend in mends)
        found = tuple(
            MissedNow(it.kind, it.element, it.value, it.limit, it.base_alone) for it in missed
        )
        return _seen(at, dict(hub_kw), there, state, found, allowed, holds)

    def slot(self, at: datetime) -> int:
        """Which slot of the scenario's day a time is in."""
        horizon = self._situation.horizon
        since = (at.astimezone(self._zone).replace(tzinfo=None) - self._start) % DAY
        return min(int(since.total_seconds() // (60 * horizon.slot_minutes)), horizon.slots - 1)

    def _at(self, at: datetime, draw: Array) -> Situation:
        """The feeder in one slot; hubs can only draw less than they do."""
        whole = self._situation
        k: Index = np.array([self.slot(at)])
        minutes = whole.horizon.slot_minutes
        return replace(
            whole,
            horizon=Horizon(at.astimezone(UTC), 1, minutes, whole.horizon.zone),
            feeder=whole.feeder.in_slots(k),
            hubs=_given(whole.hubs, draw),
            fleet=whole.fleet.select(np.zeros(0, np.int64)),
        )


def _of_buses(feeder: Feeder, values: Array) -> Array:
    """Values of nodes by bus and phase; shape (buses, phases, slots)."""
    return values.reshape(len(feeder.bus), feeder.phase_count, -1)


def _of_branches(feeder: Feeder, loading: Array) -> Array:
    """Loadings by branch and phase, of their limits; shape (branches, phases, slots)."""
    shares: Array = loading / feeder.conductor_limits[:, None]
    return shares.reshape(len(feeder.from_bus), feeder.phase_count, -1)


def _by_time(values: Array) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, values.T.tolist()))


def _given(hubs: Hubs, draw: Array) -> Hubs:
    drawn = draw[:, 0].clip(min=0.0)
    return replace(
        hubs,
        battery_kw=drawn,
        import_limit_kw=drawn,
        export_limit_kw=(-draw[:, 0]).clip(min=0.0),
        solar_kw=np.zeros_like(draw),
    )


def _seen(
    at: datetime,
    hub_kw: dict[str, float],
    there: Situation,
    state: FeederState,
    missed: tuple[MissedNow, ...],
    allowed: dict[str, float],
    holds: bool,
) -> FeederSeen:
    feeder = there.feeder
    node, branch = (int(it) for it in (state.voltage_pu.argmin(), state.branch_loading.argmax()))
    return FeederSeen(
        at=at,
        hub_kw=hub_kw,
        head_kw=float(state.head_kw[0]),
        head_loading=float(state.transformer_loading[0]),
        lowest_pu=float(state.voltage_pu[node, 0]),
        lowest_bus=feeder.node_names[node],
        heaviest=float(state.branch_loading[branch, 0]),
        heaviest_branch=feeder.conductor_names[branch],
        missed=missed,
        allowed_kw=allowed,
        holds=holds,
    )


def _unknown(hub: str, names: Collection[str]) -> Issue:
    right = f"a scenario whose hubs have the site's names; it has {', '.join(names)}"
    return Issue("site.toml", "feeder.scenario", "", f"the scenario has no hub {hub!r}", right)
