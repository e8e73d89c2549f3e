"""Where compiled kernels are kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hubwise
from hubwise.compiled import KEPT, digest, keep_apart

RUN = (
    "import numpy as np, hubwise; from hubwise.drivers import runs as k;"
    "print(k.__file__); up, floor = np.ones(3), np.empty(3); k.fill_floor(0.0, 2.0, 1.0, floor);"
    "print(*floor)"
)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package that nobody else compiles in."""
    source = Path(hubwise.__file__).parent
    skip = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(source, tmp_path / "hubwise", ignore=skip))


def run(package: Path) -> str:
    env = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    env |= {"PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", RUN], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert str(package) in done.stdout
    return done.stdout.splitlines()[-1]


def test_a_changed_kernel_is_compiled_anew(package: Path) -> None:
    """Also where the file that calls it stayed as it was."""
    before, old = digest(package), run(package)
    assert old == "0.0 1.0 2.0"
    assert list((package / "__pycache__" / "kernels" / before).rglob("*.nbc"))
    file = package / "drivers" / "runs.py"
    file.write_text(file.read_text("utf-8") + "\n# njit\n", "utf-8")
    assert digest(package) != before
    assert run(package) == old


def test_other_files_do_not_matter(package: Path) -> None:
    """What compiles nothing may change: nothing is compiled again for it."""
    before = digest(package)
    page = package / "study" / "report" / "page.py"
    page.write_text(page.read_text("utf-8") + "\n# a word more\n", "utf-8")
    assert digest(package) == before


def test_old_states_go(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last few stay; a folder that the user named is left alone."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    from numba import config

    monkeypatch.setattr(config, "CACHE_DIR", config.CACHE_DIR)
    home = package / "__pycache__" / "kernels"
    for k in range(5):
        (home / f"old{k}").mkdir(parents=True)
        os.utime(home / f"old{k}", (k, k))
    place = keep_apart(package)
    kept = {"old4", "old3"}
    assert len(kept) == KEPT
    assert {folder.name for folder in home.iterdir()} == {place.name, *kept}
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(package))
    assert keep_apart(package) is None
