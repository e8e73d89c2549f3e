"""What may stand in one row of each table that a scenario names."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field

from hubwise.scenario.files import (
    Celsius,
    ChemistryName,
    Efficiency,
    Finite,
    Kilowatthours,
    NotNegative,
    NotNegativeOrNone,
    Positive,
    Starts,
    Temperature,
    Word,
)
from hubwise.scenario.messages import advice


def moment(value: object) -> datetime:
    """A date and time as ISO 8601 writes it; pydantic alone would read a number as one, too."""
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise advice(
            f"{value!r} is not a date and time",
            "write it as 2024-05-12 08:15 or, with its offset from UTC, 2024-05-12T08:15:00+02:00",
        ) from None


def clock(value: object) -> time:
    """A time of day on the local clock."""
    if isinstance(value, time):
        return value
    try:
        return time.fromisoformat(str(value).strip())
    except ValueError:
        raise advice(f"{value!r} is not a time of day", "write it as 07:30") from None


def whole(value: object) -> object:
    """A text of digits as a number: a choice among numbers is by value, and CSV knows but texts."""
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else value


Phases = Annotated[Literal[1, 3], BeforeValidator(whole)]
Moment = Annotated[datetime, BeforeValidator(moment)]
Clock = Annotated[time, BeforeValidator(clock)]


class BusRow(BaseModel):
    """A bus and its load; a load shape, where there is one, multiplies both powers."""

    bus: int
    kw: NotNegative
    kvar: Finite
    kv: Positive | None = None
    kw_l1: Finite | None = None
    kw_l2: Finite | None = None
    kw_l3: Finite | None = None
    kvar_l1: Finite | None = None
    kvar_l2: Finite | None = None
    kvar_l3: Finite | None = None


class BranchRow(BaseModel):
    """A closed branch between two buses; impedances are those on the side of ``to_bus``."""

    from_bus: int
    to_bus: int
    r_ohm: NotNegative
    x_ohm: NotNegative
    ampacity_a: Positive
    g_siemens: NotNegative = 0.0
    b_siemens: Finite = 0.0
    ratio: Positive = 1.0
    shift_degrees: Finite = 0.0
    rating_kva: Positive | None = None
    r0_ohm: NotNegative | None = None
    x0_ohm: NotNegative | None = None
    b0_siemens: Finite = 0.0
    vector_group: Literal["Dyn", "YNyn"] | None = None


class LoadRow(BaseModel):
    """What a bus draws from an hour of the local clock until its next row's hour."""

    bus: int
    hour: Annotated[float, Field(ge=0, lt=24)]
    kw: Finite
    kvar: Finite = 0.0
    kw_l1: Finite | None = None
    kw_l2: Finite | None = None
    kw_l3: Finite | None = None
    kvar_l1: Finite | None = None
    kvar_l2: Finite | None = None
    kvar_l3: Finite | None = None


class AmbientRow(BaseModel):
    """The ambient temperature from an hour of the local clock until the next row's hour."""

    hour: Annotated[float, Field(ge=0, lt=24)]
    celsius: Temperature


class ShapeRow(BaseModel):
    """The share that holds from an hour of the local clock until the next row's hour."""

    hour: Annotated[float, Field(ge=0, lt=24)]
    share: NotNegative


class PriceRow(BaseModel):
    """The price that holds from a moment until the next row's; without an offset it is UTC."""

    start_utc: Moment
    price: Finite


class OwnPriceRow(BaseModel):
    """The prices that are posted from a moment, or a time of day, until the next row's."""

    start: Word | None = None
    start_utc: Moment | None = None
    hour: Annotated[float, Field(ge=0, lt=24)] | None = None
    hub: Word | None = None
    charge: Finite
    discharge: Finite = 0.0


class DriverRow(BaseModel):
    """What a driver wishes for every stay, and what is known of the battery."""

    driver: Word
    departure: Clock | None = None
    required_kwh: NotNegative | None = None
    reserve_kwh: NotNegative | None = None
    discharge_limit_kwh: NotNegativeOrNone | None = None
    fade_limit_per_year: NotNegativeOrNone | None = None
    minimum_saving: NotNegative | None = None
    never_discharge: bool | None = None
    delegating: bool | None = None
    age_years: NotNegative | None = None
    throughput_kwh: NotNegative | None = None
    warranty_kwh: Annotated[float, Field(gt=0)] | None = None
    driving_kwh_per_day: NotNegative | None = None
    taper: Word | None = None


class PlugRow(BaseModel):
    """One connector of a charger."""

    plug: Word
    hub: Word
    kw: Positive
    phases: Phases | None = None
    kw_min: NotNegative | None = None
    step_kw: Positive | None = None
    starts_max: Starts | None = None
    two_way: bool = False
    standby_kw: NotNegative | None = None
    circuit: Word | None = None
    phase: Literal["L1", "L2", "L3"] | None = None


class SessionRow(BaseModel):
    """One stay of one vehicle at one hub."""

    session: Word
    driver: Word
    hub: Word
    arrival: Moment
    departure: Moment
    actual_departure: Moment | None = None
    capacity_kwh: Kilowatthours
    arrival_kwh: NotNegative
    required_kwh: NotNegative
    reserve_kwh: NotNegative = 0.0
    max_kwh: Positive
    charge_kw_max: Positive
    discharge_kw_max: NotNegative = 0.0
    charge_efficiency: Efficiency
    discharge_efficiency: Efficiency
    wear_cost: NotNegative
    discharge_limit_kwh: NotNegativeOrNone = float("inf")
    surplus_value: NotNegative = 0.0
    chemistry: ChemistryName
    temperature_c: Celsius = 20.0
    age_years: NotNegative = 0.0
    throughput_kwh: NotNegative = 0.0
    warranty_kwh: Annotated[float, Field(gt=0)] = float("inf")
    driving_kwh_per_day: NotNegative | None = None
    fade_limit_per_year: NotNegativeOrNone = float("inf")
    minimum_saving: NotNegative = 0.0
    never_discharge: bool = False
    charge_kw_min: NotNegative | None = None
    discharge_kw_min: NotNegative | None = None
    step_kw: Positive | None = None
    starts_max: Starts | None = None
    plug: Word | None = None
    delegating: bool | None = None
    circuit: Word | None = None
    phases: Phases | None = None
    phase: Literal["L1", "L2", "L3"] | None = None
    taper: Word | None = None
