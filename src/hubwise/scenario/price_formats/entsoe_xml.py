"""ENTSO-E's publication documents: the XML of its web service, with curves of type A01 and A03."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from xml.etree.ElementTree import Element

from hubwise.scenario.price_formats._nouns import Asked, Piece, PriceFormat, Series, chosen
from hubwise.scenario.price_formats._tables import price_fault
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import Document, number
from hubwise.scenario.stamps import stamp

_MINUTES = {"PT5M": 5, "PT10M": 10, "PT15M": 15, "PT30M": 30, "PT60M": 60, "PT1H": 60}


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
    pieces = [piece for one in taken for piece in _series(one)]
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
        begins = stamp(_text(period, "timeInterval", "start"))
        ends = stamp(_text(period, "timeInterval", "end"))
        step = timedelta(minutes=_MINUTES.get(_text(period, "resolution"), 60))
        points = sorted((int(_text(p, "position")), p) for p in _all(period, "Point"))
        follows = [place for place, _ in points[1:]] + [(ends - begins) // step + 1]
        for (place, point), following in zip(points, follows, strict=True):
            start = begins + step * (place - 1)
            end = begins + step * (following - 1) if holds else start + step
            yield _piece(point, start.isoformat(), end.isoformat())


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
