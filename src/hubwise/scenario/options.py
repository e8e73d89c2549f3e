"""What an import is told, and what it assumes where it is not."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from hubwise.scenario.files import (
    ChemistryName,
    Currency,
    Efficiency,
    Finite,
    NotNegative,
    Positive,
    Section,
    Share,
    Word,
    ZoneName,
)
from hubwise.scenario.messages import advice
from hubwise.scenario.spans import zone_of


def _known_zone(name: str) -> str:
    if zone_of(name) is None:
        raise advice(f"{name!r} is not a zone", "give one such as America/Los_Angeles or UTC")
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]
"""A zone as tables write it: an IANA name, an abbreviation or an offset."""


class ImportOptions(Section):
    """What sessions and prices do not tell, and is assumed; every one can be set.

    Parameters
    ----------
    zone
        IANA name of the zone whose clock hangs at the site; prices are laid on its day.
    sessions_zone
        Zone of sessions' stamps that are written without one, and whose clock sessions of another
        day than the prices' are read on. Without it the file's format tells, or the site's zone.
    date_order
        ``dmy`` or ``mdy``, of dates in figures; found out if not given.
    days
        How many days are planned, from the first on.
    columns
        Names of the sessions' columns by what they mean, where they are not known by themselves.
        Several names for one meaning are read as one text, such as a date and a time.
    cars, chargers
        Tables of cars, by driver or by what they are called, and of chargers, by their id.
    name
        The scenario's name; made of the sessions' file and the day if not given.
    currency, unit
        Of the prices; read from the file, such as its header ``price_eur_per_mwh``, if not given.
    prices_zone
        Zone whose clock stamps of prices without an offset are read on; without it the file's,
        where it tells, and else the site's.
    prices_of
        Which of several prices in the file: an area, a point, a tariff or a column.
    curve
        ``hold`` where the file leaves out points that equal the one before (curve type A03).
    start, slot_minutes
        Local time at which the horizon begins, and the length of a slot [min].
    service_fee
        What the reference tariff adds to the purchase price [currency/kWh].
    capacity_kwh
        Battery size of every vehicle [kWh].
    leaving_share, reserve_share
        Energy at departure if the request is met, and the reserve, as shares of the capacity.
    charge_kw
        Limit at the charger [kW].
    efficiency
        One way.
    two_way
        Whether chargers and vehicles can discharge.
    wear_cost
        Battery life lost per kWh drawn [currency/kWh].
    chemistry
        Cell chemistry of every vehicle.
    connection_kw
        Limit of each hub's grid connection; room for all its cars at once if not given [kW].
    participation, saving, peak_valley, seed
        As in ``scenario.toml``.
    """

    zone: ZoneName
    sessions_zone: Zone | None = None
    date_order: Literal["dmy", "mdy"] | None = None
    days: Annotated[int, Field(ge=1, le=3660)] = 1
    columns: Annotated[dict[str, Word | list[Word]], Field(default_factory=dict)]
    cars: Word | None = None
    chargers: Word | None = None
    name: Word | None = None
    currency: Currency | None = None
    unit: Literal["kWh", "MWh"] | None = None
    prices_zone: Word | None = None
    prices_of: Word | None = None
    curve: Literal["given", "hold"] = "given"
    start: time = time(0)
    slot_minutes: Literal[5, 10, 15, 20, 30, 60] = 15
    service_fee: Finite = 0.10
    capacity_kwh: Positive = 75.0
    leaving_share: Share = 0.90
    reserve_share: Share = 0.10
    charge_kw: Positive = 7.0
    efficiency: Efficiency = 0.95
    two_way: bool = False
    wear_cost: NotNegative = 0.05
    chemistry: ChemistryName = "NMC"
    connection_kw: Positive | None = None
    participation: Share = 1.0
    saving: Annotated[float, Field(gt=0)] = 1.0
    peak_valley: Annotated[float, Field(gt=0)] = float("inf")
    seed: Annotated[int, Field(ge=0)] = 1

    @model_validator(mode="after")
    def _ordered(self) -> ImportOptions:
        if self.reserve_share >= self.leaving_share:
            wrong = f"reserve_share {self.reserve_share:g} is not below leaving_share"
            raise advice(wrong, f"give less than {self.leaving_share:g}")
        return self
