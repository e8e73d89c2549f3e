"""Cell models as data: what each is of, where it was published, where it may be believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hubwise.domain.choices import WearPricing

_NREL_2023 = "https://doi.org/10.1016/j.est.2023.109042"


@dataclass(frozen=True, slots=True)
class Range:
    """Conditions that a cell was tested under; each pair is (lowest, highest).

    Parameters
    ----------
    temperature_c
        Temperature while cycling [°C].
    soc
        State of charge, as a share.
    depth
        Depth of the cycles, as a share of the capacity.
    charge_rate, discharge_rate
        Highest rates [1/h].
    """

    temperature_c: tuple[float, float]
    soc: tuple[float, float]
    depth: tuple[float, float]
    charge_rate: float
    discharge_rate: float


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell whose ageing was measured and published.

    Parameters
    ----------
    name
        What scenarios call it.
    chemistry
        ``LFP``, ``NMC``, ``NCA`` or ``LMO``.
    title
        What it is, in words.
    range
        Where its model may be believed.
    sources
        Where tests and model were published.
    """

    name: str
    chemistry: str
    title: str
    range: Range
    sources: tuple[str, ...]


CELLS: Mapping[str, Cell] = {
    cell.name: cell
    for cell in (
        Cell(
            "LFP-250Ah",
            "LFP",
            "large prismatic LFP-graphite cell, 250 Ah, of high energy density",
            Range((10.0, 45.0), (0.0, 1.0), (0.8, 1.0), 0.65, 1.0),
            (_NREL_2023,),
        ),
        Cell(
            "LFP-3Ah",
            "LFP",
            "cylindrical LFP-graphite cell, Sony-Murata, 3 Ah",
            Range((20.0, 40.0), (0.0, 1.0), (0.8, 1.0), 1.0, 2.0),
            (
                "https://doi.org/10.1016/j.est.2018.01.019",
                "https://doi.org/10.1016/j.jpowsour.2019.227666",
                "https://doi.org/10.1149/1945-7111/ac86a8",
            ),
        ),
        Cell(
            "NMC-75Ah",
            "NMC",
            "large NMC-graphite pouch cell, 75 Ah ('NMC-Gr A')",
            Range((10.0, 45.0), (0.0, 1.0), (0.8, 1.0), 2.0, 2.0),
            (_NREL_2023,),
        ),
        Cell(
            "NMC111-75Ah",
            "NMC",
            "NMC111-graphite pouch cell, Kokam, 75 Ah",
            Range((0.0, 45.0), (0.0, 1.0), (0.8, 1.0), 1.0, 1.0),
            ("https://doi.org/10.23919/ACC.2017.7963578",),
        ),
        Cell(
            "NMC811-3.5Ah",
            "NMC",
            "cylindrical NMC811 cell with graphite-silicon, LG MJ1, 3.5 Ah",
            Range((0.0, 50.0), (0.1, 0.9), (0.2, 0.8), 1.0, 3.0),
            (
                "https://everlasting-project.eu/wp-content/uploads/2020/03/"
                "EVERLASTING_D2.3_final_20200228.pdf",
            ),
        ),
        Cell(
            "NCA-3.2Ah",
            "NCA",
            "cylindrical NCA-graphite cell, Panasonic 18650B, 3.2 Ah",
            Range((15.0, 35.0), (0.0, 1.0), (0.8, 1.0), 0.5, 2.0),
            (
                "https://doi.org/10.1149/2.0411609jes",
                "https://doi.org/10.1149/1945-7111/abae37",
            ),
        ),
        Cell(
            "LMO-66Ah",
            "LMO",
            "LMO-graphite cell, Nissan Leaf, 66 Ah, in its second life",
            Range((20.0, 30.0), (0.0, 1.0), (0.8, 1.0), 1.0, 1.0),
            (
                "https://doi.org/10.1109/EEEIC/ICPSEUROPE54979.2022.9854784",
                "https://doi.org/10.1016/j.est.2020.101695",
            ),
        ),
    )
}
"""Every cell that has a model, by name."""


def standard_cells() -> dict[str, str]:
    """The cell that stands for a chemistry where a scenario names none: the first of `CELLS`."""
    found: dict[str, str] = {}
    for cell in CELLS.values():
        found.setdefault(cell.chemistry, cell.name)
    return found


@dataclass(frozen=True, slots=True)
class BatteryFacts:
    """What batteries are, cost and are expected to last, and how their wear is priced.

    Parameters
    ----------
    wear
        ``linear``: a kWh drawn costs the session's own ``wear_cost``. ``nonlinear``: it costs
        what the cell model finds for the schedule that this price causes.
    cells
        Which cell stands for each chemistry, as pairs (chemistry, name of the cell).
    pack_price
        What a new pack costs, as pairs (chemistry, price) [currency/kWh]; NaN where unknown.
    years
        How long the planned day is repeated: wear is an average over these years.
    end_of_life
        The share of its capacity at which a pack has lost its worth.
    """

    wear: WearPricing = WearPricing.LINEAR
    cells: tuple[tuple[str, str], ...] = field(default_factory=lambda: (*standard_cells().items(),))
    pack_price: tuple[tuple[str, float], ...] = ()
    years: float = 10.0
    end_of_life: float = 0.8
