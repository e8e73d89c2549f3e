"""What may stand in one row of each table that a scenario names."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field

from hubwise.scenario.files import (
    Celsius,
    ChemistryName,
    Efficiency,
    Finite,
    NotNegative,
    NotNegativeOrNone,
    Positive,
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


Moment = Annotated[datetime, BeforeValidator(moment)]


class BusRow(BaseModel):
    """A bus and its load; a load shape, where there is one, multiplies both powers."""

    bus: int
    kw: NotNegative
    kvar: Finite


class BranchRow(BaseModel):
    """A closed branch between two buses."""

    from_bus: int
    to_bus: int
    r_ohm: NotNegative
    x_ohm: NotNegative
    ampacity_a: Positive


class ShapeRow(BaseModel):
    """The share that holds from an hour of the local clock until the next row's hour."""

    hour: Annotated[float, Field(ge=0, lt=24)]
    share: NotNegative


class PriceRow(BaseModel):
    """The price that holds from a moment until the next row's; without an offset it is UTC."""

    start_utc: Moment
    price: Finite


class SessionRow(BaseModel):
    """One stay of one vehicle at one hub."""

    session: Word
    driver: Word
    hub: Word
    arrival: Moment
    departure: Moment
    actual_departure: Moment | None = None
    capacity_kwh: Positive
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
