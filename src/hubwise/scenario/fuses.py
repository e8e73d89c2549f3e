"""Hubs whose connection cannot bring what their drivers ask for: shared before the stay, and told.

Circuits below it and phases are such fuses, too. Charging at once behind a fuse takes turns by load
management: whoever would else miss the energy asked for goes first, and what is left is shared
alike, so that the yardstick obeys the fuse, too. What a driver would leave with is what is
promised; less than was asked is told.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hubwise.domain import PHASES, Fleet, Horizon, Hubs, Lines, connection_spots
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.scenario.carried import carried_alone
from hubwise.scenario.standby import awake_kw

# Share of a connection that is shared out: prices and power flow need a little room to keep it.
USED = 0.995
# Rounding [kW, kWh].
SAME_KW, SAME_KWH = 1e-9, 1e-6


def behind_fuses(fleet: Fleet, hubs: Hubs, horizon: Horizon) -> tuple[Fleet, tuple[str, ...]]:
    """The fleet with what connections allow to charge at once, and to promise; and what is said.

    Parameters
    ----------
    fleet
        Sessions with what they ask for.
    hubs
        Their connections and circuits, and solar beside them; stations are left out, which may
        help.
    horizon
        The slots.

    Returns
    -------
    tuple
        The same fleet where all may charge at once; else with ``at_once_kw``, with less required
        where less can be had, and ``asked_kwh`` beside it; and with no more power than wires
        carry to one car alone. And a sentence a hub.
    """
    now, lines, beside = fleet.charging_at_once(), hubs.lines, _beside_kw(fleet, hubs, horizon)
    # Whom wires hold back misses what the charger could have brought, and is told.
    fleet, alone = carried_alone(fleet, hubs)
    carried_kw = _most_kw(fleet, horizon)
    at_connection = lines.loads(connection_spots(len(hubs)), beside)
    most = np.maximum(hubs.most_import_kw[:, None] + beside, 0.0)
    carried = np.maximum(lines.limit_kw[:, None] + at_connection, 0.0)
    given, _ = _at_once(now, None, horizon, carried_kw)
    draw = np.zeros_like(most)
    np.add.at(draw, fleet.hub, given)
    flows = lines.loads(fleet.spots, given)
    if not alone and (draw <= most + SAME_KW).all() and (flows <= carried + SAME_KW).all():
        return fleet, ()
    fuses = _Fuses(fleet, hubs, lines, USED * most, USED * carried)
    given, energy = _at_once(now, fuses, horizon, carried_kw)
    wanted = np.maximum(now.required_kwh, now.reserve_kwh)
    short = energy < np.minimum(wanted, _reachable(now, horizon)) - SAME_KWH
    required = np.where(short, np.minimum(fleet.required_kwh, energy), fleet.required_kwh)
    shared = replace(fleet, required_kwh=required, asked_kwh=fleet.required_kwh, at_once_kw=given)
    return shared, (*_said(shared, hubs, short), *alone)


def _sure_solar_kw(hubs: Hubs) -> Array:
    """Solar that may be used whichever phases cars are on; shape (hubs, slots) [kW].

    A phase without cars sends its third back, and no more than its fuse carries.
    """
    if hubs.phase_kw is None:
        return hubs.solar_kw
    sure: Array = np.minimum(hubs.solar_kw, len(PHASES) * hubs.phase_kw[:, None])
    return sure


def _beside_kw(fleet: Fleet, hubs: Hubs, horizon: Horizon) -> Array:
    """What connections carry to cars beyond their limits; shape (hubs, slots) [kW].

    Solar that may be used, less the stand-by of chargers that may be asked to give back.
    """
    everybody = fleet.with_participating(np.ones(len(fleet), np.bool_))
    awake = awake_kw(everybody, hubs, horizon)
    return _sure_solar_kw(hubs) - (0.0 if awake is None else awake)


class _Fuses:
    """What is shared out by connections, circuits and phases; ``most_kw``, ``carried_kw`` [kW]."""

    def __init__(
        self, fleet: Fleet, hubs: Hubs, lines: Lines, most_kw: Array, carried_kw: Array
    ) -> None:
        """Which sessions draw through what."""
        self.most_kw, self.carried_kw = most_kw, carried_kw
        session, line, share = lines.of_spots(fleet.spots)
        if len(lines):
            from scipy.sparse import csr_array  # only here: it takes a while to import

            self.share = csr_array((share, (line, session)), shape=(len(lines), len(fleet)))
        self.lines = [np.flatnonzero(lines.hub == hub) for hub in range(len(hubs))]

    def part(self, hub: int, t: int, here: Index, first: Array, want: Array) -> Array | None:
        """What each session of a hub gets in a slot; nothing where all get what they want."""
        most, lines = float(self.most_kw[hub, t]), self.lines[hub]
        if not len(lines):
            return _shared(first, want, most) if want.sum() > most + SAME_KW else None
        through = self.share[lines][:, here].toarray()
        share = np.vstack([np.ones(len(here)), through])
        room = np.append(most, self.carried_kw[lines, t])
        if (share @ want <= room + SAME_KW).all():
            return None
        given = _filled(first, share, room)
        return given + _filled(want - given, share, room - share @ given)


def _filled(want: Array, share: Array, room: Array) -> Array:
    """``want`` filled alike, everybody until content or something that feeds him is full.

    ``share`` (fuses, sessions): of what each draws; ``room`` (fuses,) [kW]. Shape (sessions,).
    """
    part, left = np.zeros_like(want), np.maximum(room, 0.0)
    for _ in range(len(want) + len(room) + 1):
        full = left <= SAME_KW
        active = (part < want - SAME_KW) & ~(share[full] > 0.0).any(axis=0)
        if not active.any():
            break
        rate = share[:, active].sum(axis=1)
        until = left[rate > 0.0] / rate[rate > 0.0]
        step = min(float((want - part)[active].min()), float(until.min(initial=np.inf)))
        part[active] += step
        left = left - step * rate
    return part


def _said(fleet: Fleet, hubs: Hubs, short: Flags) -> list[str]:
    """A sentence for every hub at which somebody gets less than was asked."""
    less = fleet.wished_kwh - fleet.required_kwh
    return [
        f"Hub {hubs.name[hub]}: its connection of {hubs.most_import_kw[hub]:g} kW"
        f"{_and_circuits(hubs, int(hub))} cannot bring all "
        f"that is asked for. {int(mine.sum())} sessions are promised {less[mine].sum():.1f} kWh "
        "less in all, and are told before the stay; whoever would miss most goes first, the rest "
        "is shared alike."
        for hub in np.unique(fleet.hub[short])
        if (mine := short & (fleet.hub == hub)).any()
    ]


def _and_circuits(hubs: Hubs, hub: int) -> str:
    return ", with its circuits and phases," if (hubs.lines.hub == hub).any() else ""


def _most_kw(fleet: Fleet, horizon: Horizon) -> Array:
    """Most power of charging as a mean over each slot; shape (sessions, slots) [kW]."""
    most = fleet.charge_kw_max[:, None]
    if fleet.bounds is not None:
        most = np.minimum(most, fleet.bounds.charge_kw)
    found: Array = most * fleet.presence(horizon.slots)
    return found


def _reachable(fleet: Fleet, horizon: Horizon) -> Array:
    """Most energy at departure that the most power brings; shape (sessions,) [kWh]."""
    put_in = horizon.slot_hours * fleet.charge_efficiency * _most_kw(fleet, horizon).sum(axis=1)
    highest = np.maximum(fleet.max_kwh, fleet.arrival_kwh)
    reached: Array = np.minimum(highest, fleet.arrival_kwh + put_in)
    return reached


def _at_once(
    fleet: Fleet, fuses: _Fuses | None, horizon: Horizon, carried_kw: Array
) -> tuple[Array, Array]:
    """Power when charging at once behind fuses, infinite where they do not matter; final energy.

    ``carried_kw``: what each car draws at most, wires counted; shape (sessions, slots). Returns
    shapes (sessions, slots) and (sessions,).
    """
    per_kw = horizon.slot_hours * fleet.charge_efficiency
    target = np.minimum(
        np.maximum(fleet.required_kwh, fleet.reserve_kwh), _reachable(fleet, horizon)
    )
    energy = fleet.arrival_kwh.copy()
    given = np.full((len(fleet), horizon.slots), 0.0 if fuses is None else np.inf)
    most = _most_kw(fleet, horizon)
    left = most[:, ::-1].cumsum(axis=1)[:, ::-1] - most
    for t in range(horizon.slots):
        here = np.flatnonzero((fleet.arrival_slot <= t) & (t < fleet.departure_slot))
        need = np.maximum(target - energy, 0.0)[here] / per_kw[here]
        want = np.minimum(carried_kw[here, t], need)
        below = np.maximum(fleet.reserve_kwh - energy, 0.0)[here] / per_kw[here]
        first = np.clip(np.maximum(need - left[here, t], below), 0.0, want)
        power = want.copy()
        for hub in np.unique(fleet.hub[here]):
            if fuses is None:
                break
            mine = fleet.hub[here] == hub
            part = fuses.part(int(hub), t, here[mine], first[mine], want[mine])
            if part is not None:
                power[mine] = given[here[mine], t] = part
        if fuses is None:
            given[here, t] = power
        energy[here] += per_kw[here] * power
    return given, energy


def _shared(first: Array, want: Array, most: float) -> Array:
    """``most`` shared: alike among those who go first, and what they leave alike among all."""
    if first.sum() >= most:
        return _alike(first, most)
    return first + _alike(want - first, most - first.sum())


def _alike(want: Array, most: float) -> Array:
    """``most`` in equal parts, nobody more than is wanted; the same shape [kW]."""
    left, part, order = most, np.zeros_like(want), np.argsort(want)
    for k, i in enumerate(order):
        part[i] = min(want[i], left / (len(order) - k))
        left -= part[i]
    return part
