"""Random stays with tapers, the curve by small steps, and what the true curve would cost.

What ceiling paths cost drivers at most: ``PYTHONPATH=tests python -m tapers --stays 240``.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from builders import fleet_of
from hubwise.audit.taper import charged_kwh
from hubwise.domain import Fleet, Horizon, Taper, Tariff
from hubwise.drivers import best_response, least_at_departure
from hubwise.scenario.taper import tapered


def tapers_of(fleet: Fleet, curves, kw=None) -> Fleet:
    """The fleet with a curve, a list of points, for each session; ``None`` for none of its own."""
    points = max(len(curve) for curve in curves if curve is not None)
    soc, share = np.ones((2, len(fleet), points))
    soc[:] = 1.0 + np.arange(points)
    for row, curve in enumerate(curves):
        if curve is not None:
            soc[row, : len(curve)], share[row, : len(curve)] = np.array(curve).T
            share[row, len(curve) :] = curve[-1][1]
    name = np.array(["" if curve is None else f"c{k}" for k, curve in enumerate(curves)])
    full = fleet.charge_kw_max if kw is None else kw
    return replace(fleet, taper=Taper(name, soc, share, full))


def random_curve(rng, *, concave: bool):
    """Two to four points that fall; concave where asked, else of any kind."""
    n = int(rng.integers(2, 5))
    soc = np.sort(rng.uniform(0.5, 1.0, n))
    falls = rng.uniform(0.2, 1.0, n - 1)
    if concave:
        soc[-1] = 1.0
        falls = np.sort(falls) * np.diff(soc)
    share = 1.0 - np.append(0.0, np.cumsum(falls)) / falls.sum() * rng.uniform(0.3, 0.95)
    return list(zip(soc.tolist(), share.tolist(), strict=True))


def random_stays(rng, size: int, slots: int, *, concave: bool, two_way: bool, curved=1.0) -> Fleet:
    """Stays of every kind, minutes inside slots among them, bounds by slot made."""
    capacity = rng.uniform(30.0, 90.0, size)
    begins = rng.uniform(0.0, slots / 2, size)
    ends = rng.uniform(begins + 2.0, slots)
    most = rng.uniform(0.8, 1.0, size)
    fleet = fleet_of(
        size,
        slots,
        capacity_kwh=capacity,
        arrival_kwh=rng.uniform(0.1, 0.95, size) * capacity,
        required_kwh=most * rng.uniform(0.4, 1.0, size) * capacity,
        reserve_kwh=0.1 * capacity,
        max_kwh=most * capacity,
        charge_kw_max=rng.uniform(5.0, 25.0, size),
        discharge_kw_max=rng.uniform(0.0, 12.0, size) if two_way else 0.0,
        charge_efficiency=rng.uniform(0.85, 1.0, size),
        discharge_efficiency=rng.uniform(0.85, 1.0, size),
        wear_cost=rng.uniform(0.02, 0.1, size),
        surplus_value=rng.choice([0.0, 0.1], size),
    ).staying(begins, ends)
    own = rng.uniform(size=size) < curved
    own[0] = True
    curves = [random_curve(rng, concave=concave) if each else None for each in own]
    car = fleet.charge_kw_max * rng.choice([1.0, 1.7], size)
    return tapered(tapers_of(fleet, curves, car), horizon_of(slots))


def horizon_of(slots: int, minutes: int = 30) -> Horizon:
    return Horizon(datetime(2025, 5, 14, tzinfo=UTC), slots, minutes)


def by_small_steps(fleet: Fleet, i: int, start: float, hours: float, steps: int = 20_000) -> float:
    """Energy after charging at the curve, by the midpoint rule: nothing of the code is used."""
    taper, energy, dt = fleet.taper, start, hours / steps

    def rate(kwh: float) -> float:
        share = np.interp(kwh / fleet.capacity_kwh[i], taper.soc[i], taper.share[i])
        return fleet.charge_efficiency[i] * min(fleet.charge_kw_max[i], taper.kw[i] * share)

    for _ in range(steps):
        energy += dt * rate(energy + 0.5 * dt * rate(energy))
    return energy


def true_cost(fleet: Fleet, i: int, charge, discharge, horizon: Horizon, target: float) -> float:
    """At most the cost of the cheapest schedule on a concave curve, by a linear program (HiGHS).

    What a slot can bring is concave in the energy at its beginning; tangents at many energies
    bound it from above, so the true cheapest schedule is no cheaper than this.
    """
    a, d = int(fleet.arrival_slot[i]), int(fleet.departure_slot[i])
    n, hours = d - a, horizon.slot_hours
    there = hours * fleet.presence(horizon.slots)[i, a:d]
    eta, out = fleet.charge_efficiency[i], fleet.discharge_efficiency[i]
    highest = max(fleet.max_kwh[i], fleet.arrival_kwh[i])
    lowest = min(fleet.reserve_kwh[i], fleet.arrival_kwh[i])
    wide = fleet.charge_kw_max[i], fleet.discharge_kw_max[i]
    grid = np.linspace(lowest, highest, 80)
    # Columns: charge and discharge of every slot, then energy at its end.
    equal, equals = np.zeros((n, 3 * n)), np.zeros(n)
    less, most = [], []
    for t in range(n):
        equal[t, [t, n + t, 2 * n + t]] = -eta * hours, hours / out, 1.0
        if t:
            equal[t, 2 * n + t - 1] = -1.0
        else:
            equals[0] = fleet.arrival_kwh[i]
        span, step = np.full_like(grid, there[t]), 1e-5
        brings = charged_kwh(fleet, i, grid, span) - grid
        slopes = (charged_kwh(fleet, i, grid + step, span) - grid - step - brings) / step
        # Beyond the curve's last point, at the full battery, it is level and not concave.
        within = grid + brings <= fleet.capacity_kwh[i] - step
        for point, brought, slope in zip(grid[within], brings[within], slopes[within], strict=True):
            # A secant of so short a step is a tangent but for its own fall.
            row, right = np.zeros(3 * n), brought - slope * point + 1e-4 * abs(slope) + 1e-6
            row[t] = eta * hours
            if t:
                row[2 * n + t - 1] = -slope
            else:
                right += slope * fleet.arrival_kwh[i]
            less.append(row)
            most.append(right)
    costs = np.concatenate(
        [
            hours * charge[a:d],
            hours / out * fleet.wear_cost[i] - hours * discharge[a:d],
            np.append(np.zeros(n - 1), -fleet.surplus_value[i]),
        ]
    )
    bounds = [(0.0, kw * w) for kw in wide for w in there / hours] + [(lowest, highest)] * n
    bounds[-1] = (max(lowest, target - 1e-5), highest)
    found = linprog(costs, csr_array(np.array(less)), most, csr_array(equal), equals, bounds)
    assert found.status == 0, found.message
    return float(found.fun + fleet.surplus_value[i] * fleet.required_kwh[i])


def paths_cost(stays: int, *, two_way: bool, full: bool, seed: int = 0) -> tuple[float, ...]:
    """What stays cost on ceiling paths, at least on the true curve, and without any; the dearest.

    Prices hold for two hours each, ``full``: all ask for the most. Everything in currency a stay,
    and the share of stays that cost a cent more on the path.
    """
    rng, slots, found = np.random.default_rng(seed), 24, []
    horizon = horizon_of(slots)
    for _ in range(stays // 20):
        fleet = random_stays(rng, 20, slots, concave=True, two_way=two_way)
        fleet = replace(fleet, surplus_value=np.zeros(20))
        if full:
            fleet = replace(fleet, required_kwh=fleet.max_kwh)
        fleet = tapered(fleet, horizon)
        charge = rng.uniform(0.1, 0.5, (1, 6)).repeat(4, axis=1)
        tariff = Tariff(charge, 0.9 * charge * two_way)
        _, cost = best_response(fleet, tariff, horizon)
        _, free = best_response(replace(fleet, bounds=None), tariff, horizon)
        target = least_at_departure(fleet, horizon)
        for i in range(20):
            prices = tariff.charge_price[0], tariff.discharge_price[0]
            found.append((cost[i], true_cost(fleet, i, *prices, horizon, target[i]), free[i]))
    path, true, _ = np.array(found).T
    more = path - true
    return (*np.array(found).mean(axis=0), more.max(), (more > 0.01).mean())


def main() -> None:
    """Print a line for every kind of stay."""
    parser = argparse.ArgumentParser(prog="python -m tapers", description=main.__doc__)
    parser.add_argument("--stays", type=int, default=240)
    stays = parser.parse_args().stays
    for two_way in (False, True):
        for full in (False, True):
            path, true, free, worst, share = paths_cost(stays, two_way=two_way, full=full)
            kind = f"{'two' if two_way else 'one'}-way, {'full' if full else 'any'}"
            print(
                f"{kind}: {path:.3f} on paths, {true:.3f} at least on the curve "
                f"({path / true - 1.0:.1%} more, at most {worst:.2f}, a cent in {share:.0%}), "
                f"{free:.3f} without"
            )


if __name__ == "__main__":
    main()
