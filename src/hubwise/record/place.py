"""Places to write to: a folder appears there whole or not at all, and never over a stranger's."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Holds = Callable[[Path], bool]


def check_place(target: Path, holds: Holds, kind: str) -> None:
    """Refuse a place that nothing can, or should, be written to; before the work, not after.

    Parameters
    ----------
    target
        Folder to be.
    holds
        Whether a folder holds something of this kind, which may be replaced; an empty one may be,
        too.
    kind
        What that is, such as ``a plan``.

    Raises
    ------
    FileExistsError
        Something else stands there.
    NotADirectoryError, PermissionError
        A parent is a file, or may not be written to.
    """
    if target.exists() and not (target.is_dir() and (holds(target) or not any(target.iterdir()))):
        raise FileExistsError(errno.EEXIST, f"exists and is not {kind}", str(target))
    parent = next(above for above in target.absolute().parents if above.exists())
    if not parent.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "is not a folder", str(parent))
    if not (os.access(parent, os.W_OK | os.X_OK) and _takes_folders(parent)):
        raise PermissionError(errno.EACCES, "may not be written to", str(parent))


def _takes_folders(parent: Path) -> bool:
    """Whether one can be made: not in every file system that says so of itself."""
    try:
        tempfile.TemporaryDirectory(prefix=".hubwise.", dir=parent).cleanup()
    except OSError:
        return False
    return True


@contextmanager
def whole_folder(target: Path, holds: Holds, kind: str) -> Iterator[Path]:
    """A folder to fill; takes the place of ``target`` once filled, and vanishes if that fails.

    Parameters and errors are those of `check_place`.
    """
    check_place(target, holds, kind)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as name:
        beside = Path(name) / "new"
        beside.mkdir()
        yield beside
        put_in_place(beside, target)


def put_in_place(beside: Path, target: Path) -> None:
    """Let a complete folder take the place of ``target``; what stood there goes, or stays whole."""
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as name:
        before = Path(name) / "old"
        try:
            if target.exists():
                target.rename(before)
            beside.rename(target)
        except BaseException:
            if before.exists() and not target.exists():
                before.rename(target)
            raise
