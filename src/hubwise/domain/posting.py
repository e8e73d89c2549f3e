"""What a tariff on a sign may look like, beyond bounds and a family."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Cap(StrEnum):
    """How posted prices keep everybody no worse off than on the reference tariff.

    In every slot, in every slot with cars, or over every stay.
    """

    SLOT = "slot"
    OCCUPIED = "occupied"
    STAY = "stay"


@dataclass(frozen=True, slots=True)
class Posting:
    """Rules that an operator may set itself; as they stand here none is set.

    Parameters
    ----------
    charge_at_least_purchase
        Whether the charge price is at least the purchase price in every slot with cars.
    discharge_at_most_charge
        Whether the discharge price is at most the charge price in every slot.
    step_max
        Most that either price changes by from one slot to the next [currency/kWh].
    levels_max
        Most different charge prices, and most different discharge prices, that a hub posts.
    changes_max
        Most often that a hub changes its prices within the horizon.
    keeps_order
        Whether a slot of a higher purchase price never has a lower charge price.
    fills_empty
        Whether groups of slots without cars post what the nearest slot with cars does.
    cap
        Where the reference tariff is the highest charge price.
    """

    charge_at_least_purchase: bool = False
    discharge_at_most_charge: bool = False
    step_max: float = float("inf")
    levels_max: float = float("inf")
    changes_max: float = float("inf")
    keeps_order: bool = False
    fills_empty: bool = False
    cap: Cap = Cap.SLOT

    @property
    def set_rules(self) -> dict[str, object]:
        """The rules that are set, by name, and to what; in their order here."""
        none = asdict(Posting())
        return {name: said for name, said in asdict(self).items() if said != none[name]}

    def without(self, name: str) -> Posting:
        """The same with one rule not set."""
        return Posting(**(asdict(self) | {name: asdict(Posting())[name]}))
