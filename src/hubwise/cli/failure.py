"""What went wrong, said to people or as data, and the exit code for scripts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from enum import IntEnum
from pathlib import Path

import typer

from hubwise.cli.console import messages, put_json
from hubwise.domain.errors import FolderError, Issue, ScenarioError

# One wrong number can be wrong in every slot; what is above the screen's edge nobody reads.
MOST = 50


class ExitCode(IntEnum):
    """Exit codes of every command."""

    FINE = 0
    DOES_NOT_HOLD = 1
    BAD_INPUT = 2
    INTERRUPTED = 130


@contextmanager
def explained(*, as_json: bool, out: Path | None = None) -> Iterator[None]:
    """Turn what a user can mend into words and an exit code; let our own mistakes through.

    ``out`` is where a work will stand that can be gone on with.
    """
    try:
        yield
    except ScenarioError as error:
        tell(error.issues, as_json=as_json)
        _say_notes(error)
        raise typer.Exit(ExitCode.BAD_INPUT) from error
    except FolderError as error:
        faults = [Issue(str(error.folder), "", "", fault, "") for fault in error.issues]
        tell(faults, as_json=as_json)
        raise typer.Exit(ExitCode.BAD_INPUT) from error
    except OSError as error:
        tell([_of_the_system(error)], as_json=as_json)
        _say_notes(error)
        raise typer.Exit(ExitCode.BAD_INPUT) from error
    except KeyboardInterrupt as error:
        from hubwise.study.unfinished import unfinished_place  # whose rooms take a second to open

        kept = unfinished_place(out) if out else None
        if kept and kept.exists():
            said = f"what is finished is kept in {kept}; the same command goes on from there"
        else:
            said = "nothing was written"
        messages.print(f"Interrupted; {said}.", soft_wrap=True, highlight=False)
        raise typer.Exit(ExitCode.INTERRUPTED) from error


def tell(issues: Sequence[Issue], *, as_json: bool) -> None:
    """Show problems: all as data on stdout, or the first `MOST`, one line each, on stderr."""
    if as_json:
        put_json({"problems": [asdict(issue) for issue in issues]})
        return
    for issue in issues[:MOST]:
        place = ", ".join(part for part in (issue.file, issue.where, issue.field) if part)
        parts = [part for part in (place, issue.wrong, issue.right) if part]
        messages.print(" — ".join(parts), highlight=False, markup=False, soft_wrap=True)
    if len(issues) > MOST:
        messages.print(f"and {len(issues) - MOST} more; --json tells all of them")


_ADVICE = {
    BlockingIOError: "wait until it is done, or name another folder",
    FileNotFoundError: "name one that exists",
    FileExistsError: "name another folder, or remove this one first",
    PermissionError: "name one that you may read and write",
    NotADirectoryError: "name a folder",
    IsADirectoryError: "name a file",
    ConnectionRefusedError: "start one there: dask scheduler, and dask worker ADDRESS beside it",
    ConnectionError: "give the same command again; it goes on where it was",
}


def _say_notes(error: Exception) -> None:
    """Where it happened, if a worker noted it."""
    for note in getattr(error, "__notes__", ()):
        messages.print(note, highlight=False, markup=False, soft_wrap=True)


def _of_the_system(error: OSError) -> Issue:
    """An error of files, workers or the network as a problem like any other."""
    wrong = error.strerror or str(error)
    right = _ADVICE.get(type(error), "make room or mend it, then try again")
    return Issue(str(error.filename or ""), "", "", wrong[:1].lower() + wrong[1:], right)
