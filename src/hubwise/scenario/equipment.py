"""Cars and chargers as tables, joined to sessions by who drives, what is driven, and the plug."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from hubwise.domain.errors import listed
from hubwise.scenario.files import (
    ChemistryName,
    CurvePoints,
    Efficiency,
    NotNegative,
    Positive,
    Word,
)
from hubwise.scenario.foreign_sessions import ForeignStay
from hubwise.scenario.options import ImportOptions
from hubwise.scenario.reading import Reader
from hubwise.scenario.session_formats import plain
from hubwise.scenario.sniffing import decimal_mark, is_empty, number, read_sheet
from hubwise.scenario.tables import Table, check_cells, check_unique
from hubwise.scenario.taper import curve_of, wrongs_of_curve


class CarRow(BaseModel):
    """A car, by its driver or by what it is called; an empty cell leaves what is assumed."""

    car: Word
    capacity_kwh: Positive | None = None
    charge_kw_max: Positive | None = None
    discharge_kw_max: NotNegative | None = None
    chemistry: ChemistryName | None = None
    wear_cost: NotNegative | None = None
    charge_efficiency: Efficiency | None = None
    discharge_efficiency: Efficiency | None = None
    taper: CurvePoints | None = None


class ChargerRow(BaseModel):
    """A charger or one of its plugs; an empty cell leaves what is assumed."""

    charger: Word
    hub: Word | None = None
    kw: Positive | None = None
    two_way: bool | None = None


Row = TypeVar("Row", bound=BaseModel)

# Names by which people call the columns that join. A car goes by the first that is filled, a plug
# by all of them: a charger and its connector.
_CAR = ("car", "driver", "vehicle", "type", "id")
_CHARGER = ("charger", "station", "id", "plug", "connector")


@dataclass(frozen=True, slots=True)
class Equipment:
    """The car of a stay at its plug: powers at the charger [kW], energies [kWh].

    Parameters
    ----------
    capacity_kwh, chemistry, wear_cost
        Of the battery; wear per kWh drawn [currency/kWh].
    charge_kw, discharge_kw
        What both car and charger can [kW]; discharge 0 where either is one-way.
    charge_efficiency, discharge_efficiency
        One way.
    taper
        Points of the curve by which the car takes less near full; empty for none.
    """

    capacity_kwh: float
    chemistry: str
    wear_cost: float
    charge_kw: float
    discharge_kw: float
    charge_efficiency: float
    discharge_efficiency: float
    taper: str = ""

    def most_kwh(self, options: ImportOptions) -> float:
        """The most energy that the battery takes from its reserve on, at the charger [kWh]."""
        share = options.leaving_share - options.reserve_share
        return share * self.capacity_kwh / self.charge_efficiency


@dataclass(frozen=True, slots=True)
class Garage:
    """The cars and chargers that tables tell of, by id, and what is assumed of all others."""

    options: ImportOptions
    cars: dict[str, CarRow]
    chargers: dict[str, ChargerRow]

    def car(self, stay: ForeignStay) -> CarRow | None:
        """The car of a stay: its driver's own, else one of its kind."""
        return _first(self.cars, [stay.driver, stay.vehicle])

    def charger(self, stay: ForeignStay) -> ChargerRow | None:
        """The plug of a stay, else its charger."""
        return _first(self.chargers, stay.plugs)

    def hub(self, stay: ForeignStay) -> str:
        """Where a stay is: where its charger stands, else what its own file says."""
        charger = self.charger(stay)
        return charger.hub if charger and charger.hub else stay.hub

    def equipment(self, stay: ForeignStay) -> Equipment:
        """What a stay's car and charger can; what no table tells is assumed."""
        options = self.options
        car = self.car(stay) or CarRow(car="assumed")
        charger = self.charger(stay) or ChargerRow(charger="assumed")
        charge_kw = _least(charger.kw, car.charge_kw_max, stay.charge_kw or options.charge_kw)
        assumed_kw = charge_kw if options.two_way or charger.two_way else 0.0
        gives = assumed_kw if car.discharge_kw_max is None else car.discharge_kw_max
        discharge_kw = 0.0 if charger.two_way is False else min(gives, charger.kw or gives)
        return Equipment(
            capacity_kwh=car.capacity_kwh or options.capacity_kwh,
            chemistry=car.chemistry or options.chemistry,
            wear_cost=options.wear_cost if car.wear_cost is None else car.wear_cost,
            charge_kw=charge_kw,
            discharge_kw=discharge_kw,
            charge_efficiency=car.charge_efficiency or options.efficiency,
            discharge_efficiency=car.discharge_efficiency or options.efficiency,
            taper=car.taper or "",
        )

    def notes(self, stays: Sequence[ForeignStay]) -> list[str]:
        """Which planned sessions the tables do not know, and which of their rows none names."""
        drivers = [[each.driver, each.vehicle] for each in stays]
        plugs = [list(each.plugs) for each in stays]
        return [
            *_unjoined(self.options.cars, set(self.cars), drivers),
            *_unjoined(self.options.chargers, set(self.chargers), plugs),
        ]


def read_garage(options: ImportOptions, reader: Reader) -> Garage:
    """The tables of cars and chargers that the options name; problems go to the reader."""
    cars = _read(options.cars, CarRow, reader, _first_of)
    chargers = _read(options.chargers, ChargerRow, reader, "/".join)
    for car in cars:
        for wrong in wrongs_of_curve(curve_of(car.taper)) if car.taper else ():
            right = "write points that rise, their shares falling from 1, as 0.8:1 1:0.2"
            reader.wrong(options.cars or "", f"car {car.car}", "taper", wrong, right)
    return Garage(options, {row.car: row for row in cars}, {row.charger: row for row in chargers})


def _read(
    name: str | None, model: type[Row], reader: Reader, key_of: Callable[[list[str]], str]
) -> list[Row]:
    sheet = None if name is None else read_sheet(reader, name)
    if sheet is None:
        return []
    key, *others = _CAR if model is CarRow else _CHARGER
    joins = {plain(each) for each in (key, *others)}
    keys = [k for k, header in enumerate(sheet.header) if plain(header) in joins]
    known = {plain(field): field for field in model.model_fields}
    columns = {
        known.get(plain(header), header): [_cell(cells[k], mark) for cells in sheet.cells]
        for k, header in enumerate(sheet.header)
        if k not in keys
        for mark in [decimal_mark([cells[k] for cells in sheet.cells], sheet.delimiter)]
    }
    if keys:
        ids = [[cells[k] for k in keys if cells[k]] for cells in sheet.cells]
        columns[key] = [key_of(each) if each else None for each in ids]
    table = check_cells(reader, Table(sheet.file, sheet.rows, columns), model)
    if table is None:
        return []
    check_unique(table, key, reader)
    rows = [{column: table[column][k] for column in table.columns} for k in range(len(table))]
    return [model(**row) for row in rows if row[key] is not None]


def _first_of(ids: list[str]) -> str:
    return ids[0]


def _cell(cell: str, mark: str) -> object:
    """A cell with a decimal point, whatever its file has; nothing where it is empty."""
    try:
        return None if is_empty(cell) else str(number(cell, mark)) if "," in cell else cell
    except ValueError:
        return cell


def _least(charger: float | None, car: float | None, assumed: float) -> float:
    """The lower of two limits; where neither is told, what is assumed."""
    return min((each for each in (charger, car) if each is not None), default=assumed)


def _first(table: Mapping[str, Row], names: Iterable[str | None]) -> Row | None:
    return next((table[name] for name in names if name is not None and name in table), None)


def _unjoined(
    file: str | None, known: set[str], stays: Sequence[Sequence[str | None]]
) -> Iterator[str]:
    """Notes on stays that a table does not know, by name, and on its rows that no stay names."""
    if file is None:
        return
    name = Path(file).name
    nameless = sum(not any(names) for names in stays)
    unknown = Counter(
        next(filter(None, names)) for names in stays if any(names) and not known & set(names)
    )
    if unknown:
        count = sum(unknown.values())
        yield f"{count} of {len(stays)} sessions are not in {name}: {listed(unknown)}."
    if nameless:
        yield f"{nameless} of {len(stays)} sessions name nothing that {name} could tell of."
    if spare := known - {name for names in stays for name in names if name}:
        yield f"{len(spare)} rows of {name} are of no session here: {listed(sorted(spare))}."
