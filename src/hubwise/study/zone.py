"""One zone: drawn, answered or planned, and told as a row and its head's profile."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from hubwise.domain import Scenario, Tariff
from hubwise.domain.arrays import Array
from hubwise.grid import power_flow
from hubwise.plan import Plan, make_plan
from hubwise.plan.evaluation import Start, evaluate, uncoordinated_kw
from hubwise.record import write
from hubwise.scenario import Draws, lawful, with_participation

Record = dict[str, object]
Files = dict[str, bytes]


class Job(NamedTuple):
    """One zone: its number in the nation, its name and its seed."""

    number: int
    zone: str
    seed: int

    def __str__(self) -> str:
        return self.zone


@dataclass(frozen=True, slots=True)
class Prices:
    """Evaluate zones of one kind at given prices."""

    draws: Draws
    participation: float | None
    tariff: Tariff
    start: Start

    def run(self, job: Job) -> tuple[Record, Files]:
        """A zone's row."""
        began = time.perf_counter()
        scenario = participating(self.draws.draw(job.seed), self.participation)
        done = evaluate(
            scenario.situation, lawful(self.tariff, scenario.situation.fleet), start=self.start
        )
        row = _row(job, scenario, done.figures, done.head_kw, done.uncoordinated_head_kw)
        return {**row, "wall_seconds": time.perf_counter() - began}, {}


@dataclass(frozen=True, slots=True)
class Plans:
    """Plan zones of one kind."""

    draws: Draws
    participation: float | None
    method: str | None
    keep: bool

    def run(self, job: Job) -> tuple[Record, Files]:
        """A zone's row, and the files of its plan folder if that is kept."""
        began = time.perf_counter()
        scenario = participating(self.draws.draw(job.seed), self.participation)
        made = make_plan(scenario, method=self.method)
        before = power_flow(
            scenario.situation.feeder,
            scenario.situation.hubs.bus,
            uncoordinated_kw(scenario.situation),
        ).head_kw
        figures = {
            **{key: value for key, value in made.result.to_json().items() if _is_number(value)},
            "uncoordinated_peak_valley_kw": float(np.ptp(before)),
            "fleet_reference_cost": float(made.bills.reference_cost.sum()),
        }
        row = _row(job, scenario, figures, made.state.head_kw, before)
        return {**row, "wall_seconds": time.perf_counter() - began}, self._files(made, job)

    def _files(self, made: Plan, job: Job) -> Files:
        if not self.keep:
            return {}
        with TemporaryDirectory() as place:
            folder = write(made, Path(place) / job.zone)
            return {file.name: file.read_bytes() for file in folder.iterdir()}


def participating(scenario: Scenario, share: float | None) -> Scenario:
    """The scenario at another participation, if one is given."""
    return scenario if share is None else with_participation(scenario, share)


def _row(
    job: Job,
    scenario: Scenario,
    figures: Mapping[str, object],
    head_kw: Array,
    uncoordinated_head_kw: Array,
) -> Record:
    return {
        **job._asdict(),
        "sessions": len(scenario.situation.fleet),
        "participating": int(scenario.situation.fleet.participating.sum()),
        **figures,
        "head_kw": head_kw.tolist(),
        "uncoordinated_head_kw": uncoordinated_head_kw.tolist(),
    }


def _is_number(value: object) -> bool:
    """Whether it is a figure; None stands for one that there is not."""
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
