"""The page to look at: ``report.html``, one file that opens without a network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hubwise.domain import Scenario, Strategy
from hubwise.plan import make_plan
from hubwise.record import Record, read, seal_again, write
from hubwise.study.report.cases import Case, Cases, read_plan, read_study
from hubwise.study.report.page import make_page

__all__ = ["report", "write_plan_report", "write_report"]


def write_report(scenario: Scenario, study_folder: Path) -> Path:
    """Write ``report.html`` into a study folder, from its files and the scenario.

    Parameters
    ----------
    scenario
        What was given.
    study_folder
        Holds ``summary.json`` and the plan folders under ``plans/<strategy>-<participation>/``.
        Figures whose plan folder is missing say so.

    Returns
    -------
    Path
        The page.
    """
    return _write(make_page(read_study(scenario, study_folder), "day-ahead study"), study_folder)


def write_plan_report(scenario: Scenario, plan_folder: Path) -> Path:
    """Write ``report.html`` into a plan folder, and seal it; the plan beside its uncoordinated day.

    Parameters
    ----------
    scenario
        What was given.
    plan_folder
        Holds ``summary.json`` with one result, and its tables.

    Returns
    -------
    Path
        The page.
    """
    with TemporaryDirectory() as place:
        material = _beside_uncoordinated(read_plan(scenario, plan_folder), Path(place) / "plan")
        page = _write(make_page(material, "day-ahead plan"), plan_folder)
    seal_again(plan_folder)
    return page


def _beside_uncoordinated(material: Cases, place: Path) -> Cases:
    """A plan with the uncoordinated day of the same drivers, made and written for it."""
    (planned,) = material.cases
    if planned.strategy == Strategy.UNCOORDINATED:
        return material
    folder = write(make_plan(material.scenario, strategy=Strategy.UNCOORDINATED), place)
    result = {**read(folder).result, "participation": planned.participation}
    before = Case(Strategy.UNCOORDINATED, planned.participation, result, folder)
    return replace(material, cases=(before, planned))


def report(plan: Record, path: str | Path) -> Path:
    """Write the page of a plan that stands in no folder.

    Parameters
    ----------
    plan
        As `hubwise.make_plan` makes it.
    path
        Where the page is written, such as ``out/plan.html``; its folder is made.
    """
    page = Path(path)
    with TemporaryDirectory() as folder:
        made = write_plan_report(plan.scenario, write(plan, Path(folder) / "plan"))
        page.parent.mkdir(parents=True, exist_ok=True)
        beside = page.with_name(f".{page.name}.part")
        beside.write_bytes(made.read_bytes())
        beside.replace(page)
    return page


def _write(text: str, folder: Path) -> Path:
    path = folder / "report.html"
    path.write_text(text, encoding="utf-8")
    return path
