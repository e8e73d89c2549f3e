"""Values that are possible and hardly ever meant: a unit forgotten, a percentage for a share."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hubwise.domain import Feeder, Fleet, Hubs, Market, PriceRules, Promises
from hubwise.domain.arrays import Array

# What a euro is worth, to the first digit: prices are usual or not at any of these.
_A_EURO = {
    "EUR": 1.0, "USD": 1.0, "GBP": 1.0, "CHF": 1.0, "AUD": 2.0, "CAD": 2.0, "NZD": 2.0,
    "BRL": 6.0, "CNY": 8.0, "DKK": 7.0, "NOK": 12.0, "SEK": 11.0, "PLN": 4.0, "CZK": 25.0,
    "ZAR": 20.0, "INR": 90.0, "JPY": 160.0, "HUF": 400.0, "KRW": 1500.0,
}  # fmt: skip
# The most that is usual of each price [EUR/kWh, of a demand charge EUR/kW and day].
_PURCHASE, _TINY, _FEE, _WEAR, _DEMAND = 2.0, 0.002, 1.0, 1.0, 2.0
_DAYS = 30
_SHARE = 2.0  # a promise above twice the uncoordinated day promises nothing


def unusual_prices(
    market: Market, fee: float, currency: str, *, several: bool = False
) -> Iterator[str]:
    """A sentence for each price that is far from what is usual; none in rare currencies.

    Parameters
    ----------
    market
        Prices [currency/kWh] and the demand charge [currency/kW].
    fee
        What the reference tariff adds to the purchase price [currency/kWh].
    currency
        ISO 4217 code.
    several
        Whether there are several days: demand is then charged for by month.
    """
    if currency not in _A_EURO:
        return
    euro, unit = _A_EURO[currency], f"{currency}/kWh"
    highest = float(np.abs(market.purchase_price).max())
    if highest > _PURCHASE * euro:
        yield _said(
            "prices", highest, unit, f"up to {_PURCHASE * euro:g}", 'is the unit "MWh" forgotten?'
        )
    elif 0.0 < highest < _TINY * euro:
        why = 'is the unit "kWh", and not "MWh"?'
        yield _said("prices", highest, unit, f"{_TINY * euro:g} and more at some hour", why)
    if abs(fee) > _FEE * euro:
        yield _said("prices.service_fee", fee, unit, f"up to {_FEE * euro:g}", "is it per kWh?")
    charge = max((market.demand_charge, *market.demand_charge_by_month))
    most = _DEMAND * euro * (_DAYS if several else 1)
    if charge > most:
        why = (
            "it is paid once a calendar month; is it for a year?"
            if several
            else "it is paid in full for the highest import of this one day; a month's charge is "
            "to be divided by the days of the month"
        )
        yield _said("prices.demand_charge", charge, f"{currency}/kW", f"up to {most:g}", why)


def unusual_rules(rules: PriceRules, promises: Promises, currency: str) -> Iterator[str]:
    """A sentence for each bound and promise that bounds and promises nothing."""
    highest = float(rules.discharge_price_max.max())
    most = 5.0 * _PURCHASE * _A_EURO.get(currency, np.inf)
    if np.isfinite(highest) and highest > most:
        unit = f"{currency}/kWh"
        yield _said("rules.discharge_price_max", highest, unit, f"up to {most:g}", "is it per kWh?")
    for name in ("saving", "peak_valley"):
        share = float(getattr(promises, name))
        if _SHARE < share < np.inf:
            why = f"it is a share: write {share:g} % as {share / 100.0:g}"
            yield _said(f"promises.{name}", share, "", "0.5 to 1", why)


def unusual_sizes(fleet: Fleet, hubs: Hubs, feeder: Feeder | None, currency: str) -> Iterator[str]:
    """A sentence for each kind of size that is far from what is usual, with how many are.

    ``feeder`` is ``None`` where nobody told of one.
    """
    rating = np.zeros(0) if feeder is None else np.atleast_1d(feeder.transformer_kva)
    loads = np.zeros(0) if feeder is None else np.abs(feeder.at_nominal_kw).max(axis=1)
    some = hubs.battery_kwh > 0.0
    for name, values, (low, high), unit, why in (
        ("capacity_kwh", fleet.capacity_kwh, (1.0, 1500.0), "kWh", "is it in Wh?"),
        ("charge_kw_max", fleet.charge_kw_max, (0.5, 4000.0), "kW", "is it in W?"),
        ("discharge_kw_max", fleet.discharge_kw_max, (0.0, 4000.0), "kW", "is it in W?"),
        ("import_limit_kw", hubs.import_limit_kw, (1.0, 1e5), "kW", "is it in W?"),
        ("export_limit_kw", hubs.export_limit_kw, (0.0, 1e5), "kW", "is it in W?"),
        ("solar_kw", hubs.solar_kw.max(axis=1, initial=0.0), (0.0, 1e5), "kW", "is it in W?"),
        ("battery_kw", hubs.battery_kw, (0.0, 1e5), "kW", "is it in W?"),
        ("battery_kwh", hubs.battery_kwh[some], (0.5, 5e5), "kWh", "is it in Wh?"),
        ("transformer_kva", rating, (5.0, 5e5), "kVA", "is it in VA?"),
        ("load", loads, (0.0, 1e5), "kW", "is it in W?"),
    ):
        yield from _outside(name, np.asarray(values, dtype=float), (low, high), unit, why)
    if currency in _A_EURO:
        most, unit = _WEAR * _A_EURO[currency], f"{currency}/kWh"
        yield from _outside("wear_cost", fleet.wear_cost, (0.0, most), unit, "is it per kWh?")


def _outside(
    name: str, values: Array, usual: tuple[float, float], unit: str, why: str
) -> Iterator[str]:
    odd = values[(values < usual[0]) | (values > usual[1])]
    if len(odd):
        worst = float(odd[np.argmax(np.abs(np.log(np.maximum(odd, 1e-12))))])
        count = f"{len(odd)} of {len(values)}" if len(values) > 1 else ""
        yield _said(name, worst, unit, f"{usual[0]:g} to {usual[1]:g}", why, count)


def _said(name: str, value: float, unit: str, usual: str, why: str, count: str = "") -> str:
    some = f"{count} such as " if count else ""
    parts = f"{name}: {some}{value:g} {unit}".rstrip()
    return f"Unusual: {parts}, where {usual} is usual; {why}"
