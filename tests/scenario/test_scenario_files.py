"""The file format: the same scenario from other notations, and what a new folder holds."""

from __future__ import annotations

import re
from datetime import date, time
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwise.scenario import ImportOptions, ScenarioError, check, fingerprint, load, new
from hubwise.scenario.files import SECTIONS, Head, HubSection
from hubwise.scenario.reading import Reader
from hubwise.scenario.rows import BranchRow, BusRow, DriverRow, PriceRow, SessionRow, ShapeRow
from hubwise.scenario.writing import write_toml


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return new(tmp_path / "scenario")


def change(folder: Path, old: str, new: str) -> None:
    toml = folder / "scenario.toml"
    text = toml.read_text("utf-8")
    assert old in text
    toml.write_text(text.replace(old, new), "utf-8")


def test_a_new_folder_has_nothing_wrong(folder: Path) -> None:
    """What a user starts from can be read, and is small."""
    assert check(folder) == ()
    assert 10 <= len(load(folder).situation.fleet) <= 15


def test_new_leaves_a_folder_in_use_alone(folder: Path) -> None:
    """A folder that holds anything is refused and stays as it is."""
    (folder / "scenario.toml").write_text("mine", "utf-8")
    with pytest.raises(ScenarioError, match="not empty"):
        new(folder)
    assert (folder / "scenario.toml").read_text("utf-8") == "mine"


def test_new_leaves_nothing_beside_the_folder(folder: Path) -> None:
    """What was written beside the folder is moved there, not left behind."""
    assert [path.name for path in folder.parent.iterdir()] == ["scenario"]


def test_new_fills_the_empty_folder_that_one_stands_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``.`` is a folder like another, and stays the same one."""
    monkeypatch.chdir(tmp_path)
    new(".")
    assert check(".") == ()
    assert (Path.cwd() / "scenario.toml").exists()


@pytest.mark.parametrize("name", ["sessions", "buses", "branches", "load_shape", "prices"])
def test_parquet_is_read_as_csv_is(folder: Path, name: str) -> None:
    """A table with typed columns in Parquet gives the same scenario to the last bit."""
    before = fingerprint(load(folder))
    pl.read_csv(folder / f"{name}.csv", try_parse_dates=True).write_parquet(
        folder / f"{name}.parquet"
    )
    change(folder, f'"{name}.csv"', f'"{name}.parquet"')
    assert fingerprint(load(folder)) == before


def test_a_parquet_file_that_is_none_is_refused(folder: Path) -> None:
    """Bytes under a Parquet name are told, not raised."""
    (folder / "sessions.parquet").write_bytes(b"none")
    change(folder, '"sessions.csv"', '"sessions.parquet"')
    assert [issue.wrong for issue in check(folder)] == ["is not a Parquet file"]


def test_marks_spaces_and_empty_lines_do_not_matter(folder: Path) -> None:
    """A byte-order mark, spaces around cells and empty lines are what spreadsheets leave."""
    before = fingerprint(load(folder))
    buses = folder / "buses.csv"
    text = buses.read_text("utf-8").replace(",", " , ").replace("\n", "\r\n\r\n")
    buses.write_bytes(text.encode("utf-8-sig"))
    assert fingerprint(load(folder)) == before


def test_rows_are_counted_as_a_spreadsheet_does(folder: Path) -> None:
    """The header is row 1, and empty lines count."""
    buses = folder / "buses.csv"
    buses.write_text(buses.read_text("utf-8").replace("4,20,5", "\n4,-20,5"), "utf-8")
    assert [issue.where for issue in check(folder)] == ["row 6"]


def test_defaults_of_hubs_give_way_to_their_own(folder: Path) -> None:
    """A key of [[hubs]] holds against the same one of [hub_defaults]."""
    change(folder, 'name = "harbour"', 'name = "harbour"\nimport_limit_kw = 55.0')
    assert list(load(folder).situation.hubs.import_limit_kw) == [80.0, 55.0]


def test_solar_follows_its_shape(folder: Path) -> None:
    """The hub with solar has its highest output times the shape; the other has none."""
    solar = load(folder).situation.hubs.solar_kw
    assert solar[1].max() == 0
    assert solar[0].max() == pytest.approx(20.0 * 0.85, rel=0.02)


@pytest.mark.parametrize(
    ("feed_in", "expected"), [('"purchase"', -0.0085 - 0.01), ("-0.02", -0.02 - 0.01)]
)
def test_feed_in_is_the_purchase_price_or_a_number_less_the_fee(
    folder: Path, feed_in: str, expected: float
) -> None:
    """Both forms of feed-in, at the slot of the lowest price."""
    change(folder, 'feed_in = "purchase"', f"feed_in = {feed_in}")
    market = load(folder).situation.market
    assert market.feed_in_price[market.purchase_price.argmin()] == pytest.approx(expected)


def test_blocks_of_the_rules_go_before_those_of_the_prices(folder: Path) -> None:
    """Time-of-use tariffs on a price series take the rules' own blocks."""
    blocks = ['[[rules.blocks]]\nname = "{}"\nhours = ["{}"]\n'.format(*named) for named in
              (("night", "22:00-06:00"), ("day", "06:00-22:00"))]  # fmt: skip
    change(folder, "[promises]", "\n".join([*blocks, "[promises]"]))
    change(folder, 'family = "hourly"', 'family = "time-of-use"')
    rules = load(folder).situation.rules
    assert rules.block_names == ("night", "day")
    assert list(rules.block[:41]) == [1] * 40 + [0]


texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.one_of(
    texts,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.dates(date(1900, 1, 1)),
    st.times().map(lambda clock: time(clock.hour, clock.minute, clock.second)),
    st.lists(texts),
)
keys = st.from_regex(r"\A[a-z_]{1,12}\Z")
sections = st.dictionaries(keys, values, max_size=4)
section_lists = st.lists(sections, min_size=1, max_size=3)
contents = st.dictionaries(keys, st.one_of(values, sections, section_lists))


@given(content=contents)
def test_toml_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, object]
) -> None:
    """Whatever an import writes into scenario.toml is what is read from it."""
    folder = tmp_path_factory.mktemp("toml")
    write_toml(folder / "scenario.toml", content)
    assert Reader(folder).toml() == content


def test_every_key_and_column_is_described() -> None:
    """docs/scenario.md names every key, column and option that may be given."""
    text = (Path(__file__).parents[2] / "docs" / "scenario.md").read_text("utf-8")
    models = [Head, *SECTIONS.values(), HubSection, ImportOptions]
    rows = [BusRow, BranchRow, ShapeRow, PriceRow, DriverRow, SessionRow]
    keys = {key for model in [*models, *rows] for key in model.model_fields}
    assert {key for key in keys if not re.search(rf"[`.]{key}[`\]]", text)} == set()
