"""The verdict on a site: plans with other equipment, answers, and sentences."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from hubwise.domain import Scenario, Strategy
from hubwise.scenario import fingerprint
from hubwise.study.options import RunOptions
from hubwise.study.verdict import sites
from hubwise.study.verdict.answers import (
    AloneAnswer,
    BatteryAnswer,
    TwoWayAnswer,
    answer_alone,
    answer_battery,
    answer_two_way,
)
from hubwise.study.verdict.cases import Case, Job, PlanOf
from hubwise.study.verdict.costs import Costs, costs_of
from hubwise.study.verdict.words import (
    Words,
    alone_sentence,
    battery_sentence,
    notes,
    two_way_sentence,
)
from hubwise.study.workers import done_by

JSON = "verdict.json"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is worth it at a site.

    Parameters
    ----------
    scenario
        Its name.
    fingerprint, version
        What was planned, and by what.
    words
        Currency and number of days.
    costs
        Of equipment.
    cases
        All plans, the site as it is first.
    two_way, battery, alone
        The answers.
    sentences
        The same in words, in this order.
    notes
        What they rest on.
    """

    scenario: str
    fingerprint: str
    version: str
    words: Words
    costs: Costs
    cases: tuple[Case, ...]
    two_way: TwoWayAnswer
    battery: BatteryAnswer
    alone: AloneAnswer
    sentences: tuple[str, str, str]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """By name; amounts are of all days planned, unless called ``break_even``."""
        gain = self.two_way.gain
        return {
            "scenario": self.scenario,
            "scenario_fingerprint": self.fingerprint,
            "version": self.version,
            "currency": self.words.currency,
            "days": self.words.days,
            "sentences": list(self.sentences),
            "two_way": {
                "worth": self.two_way.worth,
                "made_up": self.two_way.made_up,
                "cost": self.two_way.cost,
                "gain": gain.to_json() if gain else None,
            },
            "battery": {
                "worth": self.battery.worth,
                "best_kwh": self.battery.best.kwh if self.battery.best else None,
                "sizes": [
                    {
                        "kwh": size.kwh,
                        "worth": size.worth,
                        "cost": size.cost,
                        "net": size.net,
                        "misses": list(size.misses),
                        "gain": size.gain.to_json(),
                    }
                    for size in self.battery.sizes
                ],
            },
            "alone": {
                "worth": self.alone.worth,
                "posted": self.alone.posted.to_json() if self.alone.posted else None,
                "alone": self.alone.alone.to_json() if self.alone.alone else None,
                "difference": self.alone.difference if self.alone.alone else None,
                "most": self.alone.most,
            },
            "costs": asdict(self.costs),
            "cases": [case.to_json() for case in self.cases],
            "notes": list(self.notes),
        }


def make_verdict(
    scenario: Scenario,
    *,
    days: int | None = None,
    battery_cost: float | None = None,
    charger_cost: float | None = None,
    sizes: Sequence[float] | None = None,
    run: RunOptions | None = None,
) -> Verdict:
    """Whether two-way charging, a station battery and posted prices are worth it at a site.

    Parameters
    ----------
    scenario
        The site.
    days
        Plan so many of its days one after the other; its one day where ``None``.
    battery_cost
        A kWh of station battery [currency/year]; by default the site's own lease, else
        `hubwise.study.verdict.costs.USUAL_BATTERY`.
    charger_cost
        A two-way charger beyond a one-way one [currency/year].
    sizes
        Batteries to try, of the whole site [kWh]; by default half, once and twice what is there, or
        shares of what cars charge in a day.
    run
        Who makes the plans, and who hears of it.
    """
    run = run or RunOptions()
    tried = sites.sizes_to_try(scenario) if sizes is None else tuple(sorted(set(sizes)))
    jobs = jobs_of(scenario, tried)
    found: dict[Job, Case] = {}
    for job, case in done_by(PlanOf(scenario, days), jobs, run):
        found[job] = case
        run.tell(len(found), len(jobs), str(job))
    costs = costs_of(scenario, days or 1, battery_cost, charger_cost)
    return _verdict(scenario, Words(scenario.situation.market.currency, days or 1), costs, found)


def jobs_of(scenario: Scenario, sizes: Sequence[float]) -> list[Job]:
    """The plans that are needed, the site as it is first; none twice."""
    way, own = sites.is_two_way(scenario), sites.own_battery_kwh(scenario)
    jobs = [Job(Strategy.HUBWISE, way, own)]
    if sites.can_be_two_way(scenario) or way:
        jobs.append(Job(Strategy.HUBWISE, not way, own))
    batteries = list(dict.fromkeys([0.0, *sizes])) if sizes else []
    jobs += [Job(Strategy.HUBWISE, way, kwh) for kwh in batteries]
    jobs.append(Job(Strategy.UNCOORDINATED, way, own))
    jobs += [Job(Strategy.STORAGE, way, kwh) for kwh in dict.fromkeys([own, *batteries]) if kwh]
    return list(dict.fromkeys(jobs))


def _verdict(scenario: Scenario, words: Words, costs: Costs, found: dict[Job, Case]) -> Verdict:
    """Answers and sentences from the plans of a site."""
    way, own = sites.is_two_way(scenario), sites.own_battery_kwh(scenario)

    def posted(two_way: bool, kwh: float) -> Case | None:
        return found.get(Job(Strategy.HUBWISE, two_way, kwh))

    asked = {job.battery_kwh for job in found if job.strategy == Strategy.HUBWISE}
    tried = [case for kwh in sorted(asked) if kwh and (case := posted(way, kwh))]
    fleet = scenario.situation.fleet
    two_way = answer_two_way(posted(True, own), posted(False, own), costs, made_up=not way)
    battery = answer_battery(posted(way, 0.0), tried, costs)
    cases = [found[job] for job in jobs_of(scenario, sorted(asked - {0.0})) if job in found]
    alone = answer_alone(cases, costs, participants=int(fleet.participating.sum()))
    assumed = _assumed(scenario, made_up=not way and two_way.gain is not None, tried=bool(tried))
    demand = scenario.situation.periods.charged
    return Verdict(
        scenario.name,
        fingerprint(scenario),
        version("hubwise"),
        words,
        costs,
        tuple(cases),
        two_way,
        battery,
        alone,
        (
            two_way_sentence(two_way, costs, words),
            battery_sentence(battery, costs, words),
            alone_sentence(alone, words),
        ),
        tuple(notes(costs, words, demand_charge=demand, assumed=assumed)),
    )


def _assumed(scenario: Scenario, *, made_up: bool, tried: bool) -> list[str]:
    """What was assumed of equipment that is not there."""
    said = []
    if made_up:
        said.append(
            "No car here is two-way: all were made so for the comparison, discharging as fast as "
            "they charge, at their own efficiency and wear; drivers who forbid it excepted."
        )
        if not (scenario.situation.fleet.wear_cost > 0.0).any():
            said.append("No wear cost is told of any car, so discharging counts as free of wear.")
    if tried and sites.own_battery_kwh(scenario) == 0.0:
        said.append(
            "No station battery is here: those that were tried empty in "
            f"{sites.HOURS:g} hours at full power, have {sites.EFFICIENCY:.0%} efficiency each "
            "way, begin and end half full, and stand at hubs by what cars charge there; their "
            "ageing is held to be in the cost a year."
        )
    return said


def write_json(verdict: Verdict, folder: Path) -> Path:
    """Write ``verdict.json`` into a folder."""
    file = folder / JSON
    text = json.dumps(verdict.to_json(), indent=2, ensure_ascii=False, allow_nan=False)
    file.write_text(text + "\n", encoding="utf-8")
    return file
