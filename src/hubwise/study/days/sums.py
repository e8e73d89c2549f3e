"""Days added up by billing month: what the top of the folder says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from hubwise.domain.plain import is_list, named, number, rows, texts
from hubwise.ledger import in_cents, minor_unit
from hubwise.record.days import DAYS
from hubwise.record.folder import SUMMARY

BILLS = "bills.parquet"
MONTHS = "months"
# Sums of parts, and the highest of them.
ADDED = (
    *("imported_kwh", "exported_kwh", "charged_kwh", "discharged_kwh", "solar_kwh"),
    *("participant_cost", "participant_reference_cost", "profit"),
)
HIGHEST = ("peak_kw", "highest_import_kw")
_MONEY = ("charged_kwh", "discharged_kwh", "paid", "earned", "wear", "net_cost")
_SUMMED = (*_MONEY, "reference_cost", "saving", "received")


def write_sums(head: dict[str, object], folder: Path, currency: str) -> dict[str, object]:
    """Write ``summary.json``, ``months`` and ``bills`` of the days that stand in a folder.

    Parameters
    ----------
    head
        What the summary says first.
    folder
        Holds the days under ``days/``.
    currency
        Of all amounts.

    Returns
    -------
    dict
        What ``summary.json`` holds.
    """
    places = sorted((folder / DAYS).iterdir())
    found = [json.loads((place / SUMMARY).read_text(encoding="utf-8")) for place in places]
    bills = _bills(places)
    parts = [(said, part) for said in found for part in rows(named(said["day"])["parts"])]
    months = [
        month_of(name, [(said, part) for said, part in parts if part["month"] == name])
        | _books(bills.filter(pl.col("month") == name), currency)
        for name in dict.fromkeys(str(part["month"]) for _, part in parts)
    ]
    summary = {**head, "days": [day_of(said) for said in found], MONTHS: months}
    summary["stations"] = {
        "kwh_at_start": named(found[0]["carried"])["battery_kwh"],
        "kwh_at_end": named(found[-1]["left"])["battery_kwh"],
    }
    text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / SUMMARY).write_text(text + "\n", encoding="utf-8")
    flat = pl.DataFrame([_flat(month) for month in months], infer_schema_length=None)
    flat.write_parquet(folder / f"{MONTHS}.parquet", compression="zstd")
    flat.write_csv(folder / f"{MONTHS}.csv")
    bills.write_parquet(folder / BILLS, compression="zstd")
    return summary


def month_of(
    name: str, parts: Sequence[tuple[dict[str, object], dict[str, object]]]
) -> dict[str, object]:
    """A month's figures: money and energy added up, highest powers, imports that are charged for.

    ``parts``: a day's summary and one of its parts, in order.
    """
    own = [part for _, part in parts]
    account: dict[str, object] = {}
    for key in dict.fromkeys(key for part in own for key in named(part["account"])):
        values = [named(part["account"]).get(key) for part in own]
        account[key] = _terms(values) if key == "terms" else sum(map(number, values))
    return {
        "month": name,
        "days": len({str(named(said["day"])["date"]) for said, _ in parts}),
        "slots": int(sum(number(part["slots"]) for part in own)),
        **{key: sum(number(part[key]) for part in own) for key in ADDED},
        **{key: max(number(part[key]) for part in own) for key in HIGHEST},
        "import_peak_kw": own[-1]["import_peak_kw"],
        "account": account,
    }


def day_of(said: dict[str, object]) -> dict[str, object]:
    """A day's row: what the calendar shows."""
    day, result = named(said["day"]), rows(said["results"])[0]
    parts = rows(day["parts"])
    return {
        "date": day["date"],
        "cars": day["cars"],
        "profit": sum(number(part["profit"]) for part in parts),
        **{key: max(number(part[key]) for part in parts) for key in HIGHEST},
        "charged_kwh": sum(number(part["charged_kwh"]) for part in parts),
        "misses": texts(result.get("advice")),
    }


def _terms(values: Sequence[object]) -> dict[str, float]:
    found: dict[str, float] = {}
    for terms in map(named, values):
        for source, amount in terms.items():
            found[source] = found.get(source, 0.0) + number(amount)
    return found


def _bills(places: Sequence[Path]) -> pl.DataFrame:
    """Every stay's bill by month; stays over a month's end have one in each."""
    days = pl.concat([pl.read_parquet(place / "day.parquet") for place in places])
    by = ("month", "session", "driver", "participating")
    return days.group_by(by, maintain_order=True).agg(pl.col(_SUMMED).sum())


def _books(bills: pl.DataFrame, currency: str) -> dict[str, object]:
    """What drivers are billed in the month, each bill in whole cents."""

    def total(column: str, takes_part: bool) -> str:
        own = bills.filter(pl.col("participating") == takes_part)[column].to_list()
        return str(sum(in_cents(own, currency), 0 * minor_unit(currency)))

    return {
        "bills": bills.height,
        "billed": {
            "charging_revenue": total("paid", True),
            "discharge_payments": total("earned", True),
            "others_revenue": total("paid", False),
        },
    }


def _flat(month: dict[str, object]) -> dict[str, object]:
    """One row of numbers and words."""
    found: dict[str, object] = {}
    for key, value in month.items():
        if key == "account":
            account = named(value)
            found |= {name: worth for name, worth in account.items() if name != "terms"}
            found |= {f"terms {name}": worth for name, worth in named(account["terms"]).items()}
        elif key == "billed":
            found |= {f"billed_{name}": amount for name, amount in named(value).items()}
        elif is_list(value):
            found |= {f"{key}_{k}": item for k, item in enumerate(value)}
        else:
            found[key] = value
    return found
