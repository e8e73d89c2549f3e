"""Snippets of README and docs: each is run, or the reason why it is not stands here."""

from __future__ import annotations

import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from hubwise.cli import app
from hubwise.scenario import load, new

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Snippet:
    """A fenced block of a page."""

    page: str
    language: str
    text: str

    @property
    def commands(self) -> Iterator[list[str]]:
        """The commands of a shell snippet, as words; comments left out, lines joined."""
        for line in self.text.replace("\\\n", " ").splitlines():
            if words := shlex.split(line, comments=True):
                yield words


SNIPPETS = [
    Snippet(page.name, language, text)
    for page in PAGES
    for language, text in FENCE.findall(page.read_text("utf-8"))
]
SHELL = [
    (it.page, shlex.join(words)) for it in SNIPPETS if it.language == "sh" for words in it.commands
]
PYTHON = [it for it in SNIPPETS if it.language == "python"]
# Languages of blocks that are nothing to run: formulas, trees, and output that is tested beside.
UNRUN = {"math": "formulas", "": "trees of names; test_docs imports each", "text": "output"}
# Programs that are not ours, and why they are not run here.
OTHERS = {
    "make": "builds an environment of its own; the targets are looked for in the Makefile",
    "dask": "starts servers on several machines; tests/study/test_study_workers.py does it on one",
    "pip": "installs into an environment; the extra that it names is in pyproject.toml",
    "curl": "asks a served site; tests/live/test_listing.py asks the same",
    "ocpp": "another project's probe of a served site; tests/live/test_serve.py asks more",
}


def test_every_snippet_is_of_a_kind_that_is_looked_at() -> None:
    """No block stands outside: each is shell, Python or TOML, or its reason is told here."""
    kinds = {it.language for it in SNIPPETS}
    assert kinds <= {"sh", "python", "toml", *UNRUN}
    assert len(SHELL) > 30
    assert {words.split()[0] for _, words in SHELL} <= {"hubwise", *OTHERS}


@pytest.mark.parametrize(("page", "words"), SHELL, ids=lambda it: it[:60])
def test_commands_are_understood(page: str, words: str) -> None:
    """Every command and option of a shell snippet is one that there is, with lawful values."""
    program, *rest = shlex.split(words)
    if program == "make":
        makefile = (ROOT / "Makefile").read_text("utf-8")
        assert re.search(rf"^{rest[0]}:", makefile, re.MULTILINE), page
    if program != "hubwise":
        return
    command = get_command(app)
    context = typer.Context(command)
    while hasattr(command, "get_command"):
        name = rest.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"{page}: {name}"
        context = typer.Context(found, parent=context, info_name=name)
        command = found
    command.parse_args(context, rest)  # raises what a user would be told


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tables of docs/examples, in which ``ieee33`` is a small site."""
    place = tmp_path_factory.mktemp("snippets")
    for name in ("ieee33", "my-hubs"):
        toml = new(place / name) / "scenario.toml"
        text = toml.read_text("utf-8").replace("evaluations = 400", "evaluations = 1\nboxes = 0")
        toml.write_text(text.replace('family = "hourly"', 'family = "flat"'), "utf-8")
    for table in (ROOT / "docs" / "examples").iterdir():
        shutil.copy(table, place)
    return place


# The others take minutes or other machines: study, frontier, futures, zones, days and verdict have
# tests of their own. Run on the small site, in this order: what one writes the next reads.
RUN = (
    ("README.md", "hubwise plan ieee33 --out out/plan"),
    ("README.md", "hubwise audit out/plan"),
    ("README.md", "hubwise export out/plan"),
    ("README.md", "hubwise statement out/plan"),
    ("README.md", "hubwise evaluate"),
    ("README.md", "hubwise scenario check"),
    ("README.md", "hubwise scenario import"),
    ("statement.md", "hubwise statement out/plan --driver d00093 --out"),
    ("statement.md", "hubwise statement out/plan --out out/bills.html"),
)


def test_commands_do_what_they_say(quick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that need no more than moments are run as they stand, on a small site, in order."""
    monkeypatch.chdir(quick)
    small = {"ieee33": str(quick / "ieee33"), "d00093": "d02"}
    for page, begins in RUN:
        words = next(w for p, w in SHELL if p == page and w.startswith(begins))
        done = CliRunner().invoke(app, [small.get(word, word) for word in shlex.split(words)[1:]])
        assert done.exit_code in (0, 1), f"{words}: {done.output}"


@pytest.mark.parametrize("snippet", PYTHON, ids=lambda it: it.page)
def test_python_runs(
    quick: Path, monkeypatch: pytest.MonkeyPatch, snippet: Snippet, tmp_path: Path
) -> None:
    """Python snippets run as they stand, where ``ieee33`` is a small site; paths are made."""
    monkeypatch.chdir(tmp_path)
    code = snippet.text.replace('"ieee33"', repr(str(quick / "ieee33")))
    situation = load(str(quick / "ieee33")).situation
    slots, hubs = situation.horizon.slots, len(situation.hubs)
    exec(code, {"hub_kw": np.zeros((hubs, slots))})


def test_toml_is_toml() -> None:
    """What a page shows of a file can be read."""
    shown = [it for it in SNIPPETS if it.language == "toml"]
    assert shown
    for it in shown:
        assert tomllib.loads(it.text)
