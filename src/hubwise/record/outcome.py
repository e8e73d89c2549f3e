"""What a day comes to: feeder, money, and how ties among cheapest schedules change them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from hubwise.domain.plain import Json

LIMIT_KINDS = (
    "voltage",
    "branch",
    "transformer",
    "connection",
    "hub_transformer",
    "circuit",
    "convergence",
)
"""Kinds of limits that are counted, as names of figures begin."""


@dataclass(frozen=True, slots=True)
class FeederFigures:
    """Head, losses, voltages and transformer of a feeder, and how often each limit is broken.

    Slots without a converged power flow are left out; figures that then rest on nothing are NaN,
    and so is the transformer's life in either case.

    Parameters
    ----------
    peak_kw, valley_kw, peak_valley_kw
        Highest and lowest power at the head, and their difference [kW].
    load_factor
        Mean power at the head as a share of the peak.
    losses_kwh
        Over the horizon [kWh].
    min_voltage_pu
        Lowest voltage of any bus [p.u.].
    voltage_violations, branch_violations, transformer_violations, connection_violations
        Slots x elements with a broken limit.
    hub_transformer_violations, circuit_violations, convergence_violations
        The same of hubs' own transformers, of circuits and phases, and of slots without a power
        flow.
    transformer_peak_loading
        Highest loading of the substation, as a share of its rating.
    transformer_life_days
        Days of normal insulation life that the horizon uses.
    """

    peak_kw: float
    valley_kw: float
    peak_valley_kw: float
    load_factor: float
    losses_kwh: float
    min_voltage_pu: float
    voltage_violations: int
    branch_violations: int
    transformer_violations: int
    connection_violations: int
    hub_transformer_violations: int
    circuit_violations: int
    convergence_violations: int
    transformer_peak_loading: float
    transformer_life_days: float

    def broken(self) -> dict[str, int]:
        """How often limits of each kind are broken."""
        return {kind: getattr(self, f"{kind}_violations") for kind in LIMIT_KINDS}


@dataclass(frozen=True, slots=True)
class Money:
    """Costs, profit and regret [currency].

    Parameters
    ----------
    fleet_cost, participant_cost
        Net cost of all drivers and of participants, wear included.
    participant_reference_cost
        What participants would have paid on the uncoordinated day.
    operator_profit, operator_profit_without_incentive
        What the account comes to, with and without the grid operator's incentive.
    margin_on_others
        What those bring who do not take part.
    max_regret
        The most that any driver could save by another schedule, what is credited taken off.
    credited_regret, credited_sessions
        What the operator credits drivers for schedules above their least cost, and to how many.
    """

    fleet_cost: float
    participant_cost: float
    participant_reference_cost: float
    operator_profit: float
    operator_profit_without_incentive: float
    margin_on_others: float
    max_regret: float
    credited_regret: float = 0.0
    credited_sessions: int = 0


@dataclass(frozen=True, slots=True)
class DispatchObjective:
    """The dispatch objective, term by term, and what the terms come to: ``total`` [currency].

    Named as in `hubwise.dispatch.Objective`.
    """

    purchases: float
    demand_charges: float
    wear: float
    limits: float
    flatness: float
    terms: float
    surplus: float
    total: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """Main figures of the day, as ties among drivers' cheapest schedules are broken.

    Named as in `Money` and `FeederFigures`.
    """

    operator_profit: float
    operator_profit_without_incentive: float
    participant_cost: float
    peak_kw: float
    valley_kw: float
    peak_valley_kw: float
    transformer_peak_loading: float
    min_voltage_pu: float

    @classmethod
    def of(cls, feeder: FeederFigures, money: Money) -> Outcome:
        """The main figures among all."""
        return cls(
            operator_profit=money.operator_profit,
            operator_profit_without_incentive=money.operator_profit_without_incentive,
            participant_cost=money.participant_cost,
            peak_kw=feeder.peak_kw,
            valley_kw=feeder.valley_kw,
            peak_valley_kw=feeder.peak_valley_kw,
            transformer_peak_loading=feeder.transformer_peak_loading,
            min_voltage_pu=feeder.min_voltage_pu,
        )


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The plan's values: ties broken by the platform, by each device, and against the operator.

    Where no prices are posted, nobody chooses, and there is ``dispatched`` alone.
    """

    dispatched: Outcome
    undelegated: Outcome | None = None
    pessimistic: Outcome | None = None

    def to_json(self) -> dict[str, Json]:
        """By name; only those that there are."""
        return {name: one for name, one in asdict(self).items() if one is not None}
