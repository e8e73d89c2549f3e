"""Fleets together: the sessions of several as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from hubwise.domain.arrays import Array
from hubwise.domain.fleet import Drivers, Fleet, SlotBounds
from hubwise.domain.taper import Taper

# What it means that a column is not told of, where another fleet's is.
_UNTOLD: dict[str, float] = {
    "group": 0,
    "step_kw": 0.0,
    "starts_max": np.inf,
    "at_once_kw": np.inf,
    "delegating": True,
    "said_delegating": -1,
    "device_begins": 0.0,
    "circuit": -1,
    "phase": 0,
    "standby_kw": 0.0,
    "late": 0.0,
    "early": 0.0,
}
# The same of columns that stand for another of the fleet.
_STANDS_FOR = {
    "price_list": "lists",
    "at_once_kwh": "arrival_kwh",
    "asked_kwh": "wished_kwh",
    "charge_kw_min": "least_charge_kw",
    "discharge_kw_min": "least_discharge_kw",
}


def joined(fleets: Sequence[Fleet]) -> Fleet:
    """All sessions of some fleets, in order; drivers of one name and car are one.

    Raises
    ------
    ValueError
        Where one fleet tells of tapers or plugs and another does not.
    """
    columns = {
        field.name: _joined(fleets, field.name)
        for field in fields(Fleet)
        if field.name not in ("driver", "drivers")
    }
    cars = {
        field.name: np.concatenate([getattr(it.drivers, field.name)[it.driver] for it in fleets])
        for field in fields(Drivers)
    }
    return Fleet.of(driver=cars.pop("name"), **cars, **columns)


def _joined(fleets: Sequence[Fleet], name: str) -> object:
    """One column of all fleets; None where none tells of it."""
    parts = [getattr(fleet, name) for fleet in fleets]
    if all(part is None for part in parts):
        return None
    if name == "bounds":
        return _bounds(fleets)
    if any(isinstance(part, Taper) for part in parts):
        return _taper(parts)
    beyond = next(part.shape[1:] for part in parts if part is not None)
    return np.concatenate(
        [_column(fleet, name, beyond) if part is None else part
         for fleet, part in zip(fleets, parts, strict=True)]
    )  # fmt: skip


def _column(fleet: Fleet, name: str, beyond: tuple[int, ...]) -> Array:
    """A column that a fleet does not tell of, written out; ``beyond``: its shape but for rows."""
    if name in _STANDS_FOR:
        return np.asarray(getattr(fleet, _STANDS_FOR[name]))
    if name not in _UNTOLD:
        raise ValueError(f"one fleet tells of {name} and another does not: give it in both")
    return np.full((len(fleet), *beyond), _UNTOLD[name])


def _bounds(fleets: Sequence[Fleet]) -> SlotBounds:
    """Bounds by slot of all, none where a fleet has none."""
    width = next(it.bounds.charge_kw.shape[1] for it in fleets if it.bounds is not None)

    def column(name: str) -> Array:
        free = -np.inf if name == "least_kwh" else np.inf
        return np.concatenate(
            [np.full((len(it), width), free) if it.bounds is None else getattr(it.bounds, name)
             for it in fleets]
        )  # fmt: skip

    return SlotBounds(**{field.name: column(field.name) for field in fields(SlotBounds)})


def _taper(parts: Sequence[Taper | None]) -> Taper:
    """The curves of all."""
    told = [part for part in parts if part is not None]
    if len(told) < len(parts):
        raise ValueError("one fleet tells of tapers and another does not: give them in both")
    return Taper(
        **{f.name: np.concatenate([getattr(it, f.name) for it in told]) for f in fields(Taper)}
    )
