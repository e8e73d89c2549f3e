"""What a plan leaves behind: prices, schedules, feeder, bills, account, and their figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hubwise.battery import Ageing
from hubwise.domain import Scenario, Schedule, StationSchedule, Strategy, Tariff
from hubwise.grid import FeederState
from hubwise.ledger import Account, Bills
from hubwise.record.wishes import Wishes


@dataclass(frozen=True, slots=True)
class Record:
    """One strategy at one participation, whole: what a plan folder holds.

    Parameters
    ----------
    scenario
        What was planned, with its participants marked, at the wear prices that were found.
    strategy
        How the hubs are run.
    participation
        Share of the sessions that were asked to take part.
    tariff
        What participants pay and are paid.
    schedule
        Of every session, participating or not.
    stations
        Of station batteries and solar.
    state
        The feeder under AC power flow.
    bills
        Of every session.
    account
        The operator's line items.
    wishes
        What drivers wished, and what they are told.
    asked
        The scenario before wear prices were found and drivers declined.
    ageing
        What the day does to every battery.
    result
        The plan's entry in ``summary.json``.
    """

    scenario: Scenario
    strategy: Strategy
    participation: float
    tariff: Tariff
    schedule: Schedule
    stations: StationSchedule
    state: FeederState
    bills: Bills
    account: Account
    wishes: Wishes
    asked: Scenario
    ageing: Ageing
    result: dict[str, Any]
