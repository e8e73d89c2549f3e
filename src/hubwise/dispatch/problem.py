"""What the dispatch is given: participants, the others' draw, and the limits that all share."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hubwise.dispatch.limits import Limits
from hubwise.domain import (
    Fleet,
    Lines,
    Schedule,
    Situation,
    StationSchedule,
    TermSums,
    connection_spots,
)
from hubwise.domain.arrays import Array
from hubwise.drivers import uncoordinated
from hubwise.ledger import line_flows, sum_by_hub


@dataclass(frozen=True, slots=True)
class Problem:
    """One situation at one participation, as the dispatch sees it.

    Parameters
    ----------
    situation
        Hubs, feeder, market and sessions.
    fleet
        The participating sessions.
    uncoordinated
        Uncoordinated schedule of every session, participating or not.
    others_kw
        Net draw of the sessions that do not participate, and of chargers in stand-by; shape (hubs,
        slots) [kW].
    limits
        What all hubs share: feeder head, voltages, branches.
    spread_kw
        How far the uncoordinated head power spreads: the scale of what limits weigh [kW].
    span_kw
        The most the peak-valley difference may be, the past included (see `Baseline`) [kW]; ``inf``
        where nothing is promised.
    import_limit_kw, export_limit_kw
        Limits of the hubs' grid connections; shape (hubs,) [kW].
    terms
        What a kWh is worth beside the price list.
    lines
        Limits of circuits and phases, over sets of sessions, as far inside as is aimed.
    others_line_kw
        What the others, and chargers in stand-by, draw through each line; shape (lines, slots)
        [kW].
    """

    situation: Situation
    fleet: Fleet
    uncoordinated: Schedule
    others_kw: Array
    limits: Limits
    spread_kw: float
    span_kw: float
    import_limit_kw: Array
    export_limit_kw: Array
    terms: TermSums
    lines: Lines
    others_line_kw: Array

    @property
    def others_cost(self) -> float:
        """What the others' energy costs at the purchase price, stand-by aside [currency]."""
        drawn, awake = self.others_kw, self.situation.hubs.standby_kw
        net = drawn if awake is None else drawn - awake
        hours = self.situation.horizon.slot_hours
        return hours * float(net.sum(axis=0) @ self.situation.market.purchase_price)

    def line_kw(self, participants: Schedule, stations: StationSchedule) -> Array:
        """What flows through every line; shape (lines, slots) [kW]."""
        if not len(self.lines):
            return self.others_line_kw
        beside = replace(stations, standby_kw=None)  # with the others already
        mine = line_flows(self.situation.hubs, self.fleet, participants, beside)
        return self.others_line_kw + mine


def _spread(situation: Situation, everybody: Schedule, limits: Limits) -> float:
    power = everybody.charge_kw - everybody.discharge_kw
    draw = sum_by_hub(len(situation.hubs), situation.fleet.hub, power)
    return max(float(np.ptp(limits.head(draw))), float(draw.max(initial=0.0)), 1.0)


def make_problem(
    situation: Situation,
    limits: Limits,
    *,
    everybody: Schedule | None = None,
    span_kw: float = float("inf"),
    connection_caution_kw: float = 0.0,
    line_caution_kw: float = 0.0,
) -> Problem:
    """The dispatch problem of a situation whose participants are marked.

    Parameters
    ----------
    situation
        Hubs, feeder, market and sessions.
    limits
        The feeder's limits.
    everybody
        What all sessions do uncoordinated, where that is known (see `Baseline`).
    span_kw
        The most the peak-valley difference may be [kW].
    connection_caution_kw, line_caution_kw
        How far inside the limits of the grid connections, and of circuits and phases, to aim [kW].
    """
    if everybody is None:
        everybody = uncoordinated(situation.fleet, situation.horizon)
    participating, hubs = situation.fleet.participating, situation.hubs
    power = everybody.charge_kw - everybody.discharge_kw
    others = sum_by_hub(len(hubs), situation.fleet.hub[~participating], power[~participating])
    lines = hubs.lines
    spots = situation.fleet.spots[~participating]
    others_line_kw = lines.loads(spots, power[~participating])
    if hubs.standby_kw is not None:
        others = others + hubs.standby_kw
        others_line_kw = others_line_kw + lines.loads(connection_spots(len(hubs)), hubs.standby_kw)
    allowed = hubs.allowed_kw
    if allowed is not None:
        limits = limits.with_hubs(np.maximum(allowed - connection_caution_kw, 0.0))
    return Problem(
        situation=situation,
        fleet=situation.fleet.select(participating),
        uncoordinated=everybody,
        others_kw=others,
        limits=limits,
        spread_kw=_spread(situation, everybody, limits),
        span_kw=span_kw,
        import_limit_kw=np.maximum(hubs.most_import_kw - connection_caution_kw, 0.0),
        export_limit_kw=np.maximum(hubs.most_export_kw - connection_caution_kw, 0.0),
        terms=situation.terms.sums(situation.horizon.slots),
        lines=replace(lines, limit_kw=np.maximum(lines.limit_kw - line_caution_kw, 0.0)),
        others_line_kw=others_line_kw,
    )


def with_situation(problem: Problem, situation: Situation) -> Problem:
    """The problem as ``situation`` has it: other prices of wear or limits, the same others."""
    fleet = situation.fleet.select(situation.fleet.participating)
    return replace(problem, situation=situation, fleet=fleet)


def with_participants(problem: Problem, participants: Schedule) -> Schedule:
    """Every session's schedule: the participants' as given, the others uncoordinated."""
    participating = problem.situation.fleet.participating
    whole = [problem.uncoordinated.charge_kw, problem.uncoordinated.discharge_kw,
             problem.uncoordinated.energy_kwh]  # fmt: skip
    parts = [participants.charge_kw, participants.discharge_kw, participants.energy_kwh]
    columns = []
    for everybody, part in zip(whole, parts, strict=True):
        column = everybody.copy()
        column[participating] = part
        columns.append(column)
    return Schedule(*columns)
