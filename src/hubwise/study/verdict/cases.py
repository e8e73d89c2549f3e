"""Plans of the same site with other equipment: what each brings, and what it could at most."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from hubwise.domain import Promises, Scenario, Strategy
from hubwise.domain.plain import finite, named, number, rows, texts
from hubwise.plan import make_plan
from hubwise.record.days import DAYS
from hubwise.record.folder import SUMMARY
from hubwise.scenario.days import days_of
from hubwise.study.days.run import plan_days
from hubwise.study.verdict.sites import with_battery, with_cars

# What a promise may be passed by, as a share: rounding.
ROUNDING = 1e-9


class Job(NamedTuple):
    """A plan to make of the site: how it is run, with which equipment."""

    strategy: str
    two_way: bool
    battery_kwh: float

    def __str__(self) -> str:
        way = "two-way" if self.two_way else "one-way"
        return f"{self.strategy}, {way}, {self.battery_kwh:g} kWh"


@dataclass(frozen=True, slots=True)
class Case:
    """What a plan of the site comes to, over all its days.

    Parameters
    ----------
    strategy, two_way, battery_kwh
        How it is run, whether cars discharge, and what station batteries hold [kWh].
    profit, bound
        The operator's profit before what batteries and chargers cost a year, and the most that any
        such prices bring; ``None`` where that is not known, or where none are posted [currency].
    fair_profit
        The profit had the operator bought back what cars and stations are left without; ``None``
        over several days, where they are carried on [currency].
    drivers_cost
        What participants pay, wear included [currency].
    misses
        Promises and limits that are missed, in sentences.
    broken
        How often limits are broken.
    """

    strategy: str
    two_way: bool
    battery_kwh: float
    profit: float
    bound: float | None
    fair_profit: float | None
    drivers_cost: float
    misses: tuple[str, ...]
    broken: int

    @property
    def posts(self) -> bool:
        """Whether prices are posted."""
        return self.strategy == Strategy.HUBWISE

    def to_json(self) -> dict[str, object]:
        """By name."""
        return {**asdict(self), "misses": list(self.misses)}


@dataclass(frozen=True, slots=True)
class PlanOf:
    """Makes plans of a site; ``days`` of it, or its one day where that is ``None``."""

    scenario: Scenario
    days: int | None = None

    def run(self, job: Job) -> Case:
        """A plan of the site with other equipment."""
        site = with_battery(with_cars(self.scenario, two_way=job.two_way), job.battery_kwh)
        strategy = Strategy(job.strategy)
        if self.days is None:
            result = make_plan(site, strategy=strategy).result.to_json()
            return _case(job, site, [result], None)
        with TemporaryDirectory() as place:
            made = plan_days(site, Path(place) / "days", days=self.days, strategy=strategy)
            folders = sorted((made.folder / DAYS).iterdir())
            said = [json.loads((folder / SUMMARY).read_text("utf-8")) for folder in folders]
        results = [rows(one["results"])[0] for one in said]
        return _case(job, site, results, rows(made.summary["months"]))


def _case(
    job: Job,
    site: Scenario,
    results: Sequence[Mapping[str, object]],
    months: Sequence[Mapping[str, object]] | None,
) -> Case:
    """A plan's figures, of its result or, over several days, of what was done in each month."""
    posts = job.strategy == Strategy.HUBWISE
    leased = _leased(job, site, months)
    if months is None:
        profit = number(results[0]["operator_profit"])
        cost = number(results[0]["participant_cost"])
        fair = finite(results[0]["energy_fair_profit"])
    else:
        profit = sum(number(month["profit"]) for month in months)
        cost = sum(number(month["participant_cost"]) for month in months)
        fair = None
    above = [_above(result) for result in results] if posts else [None]
    known = [most for most in above if most is not None]
    return Case(
        *job,
        profit=profit + leased,
        bound=profit + leased + sum(known) if len(known) == len(above) else None,
        fair_profit=None if fair is None else fair + leased,
        drivers_cost=cost,
        misses=_misses(site, results, posts=posts),
        broken=sum(_broken(result) for result in results),
    )


def _leased(job: Job, site: Scenario, months: Sequence[Mapping[str, object]] | None) -> float:
    """The lease that the account has taken off [currency]."""
    if months is not None:
        return sum(number(named(month["account"])["station_lease"]) for month in months)
    leases = job.strategy in (Strategy.HUBWISE, Strategy.STORAGE)
    return float(site.situation.hubs.lease_cost.sum()) if leases else 0.0


def _above(result: Mapping[str, object]) -> float | None:
    """How much more the tightest bound on a plan is than its profit [currency]."""
    bounds = [finite(result[name]) for name in ("profit_bound", "family_bound")]
    known = [bound for bound in bounds if bound is not None]
    return max(min(known) - number(result["operator_profit"]), 0.0) if known else None


def _broken(result: Mapping[str, object]) -> int:
    return int(sum(number(value) for key, value in result.items() if key.endswith("_violations")))


def _misses(
    site: Scenario, results: Sequence[Mapping[str, object]], *, posts: bool
) -> tuple[str, ...]:
    """What days miss; who posts no prices promises nothing, and is held to the same."""
    said = (
        texts(result["advice"]) if posts else _held_to(site.situation.promises, result)
        for result in results
    )
    if len(results) == 1:
        return tuple(next(iter(said)))
    dates = [str(day.date) for day in days_of(site.situation.horizon)]
    return tuple(
        f"{date}: {miss}" for date, each in zip(dates, said, strict=False) for miss in each
    )


def _held_to(promises: Promises, result: Mapping[str, object]) -> list[str]:
    """Promises that a plan without prices does not keep."""
    said = []
    for name, most, key in (
        ("peak-valley", promises.peak_valley, "peak_valley_ratio"),
        ("saving", promises.saving, "participant_cost_ratio"),
    ):
        ratio = finite(result[key])
        if ratio is not None and ratio > most * (1 + ROUNDING):
            said.append(
                f"the {name} promise is missed: {ratio:.4f} of uncoordinated against {most:g}"
            )
    return said
