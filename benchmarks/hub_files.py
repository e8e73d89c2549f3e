"""The files of a drawn hub's scenario."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

if TYPE_CHECKING:
    from benchmarks.hubs import Traits

ZONE = "Europe/Amsterdam"
DAY = datetime(2025, 5, 14, tzinfo=ZoneInfo(ZONE))
# Blocks of the time-of-use family, where the market has none of its own.
NAMES = ("night", "day", "evening")
Prices = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sessions:
    """Columns of the table of sessions, named as there; stays in slots; shape (cars,) each."""

    hub: Any
    first: Any
    last: Any
    capacity_kwh: Any
    arrival_kwh: Any
    required_kwh: Any
    reserve_kwh: Any
    max_kwh: Any
    charge_kw_max: Any
    discharge_kw_max: Any
    charge_efficiency: Any
    discharge_efficiency: Any
    wear_cost: Any
    surplus_value: Any
    minimum_saving: Any
    discharge_limit_kwh: Any


def write_hub(
    folder: Path, drawn: Traits, sessions: Sessions, purchase: Prices, rng: Generator
) -> None:
    """Write a scenario's folder; ``purchase`` of every hour, shape (24,) [EUR/kWh]."""
    plugs = float(sessions.charge_kw_max.sum())
    load = max(plugs * rng.uniform(0.15, 0.6), 5.0)
    begin = DAY + timedelta(hours=drawn.begins)
    hours = [begin.astimezone(UTC) + timedelta(hours=k) for k in range(24)]
    _table(folder, "prices", "start_utc,price", (
        (f"{moment:%Y-%m-%dT%H:%MZ}", f"{price:.5f}")
        for moment, price in zip(hours, purchase, strict=True)
    ))  # fmt: skip
    shape = 0.4 + 0.35 * np.exp(-(((np.arange(24) - 19.0) / 3.0) ** 2)) + rng.uniform(0, 0.2, 24)
    shine = np.maximum(np.sin((np.arange(24) - 6.0) / 14.0 * np.pi), 0.0) * (np.arange(24) < 20)
    for name, share in (("load_shape", shape), ("solar_shape", shine)):
        rows = ((k, f"{value:.4f}") for k, value in enumerate(share))
        _table(folder, name, "hour,share", rows)
    _write_feeder(folder, drawn, plugs, load)
    _write_sessions(folder, drawn, sessions, begin)
    text = _scenario(drawn, sessions, purchase, load, rng)
    (folder / "scenario.toml").write_text(text, encoding="utf-8")


def _table(folder: Path, name: str, head: str, rows: Iterable[Iterable[object]]) -> None:
    lines = [head, *(",".join(map(str, row)) for row in rows)]
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_feeder(folder: Path, drawn: Traits, plugs: float, load: float) -> None:
    """A line of buses, one a hub; at full load its voltage falls by some per cent."""
    kv, most = _kilovolts(drawn), plugs + load
    ohm = 0.02 / drawn.hubs * kv**2 * 1000.0 / most
    ampere = 1.5 * most / (np.sqrt(3.0) * kv)
    ends = range(1, drawn.hubs + 1)
    branches = ((k, k + 1, f"{ohm:.6g}", f"{0.5 * ohm:.6g}", f"{ampere:.1f}") for k in ends)
    _table(folder, "branches", "from_bus,to_bus,r_ohm,x_ohm,ampacity_a", branches)
    each = load / drawn.hubs
    buses = [(1, 0, 0), *((k + 1, f"{each:.3f}", f"{0.3 * each:.3f}") for k in ends)]
    _table(folder, "buses", "bus,kw,kvar", buses)


def _kilovolts(drawn: Traits) -> float:
    return 0.4 if drawn.cars < 30 else 10.0


def _write_sessions(folder: Path, drawn: Traits, sessions: Sessions, begin: datetime) -> None:
    def clock(slot: int) -> str:
        return f"{begin + timedelta(minutes=int(slot) * drawn.minutes):%Y-%m-%d %H:%M}"

    names = [field.name for field in fields(Sessions)][3:]
    head = ",".join(["session,driver,hub,arrival,departure,chemistry", *names])
    columns = [getattr(sessions, name).tolist() for name in names]
    rows = (
        (
            f"s{k:04}", f"d{k:04}", f"h{sessions.hub[k]}",
            clock(sessions.first[k]), clock(sessions.last[k]), ("LFP", "NMC")[k % 2],
            *(column[k] for column in columns),
        )
        for k in range(drawn.cars)
    )  # fmt: skip
    _table(folder, "sessions", head, rows)


def _scenario(
    drawn: Traits, sessions: Sessions, purchase: Prices, load: float, rng: Generator
) -> str:
    plugs = float(sessions.charge_kw_max.sum())
    wide = 3.0 * (plugs + load)
    transformer = load + plugs * drawn.transformer if np.isfinite(drawn.transformer) else wide
    parts = [
        f'name = "hub {drawn.number}"\ncurrency = "EUR"\n'
        f"participation = {drawn.participation}\nnotes = [{_quoted(drawn.words)}]",
        f'[horizon]\nday = 2025-05-14\nstart = {drawn.begins:02}:00:00\nzone = "{ZONE}"\n'
        f"slot_minutes = {drawn.minutes}",
        "[search]\nseed = 1",
        '[feeder]\nbuses = "buses.csv"\nbranches = "branches.csv"\n'
        f'load_shape = "load_shape.csv"\nsource_bus = 1\nnominal_kv = {_kilovolts(drawn)}\n'
        "voltage_min_pu = 0.9\nvoltage_max_pu = 1.1\n"
        f"transformer_kva = {transformer:.2f}",
        *(_hub(drawn, sessions, k, rng) for k in range(drawn.hubs)),
        '[solar]\nshape = "solar_shape.csv"',
        *_prices(drawn, purchase, rng),
        *_promises(drawn),
        '[sessions]\nfile = "sessions.csv"\n',
    ]
    return "\n\n".join(parts)


def _quoted(text: str) -> str:
    return f'"{text}"'


def _hub(drawn: Traits, sessions: Sessions, k: int, rng: Generator) -> str:
    plugs = float(sessions.charge_kw_max[sessions.hub == k].sum())
    limit = max(plugs * drawn.fuse, 5.0) if np.isfinite(drawn.fuse) else 10.0 * plugs + 1000.0
    lines = [
        f'[[hubs]]\nname = "h{k}"\nbus = {k + 2}',
        f"import_limit_kw = {limit:.2f}\nexport_limit_kw = {limit:.2f}",
        f"running_cost = {rng.uniform(0.0, 0.05) * drawn.cars / drawn.hubs:.2f}",
    ]
    if drawn.solar:
        lines.append(f"solar_kw = {max(plugs * rng.uniform(0.1, 0.5), 2.0):.2f}")
    if drawn.station:
        power = max(plugs * rng.uniform(0.05, 0.2), 2.0)
        lines.append(
            f"battery_kw = {power:.2f}\nbattery_kwh = {2.5 * power:.2f}\n"
            f"battery_charge_efficiency = 0.95\nbattery_discharge_efficiency = 0.95\n"
            f"battery_initial_kwh = {power:.2f}\nbattery_wear_cost = 0.02\n"
            f"lease_cost = {0.03 * power:.2f}"
        )
    return "\n".join(lines)


def _prices(drawn: Traits, purchase: Prices, rng: Generator) -> tuple[str, str]:
    """What the operator takes as given, and what it may post."""
    fee = round(float(rng.uniform(0.02, 0.25)), 2)
    given = (
        '[prices]\nseries = "prices.csv"\nfeed_in = "purchase"\n'
        f"feed_in_fee = {rng.choice([0.0, 0.01, 0.05])}\nservice_fee = {fee}\n"
        f"demand_charge = {drawn.demand_charge}"
    )
    if drawn.incentive:
        given += f'\n[[prices.incentives]]\nhours = ["17:00-21:00"]\nprice = {drawn.incentive}'
    least = min(float(purchase.min()) + fee, 0.0)
    # Low enough that going in a circle never pays, whatever is lost on the way.
    low = np.floor(130.0 * least) / 100.0
    high = np.ceil(100.0 * (float(purchase.max()) + fee + rng.uniform(0.0, 0.3))) / 100.0
    rules = (
        f'[rules]\nfamily = "{drawn.family}"\nper_hub = {str(drawn.per_hub).lower()}\n'
        f'charge_price_min = {low}\ncharge_price_max = "reference"\n'
        f"discharge_price_min = {low}\ndischarge_price_max = {high}\ndecimals = {drawn.decimals}"
    )
    windows = (("22:00-07:00",), ("07:00-17:00",), ("17:00-22:00",))
    blocks = (_block(name, hours) for name, hours in zip(NAMES, windows, strict=True))
    return given, "\n".join([rules, *blocks])


def _block(name: str, hours: Sequence[str]) -> str:
    return f'[[rules.blocks]]\nname = "{name}"\nhours = [{", ".join(map(_quoted, hours))}]'


def _promises(drawn: Traits) -> list[str]:
    said = {"saving": drawn.saving, "peak_valley": drawn.peak_valley}
    kept = [f"{name} = {share}" for name, share in said.items() if np.isfinite(share)]
    return ["\n".join(["[promises]", *kept])] if kept else []
