"""Terms: what a kWh is worth beyond the price list, to drivers and to the operator."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import reduce

import numpy as np

from hubwise.domain.arrays import Array


@dataclass(frozen=True, slots=True)
class Term:
    """One source of money beside the price list: a program, an incentive, a contract.

    Groups are groups of sessions (``Fleet.groups``).

    Parameters
    ----------
    source
        Who pays, or is paid: an account line of its own.
    charge_to_driver, discharge_to_driver
        Received by a participating driver for a kWh charged, or discharged, at the charger; shape
        (groups, slots) [currency/kWh].
    charge_to_operator, discharge_to_operator
        The same, received by the operator.
    lump_to_driver, lump_to_operator
        Received once for a session that takes part; shape (groups,) [currency].
    """

    source: str
    charge_to_driver: Array
    discharge_to_driver: Array
    charge_to_operator: Array
    discharge_to_operator: Array
    lump_to_driver: Array
    lump_to_operator: Array

    @classmethod
    def of(cls, source: str, groups: int, slots: int, **worth: Array | float) -> Term:
        """A term of which only some parts are not nothing; numbers hold for all groups and slots.

        Parameters
        ----------
        source
            As above.
        groups, slots
            How many there are.
        worth
            Any of the other fields.
        """
        shapes = {
            field.name: (groups,) if field.name.startswith("lump") else (groups, slots)
            for field in fields(cls)
            if field.name != "source"
        }
        filled = {
            name: np.broadcast_to(np.asarray(worth.pop(name, 0.0), dtype=float), shape).copy()
            for name, shape in shapes.items()
        }
        if worth:
            raise TypeError(f"a term has no {sorted(worth)[0]!r}")
        return cls(source, **filled)


@dataclass(frozen=True, slots=True)
class TermSums:
    """What a kWh is worth beside the price list, all terms together; (groups + 1, slots).

    The last group's terms are nothing: it is that of whatever no term is about.

    Parameters
    ----------
    charge, discharge
        For a kWh charged, or discharged, to driver and operator together [currency/kWh].
    charge_to_driver, discharge_to_driver
        To the driver alone [currency/kWh].
    """

    charge: Array
    discharge: Array
    charge_to_driver: Array
    discharge_to_driver: Array

    @property
    def rest(self) -> int:
        """The group whose terms are nothing."""
        return len(self.charge) - 1

    @property
    def felt(self) -> bool:
        """Whether drivers receive anything."""
        return bool(self.charge_to_driver.any() or self.discharge_to_driver.any())


@dataclass(frozen=True, slots=True)
class Terms:
    """All terms of a situation; kernels know their sums and not their names."""

    parts: tuple[Term, ...] = ()

    @property
    def groups(self) -> int:
        """How many groups they tell apart."""
        return len(self.parts[0].lump_to_driver) if self.parts else 1

    def total(self, name: str, slots: int) -> Array:
        """The sum of a field over all terms; shape (groups, slots), or (groups,) of lump sums."""
        shape = (self.groups,) if name.startswith("lump") else (self.groups, slots)
        values: list[Array] = [getattr(part, name) for part in self.parts]
        return reduce(np.add, values) if values else np.zeros(shape)

    def on_discharging(self, slots: int) -> Array:
        """The most that the operator receives for a kWh discharged; (slots,) [currency/kWh]."""
        most: Array = self.total("discharge_to_operator", slots).max(axis=0)
        return most

    def sums(self, slots: int) -> TermSums:
        """The sums that kernels and drivers know."""

        def with_rest(*names: str) -> Array:
            total = reduce(np.add, [self.total(name, slots) for name in names])
            return np.concatenate([total, np.zeros((1, slots))])

        return TermSums(
            charge=with_rest("charge_to_operator", "charge_to_driver"),
            discharge=with_rest("discharge_to_operator", "discharge_to_driver"),
            charge_to_driver=with_rest("charge_to_driver"),
            discharge_to_driver=with_rest("discharge_to_driver"),
        )

    @classmethod
    def on_discharge(cls, source: str, price: Array) -> Terms:
        """The operator receives ``price`` (slots,) for every kWh that participants discharge."""
        return cls((Term.of(source, 1, len(price), discharge_to_operator=price),))
