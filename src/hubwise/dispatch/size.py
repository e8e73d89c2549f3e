"""How large a problem is: whether one linear program is the better way to dispatch it."""

from __future__ import annotations

from hubwise.dispatch.problem import Problem

# A program is solved some hundred times in a search: above this size that takes too long. It is
# counted in slots of sessions' stays, and each slot of a hub counts as several.
SMALL, HUB_SLOT = 2_500, 4
# One takes a second at most up to this size: what is dispatched once or twice is dispatched so.
FITS = 10_000
# Rounds of a dispatch that is to be one linear program, whatever the size.
EXACTLY = 0


def is_small(problem: Problem, most: int = SMALL) -> bool:
    """Whether one linear program a tariff is the better way; by default where many are valued."""
    return _size(problem) <= most and not problem.situation.market.sells_above


def fits_program(problem: Problem) -> bool:
    """Whether one linear program is the better way where few tariffs are to be valued."""
    return _size(problem) <= FITS and not problem.situation.market.sells_above


def rounds_where_large(problem: Problem, rounds: int) -> int:
    """`EXACTLY` where the problem fits one program, else ``rounds``: of a dispatch to be kept."""
    return EXACTLY if fits_program(problem) else rounds


def _size(problem: Problem) -> int:
    fleet, hubs = problem.fleet, HUB_SLOT * problem.situation.hubs.solar_kw.size
    return int((fleet.departure_slot - fleet.arrival_slot).sum()) + hubs
