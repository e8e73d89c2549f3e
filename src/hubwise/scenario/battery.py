"""``[battery]``: which cells, what packs cost, how wear is priced; and what leaves the tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from hubwise.domain import CELLS, BatteryFacts, Fleet, WearPricing, standard_cells
from hubwise.domain.errors import did_you_mean
from hubwise.scenario.files import BatterySection
from hubwise.scenario.identity import unpriced
from hubwise.scenario.reading import TOML, Reader

# Price of a pack in 2025, by BloombergNEF's Lithium-Ion Battery Price Survey of December 2025:
# averages over all uses of LFP and of NMC [USD/kWh]. That others cost what NMC does is assumed.
PACK_PRICE_USD = {"LFP": 81.0, "NMC": 128.0, "NCA": 128.0, "LMO": 128.0}
# Rounded mean rates of 2025 [currency/USD]; assumed.
PER_USD = {
    "USD": 1.0, "EUR": 0.89, "CNY": 7.2, "GBP": 0.76, "CHF": 0.83, "SEK": 9.8, "NOK": 10.4,
    "DKK": 6.6, "AUD": 1.55, "CAD": 1.40, "INR": 87.0, "JPY": 150.0, "KRW": 1420.0,
}  # fmt: skip


def read_battery(
    section: BatterySection | None, currency: str, fleet: Fleet, reader: Reader
) -> BatteryFacts:
    """What ``[battery]`` says, and its defaults; every mistake in it is noted."""
    said = section or BatterySection()
    known = standard_cells()
    for chemistry, cell in said.cells.items():
        _check_chemistry("battery.cells", chemistry, known, reader)
        names = [c.name for c in CELLS.values() if c.chemistry == chemistry]
        if chemistry in known and cell not in names:
            wrong, right = (
                f"{cell!r} is no {chemistry} cell with a model",
                did_you_mean(cell, names),
            )
            reader.wrong(TOML, "battery.cells", chemistry, wrong, right)
    for chemistry in said.pack_price:
        _check_chemistry("battery.pack_price", chemistry, known, reader)
    rate = PER_USD.get(currency, float("nan"))
    prices = {name: usd * rate for name, usd in PACK_PRICE_USD.items()} | dict(said.pack_price)
    unknown = sorted({str(name) for name in fleet.chemistry if np.isnan(prices.get(name, np.nan))})
    if said.wear == WearPricing.NONLINEAR and unknown:
        reader.issues.append(unpriced(unknown, currency))
    return BatteryFacts(
        wear=said.wear,
        cells=tuple((known | dict(said.cells)).items()),
        pack_price=tuple(prices.items()),
        years=said.years,
        end_of_life=said.end_of_life,
    )


def _check_chemistry(where: str, name: str, known: Mapping[str, str], reader: Reader) -> None:
    if name not in known:
        reader.wrong(TOML, where, name, "is not a known chemistry", did_you_mean(name, known))


def untested_conditions(facts: BatteryFacts, fleet: Fleet) -> tuple[str, ...]:
    """A note for each cell that the fleet takes to temperatures or rates it was not tested at."""
    cells = dict(facts.cells)
    return tuple(
        note
        for chemistry in np.unique(fleet.chemistry)
        for note in _notes(cells[str(chemistry)], fleet.select(fleet.chemistry == chemistry))
    )


def _notes(cell: str, fleet: Fleet) -> Iterator[str]:
    tested = CELLS[cell].range
    into = fleet.charge_kw_max * fleet.charge_efficiency / fleet.capacity_kwh
    out = fleet.discharge_kw_max / fleet.discharge_efficiency / fleet.capacity_kwh
    for what, found, (low, high), unit in (
        ("temperature_c", fleet.temperature_c, tested.temperature_c, "°C"),
        ("charge_kw_max", into, (0.0, tested.charge_rate), "C"),
        ("discharge_kw_max", out, (0.0, tested.discharge_rate), "C"),
    ):
        outside = (found < low) | (found > high + 1e-9)
        if outside.any():
            yield (
                f"{what}: {int(outside.sum())} of {len(fleet)} {CELLS[cell].chemistry} sessions "
                f"are at {found[outside].min():.3g} to {found[outside].max():.3g} {unit}, but the "
                f"model of {cell} was made from tests at {low:g} to {high:g} {unit}: their "
                "nonlinear wear and fade will be extrapolated"
            )
