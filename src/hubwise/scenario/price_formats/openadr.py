"""OpenADR 3 events: intervals with payloads of type PRICE, one event or a list of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from hubwise.scenario.price_formats._clock import figure, records
from hubwise.scenario.price_formats._nouns import Asked, Fault, Piece, PriceFormat, Series, chosen
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import Document
from hubwise.scenario.stamps import stamp

Json = dict[str, object]
_DURATION = re.compile(
    r"P(?:(?P<years>\d+)Y)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)
_FOREVER = timedelta(days=36525)


def _events(document: Document) -> list[Json]:
    data = document.data
    inner = data.get("events", data) if isinstance(data, dict) else data
    every = records(inner if isinstance(inner, list) else [inner])
    return [one for one in every if any("payloads" in part for part in _intervals(one))]


def _intervals(event: Json) -> list[Json]:
    return records(event.get("intervals"))


def _recognises(document: Document) -> bool:
    return bool(_events(document))


def _read(document: Document, asked: Asked, reader: Reader) -> Series | None:
    events = [one for one in _events(document) if any(map(_prices, _intervals(one)))]
    programs = list(dict.fromkeys(str(one.get("programID", "")) for one in events))
    if not events:
        wrong, right = "has no payloads of type PRICE", "give events of a pricing program"
        reader.wrong(document.file, "intervals", "payloads", wrong, right)
        return None
    program = chosen(programs, asked, "programs", document.file, reader)
    if program is None:
        return None
    taken = [one for one in events if str(one.get("programID", "")) == program]
    try:
        pieces = [piece for event in taken for piece in _pieces(event)]
    except ValueError as error:
        right = "give each interval, or the event, an intervalPeriod with start and duration"
        reader.wrong(document.file, "intervals", "intervalPeriod", str(error), right)
        return None
    told = [one for one in records(taken[0].get("payloadDescriptors")) if _is_price(one)]
    unit = str(told[0].get("units", "")).upper() if told else ""
    currency = str(told[0].get("currency", "")) if told else ""
    units = {"KWH": "kWh", "MWH": "MWh"}
    return Series(pieces, units.get(unit), currency or None, "UTC")


def _is_price(payload: Json) -> bool:
    return str(payload.get("payloadType", payload.get("type", ""))).upper() == "PRICE"


def _prices(interval: Json) -> list[object]:
    """The values of an interval's payload of prices; several share its time evenly."""
    for payload in records(interval.get("payloads")):
        values = payload.get("values")
        if _is_price(payload) and isinstance(values, list):
            return values
    return []


def _pieces(event: Json) -> Iterator[Piece]:
    """Intervals follow each other from the event's start, but where one has a period of its own."""
    start, length = _period(event, None, None)
    for k, interval in enumerate(_intervals(event)):
        values = _prices(interval)
        begins, lasts = _period(interval, start, length)
        if begins is None or lasts is None or not lasts:
            raise ValueError(f"interval {interval.get('id', k)} has no start or no duration")
        share = lasts / max(len(values), 1)
        for nth, value in enumerate(values):
            price = figure(value)
            fault = Fault("PRICE", f"{value!r} is not a number", "give a number such as 0.17")
            where = f"interval {interval.get('id', k)}"
            first = begins + share * nth
            yield Piece(where, first, first + share, price, None if price is not None else fault)
        start = begins + lasts


def _period(
    holder: Json, start: datetime | None, length: timedelta | None
) -> tuple[datetime | None, timedelta | None]:
    """The start and duration that an event or interval tells itself, else those given."""
    period = holder.get("intervalPeriod")
    if not isinstance(period, dict):
        return start, length
    if text := period.get("start"):
        found = stamp(str(text))
        start = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    if text := period.get("duration"):
        length = _duration(str(text))
    return start, length


def _duration(text: str) -> timedelta:
    """A duration, at most a hundred years; ValueError where it is none, or in other years."""
    found = _DURATION.fullmatch(text)
    if found is None or (found["years"] not in (None, "9999")):
        raise ValueError(f"{text!r} is not a duration such as PT1H")
    parts = {key: int(value) for key, value in found.groupdict(default="0").items()}
    endless = parts.pop("years") > 0  # how OpenADR writes that something never ends
    try:
        return _FOREVER if endless else min(timedelta(**parts), _FOREVER)
    except OverflowError:
        return _FOREVER


FORMAT = PriceFormat("OpenADR 3", _recognises, _read)
