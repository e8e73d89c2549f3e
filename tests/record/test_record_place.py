"""Places to write to: one run at a time, links followed, and nothing half-written."""

from __future__ import annotations

import errno
import resource
from pathlib import Path

import polars as pl
import pytest

from hubwise.record.place import reserved, whole_folder, write_table


def _ours(folder: Path) -> bool:
    return (folder / "it").is_file()


def test_two_runs_into_one_place_are_told(tmp_path):
    """The second of two runs into one folder is refused at once; after the first, it may."""
    target = tmp_path / "new" / "out"
    with reserved(target, _ours, "ours") as place:
        assert place == target.resolve()
        with (
            pytest.raises(BlockingIOError, match="another run"),
            reserved(target, _ours, "ours"),
        ):
            pass
    with reserved(target, _ours, "ours"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_lock_that_a_killed_run_left_does_not_hold(tmp_path):
    """Only a run that lives keeps others out: what is left of one that was killed is taken over."""
    (tmp_path / ".out.lock").touch()
    with reserved(tmp_path / "out", _ours, "ours"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_link_stays_and_what_it_points_to_is_written(tmp_path):
    """A link in the place of a folder is followed, never replaced."""
    (tmp_path / "real").mkdir()
    link = tmp_path / "link"
    link.symlink_to("real")
    with whole_folder(link, _ours, "ours") as place:
        (place / "it").touch()
    assert link.is_symlink()
    assert (tmp_path / "real" / "it").is_file()


def test_a_link_to_nowhere_is_refused(tmp_path):
    """A link to nothing is told before the work, and stays."""
    link = tmp_path / "link"
    link.symlink_to("gone")
    with pytest.raises(FileNotFoundError, match="link to nowhere"), reserved(link, _ours, "ours"):
        pass
    assert link.is_symlink()


def test_no_room_for_a_table_leaves_nothing(tmp_path):
    """A table that does not fit is an error of the place, and no folder appears there."""
    table = pl.DataFrame({"a": list(range(100_000))}).select(pl.col("a").shuffle(1))
    most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, most[1]))
    try:
        with (
            pytest.raises(OSError, match="too large") as caught,
            whole_folder(tmp_path / "out", _ours, "ours") as place,
        ):
            write_table(table, place / "it.parquet")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(tmp_path / "out"))
    assert not list(tmp_path.iterdir())
