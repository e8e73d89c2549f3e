"""What nobody can derive from tables and scenario: named, with its value, as sealed only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from hubwise.audit.conduct import CONDUCT
from hubwise.audit.evidence import Evidence
from hubwise.audit.report import Check, Status
from hubwise.audit.shape import PAGE
from hubwise.domain.plain import named, rows

SEALED = "sealed, not derived"

# Where it belongs, by how a path begins; and why it cannot be derived.
_GROUPS = {
    "search": (
        ("method", "evaluations", "wall_seconds", "wear_rounds", "status.search", "status.ac"),
        "what was tried, how long, and how it ended only the search itself knows",
    ),
    "bounds": (
        ("profit_bound", "family_bound", "boxes", "status.family"),
        "no profit passes them, and gaps follow; whether they are bounds only the search can tell",
    ),
    "objective": (
        ("dispatch_objective",),
        "these rest on the dispatch's own multipliers and roundings",
    ),
    "ties": (
        ("outcomes", "strategy"),
        "several schedules cost drivers the same and are as bad for the operator, or as early",
    ),
    "without prices": (
        ("without_prices",),
        "stations alone are dispatched under the feeder's limits: bounded, not dispatched again",
    ),
    "origin": (
        ("version", "scenario_source", "participation", "delegating"),
        "who wrote the plan and from where it was read; a share is known to half a session",
    ),
    "futures": (("futures",), "futures rest on draws and dispatches of their own"),
}


def check_sealed(
    evidence: Evidence, found: Mapping[str, object], derived: set[str]
) -> Iterator[Check]:
    """Everything in the folder that no other check derives, path by path.

    Parameters
    ----------
    evidence
        The plan.
    found
        The result, one path a value.
    derived
        The paths that are derived elsewhere.
    """
    left = {path: value for path, value in found.items() if path not in derived}
    summary = evidence.folder.summary
    left |= {key: summary[key] for key in ("version", "scenario_source")}
    left |= {share: evidence.result.get(share) for share in ("participation", "delegating")}
    strategy = str(evidence.result.get("strategy"))
    if strategy in CONDUCT and CONDUCT[strategy].ties:
        left["strategy"] = strategy  # which of equally cheap schedules were taken, no table tells
    if "futures" in summary:
        left["futures.evaluations"] = named(summary["futures"]).get("evaluations")
        left["futures.parquet"] = f"{evidence.folder.tables['futures'].height} rows"
    for name, (beginnings, why) in _GROUPS.items():
        own = {path: value for path, value in left.items() if path.startswith(beginnings)}
        left = {path: value for path, value in left.items() if path not in own}
        if own:
            yield _sealed(name, own.items(), why)
    if (evidence.folder.folder / PAGE).exists():
        yield _sealed("page", [(PAGE, "a page")], "a page to look at, made of what is checked here")
    if mends := rows(evidence.result.get("mends")):
        changes = [pair for row in mends for pair in named(row.get("hub_kw")).items()]
        why = "with these changes limits hold as is said; lesser ones might do as well"
        yield _sealed("mends", ((f"mends.hub_kw.{hub}", kw) for hub, kw in changes), why)
    if left:
        yield _sealed("rest", left.items(), "tables and scenario do not give it")


def _sealed(name: str, figures: Iterable[tuple[str, object]], why: str) -> Check:
    return Check(
        f"sealed: {name}",
        "Nobody changed what tables and scenario do not give: for this only the seal speaks",
        Status.SEALED,
        where=", ".join(f"{path} = {shown(value)}" for path, value in figures),
        advice=f"{SEALED}: {why}",
    )


def shown(value: object) -> str:
    """A sealed value as people read it: numbers to six digits, what is not there as none."""
    if value is None:
        return "none"
    return f"{value:.6g}" if isinstance(value, float) else repr(value)
