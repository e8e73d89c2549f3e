"""Charging sessions as other systems export them, each row read as far as it can be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from hubwise.domain.errors import Issue, closest, did_you_mean, listed
from hubwise.scenario.reading import Reader
from hubwise.scenario.records import tables_in
from hubwise.scenario.session_formats import FORMATS, MEANINGS, OWN, SessionFormat, plain
from hubwise.scenario.session_formats.shown import shown
from hubwise.scenario.sniffing import Sheet, decimal_mark, is_empty, number, read_document
from hubwise.scenario.spans import duration, unit_of_time, zone_of
from hubwise.scenario.stamps import clock_told, date_order, stamp

_YES_NO = {
    **dict.fromkeys(("true", "1", "yes"), True),
    **dict.fromkeys(("false", "0", "no"), False),
}
_WEEKDAY = re.compile(r"^[^\W\d]+,\s*")  # of RFC 1123: Wed, 14 May 2025 06:10:00 GMT
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}[T ]")
_MIDNIGHT = re.compile(r"[T ]00:00(:00)?$")
_FIGURES = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}\b")
_ENERGIES = ("energy_kwh", "delivered_kwh")
_UNIT = re.compile(r"\s*(?<![a-z])([km]?wh)(?![a-z])", re.IGNORECASE)
_POWER = re.compile(r"\s*(?<![a-z])([km]?w)(?![a-z])", re.IGNORECASE)
_WHOLE = re.compile(r"\d{1,3}(?:[.,]\d{3})+")  # watt-hours in figures that are separated
# What units are in kWh, and in kW.
_IN_KWH = {"wh": 1e-3, "kwh": 1.0, "mwh": 1e3}
_IN = _IN_KWH | {unit[:-1]: scale for unit, scale in _IN_KWH.items()}
_NUMBERS = (*_ENERGIES, "charge_kw", "stated_minutes", "duration")
_MOST_KW = 1e5
_MOST_MINUTES = 1e10  # far more than any stay
_RIGHT = {
    "moment": "write it as 2024-05-12 08:15 or, with its offset from UTC, 2024-05-12T08:15+02:00",
    "number": "give a number such as 7.5",
    "mark": "write it with the decimal mark that the other rows have",
    "power": "give it in kW, above 0",
    "yes_no": "give true or false",
    "duration": "write it as 4:38:00 or in hours",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody says about a file of sessions.

    Parameters
    ----------
    columns
        Names of its columns by what they mean; names for one meaning are joined in each row.
    site_zone
        Zone of the site's clock.
    zone
        Zone of stamps that are written without one; empty where nothing is said.
    date_order
        ``dmy`` or ``mdy``; empty where nothing is said.
    """

    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    site_zone: str = "UTC"
    zone: str = ""
    date_order: str = ""


@dataclass(frozen=True, slots=True)
class ForeignStay:
    """One row of a file of sessions; ``None`` where the file is silent or cannot be read.

    Parameters
    ----------
    row
        Its number in the file.
    session, driver, vehicle, hub
        Identifiers.
    station, connector
        The charger, and which of its plugs.
    arrival, departure, stated_departure
        The stay and its end as stated before; without a zone where they are on the site's clock.
    place
        Zone of the place where the car stood, where the file tells it.
    energy_kwh
        Energy asked for, at the charger [kWh]; what was delivered where nobody asked.
    asked
        Whether that is what somebody asked for.
    charge_kw
        Highest power that it was charged with [kW].
    claimed, credit
        Whether somebody claimed the session, and whether the record takes another one back.
    takes_back
        Which record that is, by its session.
    problems
        Column, what is wrong and what would be right, of each cell that cannot be read.
    """

    row: int
    session: str | None
    driver: str | None
    vehicle: str | None
    hub: str
    station: str | None
    connector: str | None
    arrival: datetime | None
    departure: datetime | None
    stated_departure: datetime | None
    place: tzinfo | None
    energy_kwh: float | None
    asked: bool
    charge_kw: float | None
    claimed: bool
    credit: bool
    takes_back: str | None
    problems: tuple[tuple[str, str, str], ...]

    @property
    def plugs(self) -> tuple[str, ...]:
        """Names that a table of chargers may know its plug by, the most precise first."""
        if self.station is None:
            return () if self.connector is None else (self.connector,)
        precise = () if self.connector is None else (f"{self.station}/{self.connector}",)
        return (*precise, self.station)


@dataclass(frozen=True, slots=True)
class ForeignSessions:
    """The rows of a file of sessions, and what had to be assumed to read them."""

    file: str
    stays: tuple[ForeignStay, ...]
    notes: tuple[str, ...]


def read_foreign_sessions(reader: Reader, name: str, told: Told) -> ForeignSessions | None:
    """The sessions in file ``name``, in whatever known format it shows itself to be.

    Cells that cannot be read are kept with their row: whether they matter depends on its day. What
    is wrong with the file as a whole goes to the reader.
    """
    found = Reader(reader.folder)
    document = read_document(found, name)
    # A row that is not whole matters as much as its day does.
    torn = {issue.where: issue for issue in found.issues if document and document.sheet}
    reader.issues.extend(issue for issue in found.issues if issue.where not in torn)
    if document is None:
        return None
    tables = [] if document.sheet is None else [document.sheet, *document.others]
    try:
        tables = [*tables_in(name, document.data), *tables]
    except RecursionError:
        reader.wrong(name, "", "", "is nested too deeply", "give a list of sessions")
        return None
    if not tables:
        reader.wrong(name, "", "", "holds no sessions", "give a table, or JSON with a list of them")
        return None
    sheet, form = _recognised(tables, told)
    if not _told_right(reader, sheet, told):
        return None
    columns = _Columns(sheet, form, told)
    if not _complete(reader, columns):
        return None
    return _read(columns, _date_order(columns), torn)


def _recognised(tables: Sequence[Sheet], told: Told) -> tuple[Sheet, SessionFormat]:
    """The first table of a known format; else the longest, by what it holds or is told to hold."""
    for sheet in tables:
        for form in FORMATS:
            if form.recognises(sheet.header):
                return sheet, form
    longest = max(tables, key=lambda sheet: len(sheet.rows))
    return longest, (None if told.columns else shown(longest)) or OWN


class _Columns:
    """Which cells of a sheet hold what."""

    def __init__(self, sheet: Sheet, form: SessionFormat, told: Told) -> None:
        self.sheet, self.form, self.told = sheet, form, told
        place = {plain(name): k for k, name in reversed(list(enumerate(sheet.header)))}
        known = {
            meaning: [each.split("+") for each in names] for meaning, names in form.columns.items()
        }
        told_so = {meaning: [list(names)] for meaning, names in told.columns.items()}
        self.units = [_unit(name) for name in sheet.header]
        self.powers = [_unit(name, _POWER) for name in sheet.header]
        self.clocks = [clock_told(name) for name in sheet.header]
        # For each meaning its alternatives in order, each the places of what is joined.
        self.places: dict[str, list[list[int]]] = {}
        for meaning, alternatives in {**known, **told_so}.items():
            found = [
                [place[plain(part)] for part in parts]
                for parts in alternatives
                if all(plain(part) in place for part in parts)
            ]
            if found:
                self.places[meaning] = found

    def __contains__(self, meaning: str) -> bool:
        return meaning in self.places

    def cell(self, cells: Sequence[str], meaning: str) -> str:
        """What a row says; empty where it says nothing."""
        for places in self.places.get(meaning, ()):
            text = cells[places[0]] if len(places) == 1 else _joined([cells[k] for k in places])
            if text and not is_empty(text):
                return text
        return ""

    def place(self, cells: Sequence[str], meaning: str) -> int | None:
        """Which column a row fills; of several that are one text the first."""
        there = (places[0] for places in self.places.get(meaning, ()))
        return next((k for k in there if not is_empty(cells[k])), None)

    def unit(self, cells: Sequence[str], meaning: str) -> str:
        """The unit of energy, or power, that the name of the column tells which a row fills."""
        k = self.place(cells, meaning)
        return "" if k is None else (self.powers if meaning == "charge_kw" else self.units)[k]

    def clock(self, cells: Sequence[str], meaning: str) -> str:
        """The zone that the name of the column tells which a row fills; empty for none."""
        k = self.place(cells, meaning)
        return "" if k is None else self.clocks[k] or ""

    def mark(self, meaning: str) -> str:
        """The decimal mark of a column; watt-hours in groups of three have none."""
        cells = [cell for cell in self.every(meaning) if cell]
        found = decimal_mark(cells, self.sheet.delimiter)
        places = self.places.get(meaning, [])
        whole = bool(places) and self.units[places[0][0]] == "wh"
        if (
            whole
            and cells
            and all(_WHOLE.fullmatch(cell) for cell in cells if set(cell) & set(".,"))
        ):
            grouped = next((cell for cell in cells if set(cell) & set(".,")), "")
            return "." if "," in grouped else "," if "." in grouped else found
        return found

    def every(self, meaning: str) -> list[str]:
        """What every row says."""
        return [self.cell(cells, meaning) for cells in self.sheet.cells]

    def name(self, meaning: str) -> str:
        """The file's own name of a column, or what it means where the file has none."""
        places = self.places.get(meaning)
        return " + ".join(self.sheet.header[k] for k in places[0]) if places else meaning

    @property
    def unused(self) -> list[str]:
        """Columns that mean nothing here."""
        used = {k for found in self.places.values() for places in found for k in places}
        return [name for k, name in enumerate(self.sheet.header) if name and k not in used]


def _unit(text: str, pattern: re.Pattern[str] = _UNIT) -> str:
    """The unit of energy, or of power, in a text, in small letters; empty where there is none."""
    found = pattern.search(text)
    return found[1].lower() if found else ""


def _joined(parts: list[str]) -> str:
    """Cells as one text; empty where one is. A workbook's dates have a time, its times a date."""
    if not all(parts):
        return ""
    first, *rest = parts
    rest = [_DATE.sub("", each) for each in rest]
    return " ".join([_MIDNIGHT.sub("", first) if rest else first, *rest])


def _told_right(reader: Reader, sheet: Sheet, told: Told) -> bool:
    """Whether the columns that somebody named are meanings known here, and in the file."""
    before = len(reader.issues)
    there = {plain(name) for name in sheet.header}
    for meaning, names in told.columns.items():
        if meaning not in MEANINGS:
            right = did_you_mean(meaning, MEANINGS)
            reader.wrong("options", "columns", meaning, "is nothing that a column can mean", right)
        for name in names:
            if plain(name) not in there:
                found = closest(name, sheet.header)
                hint = f"is it {found!r}?" if found else f"its columns are {listed(sheet.header)}"
                reader.wrong(sheet.file, "row 1", name, "is not a column of the file", hint)
    return len(reader.issues) == before


def _complete(reader: Reader, columns: _Columns) -> bool:
    """Whether arrival, departure and energy are told; those that are not are named."""
    groups = (("arrival",), ("departure", "duration"), _ENERGIES)
    missing = [group[0] for group in groups if not any(each in columns for each in group)]
    if columns.form is not OWN and columns.sheet.delimiter == "":
        missing = [each for each in missing if each != "departure"]  # records that go on have none
    header = columns.sheet.header
    for meaning in missing:
        found = closest(meaning, header)
        right = f'say which of {listed(header)} it is, as in --column {meaning}="{found or "NAME"}"'
        reader.wrong(columns.sheet.file, "row 1", meaning, "is a missing column", right)
    return not missing


def _date_order(columns: _Columns) -> str:
    """The order of dates in figures: as told, as the file shows, or as is usual there."""
    cells = [cell for each in ("arrival", "departure") for cell in columns.every(each) if cell]
    habit = columns.form.home or columns.told.site_zone
    return columns.told.date_order or date_order(cells, habit)


def _read(columns: _Columns, order: str, torn: Mapping[str, Issue]) -> ForeignSessions:
    marks = {each: columns.mark(each) for each in _NUMBERS}
    taken: Counter[tuple[str, str]] = Counter()
    rows = zip(columns.sheet.rows, columns.sheet.cells, strict=True)
    stays = tuple(
        _RowReader(columns, cells, order, marks, taken).stay(row, torn.get(f"row {row}"))
        for row, cells in rows
    )
    return ForeignSessions(columns.sheet.file, stays, tuple(_notes(columns, order, stays, taken)))


class _RowReader:
    """Reads one row, and keeps what is wrong with its cells."""

    def __init__(
        self,
        columns: _Columns,
        cells: Sequence[str],
        order: str,
        marks: Mapping[str, str],
        taken: Counter[tuple[str, str]],
    ) -> None:
        self.columns, self.cells, self.order = columns, cells, order
        self.marks, self.taken = marks, taken
        self.problems: list[tuple[str, str, str]] = []

    def stay(self, row: int, torn: Issue | None) -> ForeignStay:
        """The row's stay; ``torn`` is what is wrong with the row as a whole."""
        self.problems = [(torn.field, torn.wrong, torn.right)] if torn else []
        arrival = self._moment("arrival", "arrival_zone")
        place = self._text("place_zone")
        asked, delivered = self._number("energy_kwh"), self._number("delivered_kwh")
        return ForeignStay(
            row,
            session=self._word("session"),
            driver=self._word("driver"),
            vehicle=self._word("vehicle"),
            hub=self._word("hub") or "site",
            station=self._word("station"),
            connector=self._word("connector"),
            arrival=arrival,
            departure=self._departure(arrival),
            stated_departure=self._stated(arrival),
            place=zone_of(place) if place else None,
            energy_kwh=delivered if asked is None else asked,
            asked=asked is not None,
            charge_kw=self._power(),
            claimed=self._yes_no("claimed", default=True),
            credit=self._yes_no("credit", default=False),
            takes_back=self._word("takes_back"),
            problems=tuple(self.problems),
        )

    def _text(self, meaning: str) -> str:
        return self.columns.cell(self.cells, meaning)

    def _word(self, meaning: str) -> str | None:
        return self._text(meaning) or None

    def _wrong(self, meaning: str, wrong: str, right: str) -> None:
        self.problems.append((self.columns.name(meaning), wrong, _RIGHT[right]))

    def _moment(self, meaning: str, zone: str = "") -> datetime | None:
        text = self._text(meaning)
        if not text or text.startswith("0001-01-01"):  # how Go writes that there is none
            return None
        try:
            moment = stamp(_WEEKDAY.sub("", text), self.order)
        except (ValueError, OverflowError):
            self._wrong(meaning, f"{text!r} is not a date and time", "moment")
            return None
        told = self.columns.clock(self.cells, meaning)
        return moment if moment.tzinfo else moment.replace(tzinfo=self._zone(zone, told))

    def _zone(self, meaning: str, told: str) -> tzinfo | None:
        """The zone of a stamp that is written without one; ``told`` is what its header tells."""
        said = self._text(meaning)
        found = zone_of(said) if said else None
        name = self.columns.told.zone or told or self.columns.form.zone
        self.taken["unknown", said] += bool(said) and found is None
        if found is None:
            self.taken["without", name or self.columns.told.site_zone] += 1
        return found or (zone_of(name) if name else None)

    def _departure(self, arrival: datetime | None) -> datetime | None:
        """The end of the stay; by its duration only in files that do not tell the end."""
        if "departure" in self.columns:
            return self._moment("departure", "departure_zone")
        lasted = self._duration("duration")
        return None if lasted is None else self._later("duration", arrival, lasted)

    def _later(self, meaning: str, start: datetime | None, lasted: timedelta) -> datetime | None:
        """A moment some time after another; nothing, noted, where no calendar has it."""
        try:
            return None if start is None else _after(start, lasted)
        except OverflowError:
            self._wrong(meaning, f"{self._text(meaning)!r} is longer than any stay", "duration")
            return None

    def _stated(self, arrival: datetime | None) -> datetime | None:
        stated = self._moment("stated_departure")
        minutes = self._number("stated_minutes")
        if stated is not None or minutes is None or arrival is None:
            return stated
        lasted = timedelta(minutes=min(max(minutes, -_MOST_MINUTES), _MOST_MINUTES))
        return self._later("stated_minutes", arrival, lasted)

    def _duration(self, meaning: str) -> timedelta | None:
        text = self._text(meaning)
        try:
            found = duration(text) if text else None
            figure = number(text, self.marks[meaning]) if text and found is None else None
            unit = unit_of_time(self.columns.name(meaning))
            return found if figure is None else figure * unit
        except (ValueError, OverflowError):
            self._wrong(meaning, f"{text!r} is not a duration", "duration")
            return None

    def _number(self, meaning: str) -> float | None:
        """A figure; energies in kWh, powers in kW, whatever unit cell or column's name tells."""
        text = self._text(meaning)
        if not text:
            return None
        pattern = _POWER if meaning == "charge_kw" else _UNIT
        own = _unit(text, pattern)
        unit = own or self.columns.unit(self.cells, meaning)
        try:
            found = number(pattern.sub("", text) if own else text, self.marks[meaning])
            return found if found is None or not unit else found * _IN[unit]
        except ValueError:
            marked = text.strip("0123456789") in {".", ","} - {self.marks[meaning]}
            self._wrong(meaning, f"{text!r} is not a number", "mark" if marked else "number")
            return None

    def _power(self) -> float | None:
        """The highest power that was seen [kW]; nothing where none flowed."""
        found = self._number("charge_kw")
        if found is not None and not 0.0 <= found <= _MOST_KW:
            said = self._text("charge_kw")
            self._wrong("charge_kw", f"{said!r} is no power that a charger has", "power")
            return None
        return found or None

    def _yes_no(self, meaning: str, *, default: bool) -> bool:
        text = self._text(meaning).casefold()
        if text and text not in _YES_NO:
            self._wrong(meaning, f"{text!r} is neither true nor false", "yes_no")
        return _YES_NO.get(text, default)


def _after(moment: datetime, lasted: timedelta) -> datetime:
    """A moment some time later, whatever its clock did meanwhile."""
    zone = moment.tzinfo
    return moment + lasted if zone is None else (moment.astimezone(UTC) + lasted).astimezone(zone)


def _notes(
    columns: _Columns,
    order: str,
    stays: Sequence[ForeignStay],
    taken: Mapping[tuple[str, str], int],
) -> list[str]:
    """What was taken for granted about the file."""
    notes = [f"Sessions are read as {columns.form.name}."]
    zones = [name for what, name in taken if what == "without"]
    notes += [f"Stamps without an offset are read on the clock of {zone}." for zone in zones]
    if any(map(_FIGURES.match, columns.every("arrival"))):
        first = "month" if order == "mdy" else "day"
        notes += [f"Dates such as 03/04/2025 name the {first} first."]
    if not any(each.asked for each in stays):
        notes += ["The file does not tell what was asked for: what was delivered is planned with."]
    elif silent := sum(not each.asked and each.energy_kwh is not None for each in stays):
        notes += [f"{silent} rows do not tell what was asked for: what was delivered is taken."]
    for (what, name), count in taken.items():
        if what == "unknown" and count:
            notes += [f"{count} stamps name the zone {name!r}, which is unknown: it is left aside."]
    if "charge_kw" in columns:
        notes += [f"A charger's limit is the highest power in {columns.name('charge_kw')!r}."]
    if columns.unused:
        notes += [f"Columns passed over: {listed(columns.unused)}."]
    return notes
