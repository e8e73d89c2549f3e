"""ENTSO-E's publication documents: the XML of its web service, with curves of type A01 and A03."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from xml.etree.ElementTree import Element

from hubwise.scenario.price_formats._nouns import Asked, Piece, PriceFormat, Series, chosen
from hubwise.scenario.price_formats._tables import price_fault
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import Document, number
from hubwise.scenario.stamps import stamp

_MINUTES = {"PT5M": 5, "PT10M": 10, "PT15M": 15, "PT30M": 30, "PT60M": 60, "PT1H": 60}
_MOST_POINTS = 366 * 24 * 60  # those of a year, a minute each


def _recognises(document: Document) -> bool:
    return document.tree is not None and "MarketDocument" in document.tree.tag


def _read(document: Document, asked: Asked, reader: Reader) -> Series | None:
    assert document.tree is not None
    file = document.file
    if reason := _text(document.tree, "Reason", "text"):
        reader.wrong(file, "", "", f"holds no prices but a notice: {reason}", "ask for other days")
        return None
    every = [one for one in _all(document.tree, "TimeSeries") if next(_all(one, "Period"), None)]
    areas = list(dict.fromkeys(_text(one, "in_Domain.mRID") for one in every))
    if not every:
        reader.wrong(file, "", "", "holds no prices", "download a document of day-ahead prices")
        return None
    area = chosen(areas, asked, "areas", file, reader)
    if area is None:
        return None
    taken, passed = _auction([one for one in every if _text(one, "in_Domain.mRID") == area])
    if not any(part.tag.endswith("price.amount") for one in taken for part in one.iter()):
        reader.wrong(file, "", "", "holds no prices, but quantities", "download day-ahead prices")
        return None
    try:
        pieces = [piece for one in taken for piece in _series(one)]
    except ValueError as error:
        right = "give an interval in UTC and a resolution such as PT60M or PT15M"
        reader.wrong(file, "", "Period", str(error), right)
        return None
    notes = [f"Prices of the first auction are taken, {passed} series of others are not."]
    units = {"MWH": "MWh", "KWH": "kWh"}
    return Series(
        pieces,
        units.get(_text(taken[0], "price_Measure_Unit.name").upper()),
        _text(taken[0], "currency_Unit.name") or None,
        "UTC",
        notes=tuple(notes if passed else ()),
    )


def _auction(every: list[Element]) -> tuple[list[Element], int]:
    """The series of the first auction, where a document holds several, and how many it has not."""
    place = "classificationSequence_AttributeInstanceComponent.position"
    first = [one for one in every if _text(one, place) in ("", "1")]
    return (first, len(every) - len(first)) if first else (every, 0)


def _series(series: Element) -> Iterator[Piece]:
    holds = _text(series, "curveType") == "A03"
    for period in _all(series, "Period"):
        begins, ends = (_end_of(period, name) for name in ("start", "end"))
        resolution = _text(period, "resolution")
        if resolution not in _MINUTES:
            raise ValueError(f"has the resolution {resolution!r}")
        step, points = timedelta(minutes=_MINUTES[resolution]), list(_all(period, "Point"))
        places = [_place(point, begins) for point in points]
        after = dict(pairwise([*sorted(set(places)), (ends - begins) // step + 1]))
        for place, point in zip(places, points, strict=True):
            start = begins + step * (place - 1)
            end = begins + step * (after[place] - 1) if holds else start + step
            yield _piece(point, start.isoformat(), end.isoformat())


def _end_of(period: Element, name: str) -> datetime:
    """An end of a period; ValueError where it is not told."""
    text = _text(period, "timeInterval", name)
    try:
        found = stamp(text)
    except ValueError:
        raise ValueError(f"the {name} of its interval, {text!r}, is no moment") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _place(point: Element, begins: datetime) -> int:
    """The position of a point; ValueError where it is not a whole number above 0."""
    text = _text(point, "position")
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_POINTS):
        raise ValueError(f"from {begins:%Y-%m-%dT%H:%MZ} has a point at position {text!r}")
    return int(text)


def _piece(point: Element, start: str, end: str) -> Piece:
    cell = _text(point, "price.amount")
    try:
        price = number(cell)
    except ValueError:
        price = None
    fault = price_fault(cell, "price.amount") if price is None else None
    return Piece(f"the point at {start}", stamp(start), stamp(end), price, fault)


def _all(parent: Element, tag: str) -> Iterator[Element]:
    """The children of that name, whatever their namespace."""
    return (child for child in parent if child.tag.rpartition("}")[2] == tag)


def _text(parent: Element, *tags: str) -> str:
    """The text at the end of a path of names; empty where there is none."""
    for tag in tags:
        found = next(_all(parent, tag), None)
        if found is None:
            return ""
        parent = found
    return (parent.text or "").strip()


FORMAT = PriceFormat("ENTSO-E's XML", _recognises, _read)
