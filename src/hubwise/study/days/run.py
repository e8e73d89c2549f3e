"""Many days, each planned from what the one before has left; interrupted runs go on.

A finished day is a plan folder that stands whole; what it leaves stands in it. So the folder itself
says where the next run begins.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

from hubwise.domain import Carried, Scenario, Strategy
from hubwise.domain.plain import named, rows
from hubwise.plan import make_plan
from hubwise.record import read, write
from hubwise.record.days import DAYS, carried_in, day_appendices, is_days
from hubwise.record.folder import SUMMARY, is_plan
from hubwise.scenario import fingerprint
from hubwise.scenario.days import Day, days_of, scenario_of_day
from hubwise.study.days.done import done
from hubwise.study.days.report import write_days_report
from hubwise.study.days.sums import write_sums
from hubwise.study.options import RunOptions
from hubwise.study.unfinished import unfinished

KIND = "a plan of many days"
# Where nothing else is asked for: tariffs tried a day, and the method that needs fewest.
EVALUATIONS, METHOD = 20, "evolution"


@dataclass(frozen=True, slots=True)
class DaysResult:
    """A plan of many days as it stands on disk.

    Parameters
    ----------
    folder
        Holds ``summary.json``, ``months.parquet``, ``months.csv``, ``bills.parquet``,
        ``report.html`` and under ``days/`` a plan folder for each day.
    summary
        What ``summary.json`` holds.
    """

    folder: Path
    summary: dict[str, object]

    @property
    def report(self) -> Path:
        """The page to look at."""
        return self.folder / "report.html"

    @property
    def misses(self) -> list[str]:
        """What days miss of promises and limits, each with its date."""
        return [
            f"{day['date']}: {missed}"
            for day in rows(self.summary["days"])
            for missed in (day["misses"] if isinstance(day["misses"], list) else [])
        ]


def lean(site: Scenario) -> Scenario:
    """The site with the search that many days can afford: few tariffs, no bound of the family."""
    method = METHOD if site.search.method == "auto" else site.search.method
    return replace(
        site, search=replace(site.search, method=method, evaluations=EVALUATIONS, boxes=0)
    )


def plan_days(
    site: Scenario,
    out: str | Path,
    *,
    days: int | None = None,
    strategy: Strategy = Strategy.HUBWISE,
    run: RunOptions | None = None,
) -> DaysResult:
    """Plan a site day by day, and write all as one folder.

    Parameters
    ----------
    site
        A scenario of many days, its search with it (see `lean`).
    out
        Folder to write. Days that stand there already, or in ``OUT.unfinished`` after an
        interruption, are taken up where they are of the same site, search and strategy.
    days
        How many, from the first on; all by default.
    strategy
        How the hubs are run.
    run
        Whether to start over, and who hears of it; its workers are not used, as every day begins
        with what the one before has left.

    Raises
    ------
    FileExistsError
        Something else stands at ``out``.
    ValueError
        If the site does not have so many days, or none is asked for.
    """
    run, place = run or RunOptions(), Path(out)
    whole = days_of(site.situation.horizon)
    if days is not None and not 1 <= days <= len(whole):
        raise ValueError(f"days is {days}, the site has {len(whole)}; give 1 to {len(whole)}")
    chosen = whole[:days]
    identity = _identity(site, strategy)
    with unfinished(place, is_days, KIND, identity, fresh=run.fresh) as work:
        folder = work.folder / DAYS
        folder.mkdir(exist_ok=True)
        if not run.fresh:
            _take_up(place, identity, folder)
        begun = _begun(folder, chosen, site)
        if begun.number:
            run.tell(begun.number, len(chosen), "taken up")
        for day in _planned(site, chosen, begun, strategy, folder):
            run.tell(day.number + 1, len(chosen), str(day.date))
        head = {"kind": "days", **identity, **_about(site)}
        summary = write_sums(head, work.folder, site.situation.market.currency)
        write_days_report(site, summary, work.folder)
    return DaysResult(place, summary)


@dataclass(frozen=True, slots=True)
class _Begun:
    """How many days are finished, and what the last has left."""

    number: int
    carried: Carried


def _planned(
    site: Scenario, days: list[Day], begun: _Begun, strategy: Strategy, folder: Path
) -> Iterator[Day]:
    """Plan and write the days that are not finished; each once it stands."""
    carried, whole = begun.carried, len(days_of(site.situation.horizon))
    for day in days[begun.number :]:
        plan = make_plan(scenario_of_day(site, day, carried), strategy=strategy)
        decided = done(site, day, carried, plan)
        head = {
            "number": day.number,
            "of": whole,
            "date": str(day.date),
            "slots": day.slots,
            "cars": len(plan.scenario.situation.fleet),
        }
        beside = day_appendices(head, carried, decided.left, decided.parts)
        write(plan, folder / str(day.date), *beside)
        carried = decided.left
        yield day


def _begun(folder: Path, days: list[Day], site: Scenario) -> _Begun:
    """Where to go on; what is not whole, or not in a row with the first, is taken away."""
    number, last = 0, None
    while number < len(days) and is_plan(place := folder / str(days[number].date)):
        number, last = number + 1, place
    due = {str(day.date) for day in days[:number]}
    for place in folder.iterdir():
        if place.name not in due:
            shutil.rmtree(place)
    if last is None:
        return _Begun(0, Carried.nothing(site.situation.hubs.battery_initial_kwh))
    return _Begun(number, carried_in(read(last), "left"))


def _take_up(place: Path, identity: dict[str, object], folder: Path) -> None:
    """Days of a finished plan of the same identity, where there are no unfinished ones."""
    if any(folder.iterdir()) or not is_days(place):
        return
    before = named(json.loads((place / SUMMARY).read_text(encoding="utf-8")))
    if all(before.get(key) == value for key, value in identity.items()):
        shutil.copytree(place / DAYS, folder, dirs_exist_ok=True)


def _identity(site: Scenario, strategy: Strategy) -> dict[str, object]:
    """What the days depend on."""
    return {
        "scenario": site.name,
        "scenario_fingerprint": fingerprint(site),
        "participation": site.participation,
        "strategy": strategy.value,
        "search": asdict(site.search),
        "delegation": asdict(site.delegation),
        "version": version("hubwise"),
    }


def _about(site: Scenario) -> dict[str, object]:
    horizon, market = site.situation.horizon, site.situation.market
    by_month = market.demand_charge_by_month
    return {
        "scenario_source": site.source,
        "currency": market.currency,
        "zone": horizon.zone,
        "days_of_site": len(days_of(horizon)),
        "hubs": list(site.situation.hubs.name),
        "demand_charge": market.demand_charge,
        **({"demand_charge_by_month": list(by_month)} if by_month else {}),
    }
