"""The driver's problem: best responses to posted prices, exact and fast."""

from hubwise.drivers.batteries import batteries_of, least_at_departure
from hubwise.drivers.felt import felt_prices, felt_response, felt_tariff
from hubwise.drivers.kernel import Batteries
from hubwise.drivers.response import best_response, schedule_cost, schedule_of, uncoordinated

__all__ = [
    "Batteries",
    "batteries_of",
    "best_response",
    "felt_prices",
    "felt_response",
    "felt_tariff",
    "least_at_departure",
    "schedule_cost",
    "schedule_of",
    "uncoordinated",
]
