"""Bills, the operator's account, and the books that both are posted to."""

from hubwise.ledger.account import Account, make_account, reference_margin, solar_that_pays
from hubwise.ledger.bills import Bills, make_bills, session_prices, with_credits
from hubwise.ledger.books import Books, in_cents, minor_unit, post
from hubwise.ledger.energy import EnergyLeft, energy_left
from hubwise.ledger.flows import HubFlows, hub_flows, line_flows, solar_within_limits, sum_by_hub

__all__ = [
    "Account",
    "Bills",
    "Books",
    "EnergyLeft",
    "HubFlows",
    "energy_left",
    "hub_flows",
    "in_cents",
    "line_flows",
    "make_account",
    "make_bills",
    "minor_unit",
    "post",
    "reference_margin",
    "session_prices",
    "solar_that_pays",
    "solar_within_limits",
    "sum_by_hub",
    "with_credits",
]
