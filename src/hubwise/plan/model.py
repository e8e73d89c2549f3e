"""A plan: prices, schedules, feeder, bills and account of one strategy at one participation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hubwise.battery import Ageing
from hubwise.dispatch import Dispatch
from hubwise.dispatch.baseline import Baseline
from hubwise.domain import Scenario, Schedule, StationSchedule, Tariff
from hubwise.grid import FeederState
from hubwise.ledger import Account, Bills
from hubwise.plan.wishes import Wishes


@dataclass(frozen=True, slots=True)
class Memory:
    """What a plan leaves to the next one; it is not written to the plan folder.

    Parameters
    ----------
    promised
        The uncoordinated day.
    relaxed
        The relaxed problem's answer.
    final
        The dispatched answer.
    """

    baseline: Baseline
    relaxed: Dispatch
    final: Dispatch


@dataclass(frozen=True, slots=True)
class Plan:
    """One strategy at one participation, whole.

    Parameters
    ----------
    scenario
        What is given, with its participants marked.
    strategy
        ``uncoordinated``, ``storage``, ``passive`` or ``hubwise``.
    participation
        Share of the sessions that take part.
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
    given
        What was given, before wear prices were found and drivers declined.
    ageing
        What the day does to every battery.
    result
        The plan's entry in ``summary.json``.
    memory
        For `hubwise.plan.replan`, where prices were sought.
    """

    scenario: Scenario
    strategy: str
    participation: float
    tariff: Tariff
    schedule: Schedule
    stations: StationSchedule
    state: FeederState
    bills: Bills
    account: Account
    wishes: Wishes
    given: Scenario
    ageing: Ageing
    result: dict[str, Any]
    memory: Memory | None = None
