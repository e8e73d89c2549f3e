"""What went wrong, said to people or as data, and the exit code for scripts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from enum import IntEnum

import typer

from hubwise.cli.console import messages, put_json
from hubwise.scenario import Problem, ScenarioError

# One wrong number can be wrong in every slot; what is above the screen's edge nobody reads.
MOST = 50


class ExitCode(IntEnum):
    """Exit codes of every command."""

    FINE = 0
    DOES_NOT_HOLD = 1
    BAD_INPUT = 2
    INTERRUPTED = 130


@contextmanager
def explained(*, as_json: bool) -> Iterator[None]:
    """Turn what a user can mend into words and an exit code; let our own mistakes through."""
    try:
        yield
    except ScenarioError as error:
        tell(error.problems, as_json=as_json)
        raise typer.Exit(ExitCode.BAD_INPUT) from error
    except OSError as error:
        tell([_of_the_file_system(error)], as_json=as_json)
        raise typer.Exit(ExitCode.BAD_INPUT) from error
    except KeyboardInterrupt as error:
        messages.print("Interrupted; nothing was written.")
        raise typer.Exit(ExitCode.INTERRUPTED) from error


def tell(problems: Sequence[Problem], *, as_json: bool) -> None:
    """Show problems: all as data on stdout, or the first `MOST`, one line each, on stderr."""
    if as_json:
        put_json({"problems": [asdict(problem) for problem in problems]})
        return
    for problem in problems[:MOST]:
        place = ", ".join(part for part in (problem.file, problem.where, problem.field) if part)
        parts = [part for part in (place, problem.wrong, problem.right) if part]
        messages.print(" — ".join(parts), highlight=False, markup=False, soft_wrap=True)
    if len(problems) > MOST:
        messages.print(f"and {len(problems) - MOST} more; --json tells all of them")


_ADVICE = {
    FileNotFoundError: "name one that exists",
    FileExistsError: "name another folder, or remove this one first",
    PermissionError: "name one that you may read and write",
    NotADirectoryError: "name a folder",
    IsADirectoryError: "name a file",
}


def _of_the_file_system(error: OSError) -> Problem:
    """An error of the file system as a problem like any other."""
    wrong = error.strerror or str(error)
    right = _ADVICE.get(type(error), "make room or mend it, then try again")
    return Problem(str(error.filename or ""), "", "", wrong[:1].lower() + wrong[1:], right)
