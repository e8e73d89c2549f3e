"""Files of prices, read as they were downloaded and checked against the horizon.

What is wrong on the horizon is told, row by row; what is wrong beside it is counted in a note.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import inf
from zoneinfo import ZoneInfo

import numpy as np

from hubwise.domain import Horizon
from hubwise.domain.arrays import Array
from hubwise.domain.errors import Issue, listed
from hubwise.scenario.clock import in_utc
from hubwise.scenario.files import is_zone
from hubwise.scenario.price_formats import PLAIN, Asked, Fault, Piece, Series, formats, the_format
from hubwise.scenario.reading import Reader
from hubwise.scenario.series import STEPS, Interval, Timeline, in_time, lay, rows_of, steps
from hubwise.scenario.sniffing import Document, read_document

_MOST_TOLD = 20  # rows of one kind that are told one by one
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of a file on a horizon.

    Parameters
    ----------
    rows
        Rows of equal length that hold on the horizon: start in UTC, and price [currency/unit].
    minutes
        Length of a row [min].
    unit, currency
        ``kWh`` or ``MWh``, and three capitals; ``None`` where the file does not tell.
    by_slot
        The price in every slot; shape (slots,) [currency/unit].
    notes
        What was assumed, chosen, merged, held and passed over, as sentences.
    demand_charges
        For a month's highest power, January to December [currency/kW]; empty where the file has
        none, or all are 0.
    """

    rows: tuple[tuple[datetime, float], ...]
    minutes: int
    unit: str | None
    currency: str | None
    by_slot: Array
    notes: tuple[str, ...]
    demand_charges: tuple[float, ...] = ()


def asked_of(horizon: Horizon | None) -> Asked:
    """A file of prices asked for those of a horizon, if it is known, with nothing else told."""
    if horizon is None:
        never = datetime(2000, 1, 1, tzinfo=UTC)
        return Asked("UTC", never, never)
    return Asked(horizon.zone, horizon.start_utc, horizon.end_utc)


def read_prices(reader: Reader, name: str, asked: Asked, horizon: Horizon) -> Prices | None:
    """The prices of a file on a horizon, or nothing where any is missing or wrong, which is noted.

    Parameters
    ----------
    reader
        Reads the file, and takes problems.
    name
        Of the file; its format shows in what it holds.
    asked
        What the user tells of it.
    horizon
        The slots that need prices.
    """
    series = read_series(reader, name, asked)
    return None if series is None else _on(series, reader, name, asked, horizon)


def read_known_prices(
    reader: Reader, name: str, asked: Asked, slot_minutes: int = 15
) -> tuple[Horizon, Prices] | None:
    """The prices of a file within the time asked for, from the first to the last that it has.

    On whole slots. Nothing, noted, where it has none there, or any between is missing or wrong, or
    its last row is cut off.
    """
    series = read_series(reader, name, asked)
    if series is None:
        return None
    if series.cut:
        reader.wrong(name, series.cut, "", "is cut off", "give the file whole")
    slot, zone = _MINUTE * slot_minutes, asked.stamps_zone or series.zone or asked.zone
    begins, ends = asked.begins, asked.ends
    if is_zone(zone):
        there = in_time(series, zone, asked.zone, hold=asked.hold).intervals
        near = [one for one in there if one.touches(begins, ends)]
        begins = max([begins, *(one.start for one in near[:1])])
        ends = min([ends, *(one.end for one in near[-1:])])
    first = asked.begins + -((asked.begins - begins) // slot) * slot
    slots = max((ends - first) // slot, 1)
    horizon = Horizon(first, slots, slot_minutes, asked.zone)
    found = _on(series, reader, name, asked, horizon)
    return None if found is None or series.cut else (horizon, found)


def _on(series: Series, reader: Reader, name: str, asked: Asked, horizon: Horizon) -> Prices | None:
    """A file's prices on a horizon, or nothing where any is missing or wrong, which is noted."""
    zone = asked.stamps_zone or series.zone or asked.zone
    if not is_zone(zone):
        right = "give an IANA name such as Europe/Amsterdam"
        reader.wrong(name, "", "prices_zone", f"{zone!r} is unknown", right)
        return None
    before = len(reader.issues)
    timeline = in_time(series, zone, asked.zone, hold=asked.hold)
    by_slot, missing, step = lay(timeline.intervals, horizon)
    _tell_rows(timeline, name, series, horizon, reader)
    _tell_gaps(timeline, name, series, _apart(missing, step), horizon, reader)
    charges = series.demand_charges if any(series.demand_charges) else ()
    if not all(0.0 <= charge < inf for charge in charges):
        reader.wrong(name, "", "demand charges", "are not numbers from 0 up", f"mend {name}")
    if len(reader.issues) > before:
        return None
    starts, minutes = rows_of(timeline.intervals, horizon)
    if minutes not in STEPS:
        wrong, right = f"rows are {minutes} min apart", f"give one row every {listed(STEPS)} min"
        reader.wrong(name, "", series.named, wrong, right)
        return None
    notes = (*series.notes, *_notes(timeline, series, zone, asked, horizon))
    rows = tuple(zip(starts, _prices_at(timeline, starts), strict=True))
    return Prices(rows, minutes, series.unit, series.currency, by_slot, notes, charges)


def read_series(reader: Reader, name: str, asked: Asked) -> Series | None:
    """The prices of a file as its format reads them, or nothing where none can, which is noted."""
    found = Reader(reader.folder, enclosed=reader.enclosed)
    document = read_document(found, name)
    # A row that is not whole matters as much as the time that it is of.
    torn = {issue.where: issue for issue in found.issues if document and document.sheet}
    reader.issues.extend(issue for issue in found.issues if issue.where not in torn)
    if document is None:
        return None
    return _as_known(document, asked, torn, reader)


def _as_known(
    document: Document, asked: Asked, torn: Mapping[str, Issue], reader: Reader
) -> Series | None:
    """The prices in the first worksheet that holds any; what others there are is noted."""
    best = None
    tables = [document, *(replace(document, sheet=one, others=()) for one in document.others)]
    tables.sort(key=lambda one: (known := the_format(one)) is None or known.name == PLAIN)
    for table in tables:
        tried = Reader(reader.folder)
        series = _of_table(table, asked, tried)
        best = best or tried
        if series is None or tried.issues:
            continue
        others = [one.sheet.title for one in tables if one is not table and one.sheet]
        notes = (f"Worksheets passed over: {listed(others)}.",) if others else ()
        return _with_torn(replace(series, notes=(*series.notes, *notes)), table, torn)
    reader.issues.extend(best.issues if best else ())
    return None


def _of_table(document: Document, asked: Asked, reader: Reader) -> Series | None:
    name, known = document.file, the_format(document)
    if known is None:
        kind = "XML" if document.data is None else "JSON"
        names = listed((one.name for one in formats().values()), most=20)
        wrong = f"holds {kind} of a kind that is not known"
        reader.wrong(name, "", "", wrong, f"known are {names}; else give a table as CSV")
        return None
    return known.read(document, asked, reader)


def _with_torn(series: Series, document: Document, torn: Mapping[str, Issue]) -> Series:
    """A series whose rows with too many cells have no price; what rows end before is empty."""
    short = document.sheet.short if document.sheet else ()
    whole = {f"row {row}" for row in short}
    amiss = {
        where: Fault(issue.field, issue.wrong, issue.right)
        for where, issue in torn.items() if where not in whole
    }  # fmt: skip
    pieces = [
        replace(piece, price=None, fault=amiss[piece.where]) if piece.where in amiss else piece
        for piece in series.pieces
    ]
    return replace(series, pieces=pieces, cut=_cut(document))


def _cut(document: Document) -> str:
    """Where the last row of a table is, if it may be one that was cut off; a footer is none."""
    sheet = document.sheet
    if sheet is None or not sheet.rows or sheet.rows[-1] not in sheet.short:
        return ""
    return f"row {sheet.rows[-1]}" if sheet.cells[-1][0][:1].isdigit() else ""


def _prices_at(timeline: Timeline, starts: list[datetime]) -> Iterator[float]:
    """The price at each of some starts in order, which all have one."""
    k = 0
    for start in starts:
        while timeline.intervals[k].end <= start:
            k += 1
        price = timeline.intervals[k].price
        assert price is not None, "rows without price are told of before"
        yield price


def _apart(missing: list[datetime], step: int) -> list[tuple[datetime, datetime]]:
    """Runs of times without price: their beginnings and ends."""
    runs = list[tuple[datetime, datetime]]()
    for moment in missing:
        follows = runs and moment == runs[-1][1]
        runs.append((runs.pop()[0] if follows else moment, moment + _MINUTE * step))
    return runs


def _tell_rows(
    timeline: Timeline, file: str, series: Series, horizon: Horizon, reader: Reader
) -> None:
    """Rows that hold on the horizon and have no price, contradict others or are off the steps."""
    begins, ends = horizon.start_utc, horizon.end_utc
    faults = [
        (one.where, one.fault)
        for one in timeline.intervals
        if one.fault is not None and one.touches(begins, ends) and one not in timeline.held
    ]
    _tell_some(file, faults[:1] if faults and not faults[0][0] else faults, reader)
    clashes = [
        (second.where, _clash(first, second, series.named))
        for first, second in timeline.clashes
        if second.touches(begins, ends) or begins <= second.start < ends
    ]
    _tell_some(file, clashes, reader)
    leapt = [piece for piece in timeline.unplaced if _leapt_within(piece, horizon)]
    _tell_some(file, [(piece.where, piece.fault) for piece in leapt if piece.fault], reader)
    near = [
        (one, step)
        for one, step in timeline.strays
        if one.start < ends and one.start + _MINUTE * step > begins
    ]
    if odd := [step for _, step in near if step not in STEPS]:
        right = f"give one row every {listed(STEPS)} min; or, where equal points are left out, "
        right += 'tell curve = "hold"'
        reader.wrong(file, "", series.named, f"rows are {min(odd)} min apart", right)
    for one, step in near:
        if step in STEPS and begins <= one.start:
            wrong = f"{_utc(one.start)} is off the others' steps of {step} min"
            right = f"start rows on whole steps of {step} min"
            reader.wrong(file, one.where, series.named, wrong, right)


def _clash(first: Interval, second: Interval, field: str) -> Fault:
    wrong = f"{_utc(second.start)} is in {first.where} already"
    if first.start != second.start:
        wrong = f"{_utc(second.start)} is within {first.where}, at another price"
    return Fault(field, wrong, "give each moment once")


def _tell_some(file: str, wrong: Sequence[tuple[str, Fault]], reader: Reader) -> None:
    """Rows that are wrong one by one; of very many the first, and how many more there are."""
    for where, fault in wrong[:_MOST_TOLD]:
        reader.wrong(file, where, fault.field, fault.wrong, fault.right)
    if more := wrong[_MOST_TOLD:]:
        right = "mend the first ones, and these are likely to go, too"
        reader.wrong(file, more[0][0], "", f"and {len(more)} more rows are wrong", right)


def _leapt_within(piece: Piece, horizon: Horizon) -> bool:
    """Whether a row's time is one that the clock leaps over during the horizon."""
    if piece.start is None or piece.start.tzinfo is not None:
        return False
    return horizon.start_utc <= in_utc(piece.start, horizon.zone) < horizon.end_utc


def _tell_gaps(
    timeline: Timeline,
    file: str,
    series: Series,
    gaps: list[tuple[datetime, datetime]],
    horizon: Horizon,
    reader: Reader,
) -> None:
    """Times of the horizon without a row; where rows have no time, these may be why."""
    if not gaps:
        return
    starts = [one.start for one in timeline.intervals]
    around = steps([start for start in starts if abs(start - gaps[0][0]) < timedelta(days=3)])
    step = _MINUTE * min(around, default=60)
    lacking = sum(int(np.ceil((end - start) / step)) for start, end in gaps)
    unplaced = [(piece.where, piece.fault) for piece in timeline.unplaced if piece.fault]
    _tell_some(file, unplaced, reader)
    if lacking <= len(timeline.unplaced):
        return
    zone = ZoneInfo(horizon.zone)
    named = listed(
        f"{_utc(a)} ({a.astimezone(zone):%Y-%m-%d %H:%M} local)"
        + (f" to {_utc(b)} ({b.astimezone(zone):%Y-%m-%d %H:%M} local)" if b > a else "")
        for a, b in ((start, max(start, end - step)) for start, end in gaps)
    )
    right = f"the horizon needs {_utc(horizon.start_utc)} to {_utc(horizon.end_utc)}"
    if starts:
        right += f"; the table's prices start from {_utc(starts[0])} to {_utc(starts[-1])}"
    right += _ways_out(timeline, gaps, horizon)
    reader.wrong(file, "", series.named, f"has no price for {named}", right)


def _ways_out(timeline: Timeline, gaps: list[tuple[datetime, datetime]], horizon: Horizon) -> str:
    """What may have made gaps, for a file that has prices around them."""
    there, zone = timeline.intervals, ZoneInfo(horizon.zone)
    near = (one for one in there if one.touches(horizon.start_utc, horizon.end_utc))
    days = {one.start.astimezone(zone).date() for one in near}
    inside = there and all(
        there[0].start < start and start.astimezone(zone).date() in days for start, _ in gaps
    )
    twice = set(timeline.repeated)
    doubtful = [
        wall for start, _ in gaps if (wall := start.astimezone(zone).replace(tzinfo=None)) in twice
    ]
    if doubtful:
        return (
            f"; {doubtful[0]:%H:%M} comes twice on the clock that day and the file does not tell "
            "which is meant: give both, the earlier first, or stamps with their offset"
        )
    if inside:
        return '; where a file leaves out equal points (curve type A03), tell curve = "hold"'
    return _of_another_zone(there, horizon)


def _of_another_zone(there: Sequence[Interval], horizon: Horizon) -> str:
    """Asks for the zone, where a table has as many hours as are needed, and most of them."""
    needed = horizon.end_utc - horizon.start_utc
    if not there or there[-1].end - there[0].start < needed:
        return ""
    later = there[0].start - horizon.start_utc
    if not timedelta(0) < abs(later) <= 0.6 * needed:
        return ""
    hours, when = abs(later) / timedelta(hours=1), "later" if later > timedelta(0) else "earlier"
    return f"; as many hours as that, {hours:g} h {when}: is the site in another zone?"


def _notes(
    timeline: Timeline, series: Series, zone: str, asked: Asked, horizon: Horizon
) -> Iterator[str]:
    """What was assumed, held, merged and passed over."""
    begins, ends = horizon.start_utc, horizon.end_utc
    if any(piece.start is not None and piece.start.tzinfo is None for piece in series.pieces):
        why = "told by the file" if series.zone else "the site's"
        why = "as told" if asked.stamps_zone else why
        yield f"Stamps of prices without an offset are on the clock of {zone} ({why})."
    place = ZoneInfo(zone)
    twice = [wall for wall in timeline.repeated
             if begins <= wall.replace(tzinfo=place) < ends]  # fmt: skip
    if twice:
        named = listed(f"{wall:%Y-%m-%d %H:%M}" for wall in twice)
        yield (
            f"The clock shows {named} twice, and no offset or flag tells which of the two a row "
            "means: rows are taken in their order, the earlier first."
        )
    if held := [one for one in timeline.held if one.touches(begins, ends)]:
        hours = sum((one.end - one.start) / timedelta(hours=1) for one in held)
        yield f"Prices were held over points that are left out, {hours:g} h in all (curve A03)."
    if timeline.merged:
        yield f"Rows of prices that said again what others had, and were merged: {timeline.merged}."
    yield from _beside(timeline, begins, ends)


def _beside(timeline: Timeline, begins: datetime, ends: datetime) -> Iterator[str]:
    """What is wrong outside the horizon."""
    there = timeline.intervals
    wrong = [one.where for one in there if one.fault and not one.touches(begins, ends)]
    wrong += [piece.where for piece in timeline.unplaced]
    wrong += [second.where for _, second in timeline.clashes]
    if wrong:
        named = listed(dict.fromkeys(wrong), most=5)
        yield (
            "Rows of prices outside the planned time that are empty or wrong, and were passed "
            f"over: {len(wrong)} ({named})."
        )
    holes = [(a.end, b.start) for a, b in pairwise(there) if a.end < b.start]
    if holes:
        hours = sum((end - start) / timedelta(hours=1) for start, end in holes)
        count = f"{len(holes)} hole{'s' if len(holes) > 1 else ''}"
        yield f"The prices have {count} outside the planned time, {hours:g} h in all."


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M}Z"
