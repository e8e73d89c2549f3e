"""How simulated stations behave."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Habits:
    """How simulated stations behave.

    Parameters
    ----------
    speed
        Seconds of the simulated day in a second.
    every_seconds
        Between meter values, in the simulated day [s].
    faults
        Share of messages that are said twice or, where several wait, in another order; of cars
        that leave early or do not follow; and, a tenth of it, of messages after which the
        connection is lost: three times in ten for 10 minutes to 2 hours.
    strange
        Share of stations whose clock is off, by minutes or since 1970, or whose energy flows the
        other way than asked.
    idle_hours
        Between cars, at most [h].
    """

    speed: float = 1.0
    every_seconds: float = 60.0
    faults: float = 0.0
    strange: float = 0.0
    idle_hours: float = 2.0
