"""How a driver wants a stay's energy."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """How a driver wants a stay's energy: as it pays, without giving any back, or at once."""

    AS_IT_PAYS = "as_it_pays"
    ONLY_CHARGE = "only_charge"
    CHARGE_NOW = "charge_now"
