"""The result of a plan: all its figures, as records; `PlanResult.to_json` is their only JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from hubwise.domain import Delegation, DeviceTies, Fleet, Status, Strategy, WearPricing
from hubwise.domain.plain import Json
from hubwise.grid import TransformerDay
from hubwise.record.following import Following
from hubwise.record.missed import Missed, Redispatch
from hubwise.record.outcome import DispatchObjective, FeederFigures, Money, Outcomes


@dataclass(frozen=True, slots=True)
class Departures:
    """Energy that is missing when drivers leave.

    Parameters
    ----------
    shortfall_kwh
        As departures are stated [kWh].
    early_departures
        Sessions that end before they were said to.
    shortfall_at_actual_departure_kwh
        As departures really were [kWh].
    """

    shortfall_kwh: float
    early_departures: int
    shortfall_at_actual_departure_kwh: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far the profit may be from the best; None where a bound does not hold of the plan.

    Parameters
    ----------
    profit_bound, family_bound
        The most that any tariff, and any tariff of the family, brings [currency].
    gap, family_gap
        How far the profit is below each, as a share of it.
    boxes
        Boxes of prices that were looked at for the family's.
    """

    profit_bound: float | None = None
    family_bound: float | None = None
    gap: float | None = None
    family_gap: float | None = None
    boxes: int = 0


@dataclass(frozen=True, slots=True)
class Ratios:
    """The three ratios to the uncoordinated day that the published study reports.

    Parameters
    ----------
    peak_valley_ratio
        Of the head's peak-valley difference.
    participant_cost_ratio
        Of what participants pay.
    profit_ratio
        The profit as a share of what the fleet would have paid.
    """

    peak_valley_ratio: float | None
    participant_cost_ratio: float | None
    profit_ratio: float | None


@dataclass(frozen=True, slots=True)
class EnergyLeft:
    """What batteries hold at the end beyond the uncoordinated day; negative where it is less.

    The two ways in which it may be set right stand beside the plain figures, and exclude each
    other: drivers buy back what they lack, or the operator does.

    Parameters
    ----------
    energy_left_kwh, station_energy_left_kwh
        In participants' cars at departure, and in station batteries [kWh].
    energy_left_price, station_energy_left_price
        What a kWh of it costs at the charger [currency/kWh].
    energy_left_value, station_energy_left_value
        What it all costs, losses of charging included [currency].
    energy_fair_participant_cost
        Participants' cost once they have bought back what they lack, or are paid for what they
        have more [currency].
    energy_fair_cost_ratio
        The same as a share of what they pay uncoordinated.
    energy_fair_profit
        The operator's profit with stations' energy counted, once it has bought back what
        participants lack, so that they pay what the plan says [currency].
    energy_fair_profit_ratio
        The same as a share of what the fleet would have paid.
    """

    energy_left_kwh: float
    station_energy_left_kwh: float
    energy_left_price: float
    station_energy_left_price: float
    energy_left_value: float
    station_energy_left_value: float
    energy_fair_participant_cost: float
    energy_fair_cost_ratio: float | None
    energy_fair_profit: float
    energy_fair_profit_ratio: float | None


@dataclass(frozen=True, slots=True)
class PostedPrice:
    """Prices of one hub and group of slots [currency/kWh]."""

    charge: float
    discharge: float


PostedPrices = Mapping[str, Mapping[str, PostedPrice]]
"""By hub, then by the block's name or the group's first moment."""


@dataclass(frozen=True, slots=True)
class BatteryFigures:
    """What the day does to batteries.

    Parameters
    ----------
    wear_priced, wear_nonlinear
        Wear at prices, and by the cell models [currency].
    fade_per_year_driving, fade_per_year_v2g
        Participants' mean loss of capacity in a year of such days, by driving, and what
        discharging adds; None where nobody takes part.
    """

    wear_priced: float
    wear_nonlinear: float
    fade_per_year_driving: float | None
    fade_per_year_v2g: float | None


@dataclass(frozen=True, slots=True)
class WearFound:
    """How wear is priced, and how its prices settled.

    Parameters
    ----------
    pricing
        As given, or as the cell models find it.
    change
        The last change of prices, as a share of all wear; 0 where they are given.
    rounds
        How often the fleet was scheduled.
    """

    pricing: WearPricing
    change: float = 0.0
    rounds: int = 1


@dataclass(frozen=True, slots=True)
class Statuses:
    """How what a plan rests on ended.

    Parameters
    ----------
    search
        The search for prices.
    ac_dispatch
        Dispatch and power flow in turn.
    family_bound
        The bound on the profit under tariffs of the family.
    """

    search: Status
    ac_dispatch: Status
    family_bound: Status

    def to_json(self) -> dict[str, Json]:
        """Each status with its advice."""
        named = (
            ("search", self.search),
            ("ac_dispatch", self.ac_dispatch),
            ("family_bound", self.family_bound),
        )
        return {name: {"status": str(it), "advice": it.advice} for name, it in named}


@dataclass(frozen=True, slots=True)
class SearchFigures:
    """How prices were found; nothing where none are posted.

    Parameters
    ----------
    method
        Search method.
    evaluations
        Tariffs tried.
    statuses
        How search, dispatch and bound ended.
    """

    method: str = ""
    evaluations: int = 0
    statuses: Statuses | None = None


@dataclass(frozen=True, slots=True)
class WithoutPrices:
    """What the hub would bring were no prices posted, the same promises and limits kept.

    Parameters
    ----------
    strategy
        ``uncoordinated``, or ``storage``: station batteries alone.
    operator_profit
        What it brings [currency].
    """

    strategy: Strategy
    operator_profit: float


@dataclass(frozen=True, slots=True)
class Shortcomings:
    """What a plan missed, and what would help.

    Parameters
    ----------
    advice
        In sentences; empty where all promises and limits hold.
    missed
        Every element with a broken limit.
    redispatches
        For each slot with a broken limit, the least changes of hubs' net draw.
    without_prices
        The best of what could be done without posted prices; None where nothing keeps promises.
    better
        Where the plan is poor, what would be better, in sentences.
    """

    advice: tuple[str, ...] = ()
    missed: tuple[Missed, ...] = ()
    redispatches: tuple[Redispatch, ...] = ()
    without_prices: WithoutPrices | None = None
    better: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delegates:
    """Whom the platform chooses for among schedules that cost the driver the same.

    Parameters
    ----------
    delegating
        Share that was asked for, of those who take part and do not say themselves.
    delegated
        How many of those who take part the platform chooses for.
    device_ties, device_seed
        How the others' own devices choose, and the seed of random moments; None where there are
        none.
    """

    delegating: float
    delegated: int
    device_ties: str | None = None
    device_seed: int | None = None

    @classmethod
    def of(cls, fleet: Fleet, how: Delegation) -> Delegates:
        """Those of a fleet whose participants are marked."""
        delegated = int((fleet.participating & fleet.delegates).sum())
        if not (fleet.participating & ~fleet.delegates).any():
            return cls(how.share, delegated)
        seed = how.seed if how.ties is DeviceTies.RANDOM else None
        return cls(how.share, delegated, how.ties, seed)


@dataclass(frozen=True, slots=True)
class PlanResult:
    """All figures of one plan; `to_json` gives its entry in ``summary.json``.

    Parameters
    ----------
    strategy, participation
        How the hubs are run, and the share of sessions that were asked to take part.
    delegates
        Whom the platform chooses for.
    feeder, money, departures, ratios, energy, outcomes, battery, wear, bounds, search, shortcomings
        See each.
    following
        What chargers and feeder have to follow.
    reference_margin
        What participants bring at the reference tariff [currency].
    prices
        What is posted, in short.
    transformers
        What the day does to each.
    dispatch_objective
        What the dispatch minimised; None where no prices are posted.
    declined
        Sessions that were asked and do not take part.
    notices
        What drivers have to be told, a sentence a kind of wish.
    warnings
        Conditions in which a cell's model is asked for more than it was made from.
    wall_seconds
        Time that the plan took [s].
    """

    strategy: Strategy
    participation: float
    delegates: Delegates
    feeder: FeederFigures
    money: Money
    departures: Departures
    following: Following
    reference_margin: float
    ratios: Ratios
    energy: EnergyLeft
    prices: PostedPrices
    outcomes: Outcomes
    transformers: TransformerDay
    battery: BatteryFigures
    wear: WearFound
    bounds: Bounds = field(default_factory=Bounds)
    search: SearchFigures = field(default_factory=SearchFigures)
    dispatch_objective: DispatchObjective | None = None
    shortcomings: Shortcomings = field(default_factory=Shortcomings)
    declined: int = 0
    notices: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    wall_seconds: float = 0.0

    @property
    def advice(self) -> tuple[str, ...]:
        """What was missed, and what would help; empty where all promises and limits hold."""
        return self.shortcomings.advice

    @property
    def better_alone(self) -> bool:
        """Whether more would be brought, with promises and limits kept, were no prices posted."""
        without = self.shortcomings.without_prices
        return without is not None and without.operator_profit > self.money.operator_profit

    def to_json(self) -> dict[str, Json]:
        """The entry in ``summary.json``: keys and order are the plan folder's."""
        objective, statuses = self.dispatch_objective, self.search.statuses
        without = self.shortcomings.without_prices
        return {
            **asdict(self.feeder),
            **asdict(self.money),
            **asdict(self.departures),
            **asdict(self.following),
            "reference_margin": self.reference_margin,
            **asdict(self.bounds),
            **asdict(self.ratios),
            **asdict(self.energy),
            "prices": {
                hub: {group: asdict(price) for group, price in prices.items()}
                for hub, prices in self.prices.items()
            },
            "method": self.search.method,
            "evaluations": self.search.evaluations,
            "status": statuses.to_json() if statuses else None,
            "dispatch_objective": asdict(objective) if objective else None,
            "outcomes": self.outcomes.to_json(),
            "transformers": self.transformers.rows(),
            "without_prices": asdict(without) if without else None,
            "better": list(self.shortcomings.better),
            "advice": list(self.shortcomings.advice),
            "limits_missed": [asdict(one) for one in self.shortcomings.missed],
            "mends": [asdict(one) for one in self.shortcomings.redispatches],
            "strategy": self.strategy,
            "ties": Strategy(self.strategy).ties,
            "participation": self.participation,
            **asdict(self.delegates),
            "declined": self.declined,
            "told": list(self.notices),
            "wear": self.wear.pricing,
            "wear_change": self.wear.change,
            "wear_rounds": self.wear.rounds,
            **asdict(self.battery),
            "warnings": list(self.warnings),
            "wall_seconds": self.wall_seconds,
        }
