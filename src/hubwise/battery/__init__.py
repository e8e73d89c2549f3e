"""Batteries: calendar and cycle ageing of published cells, and what a kWh drawn costs.

- ``fleet_ageing(fleet, schedule, horizon, facts) -> Ageing``: what a schedule does to every
  battery, with and without what it discharges to the grid; columns of shape (sessions,), those of
  ``ageing.parquet``. ``facts`` is ``situation.battery``, a `hubwise.domain.BatteryFacts`.
- ``Ageing.wear_price(before) -> array``: what a kWh drawn costs each session [currency/kWh];
  sessions that draw nothing keep ``before``.
- ``leaving_range(fleet, schedule, horizon, facts) -> list[str]``: one sentence for every cell and
  condition in which batteries leave the range that their model was made from.
- ``MODELS``: the published equations, by the names of `hubwise.domain.CELLS`.
- ``battery_stress``, ``repeat``, ``follow``: a day's stress (cycles by rainflow), a day repeated
  for years, any course of days.
"""

from hubwise.battery.ageing import CRUMB_KWH, DAYS_A_YEAR, Ageing, fleet_ageing, worth_of_capacity
from hubwise.battery.cells import MODELS, Model
from hubwise.battery.day import days_soc, drawn_kwh, without_discharging
from hubwise.battery.life import STEPS, Lost, follow, repeat
from hubwise.battery.range import leaving_range, range_sentences
from hubwise.battery.stress import (
    Depth,
    Stress,
    battery_stress,
    count_cycles,
    same_energy,
    same_shares,
)

__all__ = [
    "CRUMB_KWH",
    "DAYS_A_YEAR",
    "MODELS",
    "STEPS",
    "Ageing",
    "Depth",
    "Lost",
    "Model",
    "Stress",
    "battery_stress",
    "count_cycles",
    "days_soc",
    "drawn_kwh",
    "fleet_ageing",
    "follow",
    "leaving_range",
    "range_sentences",
    "repeat",
    "same_energy",
    "same_shares",
    "without_discharging",
    "worth_of_capacity",
]
