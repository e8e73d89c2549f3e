"""Circuits and phases as files tell of them: read, spread, refused, and planned for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hubwise.audit import audit_record
from hubwise.plan import make_plan
from hubwise.record import write
from hubwise.scenario import check, load, new

CIRCUITS = """
[[circuits]]
name = "garage"
hub = "north"
limit_kw = 24

[[circuits]]
name = "left"
hub = "north"
under = "garage"
fuse_a = 20
"""


def a_site(tmp_path: Path, *, toml: str = CIRCUITS, plugs: str | None = None) -> Path:
    """The example with what ``toml`` adds, and a table of plugs."""
    site = tmp_path / "site"
    new(site)
    text = (site / "scenario.toml").read_text("utf-8")
    text = text.replace('family = "hourly"', 'family = "flat"').replace("fuse", "fuse")
    if plugs is not None:
        toml += '\n[plugs]\nfile = "plugs.csv"\n'
        (site / "plugs.csv").write_text(plugs, "utf-8")
    (site / "scenario.toml").write_text(text + toml, "utf-8")
    return site


def with_columns(site: Path, **columns: list[object]) -> Path:
    """The site with more columns in its table of sessions."""
    file = site / "sessions.csv"
    table = pl.read_csv(file, infer_schema=False)
    more = [
        pl.Series(name, (values * 12)[:12], dtype=pl.String) for name, values in columns.items()
    ]
    table.with_columns(more).write_csv(file)
    return site


def test_a_site_with_circuits_is_planned_and_audited(tmp_path: Path) -> None:
    """From files: nested circuits, plugs on them, single phases; all limits hold, to the audit."""
    rows = [f"n{k},north,11,3,left,,true" for k in range(6)]
    rows += [f"h{k},harbour,7.4,1,,{'L1' if k == 0 else ''},true" for k in range(6)]
    plugs = "\n".join(["plug,hub,kw,phases,circuit,phase,two_way", *rows])
    toml = CIRCUITS.replace("limit_kw = 24", "limit_kw = 13")
    site = a_site(tmp_path, toml=toml, plugs=plugs)
    text = (site / "scenario.toml").read_text("utf-8")
    text = text.replace('name = "harbour"\n', 'name = "harbour"\nfuse_a = 40\n')
    (site / "scenario.toml").write_text(text, "utf-8")
    scenario = load(site)
    fleet, hubs = scenario.situation.fleet, scenario.situation.hubs
    assert fleet.circuit is not None
    assert fleet.phase is not None
    assert (fleet.circuit == np.where(fleet.hub == 0, 1, -1)).all()
    assert (fleet.phase[fleet.hub == 0] == 0).all()
    by_plug = dict(zip(fleet.plug.tolist(), fleet.phase.tolist(), strict=True))
    assert by_plug["h0"] == 1
    spread = [by_plug[f"h{k}"] for k in range(1, 6) if f"h{k}" in by_plug]
    assert spread == [1, 2, 3, 1, 2][: len(spread)]
    assert any("L1, L2 and L3 in turn" in note for note in scenario.notes)
    plan = make_plan(scenario)
    assert plan.result.feeder.circuit_violations == 0
    folder = write(plan, tmp_path / "plan")
    report = audit_record(folder, scenario)
    assert not [str(it) for it in report.checks if it.status.value in ("fails", "missed")]
    told = json.loads((folder / "summary.json").read_text("utf-8"))["circuits"]["lines"]
    assert [(line["circuit"], line["phase"]) for line in told] == [
        *(("", phase) for phase in ("L1", "L2", "L3")),
        ("garage", ""),
        *(("left", phase) for phase in ("L1", "L2", "L3")),
    ]
    assert hubs.lines.name[3] == "hub north, circuit garage"
    assert all(line["peak_kw"] <= line["limit_kw"] + 1e-6 for line in told)


def test_phases_without_plugs_are_spread_in_order_of_arrival(tmp_path: Path) -> None:
    """Cars on one phase take L1, L2, L3 in turn at each place, but for those that say theirs."""
    text = CIRCUITS.replace("limit_kw = 24", "fuse_a = 63")
    site = with_columns(a_site(tmp_path, toml=text), phases=["1", "3", "1"], phase=["L2", "", ""])
    fleet = load(site).situation.fleet
    assert fleet.phase is not None
    assert fleet.circuit is not None
    assert (fleet.circuit == -1).all()
    assert (fleet.phase[0::3] == 2).all()
    assert (fleet.phase[1::3] == 0).all()
    for hub in (0, 1):
        mine = [i for i in np.argsort(fleet.arrival_slot, kind="stable") if i % 3 == 2]
        phases = [int(fleet.phase[i]) for i in mine if fleet.hub[i] == hub]
        assert phases == [1, 2, 3, 1][: len(phases)]


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    """Unknown and foreign circuits, loops, limits of nothing, phases that are none: all named."""
    toml = """
[[circuits]]
name = "a"
hub = "north"
under = "b"
limit_kw = 10

[[circuits]]
name = "b"
hub = "north"
under = "a"
limit_kw = 10

[[circuits]]
name = "c"
hub = "harbour"
limit_kw = 0

[[circuits]]
name = "d"
hub = "harbour"
fuse_a = -5

[[circuits]]
name = "e"
hub = "nowhere"
limit_kw = 5

[[circuits]]
name = "f"
hub = "harbour"

[[circuits]]
name = "g"
hub = "harbour"
under = "a"
limit_kw = 5

[[circuits]]
name = "h"
hub = "harbour"
limit_kw = 5

[[circuits]]
name = "h"
hub = "harbour"
limit_kw = 5

[[circuits]]
name = "i"
hub = "harbour"
under = "i"
limit_kw = 5
"""
    plugs = "plug,hub,kw,circuit,phase\np1,north,11,c,\np2,north,11,z,\np3,harbour,11,h,L4\n"
    site = with_columns(a_site(tmp_path, toml=toml, plugs=plugs), circuit=["a"], phases=["2"])
    found = [str(issue) for issue in check(site)]
    for words in (
        "circuits[1], under: goes round: 'a' under 'b' under 'a'",
        "circuits[3], limit_kw",
        "circuits[4], fuse_a",
        "circuits[5], hub: 'nowhere' is unknown",
        "circuits[6]: has no limit",
        "circuits[7], under: 'a' is a circuit of hub 'north', not of 'harbour'",
        "circuits[8], name: 'h' is there more than once",
        "circuits[10], under: goes round: 'i' under 'i'",
        "plugs.csv, row 2, circuit: 'c' is a circuit of hub 'harbour', not of 'north'",
        "plugs.csv, row 3, circuit: 'z' is unknown",
        "plugs.csv, row 4, phase: 'L4' is not known",
        "sessions.csv, row 2, circuit: is told by the plug",
        "sessions.csv, row 2, phases: 2 is not known",
    ):
        assert any(words in issue for issue in found), (words, found)


def test_a_three_phase_car_on_one_phase_is_a_mistake(tmp_path: Path) -> None:
    """Three phases and one of them: which is meant has to be said."""
    site = with_columns(a_site(tmp_path), phases=["3"], phase=["L1"])
    found = [issue for issue in check(site) if issue.field == "phase"]
    assert len(found) == 12
    assert found[0].wrong == "is L1, where phases is 3"


@pytest.mark.parametrize("phases", ["1", "3"])
def test_phases_of_plugs_are_read_from_csv(tmp_path: Path, phases: str) -> None:
    """A whole number in a CSV is one."""
    plugs = f"plug,hub,kw,phases\na,north,7.4,{phases}\nb,harbour,7.4,{phases}\n"
    site = a_site(tmp_path, toml="", plugs=plugs)
    assert check(site) == ()
    assert load(site).situation.fleet.least_charge_kw.max() == pytest.approx(1.38 * int(phases))
