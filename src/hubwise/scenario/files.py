"""What may stand in ``scenario.toml``.

Every model is strict: unknown keys are refused and types are not guessed. Numbers are finite
unless said otherwise.
"""

from __future__ import annotations

import re
from datetime import date, time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, model_validator

from hubwise.domain import Cap, TariffFamily, WearPricing
from hubwise.domain.errors import did_you_mean
from hubwise.scenario.messages import advice


def _matching(pattern: str, kind: str, right: str) -> AfterValidator:
    """A text of a certain pattern."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise advice(f"{value!r} is not {kind}", right)
        return value

    return AfterValidator(check)


def is_zone(name: str) -> bool:
    """Whether ``name`` is that of a time zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, not a name, a folder of zones
        return False
    return True


def _named_zone(name: str) -> str:
    if not is_zone(name):
        raise advice(f"{name!r} is unknown", did_you_mean(name, sorted(available_timezones())))
    return name


# No amount of anything is more than this.
MOST = 1e9


def _is_amount(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and -MOST <= value <= MOST  # type: ignore[operator]


def _number_or(word: str) -> PlainValidator:
    """A finite number, or ``word``."""

    def check(value: object) -> object:
        if value != word and not _is_amount(value):
            raise advice(f"{value!r} is not a price", f'give a number or "{word}"')
        return value

    return PlainValidator(check)


def _number_or_table(value: object) -> object:
    """A finite number, ``purchase``, or the name of a table of prices in time."""
    table = isinstance(value, str) and value.endswith((".csv", ".csv.gz", ".parquet"))
    if not (_is_amount(value) or table or value == "purchase"):
        raise advice(
            f"{value!r} is not a price", 'give a number, "purchase", or a table such as "sold.csv"'
        )
    return value


MONTHS = 12


def _charges(value: object) -> object:
    """A charge for a month's highest power, or one for each month of the year."""
    listed = isinstance(value, list) and len(value) == MONTHS
    each = value if isinstance(value, list) and listed else [value]
    numbers = [one for one in each if isinstance(one, int | float) and not isinstance(one, bool)]
    if len(numbers) < len(each) or not all(0.0 <= one <= 1e9 for one in numbers):
        right = "give a number from 0 up, or twelve of them, from January to December"
        raise advice(f"{value!r} is not a demand charge", right)
    return value


_price_or_table = PlainValidator(_number_or_table)

# More than anything at a site can be, whatever its unit; numbers near the largest that there are
# would overflow in sums.
Finite = Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
Kilowatthours = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Temperature = Annotated[float, Field(ge=-50, le=60, allow_inf_nan=False)]
Efficiency = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
NotNegativeOrNone = Annotated[float, Field(ge=0)]  # infinite where there is no limit
Celsius = Annotated[float, Field(ge=-40, le=80)]
Word = Annotated[str, Field(min_length=1)]
ZoneName = Annotated[str, AfterValidator(_named_zone)]  # of the IANA
Starts = Annotated[int, Field(ge=1, le=1_000_000)]
_POINT = r"[01](?:\.\d+)?:[01](?:\.\d+)?"
CurvePoints = Annotated[
    str,
    _matching(
        rf"{_POINT}(?: +{_POINT})*",
        "points of a curve",
        "write state of charge and share of the full power, as 0.8:1 1:0.2",
    ),
]
ChemistryName = Literal["LFP", "NMC", "NCA", "LMO"]

# Two years, and some days to begin and end with.
MOST_DAYS = 750
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
Window = Annotated[
    str,
    _matching(
        rf"{_CLOCK}-({_CLOCK}|24:00)", "a window of the local clock", "write it as 23:00-07:00"
    ),
]
Windows = Annotated[list[Window], Field(min_length=1)]
Currency = Annotated[
    str, _matching(r"[A-Z]{3}", "a currency", "write it as three capitals such as EUR")
]


class Section(BaseModel):
    """A part of the file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Head(Section):
    """The keys that stand before any section."""

    name: Word
    currency: Currency
    participation: Share = 1.0
    delegating: Share = 1.0
    device_ties: Literal["early", "random"] = "early"
    sources: list[str] = []
    assumptions: list[str] = []
    notes: list[str] = []


class HorizonSection(Section):
    """``[horizon]``: local days, each from ``start`` to the same wall-clock time the next day."""

    day: date
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = 1
    start: time = time(12)
    zone: ZoneName
    slot_minutes: Literal[5, 10, 15, 20, 30, 60] = 15


class SearchSection(Section):
    """``[search]``: how prices are searched for, and the seed of every random draw."""

    method: Literal["auto", "annealing", "evolution", "exact", "surrogate"] = "auto"
    evaluations: Annotated[int, Field(ge=1)] = 400
    seed: Annotated[int, Field(ge=0)]
    boxes: Annotated[int, Field(ge=0)] = 5_000


class FeederSection(Section):
    """``[feeder]``: the network below one substation transformer.

    Either tables of our own, or a ``file`` of another program.
    """

    buses: Word | None = None
    branches: Word | None = None
    file: Word | None = None
    frequency_hz: Positive = 50.0
    load_shape: Word | None = None
    loads: Word | None = None
    source_bus: int | None = None
    nominal_kv: Positive | None = None
    source_voltage_pu: Positive | None = None
    voltage_min_pu: Positive
    voltage_max_pu: Positive
    transformer_kva: Positive | None = None
    transformer_limit: Annotated[float, Field(gt=0, le=2, allow_inf_nan=False)] = 1.0
    ambient_c: Temperature = 20.0
    ambient: Word | None = None


class HubSection(Section):
    """One of ``[[hubs]]``, after ``[hub_defaults]`` have filled in what it leaves out."""

    name: Word
    bus: int | None = None
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
    transformer_kva: Positive | None = None
    transformer_limit: Annotated[float, Field(gt=0, le=2, allow_inf_nan=False)] = 1.0
    charger_kw_min: NotNegative | None = None
    standby_kw: NotNegative = 0.0
    fuse_a: Positive | None = None


class CircuitSection(Section):
    """One of ``[[circuits]]``: below a hub's connection, or ``under`` another circuit of it."""

    name: Word
    hub: Word
    under: Word | None = None
    limit_kw: Positive | None = None
    fuse_a: Positive | None = None

    @model_validator(mode="after")
    def _limited(self) -> CircuitSection:
        if self.limit_kw is None and self.fuse_a is None:
            raise advice("has no limit", "give limit_kw, or fuse_a for each phase, or both")
        return self


class SolarSection(Section):
    """``[solar]``: the shape that multiplies every hub's ``solar_kw``."""

    shape: Word


class NamedHours(Section):
    """One of ``[[rules.blocks]]``: hours of the local clock under one name."""

    name: Word
    hours: Windows


class PriceBlock(NamedHours):
    """One of ``[[prices.blocks]]``: a block and the purchase price in it."""

    price: Finite


class Incentive(Section):
    """One of ``[[prices.incentives]]``: paid per kWh that vehicles discharge in these hours."""

    hours: Windows
    price: Finite


class PricesSection(Section):
    """``[prices]``: what the operator takes as given; ``blocks`` or a ``series`` of prices."""

    blocks: Annotated[list[PriceBlock], Field(min_length=1)] | None = None
    series: Word | None = None
    unit: Literal["kWh", "MWh"] | None = None
    prices_zone: Word | None = None
    prices_of: Word | None = None
    curve: Literal["given", "hold"] = "given"
    feed_in: Annotated[float | str, _price_or_table] = "purchase"
    feed_in_fee: NotNegative = 0.0
    service_fee: Finite = 0.0
    demand_charge: Annotated[float | list[float] | None, PlainValidator(_charges)] = None
    energy_left: Annotated[float | Literal["lowest"], _number_or("lowest")] = "lowest"
    incentives: list[Incentive] = []

    @model_validator(mode="after")
    def _one_source(self) -> PricesSection:
        if (self.blocks is None) == (self.series is None):
            given = "both blocks and a series" if self.blocks else "neither blocks nor a series"
            raise advice(f"has {given}", "give one of the two")
        return self


class RulesSection(Section):
    """``[rules]``: what a posted tariff may be."""

    family: Annotated[TariffFamily, Field(strict=False)]
    blocks: Annotated[list[NamedHours], Field(min_length=1)] | None = None
    charge_price_min: Finite
    charge_price_max: Annotated[float | Literal["reference"], _number_or("reference")] = "reference"
    discharge_price_min: Finite = 0.0
    discharge_price_max: Finite
    average_cap: Annotated[float, Field(gt=float("-inf"))] = float("inf")
    decimals: Annotated[int, Field(ge=0, le=8)] = 4
    per_hub: bool = False
    charge_at_least_purchase: bool = False
    discharge_at_most_charge: bool = False
    step_max: Positive = float("inf")
    levels_max: Annotated[int, Field(ge=1)] | None = None
    changes_max: Annotated[int, Field(ge=0)] | None = None
    keeps_order: bool = False
    fills_empty: bool = False
    cap: Annotated[Cap, Field(strict=False)] = Cap.SLOT


class PromisesSection(Section):
    """``[promises]``: to drivers and to the grid; nothing is promised where a key is left out."""

    saving: Positive = float("inf")
    peak_valley: Positive = float("inf")
    counts_energy: bool = False
    equal_energy: bool = False
    ramp_kw: Positive | None = None


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

    @model_validator(mode="after")
    def _ordered(self) -> Even:
        if self.low > self.high:
            raise advice(f"low is {self.low:g} and high {self.high:g}", "low is at most high")
        return self


class Chemistry(Section):
    """One of ``[[fleet.chemistries]]``."""

    name: ChemistryName
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
    temperature_c: Celsius = 20.0
    age_years: NotNegative = 0.0
    throughput_kwh: NotNegative = 0.0
    warranty_kwh: Annotated[float, Field(gt=0)] = float("inf")
    discharge_limit_kwh: NotNegativeOrNone = float("inf")
    fade_limit_per_year: NotNegativeOrNone = float("inf")
    minimum_saving: NotNegative = 0.0
    never_discharge: bool = False
    chemistries: Annotated[list[Chemistry], Field(min_length=1)]
    taper: Word | None = None

    @model_validator(mode="after")
    def _shares(self) -> FleetSection:
        total = sum(cell.share for cell in self.chemistries)
        if abs(total - 1.0) > 1e-9:
            raise advice(f"the chemistries' shares sum to {total:g}", "they sum to 1")
        if max(self.reserve_share, self.required_share) > self.max_share:
            raise advice(
                f"reserve {self.reserve_share:g} or required {self.required_share:g} "
                f"is above max {self.max_share:g}",
                "both shares are at most max_share",
            )
        return self


class SessionsSection(Section):
    """``[sessions]``: a table of sessions, in place of a synthetic fleet."""

    file: Word


class PlugsSection(Section):
    """``[plugs]``: a table of plugs, and what happens where all are taken."""

    file: Word
    when_full: Literal["wait", "turn away"] = "wait"


class ChargersSection(Section):
    """``[chargers]``: what chargers can, and what is done about what they cannot follow."""

    round: bool = False
    step_a: Positive | None = None
    step_kw: Positive | None = None
    starts_max: Starts | None = None

    @model_validator(mode="after")
    def _one_step(self) -> ChargersSection:
        if self.step_a is not None and self.step_kw is not None:
            raise advice("has both step_a and step_kw", "give one of the two")
        return self


class DriversSection(Section):
    """``[drivers]``: a table of what drivers wish, where their sessions do not say otherwise."""

    file: Word


class BatterySection(Section):
    """``[battery]``: how wear is priced, by which cells and packs."""

    wear: Annotated[WearPricing, Field(strict=False)] = WearPricing.LINEAR
    years: Annotated[float, Field(ge=1, le=40, allow_inf_nan=False)] = 10.0
    end_of_life: Annotated[float, Field(ge=0.3, lt=1, allow_inf_nan=False)] = 0.8
    cells: dict[str, str] = {}
    pack_price: dict[str, Positive] = {}


SECTIONS: dict[str, type[Section]] = {
    "horizon": HorizonSection,
    "search": SearchSection,
    "feeder": FeederSection,
    "solar": SolarSection,
    "prices": PricesSection,
    "rules": RulesSection,
    "promises": PromisesSection,
    "fleet": FleetSection,
    "sessions": SessionsSection,
    "drivers": DriversSection,
    "chargers": ChargersSection,
    "battery": BatterySection,
}
