"""What an audit says: one check per promise, and how it came out."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from hubwise.domain.arrays import Array


class Status(StrEnum):
    """How a check came out."""

    HOLDS = "holds"
    FAILS = "fails"
    """The folder says something that is not so."""
    MISSED = "missed"
    """The folder is truthful, and the plan falls short of something it should reach."""
    SEALED = "sealed"
    """Not derived: tables and scenario do not give it, and only the folder's seal speaks for it."""
    UNCHECKED = "not checked"


UNREADABLE = ("folder: contract", "scenario: readable", "books: readable")
"""Checks that fail alone: of a folder, or a scenario, that cannot be read."""

_COLOUR = {
    Status.HOLDS: "green",
    Status.FAILS: "bold red",
    Status.MISSED: "yellow",
    Status.SEALED: "cyan",
    Status.UNCHECKED: "dim",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One promise, and whether it is kept.

    Parameters
    ----------
    name
        Area and subject, such as ``drivers: reserve``.
    promise
        What should be so, in words.
    status
        How it came out.
    worst
        By how much the worst place passes what is right; NaN where that cannot be measured.
    tolerance
        By how much it may.
    where
        The worst place: table, column, session, slot, hub.
    advice
        What to do about it, or why it was not checked.
    """

    name: str
    promise: str
    status: Status
    worst: float | None = None
    tolerance: float | None = None
    where: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Everything that was checked in a plan folder.

    Parameters
    ----------
    folder
        The plan folder.
    checks
        In the order in which they were made.
    """

    folder: Path
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing in the folder is untrue; it may still miss what it should reach."""
        return not self.failures

    @property
    def readable(self) -> bool:
        """Whether folder and scenario could be read; else nothing but that was checked."""
        return not any(check.name in UNREADABLE for check in self.failures)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that fail."""
        return self.having(Status.FAILS)

    def having(self, status: Status) -> tuple[Check, ...]:
        """The checks that came out as ``status``."""
        return tuple(check for check in self.checks if check.status is status)

    def to_dict(self) -> dict[str, object]:
        """The report in JSON's own types; what is not finite becomes null."""
        return {
            "folder": str(self.folder),
            "ok": self.ok,
            "counts": {status.value: len(self.having(status)) for status in Status},
            "checks": [_plain(check) for check in self.checks],
        }

    def __rich__(self) -> Table:
        """The report as a table for a terminal, check by check."""
        return self._table(self.checks)

    def short(self) -> Table:
        """The same with what holds counted by what it is about; all else stands check by check."""
        held = Counter(_about(check.name) for check in self.having(Status.HOLDS))
        about = [Check(name, _counted(count), Status.HOLDS) for name, count in held.items()]
        return self._table([*about, *(c for c in self.checks if c.status is not Status.HOLDS)])

    def _table(self, checks: Sequence[Check]) -> Table:
        table = Table(title=f"Audit of {self.folder}", caption=self._verdict(), show_lines=False)
        table.add_column("")
        table.add_column("check")
        table.add_column("promise")
        table.add_column("worst", justify="right")
        table.add_column("allowed", justify="right")
        table.add_column("where and what to do")
        for check in checks:
            notes = "" if check.status is Status.HOLDS else _sentence(check)
            mark = f"[{_COLOUR[check.status]}]{check.status}[/]"
            table.add_row(
                mark, check.name, check.promise, _short(check.worst), _short(check.tolerance), notes
            )
        return table

    def __str__(self) -> str:
        """The report as plain text."""
        page = Console(file=io.StringIO(), width=160, color_system=None)
        page.print(self)
        assert isinstance(page.file, io.StringIO)
        return page.file.getvalue()

    def _verdict(self) -> str:
        counts = ", ".join(f"{len(self.having(status))} {status.value}" for status in Status)
        return f"{'Everything written is so' if self.ok else 'This does not hold'}: {counts}"


def _about(name: str) -> str:
    """What a check is about: its area; of days, their month."""
    area = name.split(":")[0]
    return area[:7] if area[:4].isdigit() else area


def _counted(count: int) -> str:
    return "1 check holds" if count == 1 else f"{count} checks hold"


@dataclass(frozen=True, slots=True)
class Finding:
    """The worst of some numbers: how much it is, and where."""

    worst: float
    where: str


Axes = Sequence[tuple[str, Sequence[object]]]
"""What an array's axes count, outermost first: a word and a label for every index."""


def worst_of(excess: Array, axes: Axes, what: str = "") -> Finding:
    """The largest of ``excess``, and its place; NaN counts as the worst there is.

    Parameters
    ----------
    excess
        By how much each value passes what is right.
    axes
        One entry for each of its dimensions.
    what
        Said before the place, for example ``hubs.import_kw``.
    """
    if excess.size == 0:
        return Finding(0.0, what)
    known = np.where(np.isnan(excess), np.inf, excess)
    index = np.unravel_index(int(known.argmax()), known.shape)
    place = [f"{word} {labels[int(k)]}" for (word, labels), k in zip(axes, index, strict=True)]
    return Finding(float(known[index]), ", ".join([what, *place] if what else place))


def difference(found: Array, derived: Array) -> Array:
    """Distance of two arrays; zero where both are NaN or the same infinity."""
    with np.errstate(invalid="ignore"):
        apart = np.abs(found - derived)
    same = (found == derived) | (np.isnan(found) & np.isnan(derived))
    return np.where(same, 0.0, apart)


def judge(
    name: str,
    promise: str,
    findings: Iterable[Finding] | Finding,
    tolerance: float,
    *,
    advice: str = "",
    otherwise: Status = Status.FAILS,
) -> Check:
    """A check that holds where the worst finding is within ``tolerance``, else ``otherwise``."""
    several = [findings] if isinstance(findings, Finding) else list(findings)
    worst = max(several, key=lambda finding: finding.worst, default=Finding(0.0, ""))
    holds = worst.worst <= tolerance
    return Check(
        name,
        promise,
        Status.HOLDS if holds else otherwise,
        worst.worst,
        tolerance,
        worst.where,
        "" if holds else advice,
    )


def agree(
    name: str,
    promise: str,
    pairs: Mapping[str, tuple[Array, Array]],
    axes: Axes,
    tolerance: float,
    *,
    advice: str = "",
) -> Check:
    """A check that every found array equals the derived one; ``pairs`` by ``table.column``."""
    findings = [worst_of(difference(*pair), axes, what) for what, pair in pairs.items()]
    return judge(name, promise, findings, tolerance, advice=advice)


def words(name: str, promise: str, faults: Sequence[str], advice: str) -> Check:
    """A check of what is no number: it holds where there is no fault."""
    if not faults:
        return Check(name, promise, Status.HOLDS)
    return Check(name, promise, Status.FAILS, where="; ".join(faults), advice=advice)


def _plain(check: Check) -> dict[str, object]:
    def finite(value: float | None) -> float | None:
        return value if value is not None and np.isfinite(value) else None

    return {
        "name": check.name,
        "promise": check.promise,
        "status": check.status.value,
        "worst": finite(check.worst),
        "tolerance": finite(check.tolerance),
        "where": check.where,
        "advice": check.advice,
    }


def _sentence(check: Check) -> str:
    return "; ".join(part for part in (check.where, check.advice) if part)


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
