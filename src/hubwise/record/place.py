"""Places to write to: a folder appears there whole or not at all, and never over a stranger's."""

from __future__ import annotations

import errno
import fcntl
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl

from hubwise.scenario.writing import told_of

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
    FileNotFoundError
        It is a link to nowhere.
    NotADirectoryError, PermissionError
        A parent is a file, or may not be written to.
    """
    target = followed(target)
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


def followed(target: Path) -> Path:
    """Where a folder really stands: a link stays, and what it points to is written.

    Raises
    ------
    FileNotFoundError
        The link points to nothing.
    """
    if target.is_symlink() and not target.exists():
        wrong = f"is a link to nowhere ({target.readlink()})"
        raise FileNotFoundError(errno.ENOENT, wrong, str(target))
    return Path(os.path.realpath(target))


@contextmanager
def reserved(target: Path, holds: Holds, kind: str) -> Iterator[Path]:
    """A place that this run alone writes to until it is done; yields where it really is.

    Parameters and errors are those of `check_place`.

    Raises
    ------
    BlockingIOError
        Another run is writing there.
    """
    check_place(target, holds, kind)
    place = followed(target)
    made = [above for above in place.parents if not above.exists()]
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _locked(place), told_of(place):
            yield place
    finally:
        for above in made:
            with suppress(OSError):  # something stands in it
                above.rmdir()


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    """A lock beside ``place``; the system lets go of it if this run is killed."""
    lock = place.with_name(f".{place.name}.lock")
    handle = _lock(lock, place)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(handle)


def _lock(lock: Path, place: Path) -> int:
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise BlockingIOError(
                errno.EAGAIN, "is being written by another run", str(place)
            ) from None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), os.stat(lock)):
                return handle
        os.close(handle)  # whoever held it took the file away just before


def write_table(table: pl.DataFrame, file: Path) -> None:
    """Write a table as Parquet; a full disk is an `OSError`, as it is for any file."""
    content = io.BytesIO()
    table.write_parquet(content, compression="zstd")
    file.write_bytes(content.getbuffer())


@contextmanager
def whole_folder(target: Path, holds: Holds, kind: str) -> Iterator[Path]:
    """A folder to fill; takes the place of ``target`` once filled, and vanishes if that fails.

    Parameters and errors are those of `check_place`.
    """
    check_place(target, holds, kind)
    target = followed(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        told_of(target),
        tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as name,
    ):
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
