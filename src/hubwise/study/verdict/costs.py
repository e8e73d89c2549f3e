"""What equipment costs a year: as the user says, as the site has it, or as is usual."""

from __future__ import annotations

from dataclasses import dataclass

from hubwise.domain import Scenario, Strategy
from hubwise.study.verdict.cases import Case
from hubwise.study.verdict.sites import chargers_needed, own_battery_kwh

DAYS_A_YEAR = 365.25
# Where neither the user nor the site says: per kWh of battery, and what a two-way charger costs
# more than a one-way one, a year. In other currencies nothing is assumed.
USUAL_BATTERY, USUAL_CHARGER = 60.0, 300.0
USUAL_CURRENCIES = ("EUR", "USD", "GBP", "CHF")


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of equipment, as far as they are known.

    Parameters
    ----------
    battery, charger
        A kWh of station battery, and a two-way charger beyond a one-way one [currency/year];
        ``None`` where nobody says.
    battery_from, charger_from
        Who says so, in words.
    chargers
        Two-way chargers that the site needs.
    years
        The days that are planned, as a share of a year.
    """

    battery: float | None
    charger: float | None
    battery_from: str
    charger_from: str
    chargers: int
    years: float

    def of_battery(self, kwh: float) -> float | None:
        """What a battery costs over the days planned [currency]."""
        if kwh == 0.0:
            return 0.0
        return None if self.battery is None else self.battery * kwh * self.years

    def of_chargers(self) -> float | None:
        """What two-way chargers cost over the days planned [currency]."""
        return None if self.charger is None else self.charger * self.chargers * self.years

    def of(self, case: Case) -> float | None:
        """What a case's equipment costs over the days planned [currency]."""
        if case.strategy == Strategy.UNCOORDINATED:
            return 0.0
        battery = self.of_battery(case.battery_kwh)
        chargers = self.of_chargers() if case.two_way and case.posts else 0.0
        return None if battery is None or chargers is None else battery + chargers


def costs_of(
    scenario: Scenario, days: float, battery: float | None, charger: float | None
) -> Costs:
    """Costs as the user says; else a battery's by the site's own lease; else as is usual.

    Parameters
    ----------
    scenario
        The site.
    days
        How many are planned.
    battery, charger
        As the user says [currency/year].
    """
    currency = scenario.situation.market.currency
    usual = currency in USUAL_CURRENCIES
    own, lease = own_battery_kwh(scenario), float(scenario.situation.hubs.lease_cost.sum())
    if battery is not None:
        battery_from = "as given"
    elif own > 0.0 and lease > 0.0:
        battery, battery_from = lease * DAYS_A_YEAR / own, "the site's own lease"
    elif usual:
        battery, battery_from = USUAL_BATTERY, "assumed; give yours as --battery-cost"
    else:
        battery_from = "not known; give it as --battery-cost"
    if charger is not None:
        charger_from = "as given"
    elif usual:
        charger, charger_from = USUAL_CHARGER, "assumed; give yours as --charger-cost"
    else:
        charger_from = "not known; give it as --charger-cost"
    return Costs(
        battery, charger, battery_from, charger_from, chargers_needed(scenario), days / DAYS_A_YEAR
    )
