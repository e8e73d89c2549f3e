"""What may stand in ``scenario.toml`` and in the tables that it names.

Every model is strict about keys: an unknown one is an error. Numbers are finite unless said.
"""

from __future__ import annotations

from datetime import date, time
from math import isfinite
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, model_validator

from hubwise.scenario.messages import advice

Finite = Annotated[float, Field(allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Efficiency = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Word = Annotated[str, Field(min_length=1)]
Windows = Annotated[
    list[
        Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
    ],
    Field(min_length=1),
]


def _number_or(word: str) -> PlainValidator:
    """A finite number, or ``word``."""

    def check(value: object) -> object:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if value != word and not (number and isfinite(value)):  # type: ignore[arg-type]
            raise advice(f"{value!r} is not a price", f'give a number or "{word}"')
        return value

    return PlainValidator(check)


class Section(BaseModel):
    """A part of the file: unknown keys are refused, types are not guessed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class HorizonSection(Section):
    """``[horizon]``: one local day, from ``start`` to the same wall-clock time the next day."""

    day: date
    start: time = time(12)
    zone: Word
    slot_minutes: Literal[5, 10, 15, 20, 30, 60] = 15


class SearchSection(Section):
    """``[search]``: how prices are searched for, and the seed of every random draw."""

    method: Word = "auto"
    evaluations: Annotated[int, Field(ge=1)] = 400
    seed: Annotated[int, Field(ge=0)]


class FeederSection(Section):
    """``[feeder]``: the network below one substation transformer."""

    buses: Word
    branches: Word
    load_shape: Word | None = None
    source_bus: int
    nominal_kv: Positive
    source_voltage_pu: Positive = 1.0
    voltage_min_pu: Positive
    voltage_max_pu: Positive
    transformer_kva: Positive
    transformer_limit: Share = 1.0


class HubSection(Section):
    """One of ``[[hubs]]``, after ``[hub_defaults]`` have filled in what it leaves out."""

    name: Word
    bus: int
    import_limit_kw: NotNegative
    export_limit_kw: NotNegative
    battery_kw: NotNegative = 0.0
    battery_kwh: NotNegative = 0.0
    battery_charge_efficiency: Efficiency = 1.0
    battery_discharge_efficiency: Efficiency = 1.0
    battery_initial_kwh: NotNegative = 0.0
    battery_wear_cost: NotNegative = 0.0
    lease_cost: NotNegative = 0.0
    running_cost: NotNegative = 0.0
    solar_kw: NotNegative = 0.0


class PricedHours(Section):
    """A price that holds in some hours of the local clock."""

    hours: Windows
    price: Finite


class PriceBlock(PricedHours):
    """One of ``[[prices.blocks]]``."""

    name: Word


class NamedHours(Section):
    """One of ``[[rules.blocks]]``."""

    name: Word
    hours: Windows


class PricesSection(Section):
    """``[prices]``: what the operator takes as given; either ``blocks`` or a ``series``."""

    blocks: list[PriceBlock] | None = None
    series: Word | None = None
    unit: Literal["kWh", "MWh"] = "kWh"
    feed_in: Annotated[float | Literal["purchase"], _number_or("purchase")] = "purchase"
    feed_in_fee: NotNegative = 0.0
    service_fee: Finite = 0.0
    demand_charge: NotNegative = 0.0
    incentives: list[PricedHours] = []

    @model_validator(mode="after")
    def _one_source(self) -> PricesSection:
        if (self.blocks is None) == (self.series is None):
            raise advice("blocks and series are not one source", "give either blocks or a series")
        return self


class RulesSection(Section):
    """``[rules]``: what a posted tariff may be."""

    family: Literal["flat", "time-of-use", "hourly"]
    blocks: list[NamedHours] | None = None
    charge_price_min: Finite
    charge_price_max: Annotated[float | Literal["reference"], _number_or("reference")] = "reference"
    discharge_price_min: Finite = 0.0
    discharge_price_max: Finite
    average_cap: float = float("inf")
    decimals: Annotated[int, Field(ge=0, le=8)] = 4


class PromisesSection(Section):
    """``[promises]``: to drivers and to the grid; nothing is promised where a key is left out."""

    saving: Annotated[float, Field(gt=0)] = float("inf")
    peak_valley: Annotated[float, Field(gt=0)] = float("inf")


class Normal(Section):
    """A normal distribution."""

    mean: Finite
    sd: NotNegative


class LogNormal(Section):
    """A lognormal distribution, by mean and standard deviation of the logarithm."""

    log_mean: Finite
    log_sd: NotNegative


class Even(Section):
    """A uniform distribution."""

    low: NotNegative
    high: NotNegative


class Chemistry(Section):
    """One of ``[[fleet.chemistries]]``."""

    name: Literal["LFP", "NMC", "NCA", "LMO"]
    share: Share
    wear_cost: Even


class FleetSection(Section):
    """``[fleet]``: a synthetic fleet, drawn from ``search.seed``."""

    drivers_per_hub: Annotated[int, Field(ge=1)]
    arrival_hour: Normal
    departure_hour: Normal
    distance_miles: LogNormal
    consumption_kwh_per_km: NotNegative
    capacities_kwh: Annotated[list[Positive], Field(min_length=1)]
    leaving_share: Share
    reserve_share: Share
    required_share: Share
    max_share: Share
    charge_kw_max: Positive
    discharge_kw_max: NotNegative
    charge_efficiency: Efficiency
    discharge_efficiency: Efficiency
    chemistries: Annotated[list[Chemistry], Field(min_length=1)]


class ScenarioFile(Section):
    """``scenario.toml``."""

    name: Word
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    participation: Share = 1.0
    sources: list[str] = []
    assumptions: list[str] = []
    notes: list[str] = []
    horizon: HorizonSection
    search: SearchSection
    feeder: FeederSection
    hubs: Annotated[list[HubSection], Field(min_length=1)]
    prices: PricesSection
    rules: RulesSection
    promises: PromisesSection = PromisesSection()
    fleet: FleetSection | None = None
    sessions: Word | None = None
    solar_shape: Word | None = None
