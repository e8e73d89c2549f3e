"""Hubs whose connection cannot bring what their drivers ask for: shared before the stay, and told.

Charging at once behind a fuse takes turns by load management: whoever would else miss the energy
asked for goes first, and what is left is shared alike, so that the yardstick obeys the fuse, too.
What a driver would leave with is what is promised; less than was asked is told.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hubwise.domain import Fleet, Horizon, Hubs
from hubwise.domain.arrays import Array, Flags

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
        Their connections, and solar beside them; stations are left out, which may help.
    horizon
        The slots.

    Returns
    -------
    tuple
        The same fleet where all may charge at once; else with ``at_once_kw``, with less required
        where less can be had, and ``asked_kwh`` beside it. And a sentence a hub.
    """
    now, most = fleet.charging_at_once(), hubs.most_import_kw[:, None] + hubs.solar_kw
    given, _ = _at_once(now, np.full_like(most, np.inf), horizon)
    draw = np.zeros_like(most)
    np.add.at(draw, fleet.hub, given)
    if (draw <= most + SAME_KW).all():
        return fleet, ()
    given, energy = _at_once(now, USED * most, horizon)
    wanted = np.maximum(now.required_kwh, now.reserve_kwh)
    short = energy < np.minimum(wanted, _reachable(now, horizon)) - SAME_KWH
    required = np.where(short, np.minimum(fleet.required_kwh, energy), fleet.required_kwh)
    shared = replace(fleet, required_kwh=required, asked_kwh=fleet.required_kwh, at_once_kw=given)
    return shared, tuple(_said(shared, hubs, short))


def _said(fleet: Fleet, hubs: Hubs, short: Flags) -> list[str]:
    """A sentence for every hub at which somebody gets less than was asked."""
    less = fleet.wished_kwh - fleet.required_kwh
    return [
        f"Hub {hubs.name[hub]}: its connection of {hubs.most_import_kw[hub]:g} kW cannot bring all "
        f"that is asked for. {int(mine.sum())} sessions are promised {less[mine].sum():.1f} kWh "
        "less in all, and are told before the stay; whoever would miss most goes first, the rest "
        "is shared alike."
        for hub in np.unique(fleet.hub[short])
        if (mine := short & (fleet.hub == hub)).any()
    ]


def _reachable(fleet: Fleet, horizon: Horizon) -> Array:
    """Most energy at departure that full power brings; shape (sessions,) [kWh]."""
    put_in = horizon.slot_hours * fleet.charge_efficiency * fleet.charge_kw_max
    full = fleet.arrival_kwh + put_in * (fleet.departure_slot - fleet.arrival_slot)
    reached: Array = np.minimum(np.maximum(fleet.max_kwh, fleet.arrival_kwh), full)
    return reached


def _at_once(fleet: Fleet, most_kw: Array, horizon: Horizon) -> tuple[Array, Array]:
    """Power when charging at once behind fuses, infinite where they do not matter; final energy.

    ``most_kw``: shape (hubs, slots). Returns shapes (sessions, slots) and (sessions,).
    """
    per_kw = horizon.slot_hours * fleet.charge_efficiency
    target = np.minimum(
        np.maximum(fleet.required_kwh, fleet.reserve_kwh), _reachable(fleet, horizon)
    )
    energy, bound = fleet.arrival_kwh.copy(), np.isfinite(most_kw).any()
    given = np.full((len(fleet), horizon.slots), np.inf if bound else 0.0)
    for t in range(horizon.slots):
        here = np.flatnonzero((fleet.arrival_slot <= t) & (t < fleet.departure_slot))
        need = np.maximum(target - energy, 0.0)[here] / per_kw[here]
        want = np.minimum(fleet.charge_kw_max[here], need)
        later = fleet.charge_kw_max[here] * (fleet.departure_slot[here] - t - 1)
        below = np.maximum(fleet.reserve_kwh - energy, 0.0)[here] / per_kw[here]
        first = np.clip(np.maximum(need - later, below), 0.0, want)
        power = want.copy()
        for hub in np.unique(fleet.hub[here]):
            mine = fleet.hub[here] == hub
            if want[mine].sum() > most_kw[hub, t] + SAME_KW:
                power[mine] = _shared(first[mine], want[mine], most_kw[hub, t])
                given[here[mine], t] = power[mine]
        if not bound:
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
