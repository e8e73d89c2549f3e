"""The driver's problem: best responses to posted prices, exact and fast."""

from hubwise.drivers.batteries import batteries_of, least_at_departure
from hubwise.drivers.felt import felt_prices, felt_response, felt_tariff
from hubwise.drivers.kernel import Batteries
from hubwise.drivers.response import best_response, schedule_cost, schedule_of, uncoordinated
from hubwise.drivers.thresholds import Thresholds, contradicted, thresholds_of
from hubwise.drivers.why import reasons_of

__all__ = [
    "Batteries",
    "Thresholds",
    "batteries_of",
    "best_response",
    "contradicted",
    "felt_prices",
    "felt_response",
    "felt_tariff",
    "least_at_departure",
    "reasons_of",
    "schedule_cost",
    "schedule_of",
    "thresholds_of",
    "uncoordinated",
]
