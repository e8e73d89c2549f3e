"""What each strategy is: who is scheduled, at whose prices, with or without station batteries."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Conduct:
    """What a plan of one strategy may do.

    Parameters
    ----------
    posts_prices
        The operator posts a tariff; else participants pay the reference tariff and discharging
        earns nothing.
    schedules
        Participants follow a best response; else they plug in and charge at once.
    has_stations
        Station batteries run, and are paid for.
    ties
        How ties are broken, where drivers' own devices choose.
    """

    posts_prices: bool
    schedules: bool
    has_stations: bool
    ties: str | None = None


CONDUCT = {
    "uncoordinated": Conduct(posts_prices=False, schedules=False, has_stations=False),
    "storage": Conduct(posts_prices=False, schedules=False, has_stations=True),
    "passive": Conduct(posts_prices=False, schedules=True, has_stations=False, ties="early"),
    "passive-random": Conduct(
        posts_prices=False, schedules=True, has_stations=False, ties="random"
    ),
    "passive-spread": Conduct(
        posts_prices=False, schedules=True, has_stations=False, ties="spread"
    ),
    "hubwise": Conduct(posts_prices=True, schedules=True, has_stations=True),
}
