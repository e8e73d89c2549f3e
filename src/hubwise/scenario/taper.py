"""Power that tapers near full: curves in ``[tapers]``, and what they leave of a stay's power.

A slot's most power would depend on the energy that the schedule has brought by then. In its place
every session gets bounds by slot (`SlotBounds`) from its *ceiling path*: charging at the curve from
the arrival on, up to the most that the stay has a use of. No schedule within the bounds is ever
above that path, and the lower the battery, the more a slot may bring; so the curve allows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from hubwise.domain import Fleet, Horizon, SlotBounds, Taper
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.domain.errors import did_you_mean, listed
from hubwise.scenario.reading import TOML, Reader
from hubwise.scenario.tables import Table, check_known

# So many sessions are named.
TOLD = 3
# Energies that differ by less are the same [kWh].
SAME_KWH = 1e-6
_RIGHT = "write points as [[0.8, 1.0], [1.0, 0.2]]: state of charge, and share of the full power"


def check_tapers(
    raw: Mapping[str, object], tables: Sequence[Table], drawn: str | None, reader: Reader
) -> None:
    """What is wrong with the curves of ``[tapers]`` is noted, and names that are none of them.

    Parameters
    ----------
    raw
        ``scenario.toml`` as it stands.
    tables
        Of drivers and sessions. What a session inherits from its driver is told there.
    drawn
        What a synthetic fleet names; ``None`` where there is none, or it names none.
    """
    given = raw.get("tapers", {})
    if not isinstance(given, dict):
        reader.wrong(TOML, "", "tapers", "is not a section", "write it as [tapers]")
        return
    for name, value in given.items():
        for wrong in wrongs_of_curve(value):
            reader.wrong(TOML, "tapers", name, wrong, _RIGHT)
    for table in tables:
        check_known(table, "taper", list(given), reader)
    if drawn is not None and drawn not in given:
        reader.wrong(TOML, "fleet", "taper", f"{drawn!r} is unknown", did_you_mean(drawn, given))


def curve_of(points: str) -> list[list[float]]:
    """A curve as it stands in ``[tapers]``, of points such as ``0.8:1 1:0.2``."""
    return [[float(part) for part in point.split(":")] for point in points.split()]


def wrongs_of_curve(value: object) -> list[str]:
    """What is wrong with a curve; nothing where it is a list of points that fall."""
    if not isinstance(value, list) or not value or not all(_is_pair(point) for point in value):
        return ["is not a list of pairs of numbers"]
    wrongs = [f"point {k}: {wrong}" for k, each in enumerate(value, 1) for wrong in _outside(*each)]
    for k, ((soc, share), (next_soc, next_share)) in enumerate(pairwise(value), 2):
        if not next_soc > soc:
            wrongs.append(f"point {k}: state of charge {next_soc:g} is not above {soc:g}")
        if next_share > share:
            wrongs.append(f"point {k}: share {next_share:g} is above {share:g} before it")
    if value[0][1] != 1.0 and not wrongs:
        wrongs.append(f"point 1: share {value[0][1]:g} is not 1, where power begins to fall")
    return wrongs


def _is_pair(point: object) -> bool:
    return (
        isinstance(point, list)
        and len(point) == 2
        and all(isinstance(x, int | float) and not isinstance(x, bool) for x in point)
    )


def _outside(soc: float, share: float) -> list[str]:
    wrongs = []
    if not 0.0 <= soc <= 1.0:
        wrongs.append(f"state of charge {soc:g} is not within 0 to 1")
    if not 0.0 < share <= 1.0:
        wrongs.append(f"share {share:g} is not above 0 and at most 1")
    return wrongs


def with_curves(fleet: Fleet, named: Sequence[str | None], raw: Mapping[str, object]) -> Fleet:
    """The fleet with the curves that its sessions name.

    Parameters
    ----------
    fleet
        As it is told: curves are shares of the power that stands there, whatever plug the car
        will get.
    named
        Which curve, session by session; nothing for none.
    raw
        ``scenario.toml`` as it stands, and as `check_tapers` has found nothing wrong with it.
    """
    names = ["" if name is None else name for name in named]
    if not any(names):
        return fleet
    curves: dict[str, list[tuple[float, float]]] = dict(raw["tapers"])  # type: ignore[call-overload]
    points = max(len(curve) for curve in curves.values())
    soc, share = np.ones((2, len(names), points))
    for row, name in enumerate(names):
        # Beyond a curve's own points it is level.
        own = [*curves.get(name, [(1.0, 1.0)])]
        own += [(own[-1][0] + k, own[-1][1]) for k in range(1, points - len(own) + 1)]
        soc[row], share[row] = np.array(own).T
    return replace(fleet, taper=Taper(np.array(names), soc, share, fleet.charge_kw_max))


def tapered(fleet: Fleet, horizon: Horizon) -> Fleet:
    """The fleet with bounds by slot that its curves leave: see the module's first words.

    With E the most that the stay has a use of (`most_used_kwh`), and Φ(m) the energy to which
    charging at the curve leads from m while the car is there in a slot, the slot brings at most

        Φ(m) - m,  m the lesser of the path's energy when the slot begins and the m of Φ(m) = E,

    and the battery is never above E. Exact: integrated, not sampled.

    Parameters
    ----------
    fleet
        At its plugs, with what is required; bounds that it has are replaced.
    horizon
        The slots.
    """
    if fleet.taper is None:
        return fleet
    rows = np.flatnonzero(fleet.tapers)
    own = fleet.select(rows)
    clock = ChargingClock.of(own)
    top = most_used_kwh(own, clock)
    there = horizon.slot_hours * own.presence(horizon.slots)
    passed = np.cumsum(there, axis=1) - there
    last = clock.hours(top)[:, None] - there
    begin = np.minimum(clock.hours(_begins_with(own))[:, None] + passed, last)
    brought = clock.energy(begin + there) - clock.energy(begin)
    free = np.full((len(fleet), horizon.slots), np.inf)
    charge, most = free.copy(), free.copy()
    per_kw = own.charge_efficiency[:, None] * there
    charge[rows] = np.divide(brought, per_kw, np.full_like(there, np.inf), where=there > 0.0)
    most[rows] = top[:, None]
    return replace(fleet, bounds=SlotBounds(charge, free, -free, most))


def _begins_with(fleet: Fleet) -> Array:
    """Where ceiling paths begin: no lower than charging at once has come; shape (sessions,)."""
    if fleet.at_once_kwh is None:
        return fleet.arrival_kwh
    return np.maximum(fleet.arrival_kwh, fleet.at_once_kwh)


def most_used_kwh(fleet: Fleet, clock: ChargingClock) -> Array:
    """The most energy that a stay has a use of; shape (sessions,) [kWh].

    What is required, or the energy above which power falls; its highest, where more than required
    is of worth. A battery that may be fuller charges slower all the stay by its ceiling path.
    """
    used = np.maximum(np.maximum(fleet.required_kwh, fleet.reserve_kwh), clock.knee_kwh)
    used = np.where(fleet.surplus_value > 0.0, fleet.max_kwh, used)
    return np.maximum(np.minimum(used, fleet.max_kwh), _begins_with(fleet))


@dataclass(frozen=True, slots=True)
class ChargingClock:
    """How long charging at the curve takes to an energy, and back; counted from the first knot.

    Between knots the power is linear in the energy, so that time is a logarithm of it.

    Parameters
    ----------
    kwh
        Energies between which the rate is linear, not falling; shape (sessions, knots) [kWh].
    rate
        Energy into the battery an hour there; shape (sessions, knots) [kWh/h].
    at
        When each knot is reached; shape (sessions, knots) [h].
    """

    kwh: Array
    rate: Array
    at: Array

    @classmethod
    def of(cls, fleet: Fleet) -> ChargingClock:
        """The clock of sessions that all have a curve; their chargers may bring less than it."""
        taper = fleet.taper
        assert taper is not None, "all of them taper"
        soc, power = _with_crossings(taper, fleet.charge_kw_max)
        kwh = soc * fleet.capacity_kwh[:, None]
        rate = power * fleet.charge_efficiency[:, None]
        took = _took(np.diff(kwh, axis=1), rate[:, :-1], rate[:, 1:])
        at = np.zeros_like(kwh)
        np.cumsum(took, axis=1, out=at[:, 1:])
        return cls(kwh, rate, at)

    @property
    def knee_kwh(self) -> Array:
        """The energy above which the rate falls; infinite where it never does; (sessions,)."""
        full = self.rate == self.rate[:, :1]
        knee = np.where(full, self.kwh, -np.inf).max(axis=1)
        found: Array = np.where(full.all(axis=1), np.inf, knee)
        return found

    def hours(self, energy: Array) -> Array:
        """When energies are reached, below 0 before the first knot; shape (sessions,) [h]."""
        k = _segment(self.kwh, energy[:, None])
        kwh, rate, slope, at = self._begin(k)
        above = energy[:, None] - kwh
        grown = np.log1p(slope * above / rate)
        took = np.divide(grown, slope, above / rate, where=slope != 0.0)
        found: Array = (at + took)[:, 0]
        return found

    def energy(self, hours: Array) -> Array:
        """The energy after so much time; shape (sessions, slots), as ``hours`` [kWh]."""
        kwh, rate, slope, at = self._begin(_segment(self.at, hours))
        passed = hours - at
        factor = np.divide(np.expm1(slope * passed), slope, passed.copy(), where=slope != 0.0)
        found: Array = kwh + rate * factor
        return found

    def _begin(self, k: Index) -> tuple[Array, Array, Array, Array]:
        """Energy, rate, change of rate per energy, and time where segments ``k`` begin.

        -1 is before the first knot, where its rate holds; so does the last one's after the last.
        """
        rise, length = np.diff(self.rate, axis=1), np.diff(self.kwh, axis=1)
        slope = np.zeros_like(self.kwh)
        np.divide(rise, length, slope[:, :-1], where=length > 0.0)
        row, first = np.arange(len(self.kwh))[:, None], np.maximum(k, 0)
        bent = np.where(k >= 0, slope[row, first], 0.0)
        return self.kwh[row, first], self.rate[row, first], bent, self.at[row, first]


def _segment(knots: Array, values: Array) -> Index:
    """The last knot at or below each value, -1 before all; the shape of ``values``."""
    found = np.full(np.broadcast_shapes(knots[:, :1].shape, values.shape), -1)
    for knot in knots.T:
        found += knot[:, None] <= values
    return found


def _took(kwh: Array, begin: Array, end: Array) -> Array:
    """Hours for energies ``kwh`` at rates that go from ``begin`` to ``end``, linear in energy."""
    fall = begin - end
    level = kwh / begin
    took: Array = np.divide(-kwh * np.log1p(-fall / begin), fall, level, where=fall > 0.0)
    return took


def _with_crossings(taper: Taper, charger_kw: Array) -> tuple[Array, Array]:
    """Knots of the lesser of curve and charger: those of the curve, and where the two cross.

    Returns states of charge and powers; shape (sessions, knots) each.
    """
    kw, most = taper.kw[:, None] * taper.share, charger_kw[:, None]
    fall = kw[:, :-1] - kw[:, 1:]
    part = np.divide(kw[:, :-1] - most, fall, np.zeros_like(fall), where=fall > 0.0).clip(0.0, 1.0)
    soc, knots = np.empty((2, len(kw), 2 * kw.shape[1] - 1))
    soc[:, ::2], knots[:, ::2] = taper.soc, kw
    soc[:, 1::2] = taper.soc[:, :-1] + part * np.diff(taper.soc, axis=1)
    knots[:, 1::2] = kw[:, :-1] - part * fall
    return soc, np.minimum(knots, most)


def short_of_tapers(fleet: Fleet, horizon: Horizon) -> tuple[str, ...]:
    """A sentence on who cannot have what is asked for, as power tapers; none where all can."""
    if fleet.taper is None:
        return ()
    own = fleet.select(fleet.tapers)
    stay = horizon.slot_hours * (own.ends - own.begins)
    full = own.arrival_kwh + own.charge_efficiency * own.charge_kw_max * stay
    clock = ChargingClock.of(own)
    reached = clock.energy((clock.hours(own.arrival_kwh) + stay)[:, None])[:, 0]
    wanted = np.minimum(np.maximum(own.required_kwh, own.reserve_kwh), full)
    short = np.maximum(wanted - reached, 0.0)
    return _shortfalls(own.session.tolist(), short, short > SAME_KWH)


def _shortfalls(sessions: Sequence[str], short: Array, who: Flags) -> tuple[str, ...]:
    rows = np.flatnonzero(who)
    if not len(rows):
        return ()
    some = [f"{sessions[i]} ({short[i]:.2f} kWh)" for i in rows[:TOLD].tolist()]
    more = len(rows) - len(some)
    named = f"{', '.join(some)} and {more} more" if more else listed(some)
    return (
        f"Power tapers near full: {named} cannot have all that is asked for, "
        f"{short[rows].sum():.2f} kWh in all, and are told before the stay.",
    )
