"""What the folder of one day among many holds beside its plan, written and read back.

``carried`` is the state that the day began with, ``left`` the one that it leaves to the next, and
``day`` what is done of the plan: its first slots, by billing month.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import polars as pl

from hubwise.domain import Carried, Scenario, Tariff
from hubwise.domain.arrays import Array, Flags
from hubwise.domain.plain import JsonObject, is_list, named, number
from hubwise.ledger import Account, Bills
from hubwise.record.folder import SUMMARY, Appendix, PlanFolder
from hubwise.record.tables import OPTIONAL_TABLES
from hubwise.scenario.days import days_of, scenario_of_day

DAYS = "days"
"""The folder that holds a plan folder for each day."""
STAYS = tuple(OPTIONAL_TABLES["carried"])
BILLS = tuple(OPTIONAL_TABLES["day"])


@dataclass(frozen=True, slots=True)
class PartDone:
    """What was done in the slots of a day that belong to one billing month.

    Parameters
    ----------
    month
        Such as ``2024-05``.
    slots
        How many they are.
    account
        The operator's line items.
    bills
        Of every stay of the day; their cost of a best response and regret mean nothing here.
    participating
        Whose they are; shape (sessions,).
    import_peak_kw
        Every hub's highest import, that of the month so far included; shape (hubs,) [kW].
    figures
        Energies and powers, by name.
    """

    month: str
    slots: int
    account: Account
    bills: Bills
    participating: Flags
    import_peak_kw: Array
    figures: JsonObject


def day_appendices(
    head: JsonObject, carried: Carried, left: Carried, parts: Sequence[PartDone]
) -> list[Appendix]:
    """All that a day's folder holds beside its plan.

    Parameters
    ----------
    head
        Which day of how many it is.
    carried, left
        The states at its beginning and at its end.
    parts
        What was done.
    """
    done = {**head, "parts": [_part(part) for part in parts]}
    return [
        *_state("carried", carried),
        *_state("left", left),
        Appendix("day", done, pl.concat([_bills(part) for part in parts])),
    ]


def is_days(folder: Path) -> bool:
    """Whether a folder holds a plan of many days."""
    try:
        content = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("kind") == DAYS and (folder / DAYS).is_dir()


def days_said(folder: Path) -> int | None:
    """How many days a folder's summary says that the site has; nothing where it does not."""
    try:
        content = named(json.loads((folder / SUMMARY).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
    many = number(content.get("days_of_site", named(content.get("day")).get("of")))
    return int(many) if many >= 1 else None


def carried_in(folder: PlanFolder, name: str) -> Carried:
    """The state that a day's folder holds under ``carried`` or ``left``."""
    said, stays, lists = named(folder.summary[name]), folder.tables[name], f"{name}_lists"
    rows = int(number(named(folder.summary[lists]).get("lists")))
    prices = folder.tables[lists]

    def of_hubs(key: str) -> Array:
        values = said.get(key)
        return np.array([number(value) for value in values] if is_list(values) else [], float)

    def by_list(key: str) -> Array:
        return prices[key].to_numpy().reshape(rows, -1) if rows else np.zeros((0, 0))

    return Carried(
        session=np.array(stays["session"].to_list(), str),
        energy_kwh=stays["energy_kwh"].to_numpy(),
        at_once_kwh=stays["at_once_kwh"].to_numpy(),
        drawn_kwh=stays["drawn_kwh"].to_numpy(),
        net_cost=stays["net_cost"].to_numpy(),
        reference_cost=stays["reference_cost"].to_numpy(),
        participating=stays["participating"].to_numpy(),
        kept=stays["kept"].to_numpy(),
        lists=Tariff(by_list("charge_price"), by_list("discharge_price")),
        battery_kwh=of_hubs("battery_kwh"),
        import_peak_kw=of_hubs("import_peak_kw"),
    )


def site_days(folder: PlanFolder) -> int:
    """How many days the site has, where the plan is one of a day among many; else 1."""
    many = number(named(folder.summary.get("day")).get("of"))
    return int(many) if many >= 1 else 1


def scenario_in(site: Scenario, folder: PlanFolder) -> Scenario:
    """What was planned: the scenario itself, or the day of it that the folder is of.

    Raises
    ------
    ValueError
        If the scenario has no such day, or other stays go on into it.
    """
    said = named(folder.summary.get("day"))
    if not said:
        return site
    days, place = days_of(site.situation.horizon), number(said.get("number"))
    if not (0 <= place < len(days) and str(days[int(place)].date) == said.get("date")):
        raise ValueError(f"summary.json, day: the scenario has no day {said.get('date')}")
    return scenario_of_day(site, days[int(place)], carried_in(folder, "carried"))


def _state(name: str, state: Carried) -> list[Appendix]:
    columns = {key: getattr(state, key).tolist() for key in STAYS}
    schema = OPTIONAL_TABLES[name]
    rows, slots = state.lists.charge_price.shape
    prices = {
        "list": np.repeat(np.arange(rows), slots),
        "slot": np.tile(np.arange(slots), rows),
        "charge_price": state.lists.charge_price.ravel(),
        "discharge_price": state.lists.discharge_price.ravel(),
    }
    figures = {
        "battery_kwh": state.battery_kwh.tolist(),
        "import_peak_kw": state.import_peak_kw.tolist(),
    }
    lists = f"{name}_lists"
    return [
        Appendix(name, figures, pl.DataFrame(columns, schema=schema)),
        Appendix(lists, {"lists": rows}, pl.DataFrame(prices, schema=OPTIONAL_TABLES[lists])),
    ]


def _part(part: PartDone) -> dict[str, object]:
    return {
        "month": part.month,
        "slots": part.slots,
        "account": asdict(part.account),
        "profit": part.account.profit,
        "import_peak_kw": part.import_peak_kw.tolist(),
        **part.figures,
    }


def _bills(part: PartDone) -> pl.DataFrame:
    own = {field.name for field in fields(Bills)}
    columns = {name: getattr(part.bills, name).tolist() for name in BILLS if name in own}
    columns |= {
        "month": [part.month] * len(part.participating),
        "participating": part.participating.tolist(),
    }
    return pl.DataFrame({name: columns[name] for name in BILLS}, schema=OPTIONAL_TABLES["day"])
