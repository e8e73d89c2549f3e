"""Where compiled kernels are kept: code compiled from other sources is never taken up.

numba keeps what it compiled beside each file and looks at that file alone: a kernel that calls a
changed one, or that is handed a record whose columns changed, is taken up as it was, or crashes.
So each state of the kernels and of their records has a folder of its own. Kernels take numba's
decorators from here, so that the folder is known before any of them is compiled.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from numba import config, njit, prange

__all__ = ["PLACE", "digest", "keep_apart", "njit", "prange"]

PACKAGE = Path(__file__).parent
# Folders of earlier states that stay: another process may still run from them.
KEPT = 2


def digest(package: Path = PACKAGE) -> str:
    """Of every file that compiles a kernel or declares a record: 16 hexadecimal digits."""
    state = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        content = file.read_bytes()
        if b"njit" in content or b"NamedTuple" in content:
            state.update(str(file.relative_to(package)).encode() + b"\0" + content)
    return state.hexdigest()[:16]


def keep_apart(package: Path = PACKAGE) -> Path | None:
    """Let numba keep what it compiles in a folder of this state; None where the user said where.

    Where the package's folder may not be written to, numba finds a place of its own.
    """
    if "NUMBA_CACHE_DIR" in os.environ:
        return None
    home = package / "__pycache__" / "kernels"
    place = home / digest(package)
    config.CACHE_DIR = str(place)  # type: ignore[attr-defined]
    if not place.exists() and os.access(package, os.W_OK):
        place.mkdir(parents=True, exist_ok=True)
        _forget(home, place)
    return place


def _forget(home: Path, place: Path) -> None:
    """Remove the folders of states long gone."""
    others = [folder for folder in home.iterdir() if folder != place]
    others.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in others[KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)


PLACE = keep_apart()
"""Where this process keeps what it compiles."""
