"""The folder's shape: files, keys, columns and kinds of value that the contract knows, no others.

What the audit does not know it cannot vouch for; so nothing strange may stand beside what it does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hubwise.audit.conduct import CONDUCT
from hubwise.audit.report import Check, words
from hubwise.domain.plain import is_list, is_number, is_object, named, rows
from hubwise.record.folder import SUMMARY, PlanFolder, tables_of
from hubwise.record.shape import ANY, specimen, specimen_of_day

PAGE = "report.html"
"""A page to look at, which may stand beside: sealed, and no part of the contract."""

# Objects that are null where no prices are posted, or nothing keeps the promises.
_MAY_BE_NULL = {"ties", "status", "dispatch_objective", "without_prices", "bus"}
_MAY_BE_NULL |= {"device_ties", "device_seed"}
# What a folder may have beside.
_BESIDE: dict[str, object] = {
    "futures": {ANY: 0.0},
    "circuits": {
        "lines": [{"hub": "", "circuit": "", "phase": "", "limit_kw": 0.0, "peak_kw": 0.0}]
    },
    "phases": {
        kind: {"element": "", "slot": 0, "value": 0.0}
        for kind in (
            *("lowest_voltage", "highest_voltage", "heaviest_branch", "heaviest_transformer"),
            "largest_unbalance",
        )
    },
    "evaluated": {"prices": "", "breaks": [""]},
    "rule_costs": {
        "profit": 0.0,
        "rules": [{"rule": "", "set_to": "", "profit_without": 0.0, "cost": 0.0}],
    },
}
# What only a plan with posted prices has.
_WITH_PRICES = ("undelegated", "pessimistic")


def check_shape(folder: PlanFolder) -> Iterator[Check]:
    """Whether files, keys and columns are those of the contract."""
    known = {f"{name}.parquet" for name in tables_of(folder.summary)} | {SUMMARY, PAGE}
    place = folder.folder
    files = {it.relative_to(place).as_posix() for it in place.rglob("*") if not it.is_dir()}
    yield words(
        "folder: files",
        "The folder holds the contract's files, and at most a page to look at beside",
        [f"{name}: not known" for name in sorted(files - known)],
        "nobody can tell what these files are: take them out, and seal the rest as it was",
    )
    yield words(
        "folder: keys",
        "summary.json has every key of the contract, of its kind, and no other",
        list(_faults(folder.summary, _due(folder), "")),
        "audit with the version that wrote the plan, or plan again",
    )
    yield words(
        "folder: columns",
        "Every table has the contract's columns, in their order, and no other",
        [
            f"{name}.parquet: {', '.join(folder.tables[name].columns)}"
            for name, columns in tables_of(folder.summary).items()
            if folder.tables[name].columns != list(columns)
        ],
        "audit with the version that wrote the plan, or plan again",
    )


def well_formed(folder: PlanFolder) -> bool:
    """Whether the result has every key, of its kind, and no other."""
    due = _due(folder)
    return next(_faults(folder.summary["results"], due["results"], "results"), None) is None


def _due(folder: PlanFolder) -> dict[str, object]:
    """The specimen, with what a folder may have beside, less what its strategy has not."""
    due = specimen()
    due |= {name: shape for name, shape in _BESIDE.items() if name in folder.summary}
    due |= {name: shape for name, shape in specimen_of_day().items() if name in folder.summary}
    conduct = CONDUCT.get(str(folder.result.get("strategy")))
    if conduct is not None and not conduct.posts_prices:
        for name in _WITH_PRICES:
            del named(rows(due["results"])[0]["outcomes"])[name]
    return due


def _faults(found: object, due: object, path: str) -> Iterator[str]:
    """In what places ``found`` has not the shape of ``due``."""
    name = path.rpartition(".")[2]
    if found is None and (type(due) is float or name in _MAY_BE_NULL):
        return
    if is_object(due):
        yield from _faults_of_object(found, due, path)
    elif is_list(due):
        if not is_list(found):
            yield f"{SUMMARY}, {path}: {found!r} is no list"
            return
        for k, item in enumerate(found):
            yield from _faults(item, due[0], f"{path}[{k}]")
    elif not _of_kind(found, due):
        yield f"{SUMMARY}, {path}: {found!r} is no {_KINDS[type(due)]}"


_KINDS = {float: "number", int: "count", bool: "truth", str: "text"}


def _of_kind(found: object, due: object) -> bool:
    match due:
        case bool() | str():
            return isinstance(found, type(due))
        case int():
            return type(found) is int
        case _:
            return is_number(found)


def _faults_of_object(found: object, due: Mapping[str, object], path: str) -> Iterator[str]:
    if not is_object(found):
        yield f"{SUMMARY}, {path}: {found!r} is no object with keys"
        return
    start = f"{path}." if path else ""
    if ANY not in due:
        yield from (f"{SUMMARY}, {start}{key}: missing" for key in due if key not in found)
        yield from (f"{SUMMARY}, {start}{key}: not known" for key in found if key not in due)
    for key, item in found.items():
        if key in due or ANY in due:
            yield from _faults(item, due.get(key, due.get(ANY)), start + key)
