"""Sixty hubs drawn at random: small and large, of every kind of place, market, tariff and wish.

A number makes one scenario, always the same. It is written as files and read through the door, so
that what is wrong with it would be said there: ``python -m benchmarks.hubs FOLDER`` leaves them.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from benchmarks.hub_files import Sessions, write_hub
from hubwise.domain import Scenario
from hubwise.scenario import load

# Fewest cars, most cars, how many hubs of that size; hub numbers count through them.
SIZES = ((2, 10, 20), (10, 30, 15), (30, 100, 8), (100, 600, 12), (600, 3000, 5))
HUBS = sum(count for _, _, count in SIZES)
# A first look: some of every size.
QUICK = (0, 1, 2, 3, 20, 21, 22, 35, 36, 43, 44, 55)
PLACES = ("workplace", "street", "depot", "fast charging", "mixed")
MARKETS = ("market", "negative market", "two prices", "three prices", "flat")
FAMILIES = ("flat", "time-of-use", "hourly", "every-slot")
EFFICIENCIES = (0.9, 0.93, 0.95)
DAY_HOURS = 24
SEED = 9


@dataclass(frozen=True, slots=True)
class Place:
    """When cars come and go at one kind of place, and what they are.

    Parameters
    ----------
    arrival, stay
        Mean and standard deviation of the arrival on the clock, and of the stay [h].
    capacity_kwh, power_kw
        What batteries and plugs there are.
    arrives, leaves
        Lowest and highest state of charge at arrival, and asked for at departure.
    """

    arrival: tuple[float, float]
    stay: tuple[float, float]
    capacity_kwh: tuple[float, ...]
    power_kw: tuple[float, ...]
    arrives: tuple[float, float]
    leaves: tuple[float, float]


KINDS = {
    "workplace": Place((8.3, 1.0), (8.7, 1.2), (40, 60, 75), (7, 11, 22), (0.2, 0.7), (0.6, 0.95)),
    "street": Place((18.0, 2.0), (13.2, 2.0), (24, 40, 60), (3.7, 7, 11), (0.2, 0.7), (0.6, 0.9)),
    "depot": Place((17.5, 0.7), (12.5, 0.7), (80,), (22,), (0.15, 0.45), (0.8, 0.9)),
    "fast charging": Place(
        (14.5, 4.0), (0.7, 0.25), (60, 75, 90), (50, 100, 150), (0.1, 0.4), (0.5, 0.8)
    ),
}
# When the day begins, so that most stays lie on it.
BEGINS = {"workplace": 0, "street": 12, "depot": 12, "fast charging": 3, "mixed": 6}


@dataclass(frozen=True, slots=True)
class Traits:
    """What kind of hub it is; powers in kW, prices in EUR/kWh.

    Parameters
    ----------
    number, cars, hubs
        Its number, how many cars come, how many hubs they come to.
    place, minutes, begins
        Where it is, the length of a slot, and the hour at which the day begins.
    market, family, per_hub, decimals
        Whose prices the operator takes as given, and what may be posted.
    two_way, participation
        Shares of cars that can discharge, and that take part.
    solar, station, demand_charge, incentive
        Whether there are such.
    fuse, transformer
        Limits of connections and of the substation, as shares of all plugs; infinite for wide ones.
    saving, peak_valley
        What is promised; infinite for nothing.
    surplus, minimum
        Shares of drivers who value energy beyond what they ask for, and who want to save something.
    """

    number: int
    cars: int
    hubs: int
    place: str
    minutes: int
    begins: int
    market: str
    family: str
    per_hub: bool
    decimals: int
    two_way: float
    participation: float
    solar: bool
    station: bool
    demand_charge: float
    incentive: float
    fuse: float
    transformer: float
    saving: float
    peak_valley: float
    surplus: float
    minimum: float

    @property
    def slots(self) -> int:
        """Slots of the day."""
        return DAY_HOURS * 60 // self.minutes

    @property
    def words(self) -> str:
        """The hub in a line."""
        said = [f"{self.cars} cars", self.place, self.market, self.family, f"{self.minutes} min"]
        kinds = {
            "one-way": self.two_way == 0.0,
            "per hub": self.per_hub,
            "solar": self.solar,
            "station": self.station,
            "demand charge": self.demand_charge > 0.0,
            "incentive": self.incentive > 0.0,
            "fuse": np.isfinite(self.fuse),
            "transformer": np.isfinite(self.transformer),
            f"saving {self.saving:g}": np.isfinite(self.saving),
            f"peak-valley {self.peak_valley:g}": np.isfinite(self.peak_valley),
            "surplus": self.surplus > 0.0,
            "minimum saving": self.minimum > 0.0,
        }
        return ", ".join([*said, *(name for name, there in kinds.items() if there)])


def traits(number: int, *, cars: int | None = None) -> Traits:
    """What kind of hub a number draws; with ``cars`` another one, of so many cars.

    Raises
    ------
    ValueError
        If there is no hub of that number.
    """
    rng = np.random.default_rng([SEED, number, 0 if cars is None else cars])
    few, most = _sizes(number) if cars is None else (cars, cars)
    size = round(float(np.exp(rng.uniform(np.log(few), np.log(most)))))
    place = str(rng.choice(PLACES))
    minutes = int(rng.choice([5, 15, 30, 60], p=[0.1, 0.4, 0.2, 0.3]))
    hubs = 1 + int(rng.integers(0, 4)) if size >= 8 else 1 + int(rng.random() < 0.15)
    drawn = Traits(
        number=number,
        cars=size,
        hubs=hubs,
        place=place,
        minutes=min(minutes, 15) if place == "fast charging" else minutes,
        begins=BEGINS[place],
        market=str(rng.choice(MARKETS)),
        family=str(rng.choice(FAMILIES)),
        per_hub=hubs > 1 and bool(rng.random() < 0.4),
        decimals=int(rng.choice([2, 3, 4])),
        two_way=float(rng.choice([0.0, 0.5, 1.0], p=[0.25, 0.3, 0.45])),
        participation=float(rng.choice([1.0, round(rng.uniform(0.2, 1.0), 2)])),
        **_conditions(rng),
    )
    # Somebody takes part.
    return replace(drawn, participation=max(drawn.participation, min(1.0, 2.0 / size)))


def _conditions(rng: Generator) -> dict[str, Any]:
    """Which limits, promises and wishes there are."""

    def some(share: float, value: float, otherwise: float = 0.0) -> float:
        return value if rng.random() < share else otherwise

    drawn = {
        "demand_charge": some(0.25, round(rng.uniform(0.05, 0.5), 2)),
        "incentive": some(0.25, round(rng.uniform(0.02, 0.3), 2)),
        "fuse": some(0.35, rng.uniform(0.35, 0.8), np.inf),
        "transformer": some(0.35, rng.uniform(0.4, 0.9), np.inf),
        "saving": some(0.5, round(rng.uniform(0.75, 1.0), 2), np.inf),
        "peak_valley": some(0.4, round(rng.uniform(0.75, 1.0), 2), np.inf),
        "surplus": some(0.25, rng.uniform(0.2, 1.0)),
        "minimum": some(0.25, rng.uniform(0.2, 1.0)),
    }
    return {"solar": bool(rng.random() < 0.4), "station": bool(rng.random() < 0.4), **drawn}


def _sizes(number: int) -> tuple[int, int]:
    after = 0
    for few, most, count in SIZES:
        after += count
        if 0 <= number < after:
            return few, most
    raise ValueError(f"there are hubs 0 to {HUBS - 1}, not {number}")


def hub(number: int, *, cars: int | None = None) -> Scenario:
    """The scenario of a number; with ``cars`` another one, of so many cars.

    Raises
    ------
    ValueError
        If there is no hub of that number.
    hubwise.scenario.ScenarioError
        If the door refuses it: no number does that.
    """
    with tempfile.TemporaryDirectory() as place:
        write(number, Path(place), cars=cars)
        return replace(load(place), source=f"hub-{number}")


def write(number: int, folder: Path, *, cars: int | None = None) -> Traits:
    """Write the files of a hub's scenario into an empty folder."""
    drawn = traits(number, cars=cars)
    rng = np.random.default_rng([SEED, number, 1, 0 if cars is None else cars])
    write_hub(folder, drawn, _sessions(drawn, rng), purchase_prices(drawn, rng), rng)
    return drawn


def purchase_prices(drawn: Traits, rng: Generator) -> NDArray[np.float64]:
    """Purchase prices by the hour; shape (24,) [EUR/kWh]."""
    clock = (drawn.begins + np.arange(DAY_HOURS)) % DAY_HOURS
    if drawn.market.endswith("market"):
        evening, noon = rng.uniform(0.05, 0.2), rng.uniform(0.02, 0.12)
        price = 0.1 + evening * np.exp(-(((clock - 19.0) / 2.5) ** 2))
        price -= noon * np.exp(-(((clock - 13.0) / 3.0) ** 2))
        price += 0.5 * evening * np.exp(-(((clock - 8.0) / 1.5) ** 2))
        price += rng.normal(0.0, 0.012, DAY_HOURS)
        if drawn.market.startswith("negative"):
            depth = price.min() + rng.uniform(0.01, 0.08)
            price -= depth * np.exp(-(((clock - 13.0) / 3.0) ** 2))
        rounded: NDArray[np.float64] = np.round(price, 5)
        return rounded
    levels = np.round(np.sort(rng.uniform(0.05, 0.4, 3)), 3).astype(np.float64)
    if drawn.market == "flat":
        return np.full(DAY_HOURS, levels[1])
    night, evening_hours = (clock >= 22) | (clock < 7), (clock >= 17) & (clock < 22)
    day = 1 if drawn.market == "three prices" else 2
    at: NDArray[np.int64] = np.where(night, 0, np.where(evening_hours, 2, day))
    return levels[at]


def _sessions(drawn: Traits, rng: Generator) -> Sessions:
    """Sessions on whole slots, each with time enough for what it asks for."""
    names = list(KINDS) if drawn.place == "mixed" else [drawn.place]
    kinds = [KINDS[str(rng.choice(names))] for _ in range(drawn.cars)]
    power = np.array([rng.choice(kind.power_kw) for kind in kinds])
    capacity = np.array([rng.choice(kind.capacity_kwh) for kind in kinds], dtype=float)
    first, last = _stays(drawn, kinds, rng)
    hours = (last - first) * drawn.minutes / 60.0
    charge_eff = rng.choice(EFFICIENCIES, drawn.cars)
    at_arrival = capacity * np.array([rng.uniform(*kind.arrives) for kind in kinds])
    asked = capacity * np.array([rng.uniform(*kind.leaves) for kind in kinds])
    asked = np.minimum(asked, at_arrival + 0.95 * hours * power * charge_eff)
    two_way = rng.random(drawn.cars) < drawn.two_way
    values = rng.random(drawn.cars) < drawn.surplus
    wants = rng.random(drawn.cars) < drawn.minimum
    limited = rng.random(drawn.cars) < rng.choice([0.0, 0.3])
    return Sessions(
        hub=rng.integers(0, drawn.hubs, drawn.cars),
        first=first,
        last=last,
        capacity_kwh=capacity,
        arrival_kwh=np.round(at_arrival, 2),
        required_kwh=np.maximum(np.round(asked - 0.005, 2), 0.0),
        reserve_kwh=np.round(0.1 * capacity, 2),
        max_kwh=capacity,
        charge_kw_max=power,
        discharge_kw_max=np.where(two_way, power, 0.0),
        charge_efficiency=charge_eff,
        discharge_efficiency=rng.choice(EFFICIENCIES, drawn.cars),
        wear_cost=np.round(rng.uniform(0.01, 0.09, drawn.cars), 3),
        surplus_value=np.where(values, np.round(rng.uniform(0.02, 0.4, drawn.cars), 3), 0.0),
        minimum_saving=np.where(wants, np.round(rng.uniform(0.05, 1.5, drawn.cars), 2), 0.0),
        discharge_limit_kwh=np.where(limited, np.round(0.2 * capacity, 1), np.inf),
    )


def _stays(
    drawn: Traits, kinds: Sequence[Place], rng: Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First slot of every stay, and the first after it; one slot at least, on the day."""
    arrival = np.array([rng.normal(*kind.arrival) for kind in kinds])
    stay = np.array([rng.normal(*kind.stay) for kind in kinds])
    per_hour = 60.0 / drawn.minutes
    begun = (arrival - drawn.begins) % DAY_HOURS
    first = np.floor(begun * per_hour).astype(np.int64).clip(0, drawn.slots - 1)
    slots = np.maximum(np.round(stay * per_hour), 1).astype(np.int64)
    return first, np.minimum(first + slots, drawn.slots)


def main() -> None:
    """Write the folders of all hubs, or of those that are named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hubs", description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("number", type=int, nargs="*", default=range(HUBS))
    options = parser.parse_args()
    for number in options.number:
        place = options.folder / f"hub-{number:02}"
        place.mkdir(parents=True)
        print(f"{place}: {write(number, place).words}")


if __name__ == "__main__":
    main()
