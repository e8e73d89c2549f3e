"""The plan folder: whole or not at all, the same bytes twice, every fault named at once."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hubwise.plan import make_plan
from hubwise.record import Bounds, SearchFigures
from hubwise.record import folder as plan_folder
from hubwise.record.folder import PlanFolderError, account_in, read, write
from hubwise.record.tables import TABLES, make_tables
from hubwise.scenario import load

CONTRACT_PAGE = Path(__file__).parents[2] / "docs" / "plan-folder.md"


@pytest.fixture(scope="module")
def plan():
    """A day of the packaged example, quickly planned."""
    return make_plan(load("example"), strategy="passive")


def test_what_is_written_is_read(plan, tmp_path):
    """Reading gives the tables and the account that were written."""
    found = read(write(plan, tmp_path / "plan"))
    for name, table in make_tables(plan).items():
        assert found.tables[name].equals(table)
    assert found.summary["account"] == {**asdict(plan.account), "terms": {}}
    assert account_in(found.summary) == plan.account
    assert found.result["strategy"] == "passive"


def test_json_has_no_word_for_infinity(plan, tmp_path):
    """Numbers that are not finite become null, and numpy's become JSON's own."""
    bounds = Bounds(profit_bound=np.float64("inf"))
    odd = replace(plan.result, bounds=bounds, search=SearchFigures(evaluations=np.int64(3)))
    found = read(write(replace(plan, result=odd), tmp_path / "plan"))
    assert found.result["profit_bound"] is None
    assert found.result["evaluations"] == 3


def test_tables_have_the_columns_of_the_contract(plan):
    """Names, order and types of all columns are those of TABLES."""
    for name, table in make_tables(plan).items():
        assert dict(table.schema) == dict(TABLES[name])


def test_the_contract_page_names_every_column_and_key(plan):
    """docs/plan-folder.md describes every table and column, and every key of summary.json."""
    page = CONTRACT_PAGE.read_text(encoding="utf-8")
    for name, columns in TABLES.items():
        part = page.split(f"## `{name}.parquet`")[1].split("\n## ")[0]
        described = re.findall(r"^\| `(\w+)` \|", part, flags=re.MULTILINE)
        assert described == list(columns)
    for key in (*plan_folder.summary(plan), "seal", *asdict(plan.account), *plan.result.to_json()):
        assert f"`{key}`" in page


def test_schedule_has_the_slots_of_the_stay_and_no_other(plan):
    """schedule.parquet has one row for every slot of every stay."""
    fleet = plan.scenario.situation.fleet
    counts = make_tables(plan)["schedule"].group_by("session", maintain_order=True).len()
    assert counts["session"].to_list() == fleet.session.tolist()
    assert counts["len"].to_list() == (fleet.departure_slot - fleet.arrival_slot).tolist()


def test_hubs_and_buses_balance(plan):
    """Power crossing the hubs' connections is the hubs' draw at the buses, slot by slot."""
    made = make_tables(plan)
    hubs = made["hubs"].group_by("slot").agg(net=(pl.col("import_kw") - pl.col("export_kw")).sum())
    buses = made["buses"].group_by("slot").agg(pl.col("hub_kw").sum())
    both = hubs.join(buses, on="slot")
    assert both["net"].to_list() == pytest.approx(both["hub_kw"].to_list())


def test_same_plan_same_bytes(plan, tmp_path):
    """The same plan gives the same bytes in every file."""
    first, second = write(plan, tmp_path / "a"), write(plan, tmp_path / "b")
    for file in first.iterdir():
        assert file.read_bytes() == (second / file.name).read_bytes()


def test_slots_without_a_power_flow_are_null(plan):
    """Where no power flow was found the tables say nothing, rather than a number."""
    state = plan.state
    found = state.converged.copy()
    found[3] = False
    blank = {
        field.name: np.where(found, getattr(state, field.name), np.nan)
        for field in fields(state)
        if field.name != "converged"
    }
    made = make_tables(replace(plan, state=replace(state, **blank, converged=found)))
    unknown = made["feeder"].filter(pl.col("slot") == 3).row(0, named=True)
    assert all(value is None for column, value in unknown.items() if column != "slot")
    assert made["buses"]["voltage_pu"].null_count() == len(plan.scenario.situation.feeder.bus)


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
@pytest.mark.parametrize("stands", [False, True])
def test_never_half_a_folder(plan, tmp_path, monkeypatch, error, stands):
    """A failure or Ctrl-C while writing leaves what stood there, and nothing beside it."""
    target = tmp_path / "plan"
    if stands:
        write(plan, target)
    before = {file.name: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}

    def fail(*_args):
        raise error

    monkeypatch.setattr(plan_folder, "summary", fail)
    with pytest.raises(type(error)):
        write(plan, target)
    after = {file.name: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert after == before
    assert [entry.name for entry in tmp_path.iterdir()] == (["plan"] if stands else [])


def test_the_old_plan_comes_back_if_the_new_one_cannot_take_its_place(plan, tmp_path, monkeypatch):
    """A failure at the last step, the renaming, gives the old plan back."""
    target = write(plan, tmp_path / "plan")
    rename = Path.rename

    def fail_for_the_new(self, to):
        if self.name == "new":
            raise OSError("no")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", fail_for_the_new)
    with pytest.raises(OSError, match="no"):
        write(plan, target)
    assert read(target).result["strategy"] == "passive"


def test_a_plan_is_replaced_and_an_empty_folder_filled(plan, tmp_path):
    """Writing twice leaves the second plan, and no trace of the first."""
    (tmp_path / "plan").mkdir()
    write(plan, tmp_path / "plan")
    later = replace(plan, result=replace(plan.result, participation=0.5))
    write(later, tmp_path / "plan")
    assert read(tmp_path / "plan").result["participation"] == 0.5
    assert [entry.name for entry in tmp_path.iterdir()] == ["plan"]


@pytest.mark.parametrize("content", ["my notes", "{}", '{"results": []}'])
def test_what_is_not_a_plan_is_left_alone(plan, tmp_path, content):
    """Somebody's own folder is never replaced."""
    target = tmp_path / "mine"
    target.mkdir()
    (target / "summary.json").write_text(content)
    with pytest.raises(FileExistsError, match="not a plan"):
        write(plan, target)
    assert (target / "summary.json").read_text() == content


def test_a_file_is_left_alone(plan, tmp_path):
    """A file of that name is never replaced."""
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(FileExistsError, match="not a plan"):
        write(plan, tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "precious"


def test_every_fault_is_named_at_once(plan, tmp_path):
    """A spoilt folder's error names each missing file, column, type and key, all together."""
    target = write(plan, tmp_path / "plan")
    (target / "prices.parquet").unlink()
    (target / "feeder.parquet").write_text("not a table")
    bills = pl.read_parquet(target / "bills.parquet")
    bills.drop("wear").cast({"paid": pl.String}).write_parquet(target / "bills.parquet")
    content = json.loads((target / "summary.json").read_text())
    del content["account"]
    content.update(contract=99, results=[], books=3)
    (target / "summary.json").write_text(json.dumps(content))
    with pytest.raises(PlanFolderError) as caught:
        read(target)
    told = "\n".join(caught.value.issues)
    for fault in (
        "prices.parquet: the file is missing",
        "feeder.parquet: not a Parquet file",
        "bills.parquet: the column 'wear' is missing",
        "bills.parquet: the column 'paid' is String, not Float64",
        "summary.json: contract version 99",
        "summary.json: the key 'account' is missing",
        "summary.json: 'results' should be a list of one result",
        "summary.json: 'books' should be an object",
    ):
        assert fault in told


@pytest.mark.parametrize(
    ("file", "kind"), [("notes.txt", "is no plan"), ("scenario.toml", "is a scenario")]
)
def test_a_folder_that_is_no_plan_is_told_in_one_line(tmp_path, file, kind):
    """Not by every table that it lacks; a scenario is called what it is."""
    (tmp_path / file).write_text("", "utf-8")
    with pytest.raises(PlanFolderError) as caught:
        read(tmp_path)
    [told] = caught.value.issues
    assert told.startswith(kind)


@pytest.mark.parametrize("content", ["", "[]", "3"])
def test_a_summary_of_another_shape(plan, tmp_path, content):
    """A summary that is no JSON object is an error for people, not a crash."""
    target = write(plan, tmp_path / "plan")
    (target / "summary.json").write_text(content)
    with pytest.raises(PlanFolderError, match=r"summary\.json"):
        read(target)


def test_no_folder_at_all(tmp_path):
    """A place where nothing stands is named."""
    with pytest.raises(PlanFolderError, match="no such folder"):
        read(tmp_path / "nowhere")
