"""Where a dispatch begins: prices of limits, what hubs drew, and schedules, as one left them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from hubwise.domain import Schedule, StationSchedule
from hubwise.domain.arrays import Array, Names


@dataclass(frozen=True, slots=True)
class Multipliers:
    """Prices of the shared limits [currency/kWh].

    Parameters
    ----------
    row
        What each row of the feeder's limits is (see `Limits`); length rows.
    rows
        Of the feeder's limits; shape (rows, slots).
    imports, exports
        Of the hubs' own connections; shape (hubs, slots).
    lines
        Of circuits and phases (see `hubwise.domain.Lines`), negative where what flows back is
        limited; shape (lines, slots).
    """

    row: tuple[str, ...]
    rows: Array
    imports: Array
    exports: Array
    lines: Array

    def on(self, row: tuple[str, ...]) -> Array:
        """The prices of other rows, those of new ones begin at nothing; shape (len(row), slots)."""
        fitted = np.zeros((len(row), self.rows.shape[1]))
        for k, name in enumerate(row):
            if name in self.row:
                fitted[k] = self.rows[self.row.index(name)]
        return fitted


@dataclass(frozen=True, slots=True)
class WarmStart:
    """Where a dispatch begins.

    Parameters
    ----------
    multipliers
        Prices of the shared limits.
    hub_kw
        Hub net draw, near which the feeder is linear; shape (hubs, slots) [kW].
    session
        Whose schedules are known; shape (sessions,). None where the start is only near: at other
        prices, schedules are no longer among the cheapest.
    schedule, stations
        What those sessions, and the stations, did.
    """

    multipliers: Multipliers
    hub_kw: Array
    session: Names | None = None
    schedule: Schedule | None = None
    stations: StationSchedule | None = None

    def near(self) -> WarmStart:
        """The same without schedules, for other prices or other sessions."""
        return replace(self, session=None, schedule=None, stations=None)

    def shifted(self, slots: int, horizon: int | None = None) -> WarmStart:
        """The same ``slots`` later, on a horizon of so many slots: nothing is known of new ones.

        By default the horizon ends where it did.

        Raises
        ------
        ValueError
            Where either is below 0: nothing is known of what was before.
        """
        if slots < 0 or (horizon is not None and horizon < 0):
            raise ValueError(f"a start moves on by 0 or more slots, not {slots} to {horizon}")
        length = max(self.hub_kw.shape[1] - slots, 0) if horizon is None else horizon

        def later(values: Array) -> Array:
            kept = values[..., slots : slots + length]
            missing = length - kept.shape[-1]
            return np.pad(kept, [(0, 0)] * (values.ndim - 1) + [(0, missing)])

        return replace(
            self,
            multipliers=_each(self.multipliers, later),
            hub_kw=later(self.hub_kw),
            schedule=None if self.schedule is None else _each(self.schedule, later),
            stations=None if self.stations is None else _each(self.stations, later),
        )

    def check_fits(self, hubs: int, slots: int) -> None:
        """Refuse a start of other hubs or slots.

        Raises
        ------
        ValueError
            With both shapes, and what would be right.
        """
        if self.hub_kw.shape != (hubs, slots):
            mine = "{} hubs and {} slots".format(*self.hub_kw.shape)
            raise ValueError(
                f"the start is of {mine}, the problem of {hubs} and {slots}: shift it, or begin "
                "without one"
            )

    def write(self, path: str | Path) -> None:
        """Write to a file of numpy's format ``npz``."""
        arrays = {"row": np.array(self.multipliers.row), "hub_kw": self.hub_kw}
        arrays |= _named("multipliers", self.multipliers)
        if self.session is not None:
            arrays["session"] = self.session
        for name, part in (("schedule", self.schedule), ("stations", self.stations)):
            arrays |= {} if part is None else _named(name, part)
        with Path(path).open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)


def read_warm_start(path: str | Path) -> WarmStart:
    """Read what `WarmStart.write` wrote.

    Raises
    ------
    ValueError
        Where the file is no such thing, or not whole, or its parts do not belong together.
    """
    data = Path(path).read_bytes()
    try:
        with np.load(BytesIO(data), allow_pickle=False) as file:
            return _start_of({name: file[name] for name in file.files})
    except Exception as error:  # a damaged archive raises nearly anything, zlib's own among it
        raise ValueError(f"{path} is no warm start, or not whole: {error}") from error


def _start_of(arrays: dict[str, Any]) -> WarmStart:
    """The start that arrays are the parts of; KeyError or ValueError where they are none's."""
    row, hub_kw, session = arrays["row"], arrays["hub_kw"], arrays.get("session")
    hubs, slots = hub_kw.shape
    sizes = {
        "multipliers.rows": len(row),
        "multipliers.lines": len(arrays["multipliers.lines"]),
        "schedule": 0 if session is None else len(session),
    }
    for name in ("hub_kw", *(name for name in arrays if "." in name)):
        values = arrays[name]
        size = sizes.get(name, sizes.get(name.partition(".")[0], hubs))
        if values.dtype != np.float64 or values.shape != (size, slots):
            raise ValueError(f"{name} is no array of numbers of shape ({size}, {slots})")
        if not np.isfinite(values).all():
            raise ValueError(f"{name} holds what is no finite number")
    if session is not None and len(np.unique(session)) < len(session):
        raise ValueError("a session is there twice")
    near = Multipliers(tuple(row.tolist()), *_parts(arrays, "multipliers", _MULTIPLIERS))
    if session is None:
        return WarmStart(near, hub_kw)
    schedule = Schedule(*_parts(arrays, "schedule", _SCHEDULE))
    stations = StationSchedule(*_parts(arrays, "stations", _STATIONS))
    return WarmStart(near, hub_kw, session, schedule, stations)


_MULTIPLIERS = ("rows", "imports", "exports", "lines")
_SCHEDULE = tuple(field.name for field in fields(Schedule))
_STATIONS = ("charge_kw", "discharge_kw", "energy_kwh", "solar_kw")


Part = TypeVar("Part", Multipliers, Schedule, StationSchedule)


def _each(part: Part, change: Callable[[Array], Array]) -> Part:
    """The same record with every array changed."""
    values = {field.name: getattr(part, field.name) for field in fields(part)}
    changed = {k: change(v) for k, v in values.items() if isinstance(v, np.ndarray)}
    return replace(part, **changed)  # type: ignore[arg-type]


def _parts(arrays: dict[str, Array], name: str, keys: tuple[str, ...]) -> list[Array]:
    return [arrays[f"{name}.{key}"] for key in keys]


def _named(name: str, part: Multipliers | Schedule | StationSchedule) -> dict[str, Array]:
    values = {f"{name}.{field.name}": getattr(part, field.name) for field in fields(part)}
    return {key: value for key, value in values.items() if isinstance(value, np.ndarray)}
