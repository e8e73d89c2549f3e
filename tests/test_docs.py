"""The docs: every place in the code, every link and every name that they give is there."""

from __future__ import annotations

import importlib
import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import hubwise
from hubwise.dispatch import kernel
from hubwise.drivers import Batteries

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "hubwise"
ROOMS = sorted(path.parent.name for path in SOURCE.glob("*/__init__.py"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Whose pages the docs link to. Packages are linked by their own home pages: a host that is no
# project's or publisher's own does not belong here.
HOSTS = {
    "doi.org",
    "ev.caltech.edu",
    "everlasting-project.eu",
    "example.org",  # reserved for examples
    "github.com",
    "power-grid-model.readthedocs.io",
    "www.pandapower.org",
}
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def place(dotted: str) -> object:
    """What stands at a dotted place in the package; raises where nothing does."""
    parts = dotted.removeprefix("hubwise.").split(".")
    for size in range(len(parts), -1, -1):
        try:
            found: object = importlib.import_module(".".join(["hubwise", *parts[:size]]))
        except ModuleNotFoundError:
            continue
        for name in parts[size:]:
            if is_dataclass(found) and name in {field.name for field in fields(found)}:
                found = name
            else:
                found = getattr(found, name)
        return found
    raise AssertionError


def section(page: str, title: str) -> str:
    """A part of a page, from its heading to the next heading of any level."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    found = re.search(rf"^#+ {title}\n(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def cells(table: str) -> list[list[str]]:
    """The rows of the tables of a text, headings included, rulers left out."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in rows if not set("".join(row)) <= set("|- ")]


NOMENCLATURE = cells(section("model.md", "Nomenclature"))


@pytest.mark.parametrize("row", NOMENCLATURE[1:], ids=lambda row: row[0])
def test_every_symbol_stands_where_the_nomenclature_says(row) -> None:
    """A symbol has a place in the code, and is there."""
    places = re.findall(r"`([\w.]+)`", row[NOMENCLATURE[0].index("where")])
    assert places
    for each in places:
        place(each)


def test_every_name_of_the_kernels_has_its_symbol() -> None:
    """The page explains each field of the kernels' two records, and no other."""
    rows = cells(section("model.md", "What kernels call it"))
    named = [name for row in rows for cell in row[::2] for name in re.findall(r"`(\w+)`", cell)]
    numbers = [name for name in vars(kernel) if name.isupper() and "ROUNDS" not in name]
    assert sorted(named) == sorted([*Batteries._fields, *kernel.Board._fields, *numbers])


def test_every_place_of_the_object_tree_is_there() -> None:
    """What stands on the page as it is today can be imported; the rest is called planned."""
    text = (ROOT / "docs" / "object-tree.md").read_text("utf-8")
    today, planned = text.split("## A running site (**planned**)")
    places = re.findall(rf"(?<![\w./])((?:{'|'.join(ROOMS)})\.\w+(?:\.\w+)*)", today)
    assert len(places) > 40
    for each in places:
        place(each)
    rooms = re.findall(r"^\| `(\w+)` \|", planned, re.MULTILINE)
    assert rooms
    assert not set(rooms) & set(ROOMS), "built by now: move them up, to what is there"


def test_every_room_is_on_the_page_of_the_house() -> None:
    """docs/architecture.md says what each room knows and may use."""
    first = [row[0] for row in cells(section("architecture.md", "Rooms"))]
    assert sorted(re.findall(r"`(\w+)`", " ".join(first))) == ROOMS


@every_page
def test_files_and_names_that_a_page_gives_are_there(page) -> None:
    """Files of the code, ``hw.something``, and places such as ``hubwise.room.name``."""
    text = page.read_text("utf-8")
    for file in re.findall(r"`(\w[\w/]*\.py)`", text):
        assert any((base / file).exists() for base in (SOURCE, ROOT)), file
    for folder in re.findall(rf"`((?:{'|'.join(ROOMS)})/[\w/]*)`", text):
        assert (SOURCE / folder).is_dir(), folder
    for name in re.findall(r"\bhw\.(\w+)", text):
        assert name in hubwise.__all__, name
    for dotted in re.findall(r"`(hubwise(?:\.\w+)+)", text):
        place(dotted)


@every_page
def test_links_lead_somewhere(page) -> None:
    """To files and headings that are there, and to hosts that we know."""
    text = page.read_text("utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            assert urlsplit(link).hostname in HOSTS, link
            continue
        file, _, heading = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        if heading:
            assert heading in headings(target), link
    for link in re.findall(r"https?://[^\s)\"'`>]+", text):
        assert urlsplit(link).hostname in HOSTS, link


def headings(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_case_of_ocpp_names_a_test_that_is_there() -> None:
    """docs/ocpp.md gives for each case of the Open Charge Alliance a test of ours, that exists."""
    rows = cells(section("ocpp.md", "Test cases"))[1:]
    written = "".join(each.read_text("utf-8") for each in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"^def (test_\w+)", written, re.MULTILINE))
    assert len(rows) > 8
    for case, tests in rows:
        named = re.findall(r"`(test_\w+)`", tests)
        assert named, case
        assert set(named) <= there, case
        assert re.match(r"TC_[A-Z](_\d+)?\b", case), case
