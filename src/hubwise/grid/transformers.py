"""Every transformer of a day: the substation's, those of the network, and those of hubs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.domain import Feeder, Hubs
from hubwise.domain.arrays import Array
from hubwise.grid.state import FeederState
from hubwise.grid.transformer import (
    life_years,
    loss_of_life_by_rating,
    temperatures,
    thermal_model,
)

SUBSTATION = "substation transformer"


@dataclass(frozen=True, slots=True)
class TransformerDay:
    """What a day does to transformers; arrays have shape (transformers,).

    Parameters
    ----------
    name
        What to call each.
    rating_kva
        Rating [kVA].
    peak_loading
        Highest loading, as a share of the rating.
    hottest_c
        Highest temperature of the hottest spot of the winding [°C].
    life_days
        Days of normal insulation life that the horizon uses.
    life_years
        How long the insulation would last if every day were like this one.
    """

    name: tuple[str, ...]
    rating_kva: Array
    peak_loading: Array
    hottest_c: Array
    life_days: Array
    life_years: Array

    def rows(self) -> list[dict[str, float | str]]:
        """One mapping a transformer, as in ``summary.json``."""
        numbers = ("rating_kva", "peak_loading", "hottest_c", "life_days", "life_years")
        return [
            {"name": name} | {key: float(getattr(self, key)[k]) for key in numbers}
            for k, name in enumerate(self.name)
        ]


def transformer_day(
    feeder: Feeder, hubs: Hubs, state: FeederState, hub_kw: Array, slot_hours: float
) -> TransformerDay:
    """Loading, heat and insulation life of every transformer, NaN where a slot is unknown.

    Where phases are told apart it is the one that carries most that heats, in each slot. The
    substation transformer comes first: all at the head taken as one, as its limit is. Then
    those of the network, then those of hubs, which carry the hub's net power at unity power
    factor.

    Parameters
    ----------
    feeder, hubs
        Where the transformers stand.
    state
        The feeder under AC power flow.
    hub_kw
        Net draw of every hub; shape (hubs, slots) [kW].
    slot_hours
        Length of a slot [h].
    """
    branch = np.broadcast_to(feeder.rating_kva, len(feeder.from_bus))
    inner = np.flatnonzero(np.isfinite(branch))
    of_hub = np.broadcast_to(hubs.transformer_kva, len(hubs))
    own = np.flatnonzero(np.isfinite(of_hub))
    rating = np.concatenate([[feeder.transformer_kva], branch[inner], of_hub[own]])
    loading = np.vstack(
        [
            state.transformer_loading[None],
            state.heaviest_loading[inner],
            np.abs(hub_kw[own]) / of_hub[own, None],
        ]
    )
    hottest = [
        temperatures(row, slot_hours, feeder.ambient_c, thermal_model(kva)).hot_spot_c.max()
        for row, kva in zip(loading, rating, strict=True)
    ]
    used = loss_of_life_by_rating(loading, rating, slot_hours, feeder.ambient_c)
    days = loading.shape[1] * slot_hours / 24.0
    return TransformerDay(
        name=(
            SUBSTATION,
            *(feeder.branch_names[k] for k in inner),
            *(f"hub {hubs.name[k]}, transformer" for k in own),
        ),
        rating_kva=rating,
        peak_loading=loading.max(axis=1),
        hottest_c=np.array(hottest),
        life_days=used,
        life_years=life_years(used, days),
    )
