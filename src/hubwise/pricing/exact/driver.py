"""The driver's conditions of optimality as rows of the program.

A driver's best responses are the schedules that keep complementary slackness with some dual. Prices
enter these conditions, but never multiply a power: what the driver pays is its dual objective,

    net cost = sum(floor * rent of the floor) - sum(top * rent of the top) - start * first worth
               - sum(power limit * its rent) - discharge limit * its rent
               + surplus value * energy at departure,

and that is linear. `stay` derives the bounds of the duals, the only big-M constants here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hubwise.dispatch.program import Program
from hubwise.domain.arrays import Array, Index
from hubwise.pricing.exact.session import Session

Term = tuple[Index, Array]

# Energies that differ by less are the same [steps].
SAME = 1e-9


@dataclass(frozen=True, slots=True)
class DriverColumns:
    """Columns of one driver's answer.

    Parameters
    ----------
    into, out
        Energy put into, and drawn from, the battery in each slot of the stay; shape (n,) [steps].
    left
        Energy at departure; shape (1,) [steps].
    net_cost
        What the driver pays, wear included, as terms (columns, factor) [currency].
    """

    into: Index
    out: Index
    left: Index
    net_cost: list[Term]


def driver_columns(program: Program, prices: Index, session: Session) -> DriverColumns:
    """Write down one driver's best responses to ``prices``, columns of shape (2, groups)."""
    into, out, energy = _path(program, session)
    worth = program.columns(len(session.length), *session.worth)
    charges, charge_cost = _charging(program, session, prices, worth, into)
    limit_rent, limit_cost = _limiting(program, session, out)
    discharges, discharge_cost = _discharging(program, session, prices, worth, out, limit_rent)
    sells = session.may_sell
    # Who does the one in all slots of a run does not do the other in any.
    program.require((charges[1, sells], 1.0), (discharges[0], 1.0), high=1.0)
    program.require((charges[0, sells], 1.0), (discharges[1], 1.0), high=1.0)
    single = sells & (session.length == 1)
    both = (charges[0, single], 1.0), (discharges[0, single[sells]], 1.0)
    program.require(*both, high=1.0)
    held_cost = _holding(program, session, worth, energy)
    in_steps = [*charge_cost, *limit_cost, *discharge_cost, *held_cost]
    return DriverColumns(
        into,
        out,
        energy[-1:],
        [(columns, session.step_kwh * factor) for columns, factor in in_steps],
    )


def _path(program: Program, session: Session) -> tuple[Index, Index, Index]:
    """Energies put in, drawn, and held at the end of each slot."""
    slots = len(session.floor)
    into = program.columns(slots, 0.0, session.up)
    out = program.columns(slots, 0.0, np.where(session.may_sell[session.run], session.down, 0.0))
    top = session.top.copy()
    if session.ends_at_target:
        top[-1] = session.target
    energy = program.columns(slots, session.floor, top)
    before = np.zeros(slots)
    before[0] = session.start
    rows = program.require((energy, 1.0), (into, -1.0), (out, 1.0), low=before, high=before)
    program.put(rows[1:], energy[:-1], -1.0)
    return into, out, energy


def _charging(
    program: Program, session: Session, prices: Index, worth: Index, into: Index
) -> tuple[Index, list[Term]]:
    """Charge only where worth is at least the price, at full power where it is more.

    Returns switches (charges, at full power) of shape (2, k), and the cost in steps.
    """
    least, most = session.worth
    price = prices[0, session.group]
    full = session.most_up
    charged = _totals(program, session, into)
    rent, at_full = _rent(program, most - session.buy[0], charged, full, np.zeros_like(full))
    charges = program.switches(len(full))
    program.require((charged, 1.0), (charges, -full), high=0.0)
    too_dear = ((price, 1.0 / session.charge_efficiency), (worth, -1.0), (rent, 1.0))
    widest = session.buy[1] - least
    program.require(*too_dear, low=0.0)
    program.require(*too_dear, (charges, widest), high=widest)
    program.require((at_full, 1.0), (charges, -1.0), high=0.0)
    return np.stack([charges, at_full]), [(rent, -full)]


def _discharging(
    program: Program, session: Session, prices: Index, worth: Index, out: Index, limit_rent: Index
) -> tuple[Index, list[Term]]:
    """Discharge only where the gain is at least the worth, at full power where it is more.

    Shapes and return as in `_charging`, for the runs in which some price may make it pay.
    """
    sells = session.may_sell
    least, most = session.worth
    price = prices[1, session.group[sells]]
    full = session.most_down[sells]
    drawn = _totals(program, session, out)[sells]
    rent, at_full = _rent(program, session.sell[1, sells] - least, drawn, full, np.zeros_like(full))
    draws = program.switches(len(full))
    program.require((drawn, 1.0), (draws, -full), high=0.0)
    too_low = [(worth[sells], 1.0), (price, -session.discharge_efficiency), (rent, 1.0)]
    widest = most - session.sell[0, sells]
    if session.limit_binds:
        too_low.append((limit_rent, 1.0))
        widest = widest + _most_limit_rent(session)
    program.require(*too_low, low=-session.wear_cost)
    program.require(*too_low, (draws, widest), high=widest - session.wear_cost)
    program.require((at_full, 1.0), (draws, -1.0), high=0.0)
    return np.stack([draws, at_full]), [(rent, -full)]


def _limiting(program: Program, session: Session, out: Index) -> tuple[Index, list[Term]]:
    """The driver's own limit on battery use."""
    if not session.limit_binds:
        return np.zeros(0, np.int64), []
    drawn = program.columns(1, 0.0, session.limit)
    row = program.rows(1, 0.0, 0.0)
    program.put(row, drawn, 1.0)
    program.put(row, out, -1.0)
    limit = np.array([session.limit])
    rent, _ = _rent(program, _most_limit_rent(session), drawn, limit, np.zeros(1))
    return rent, [(rent, -limit)]


def _most_limit_rent(session: Session) -> float:
    """With more than this nobody would discharge, and the limit would not be reached."""
    return float(session.sell[1].max()) - session.worth[0]


def _holding(program: Program, session: Session, worth: Index, energy: Index) -> list[Term]:
    """Worth falls only where the battery stands at its floor, and rises only where it is full."""
    last = session.last_slot
    floor, at_end = session.floor[last], energy[last]
    kept = np.arange(len(last)) < len(last) - session.ends_at_target
    can_empty = kept & (session.low <= floor + SAME)
    can_fill = kept & (session.high >= session.top[last] - SAME)
    span = session.worth[1] - session.worth[0]
    floor_rent, _ = _rent(
        program, span, at_end[can_empty], floor[can_empty], session.high[can_empty]
    )
    top = session.top[last][can_fill]
    top_rent, _ = _rent(program, span, at_end[can_fill], top, session.low[can_fill])
    later = np.append(np.zeros(len(last) - 1), session.surplus_value)
    free = np.where(kept, 0.0, np.inf)
    rows = program.require((worth, 1.0), low=later - free, high=later + free)
    program.put(rows[:-1], worth[1:], -1.0)
    program.put(rows[can_empty], floor_rent, -1.0)
    program.put(rows[can_fill], top_rent, 1.0)
    cost = [
        (worth[:1], np.array([-session.start])),
        (floor_rent, floor[can_empty]),
        (top_rent, -top),
    ]
    if session.ends_at_target:
        return [*cost, (worth[-1:], np.array([session.target]))]
    return [*cost, (energy[-1:], np.array([session.surplus_value]))]


def _totals(program: Program, session: Session, moved: Index) -> Index:
    """What is moved in each run."""
    total = program.columns(len(session.length), 0.0, np.inf)
    rows = program.rows(total.shape, 0.0, 0.0)
    program.put(rows, total, 1.0)
    program.put(rows[session.run], moved, -1.0)
    return total


def _rent(
    program: Program, most: ArrayLike, quantity: Index, limit: Array, far: Array
) -> tuple[Index, Index]:
    """What moving a limit would be worth to the driver: nothing, unless the quantity stands at it.

    ``far`` is the quantity's other end. Returns the rents, at most ``most``, and their switches.
    """
    at_limit = program.switches(quantity.shape)
    rent = program.columns(quantity.shape, 0.0, np.inf)
    program.require((rent, 1.0), (at_limit, -np.asarray(most)), high=0.0)
    span = far - limit
    held = {"high": np.where(span > 0.0, far, np.inf), "low": np.where(span > 0.0, -np.inf, far)}
    program.require((quantity, 1.0), (at_limit, span), **held)
    return rent, at_limit
