"""A nation: every zone evaluated at given prices, or planned; one row a zone, written as they come.

Zones are independent: a zone is drawn, answered and forgotten by the worker that has it. What is
kept of it is a row of figures and its head's profile.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl

from hubwise.domain import Scenario, Tariff
from hubwise.plan.evaluation import start_of
from hubwise.record.outcome import LIMIT_KINDS
from hubwise.record.place import write_table
from hubwise.scenario import Issue, Nation, ScenarioError, ZoneKind, lawful
from hubwise.study.options import RunOptions
from hubwise.study.report.glossary import finite
from hubwise.study.unfinished import Unfinished, keep_plan, unfinished
from hubwise.study.workers import Task, each_done_by
from hubwise.study.zone import Files, Job, Plans, Prices, Record, participating

# Zones whose rows are held before they are written.
PART = 64
PARTS, ZONES, PROFILE = "parts", "zones.parquet", "profile.parquet"

HEADS = ("head_kw", "uncoordinated_head_kw")
WAYS = ("charge", "discharge")
BROKEN = [f"{kind}_violations" for kind in LIMIT_KINDS]
COUNTS = ("number", "seed", "sessions", "participating", "early_departures", *BROKEN)
TYPES = {
    "zone": pl.String(),
    **dict.fromkeys(COUNTS, pl.Int64()),
    **dict.fromkeys(HEADS, pl.List(pl.Float64())),
}
# Figures that a nation's are the sums of.
SUMS = (
    "sessions",
    "participating",
    "fleet_reference_cost",
    "participant_cost",
    "participant_reference_cost",
    "operator_profit",
    "operator_profit_without_incentive",
    "losses_kwh",
    "shortfall_kwh",
    *BROKEN,
)
RATIOS = (
    ("peak_valley_ratio", "peak_valley_kw", "uncoordinated_peak_valley_kw"),
    ("participant_cost_ratio", "participant_cost", "participant_reference_cost"),
    ("profit_ratio", "operator_profit", "fleet_reference_cost"),
)


@dataclass(frozen=True, slots=True)
class ZonesResult:
    """A nation's zones as they stand on disk.

    Parameters
    ----------
    folder
        Holds ``summary.json``, ``zones.parquet`` (a row a zone), ``profile.parquet`` (the heads
        added up, a row a slot), and the zones' plan folders under ``plans/`` where they are kept.
    summary
        What ``summary.json`` holds.
    """

    folder: Path
    summary: Record

    def table(self) -> pl.DataFrame:
        """A row for each zone."""
        return pl.read_parquet(self.folder / ZONES)


def make_zones(
    nation: Nation,
    out: str | Path,
    *,
    prices: pl.DataFrame | None = None,
    participation: float | None = None,
    method: str | None = None,
    keep_plans: bool = False,
    run: RunOptions | None = None,
) -> ZonesResult:
    """Evaluate every zone of a nation at given prices, or plan each, and add up.

    Memory grows with a zone, not with the nation.

    Parameters
    ----------
    nation
        The zones.
    out
        Folder to write, whole or not at all. Until then, rows of finished zones are kept in
        ``OUT.unfinished``, where the same work, broken off, goes on.
    prices
        The table ``prices`` of a plan folder: what is posted at the hubs of the same names in
        every zone. Without it, every zone has a plan of its own.
    participation
        Share of the sessions that take part; the scenarios' own by default.
    method
        Search method of plans; the scenarios' own by default.
    keep_plans
        Whether the zones' plan folders are kept.
    run
        Who does the zones, whether to start over, and who hears of it. Rows do not depend on it;
        sums over zones are the same to rounding.

    Raises
    ------
    FileExistsError
        Something else stands at ``out``.
    ScenarioError
        The prices are not those of the zones' hubs and slots.
    """
    asked = _Asked(nation, prices, participation, method, keep_plans and prices is None)
    run, began = run or RunOptions(), time.perf_counter()
    with unfinished(Path(out), _is_nation, "zones", asked.identity(), fresh=run.fresh) as work:
        _run(asked, work, run)
        table = _gather(work.folder, nation)
        summary = asked.facts() | _totals(table, work.folder)
        summary["wall_seconds"] = time.perf_counter() - began
        text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
        (work.folder / "summary.json").write_text(text + "\n", encoding="utf-8")
    return ZonesResult(Path(out), summary)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of every zone."""

    nation: Nation
    prices: pl.DataFrame | None
    participation: float | None
    method: str | None
    keep: bool

    def facts(self) -> Record:
        """What ``summary.json`` begins with."""
        return {
            "nation": self.nation.name,
            "currency": self.nation.currency,
            "version": version("hubwise"),
            "zones": len(self.nation),
            "made": "plans" if self.prices is None else "evaluations of given prices",
        }

    def identity(self) -> Record:
        """What a zone's row depends on."""
        text = "" if self.prices is None else self.prices.write_csv()
        return {
            **self.facts(),
            "kinds": [asdict(kind) for kind in self.nation.kinds],
            "prices": sha256(text.encode()).hexdigest(),
            "participation": self.participation,
            "method": self.method,
            "keep_plans": self.keep,
        }

    def task(self, kind: ZoneKind) -> Task[Job, tuple[Record, Files]]:
        """What all zones of a kind share."""
        found = kind.draws()
        if self.prices is None:
            return Plans(found, self.participation, self.method, self.keep)
        given = participating(found.scenario, self.participation)
        tariff = lawful(_posted(self.prices, given), given.situation.fleet)
        return Prices(found, self.participation, tariff, start_of(given.situation, tariff))


def _posted(prices: pl.DataFrame, scenario: Scenario) -> Tariff:
    """The prices of a table at the hubs and slots of a scenario."""
    shape = (len(scenario.situation.hubs), scenario.situation.horizon.slots)
    due = pl.DataFrame({"hub": np.repeat(scenario.situation.hubs.name, shape[1])}).with_columns(
        slot=pl.Series(np.tile(np.arange(shape[1]), shape[0]))
    )
    found = due.join(prices, on=["hub", "slot"], how="left", maintain_order="left")
    if len(found) != len(due) or found["charge_price"].null_count():
        wrong = f"do not tell the price at every hub and slot of {scenario.name}"
        right = "give the plan of a scenario whose hubs and slots are called alike"
        raise ScenarioError([Issue("prices", "", "", wrong, right)])
    return Tariff(*(found[f"{way}_price"].to_numpy().reshape(shape) for way in WAYS))


def _run(asked: _Asked, work: Unfinished, run: RunOptions) -> None:
    """Have every zone's row written that is not there."""
    parts, plans = work.folder / PARTS, work.folder / "plans"
    parts.mkdir(exist_ok=True)
    done = _zones_in(parts)
    total, heard = len(asked.nation), len(done)
    if done:
        run.tell(heard, total, "taken up")
    rows: list[Record] = []
    try:
        for job, (row, files) in each_done_by(_batches(asked, done), total - heard, run):
            if files:
                keep_plan(plans / job.zone, files)
            rows.append(row)
            if len(rows) == PART:
                _write_part(parts, rows)
                rows = []
            heard += 1
            run.tell(heard, total, job.zone)
    finally:
        _write_part(parts, rows)


def _batches(
    asked: _Asked, done: set[str]
) -> Iterator[tuple[Task[Job, tuple[Record, Files]], list[Job]]]:
    """The zones that are due, kind by kind."""
    number = 0
    for kind in asked.nation.kinds:
        jobs = [Job(number + k, kind.zone(seed), seed) for k, seed in enumerate(kind.seeds)]
        number += len(jobs)
        due = [job for job in jobs if job.zone not in done]
        if due:
            yield asked.task(kind), due


def _zones_in(parts: Path) -> set[str]:
    files = sorted(parts.glob("*.parquet"))
    return {zone for file in files for zone in pl.read_parquet(file, columns=["zone"])["zone"]}


def _write_part(parts: Path, rows: list[Record]) -> None:
    """Write rows as one more file, whole or not at all."""
    if rows:
        name = f"{len(list(parts.glob('*.parquet'))):06d}.parquet"
        beside = parts / f"{name}.new"
        schema = {key: TYPES.get(key, pl.Float64()) for key in rows[0]}
        write_table(pl.DataFrame(rows, schema=schema), beside)
        beside.rename(parts / name)


def _gather(folder: Path, nation: Nation) -> pl.DataFrame:
    """Make one table and one profile of the parts; returns the table."""
    parts = pl.scan_parquet(folder / PARTS / "*.parquet")
    table = parts.drop(HEADS).sort("number").drop("number").with_columns(_ratios()).collect()
    write_table(table, folder / ZONES)
    horizon = nation.horizon
    moment = horizon.start_utc + pl.col("slot") * pl.duration(minutes=horizon.slot_minutes)
    profile = (
        parts.select(*HEADS, slot=pl.int_ranges(horizon.slots))
        .explode("slot", *HEADS)
        .group_by("slot")
        .agg(pl.col(HEADS).sum())
        .sort("slot")
        .select("slot", moment.alias("start_utc"), *HEADS)
    )
    write_table(profile.collect(engine="streaming"), folder / PROFILE)
    shutil.rmtree(folder / PARTS)
    return table


def _ratios() -> Iterator[pl.Expr]:
    """The three ratios to the uncoordinated day; null where there is nothing to compare with."""
    for name, part, whole in RATIOS:
        some = pl.when(pl.col(whole) != 0.0).then(pl.col(whole))
        yield (pl.col(part) / some).alias(name)


def _totals(table: pl.DataFrame, folder: Path) -> Record:
    """What the nation's zones come to."""
    profile = pl.read_parquet(folder / PROFILE)
    spans = {f"{key.removesuffix('head_kw')}peak_valley_kw": _span(profile[key]) for key in HEADS}
    sums = {key: _known(table[key].sum()) for key in SUMS}
    whole = pl.DataFrame({**sums, **spans}).select(*spans, *_ratios()).row(0, named=True)
    ranges = {
        key: {name: finite(value) for name, value in _range(table[key]).items()}
        for key in (*(name for name, *_ in RATIOS), "min_voltage_pu", "wall_seconds")
    }
    return {
        **sums,
        **{key: finite(value) for key, value in whole.items()},
        "max_regret": finite(table["max_regret"].max()),
        "zones_with_broken_limits": table.filter(pl.sum_horizontal(BROKEN) > 0).height,
        "ranges": ranges,
    }


def _known(value: object) -> object:
    """Counts as they are, other figures where they are finite."""
    return value if isinstance(value, int) else finite(value)


def _range(figure: pl.Series) -> Record:
    return {"least": figure.min(), "mean": figure.mean(), "greatest": figure.max()}


def _span(profile: pl.Series) -> float:
    values = profile.to_numpy()
    return float(values.max() - values.min())


def _is_nation(folder: Path) -> bool:
    return (folder / ZONES).is_file() and (folder / "summary.json").is_file()
