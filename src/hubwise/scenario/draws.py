"""Other draws of a scenario's sessions: everything else is the same, the drivers are others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.random import PCG64, Generator

from hubwise.domain import Fleet, Hindsight, Scenario
from hubwise.domain.errors import ScenarioError, in_order
from hubwise.domain.scenario import NOTHING_KNOWN
from hubwise.scenario.arbitrage import check_bounds
from hubwise.scenario.files import FleetSection
from hubwise.scenario.fuses import behind_fuses
from hubwise.scenario.identity import with_participation
from hubwise.scenario.reading import TOML
from hubwise.scenario.synthetic import draw_fleets
from hubwise.scenario.taper import tapered
from hubwise.scenario.wiring import wired

MARK = "@"
_ONE_DAY = timedelta(hours=25)  # the longest, on which the clock goes back


@dataclass(frozen=True, slots=True)
class Draws:
    """A scenario, and all that its sessions could have been as well.

    Parameters
    ----------
    scenario
        As it is given.
    section
        What a synthetic fleet is drawn from; ``None`` where sessions stand in a table.
    """

    scenario: Scenario
    section: FleetSection | None

    def draw(self, seed: int) -> Scenario:
        """The scenario with the sessions and participants of another seed.

        A synthetic fleet is drawn anew. Sessions of a table are drawn from the table: as many at
        each hub, with replacement (the bootstrap; Efron 1979).

        Raises
        ------
        ScenarioError
            Where the price rules leave these drivers no lawful price.
        """
        usual, rng = self.scenario.situation, Generator(PCG64(seed))
        if self.section is None:
            fleet = resampled(usual.fleet, rng)
        else:
            drawn_fleet = draw_fleets(self.section, len(usual.hubs), usual.horizon, rng)
            drawn_fleet = _with_chargers_of(_with_curve_of(drawn_fleet, usual.fleet), usual.fleet)
            by_phase = usual.feeder.phases is not None
            fleet, _ = wired(drawn_fleet, usual.hubs, None, None, by_phase=by_phase)
        if usual.promises.equal_energy:
            fleet = fleet.leaving_no_less()
        # Many days are seen to day by day.
        if usual.horizon.end_utc - usual.horizon.start_utc <= _ONE_DAY:
            fleet, _ = behind_fuses(tapered(fleet, usual.horizon), usual.hubs, usual.horizon)
        issues = check_bounds(usual.rules, fleet, usual.hubs, usual.horizon, file=TOML)
        if issues:
            raise ScenarioError(in_order(list(issues)))
        base = split_seed(self.scenario.source)[0]
        drawn = replace(
            self.scenario.having(fleet=fleet),
            hindsight=self._hindsight(fleet),
            source=f"{base}{MARK}{seed}",
            participation_order=tuple(rng.permutation(len(fleet)).tolist()),
            search=replace(self.scenario.search, seed=seed),
            delegation=replace(self.scenario.delegation, seed=seed),
        )
        return with_participation(drawn, self.scenario.participation)

    def _hindsight(self, fleet: Fleet) -> Hindsight:
        """A copy of a session ends when the session did; see `resampled`."""
        known = self.scenario.hindsight
        if self.section is not None or not len(known.session):
            return NOTHING_KNOWN
        ends = dict(zip(known.session.tolist(), known.actual_departure_slot.tolist(), strict=True))
        slots = [ends[name.rpartition("#")[0]] for name in fleet.session.tolist()]
        return Hindsight(fleet.session, np.array(slots, np.int64))


def split_seed(source: str) -> tuple[str, int | None]:
    """The parts of ``ieee33@7``: the scenario and the seed, if there is one."""
    base, mark, seed = source.rpartition(MARK)
    return (base, int(seed)) if mark and base and seed.isdecimal() else (source, None)


def resampled(fleet: Fleet, rng: Generator) -> Fleet:
    """As many sessions at each hub, drawn with replacement; every copy has names of its own."""
    rows = [rng.choice(np.flatnonzero(fleet.hub == hub), size=n) for hub, n in _crowds(fleet)]
    chosen = np.concatenate([np.zeros(0, np.int64), *rows])
    drawn = fleet.select(chosen)
    # What connections carry is shared anew, of what was asked.
    drawn = replace(drawn, required_kwh=drawn.wished_kwh, asked_kwh=None, at_once_kw=None)
    copy = np.array([f"#{k}" for k in range(len(chosen))])
    named = drawn.with_drivers(name=np.char.add(drawn.driver_name, copy))
    return replace(named, session=np.char.add(drawn.session, copy))


def _with_chargers_of(drawn: Fleet, usual: Fleet) -> Fleet:
    """A synthetic fleet at the chargers of another draw: the same ones, hub by hub."""
    if len(drawn) != len(usual) or usual.plug is not None:
        return drawn
    return replace(
        drawn,
        charge_kw_min=usual.charge_kw_min,
        discharge_kw_min=usual.discharge_kw_min,
        standby_kw=usual.standby_kw,
        step_kw=usual.step_kw,
        starts_max=usual.starts_max,
    )


def _with_curve_of(drawn: Fleet, usual: Fleet) -> Fleet:
    """A synthetic fleet with the curve of another draw, which is one for all."""
    if usual.taper is None or not len(usual):
        return drawn
    curve = usual.taper.select(np.zeros(len(drawn), np.int64))
    return replace(drawn, taper=replace(curve, kw=drawn.charge_kw_max))


def _crowds(fleet: Fleet) -> list[tuple[int, int]]:
    hubs, counts = np.unique(fleet.hub, return_counts=True)
    return list(zip(hubs.tolist(), counts.tolist(), strict=True))
