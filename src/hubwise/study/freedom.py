"""Steps of freedom: the same day priced by one price for all, by blocks, ... at last hub by hub."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from hubwise.domain import PriceRules, Scenario, TariffFamily


class Step(NamedTuple):
    """How free prices are: a tariff family, and whether each hub posts prices of its own."""

    family: TariffFamily
    per_hub: bool

    def __str__(self) -> str:
        return self.family + (" per hub" if self.per_hub else "")

    def of(self, scenario: Scenario) -> Scenario:
        """The scenario with prices this free."""
        rules = replace(scenario.situation.rules, family=self.family, per_hub=self.per_hub)
        return scenario.having(rules=rules)


def own_step(rules: PriceRules) -> Step:
    """How free the rules leave prices."""
    return Step(rules.family, rules.per_hub)


def steps(scenario: Scenario) -> tuple[Step, ...]:
    """The steps from the least to the most freedom that there are in the scenario.

    Blocks are a step where there is more than one; so are hours where slots are shorter, and prices
    of each hub's own where there are several hubs.
    """
    blocks = len(set(scenario.situation.rules.block.tolist())) > 1
    hours = scenario.situation.horizon.slot_minutes < 60
    found = [
        Step(TariffFamily.FLAT, False),
        *([Step(TariffFamily.TIME_OF_USE, False)] if blocks else []),
        *([Step(TariffFamily.HOURLY, False)] if hours else []),
        Step(TariffFamily.EVERY_SLOT, False),
        *([Step(TariffFamily.EVERY_SLOT, True)] if len(scenario.situation.hubs) > 1 else []),
    ]
    return tuple(found)
