"""`hubwise verdict`: sentences first, JSON alone when asked for, a folder that is whole or not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

Run = Callable[..., Result]


def test_sentences_and_a_page(run: Run, quick: Path, tmp_path: Path) -> None:
    """Three sentences come first; page and figures stand in the folder, which may be replaced."""
    toml, out = quick / "scenario.toml", tmp_path / "verdict"
    site = tmp_path / "site"
    shutil.copytree(quick, site)
    text = toml.read_text("utf-8").replace("evaluations = 3", "evaluations = 3\nboxes = 0")
    (site / toml.name).write_text(text, "utf-8")
    once = ("verdict", site, "--out", out, "--evaluations", 1, "--workers", 1, "--battery", 60)
    done = run(*once)
    assert done.exit_code == 0
    said = json.loads((out / "verdict.json").read_text("utf-8"))
    assert [f"• {sentence}" for sentence in said["sentences"]] == done.stdout.splitlines()[:3]
    assert sorted(file.name for file in out.iterdir()) == ["verdict.html", "verdict.json"]
    assert "One day is one day" in " ".join(done.stderr.split())
    again = run(*once, "--json", "--battery-cost", 0)
    content = json.loads(again.stdout)
    assert content["costs"]["battery"] == 0.0
    assert content["costs"]["battery_from"] == "as given"


def test_what_is_wrong_is_refused_before_the_work(run: Run, quick: Path, tmp_path: Path) -> None:
    """Days that are not there, a folder of somebody else's: exit code 2, in a line."""
    (tmp_path / "mine.txt").write_text("mine", "utf-8")
    for wrong in (("--days", 3), ("--out", tmp_path), ("--battery-cost", -1)):
        done = run("verdict", quick, *wrong)
        assert done.exit_code == 2
        assert not done.stdout
    assert run("verdict", tmp_path / "nowhere").exit_code == 2
