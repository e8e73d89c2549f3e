"""The plan folder: written whole or not at all, read back with every fault named at once."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl

from hubwise.domain.errors import FolderError
from hubwise.domain.plain import JsonObject, named, number, rows
from hubwise.ledger import Account, post
from hubwise.record.circuits import NAME, circuits_beside
from hubwise.record.model import Record
from hubwise.record.phases import PER_PHASE, phases_beside
from hubwise.record.place import whole_folder, write_table
from hubwise.record.tables import OPTIONAL_TABLES, TABLES, make_tables
from hubwise.scenario import fingerprint

CONTRACT = 1
"""Version of the plan folder: raised when a column or key changes meaning or goes away."""

SUMMARY = "summary.json"
_SUMMARY_KEYS = {
    "contract": int,
    "scenario": str,
    "scenario_source": str,
    "scenario_fingerprint": str,
    "currency": str,
    "zone": str,
    "version": str,
    "results": list,
    "account": dict,
    "books": dict,
    "seal": dict,
}


@dataclass(frozen=True, slots=True)
class PlanFolder:
    """A plan as it stands on disk.

    Parameters
    ----------
    folder
        Where it was read from.
    summary
        What ``summary.json`` holds.
    tables
        The tables of the contract, by name.
    """

    folder: Path
    summary: JsonObject
    tables: dict[str, pl.DataFrame]

    @property
    def result(self) -> dict[str, object]:
        """The plan's one result."""
        return rows(self.summary["results"])[0]


class PlanFolderError(FolderError):
    """A folder that is not a plan of this contract; ``issues`` holds all that is wrong."""

    def __init__(self, folder: Path, issues: list[str]) -> None:
        """Tell of all ``issues`` at once."""
        super().__init__(folder, issues, "a plan")


@dataclass(frozen=True, slots=True)
class Appendix:
    """What a folder may hold beside: figures of a summary, and a table of `OPTIONAL_TABLES`.

    Parameters
    ----------
    name
        Of the table and of the summary's key.
    figures
        What the summary says of it.
    table
        Its rows, if there is one.
    """

    name: str
    figures: JsonObject
    table: pl.DataFrame | None = None


def write(plan: Record, folder: str | Path, *beside: Appendix) -> Path:
    """Write a plan as a folder, whole or not at all.

    Everything is written beside ``folder`` and renamed into place at the end. A plan that stands
    there is replaced.

    Parameters
    ----------
    plan
        What is written.
    folder
        Where.
    beside
        What the folder holds beside the tables that every plan has.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    FileExistsError
        Something else than a plan stands at ``folder``.
    """
    target = Path(folder)
    tables = make_tables(plan)
    circuits = circuits_beside(plan)
    if circuits is not None:
        beside = (*beside, Appendix(NAME, *circuits))
    phases = phases_beside(plan)
    if phases is not None:
        beside = (*beside, Appendix(PER_PHASE, *phases))
    tables |= {part.name: part.table for part in beside if part.table is not None}
    figures = {part.name: part.figures for part in beside}
    with whole_folder(target, is_plan, "a plan") as place:
        for name, table in tables.items():
            write_table(table, place / f"{name}.parquet")
        write_summary({**summary(plan), **figures}, place)
    return target


def write_summary(content: JsonObject, folder: Path) -> None:
    """Write ``summary.json`` beside the other files, and seal all; the old one stays until then."""
    sealed = {**named(_plain(content)), "seal": seal(content, folder)}
    text = json.dumps(sealed, indent=2, ensure_ascii=False, allow_nan=False)
    beside = folder / f".{SUMMARY}.new"
    beside.write_text(text + "\n", encoding="utf-8")
    os.replace(beside, folder / SUMMARY)


def seal_again(folder: Path) -> None:
    """Seal a plan folder with what was put beside its tables since, such as a page to look at."""
    write_summary(json.loads((folder / SUMMARY).read_text(encoding="utf-8")), folder)


def strangers(folder: Path) -> list[str]:
    """What stands in a plan folder and is no plain file of it: links, folders, pipes."""
    return [
        file.relative_to(folder).as_posix()
        for file in sorted(folder.rglob("*"))
        if file.is_symlink() or not file.is_file()
    ]


def seal(content: JsonObject, folder: Path) -> dict[str, str]:
    """SHA-256, in hexadecimal, of every file in the folder, and of the summary without its seal.

    It shows that nothing was changed since, numbers that nobody can derive again included.
    """
    digests = {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file != folder / SUMMARY
    }
    unsealed = {key: value for key, value in named(_plain(content)).items() if key != "seal"}
    text = json.dumps(unsealed, sort_keys=True, allow_nan=False)
    return {**digests, SUMMARY: hashlib.sha256(text.encode()).hexdigest()}


def summary(plan: Record) -> dict[str, object]:
    """What ``summary.json`` holds: the scenario's identity, the result, account and books."""
    scenario = plan.scenario
    books = post(
        plan.bills, scenario.situation.fleet.participating, scenario.situation.market.currency
    )
    return {
        "contract": CONTRACT,
        "scenario": scenario.name,
        "scenario_source": scenario.source,
        "scenario_fingerprint": fingerprint(plan.asked),
        "currency": scenario.situation.market.currency,
        "zone": scenario.situation.horizon.zone,
        "version": version("hubwise"),
        "results": [plan.result.to_json()],
        "account": asdict(plan.account),
        "books": {name: str(amount) for name, amount in books.totals().items()},
    }


def account_in(summary: Mapping[str, object]) -> Account:
    """The operator's account, as `summary` has it."""
    items = named(summary["account"])
    amounts = {name: number(items[name]) for name in items.keys() - {"terms"}}
    terms = {source: number(worth) for source, worth in named(items.get("terms")).items()}
    return Account(**amounts, terms=terms)


def read(folder: str | Path) -> PlanFolder:
    """Read a plan folder.

    Raises
    ------
    PlanFolderError
        Names every file and column that is missing or of another type, and a contract version
        that this one cannot read.
    """
    place = Path(folder)
    if not place.is_dir():
        raise PlanFolderError(place, ["there is no such folder"])
    files = [SUMMARY, *(f"{name}.parquet" for name in TABLES)]
    if not any((place / file).exists() for file in files):
        is_scenario = (place / "scenario.toml").exists()
        kind = "is a scenario, not a plan" if is_scenario else "is no plan"
        raise PlanFolderError(place, [f"{kind}: it holds no summary.json, and none of its tables"])
    issues: list[str] = []
    found_summary = _read_summary(place / SUMMARY, issues)
    found = {
        name: _read_table(place, name, columns, issues)
        for name, columns in tables_of(found_summary).items()
    }
    if issues:
        raise PlanFolderError(place, issues)
    return PlanFolder(place, found_summary, found)


def _read_summary(file: Path, issues: list[str]) -> dict[str, object]:
    try:
        content = json.loads(
            file.read_text(encoding="utf-8"),
            object_pairs_hook=_once,
            parse_constant=_no_number,
            parse_float=_finite,
        )
    except FileNotFoundError:
        issues.append(f"{file.name}: the file is missing")
        return {}
    except ValueError as error:
        issues.append(f"{file.name}: not JSON ({error})")
        return {}
    issues += [f"{file.name}: {problem}" for problem in _summary_problems(content)]
    return content if isinstance(content, dict) else {}


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The pairs as an object; readers would not agree on a key that stands there twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"more than once: {', '.join(map(repr, twice))}")
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)


def _summary_problems(content: object) -> Iterator[str]:
    if not isinstance(content, dict):
        yield "should be an object with keys"
        return
    contract = content.get("contract")
    if contract != CONTRACT or isinstance(contract, bool):
        yield f"contract version {contract!r}; this version of hubwise reads {CONTRACT}"
    yield from (f"the key {key!r} is missing" for key in _SUMMARY_KEYS if key not in content)
    results = content.get("results")
    if not (isinstance(results, list) and len(results) == 1 and isinstance(results[0], dict)):
        yield "'results' should be a list of one result"
    yield from (
        f"{key!r} should be {'text' if kind is str else 'an object with keys'}"
        for key, kind in _SUMMARY_KEYS.items()
        if kind in (str, dict) and not isinstance(content.get(key, kind()), kind)
    )


def tables_of(summary: Mapping[str, object]) -> dict[str, Mapping[str, pl.DataType]]:
    """The tables that belong to a summary, with their columns."""
    more = {name: kinds for name, kinds in OPTIONAL_TABLES.items() if name in summary}
    return {**TABLES, **more}


def _read_table(
    place: Path, name: str, columns: Mapping[str, pl.DataType], issues: list[str]
) -> pl.DataFrame:
    file = place / f"{name}.parquet"
    if file.exists() and not file.is_file():
        issues.append(f"{file.name}: not a file")
        return pl.DataFrame()
    try:
        table = pl.read_parquet(file)
    except FileNotFoundError:
        issues.append(f"{file.name}: the file is missing")
        return pl.DataFrame()
    except (pl.exceptions.PolarsError, OSError) as error:
        issues.append(f"{file.name}: not a Parquet file ({error})")
        return pl.DataFrame()
    issues += [f"{file.name}: {fault}" for fault in _column_problems(table, columns)]
    return table


def _column_problems(table: pl.DataFrame, due: Mapping[str, pl.DataType]) -> Iterator[str]:
    for column, kind in due.items():
        if column not in table.columns:
            yield f"the column {column!r} is missing"
        elif table.schema[column] != kind:
            yield f"the column {column!r} is {table.schema[column]}, not {kind}"


def is_plan(folder: Path) -> bool:
    """Whether a folder holds a plan of any contract version."""
    try:
        content = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and "contract" in content


def _plain(value: object) -> object:
    """``value`` in JSON's own types; numbers that JSON has no word for become null."""
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case np.ndarray() | np.generic():
            return _plain(value.tolist())
        case float() if not math.isfinite(value):
            return None
        case _:
            return value
