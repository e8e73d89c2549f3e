"""A car: a battery that takes less and less when it is nearly full, and a will of its own."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from hubwise.edge.simulated.orders import Order

TAPER_FROM = 0.8
LEAST_SHARE = 0.1
RESERVE, TARGET = 0.2, 0.8
EFFICIENCY = 0.92
# 6 A on one phase: with less no car charges [kW].
LEAST_KW = 1.38
BOTH_WAYS, ONE_WAY = "AC_BPT", "AC_three_phase"


@dataclass(slots=True)
class Car:
    """A car at a plug.

    Parameters
    ----------
    tag
        Who drives it.
    capacity_kwh, energy_kwh
        Of its battery, and what is in it.
    most_kw
        The most that it takes or gives [kW].
    stay_hours
        How long it stays.
    transfers
        Its energy transfers: the one that it asks for first, then others that it has.
    obeys
        Whether it follows what it is told.
    """

    tag: str
    capacity_kwh: float
    energy_kwh: float
    most_kw: float
    stay_hours: float
    transfers: tuple[str, ...] = (ONE_WAY,)
    obeys: bool = True

    @property
    def target_kwh(self) -> float:
        """What its driver wants put in: up to `TARGET`, and what half of the stay brings."""
        lacks = max(TARGET * self.capacity_kwh - self.energy_kwh, 0.0)
        return min(lacks, 0.5 * self.stay_hours * EFFICIENCY * self.most_kw)

    def answers_to(self, order: Order) -> float:
        """What it draws under an order [kW]; below 0 it gives."""
        if not self.obeys:
            return self.power(self.most_kw)
        if order.idle or (order.kw < 0 and self.transfers[0] != BOTH_WAYS):
            return 0.0
        return self.power(order.kw)

    def power(self, allowed_kw: float) -> float:
        """What it draws where so much is allowed; below 0 it gives [kW], measured at the plug."""
        filled = self.energy_kwh / self.capacity_kwh
        if allowed_kw < 0:
            return max(allowed_kw, -self.most_kw) if filled > RESERVE else 0.0
        share = min(1.0, max(LEAST_SHARE, (1.0 - filled) / (1.0 - TAPER_FROM)))
        return min(allowed_kw, self.most_kw * share) if filled < 1.0 else 0.0

    def follow(self, kw: float, hours: float) -> float:
        """Draw or give for a time; the energy that the meter shows, below 0 if given [kWh]."""
        kwh = self.power(kw) * hours
        stored = kwh * EFFICIENCY if kwh > 0 else kwh / EFFICIENCY
        room = self.capacity_kwh - self.energy_kwh
        if stored > room:
            kwh, stored = room / EFFICIENCY, room
        self.energy_kwh = max(0.0, self.energy_kwh + stored)
        return kwh


def draw_car(draw: Random, faults: float) -> Car:
    """A car as they come to work: 40 to 80 kWh, a third full, for hours; some leave early.

    Of three, one goes both ways at once, one when it is let, one never.
    """
    capacity = draw.choice((40.0, 52.0, 60.0, 77.0))
    hours = draw.uniform(1.0, 9.0)
    return Car(
        tag=f"SIM{draw.randrange(10_000):04}",
        capacity_kwh=capacity,
        energy_kwh=capacity * draw.uniform(0.1, 0.6),
        most_kw=draw.choice((3.7, 7.0, 11.0)),
        stay_hours=hours * (draw.uniform(0.2, 0.8) if draw.random() < faults else 1.0),
        transfers=draw.choice(((BOTH_WAYS, ONE_WAY), (ONE_WAY, BOTH_WAYS), (ONE_WAY,))),
        obeys=draw.random() >= faults,
    )
