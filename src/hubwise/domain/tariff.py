"""Prices: what the operator posts, what it pays itself, and the rules both live under."""

from __future__ import annotations

from dataclasses import dataclass

from hubwise.domain.arrays import Array, Index
from hubwise.domain.choices import TariffFamily
from hubwise.domain.posting import Posting


@dataclass(frozen=True, slots=True)
class Tariff:
    """Posted prices at the charger (AC side).

    A row is a price list: row h that which hub h posts now, rows beyond the hubs those that
    sessions were offered before and keep to the end of their stays (``Fleet.lists``).

    Parameters
    ----------
    charge_price
        What a driver pays; shape (lists, slots) [currency/kWh].
    discharge_price
        What a driver is paid; shape (lists, slots) [currency/kWh].
    """

    charge_price: Array
    discharge_price: Array


@dataclass(frozen=True, slots=True)
class Market:
    """Prices that the operator takes as given; every array has shape (slots,).

    Parameters
    ----------
    purchase_price
        Paid for energy drawn at a grid connection [currency/kWh].
    feed_in_price
        Received for energy sold at a grid connection, never above the purchase price
        [currency/kWh].
    reference_price
        The reference tariff: what an uncoordinated driver pays [currency/kWh].
    demand_charge
        Paid once per billing period for each hub's highest import in it; of the period in which the
        horizon begins [currency/kW].
    demand_charge_by_month
        The same for a billing month, from January to December, where the months of a year differ
        [currency/kW]; empty where they do not.
    currency
        ISO 4217 code of every price.
    energy_left_price
        What energy left in batteries at the end is counted at, as bought at the charger
        [currency/kWh]; ``None`` for the lowest prices of the horizon (see `energy_left`).
    later_periods
        Billing periods that begin later in the horizon, in order: the first slot, and the demand
        charge [currency/kW], of each.
    """

    purchase_price: Array
    feed_in_price: Array
    reference_price: Array
    demand_charge: float = 0.0
    currency: str = ""
    energy_left_price: float | None = None
    demand_charge_by_month: tuple[float, ...] = ()
    later_periods: tuple[tuple[int, float], ...] = ()

    @property
    def sells_above(self) -> bool:
        """Whether energy sold brings more than energy bought costs, in any slot.

        What a hub pays then bends the wrong way: no program bounds it, and dispatch goes downhill
        from where it begins.
        """
        return bool((self.feed_in_price > self.purchase_price).any())

    @property
    def energy_left(self) -> tuple[float, float]:
        """What a kWh bought to be left is counted at, in cars and in stations [currency/kWh].

        As given, or the lowest price that each could be filled at: drivers at the reference tariff,
        stations at the purchase price; nothing where that is negative.
        """
        if self.energy_left_price is not None:
            return self.energy_left_price, self.energy_left_price
        lowest = (self.reference_price.min(), self.purchase_price.min())
        car, station = (max(float(price), 0.0) for price in lowest)
        return car, station


@dataclass(frozen=True, slots=True)
class PriceRules:
    """What a posted tariff may be.

    Parameters
    ----------
    charge_price_min, charge_price_max
        Bounds of the charge price; shape (slots,) [currency/kWh].
    discharge_price_min, discharge_price_max
        Bounds of the discharge price; shape (slots,) [currency/kWh].
    block
        The time-of-use block of each slot, 0, 1, ...; shape (slots,).
    block_names
        One name per block.
    average_cap
        Highest time-average of the charge price at any hub [currency/kWh]; ``inf`` for none.
    family
        Which slots share a price.
    decimals
        Posted prices are rounded to this many decimals.
    per_hub
        Whether each hub posts prices of its own.
    posting
        Rules that the operator has set itself beside; ``None`` for none.
    """

    charge_price_min: Array
    charge_price_max: Array
    discharge_price_min: Array
    discharge_price_max: Array
    block: Index
    block_names: tuple[str, ...]
    average_cap: float = float("inf")
    family: TariffFamily = TariffFamily.TIME_OF_USE
    decimals: int = 4
    per_hub: bool = False
    posting: Posting | None = None

    @property
    def own(self) -> Posting:
        """The rules that the operator has set itself; those that are not set bind nothing."""
        return self.posting or Posting()


@dataclass(frozen=True, slots=True)
class Promises:
    """What the operator promises to drivers and to the grid; ``inf`` where nothing is promised.

    Parameters
    ----------
    saving
        Participants' net cost, wear included, is together at most this share of their
        uncoordinated cost.
    peak_valley
        The feeder's peak-valley difference is at most this share of the uncoordinated one.
    counts_energy
        Whether what participants' cars leave with less, or more, than uncoordinated counts in what
        ``saving`` is about.
    equal_energy
        Whether every session leaves with no less than uncoordinated charging would leave it; its
        required energy then says so.
    ramp_kw
        The power at the feeder head changes by at most this much from one slot to the next [kW a
        quarter-hour]; ``None`` where nothing is promised.
    """

    saving: float = float("inf")
    peak_valley: float = float("inf")
    counts_energy: bool = False
    equal_energy: bool = False
    ramp_kw: float | None = None
