"""How work of many plans is run: who does it, from where, and who hears of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Progress(Protocol):
    """Hears how far the work is."""

    def __call__(self, done: int, total: int, what: str) -> None:
        """``done`` of ``total`` jobs are done; ``what`` names the last one."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How work is run; results never depend on it.

    Parameters
    ----------
    workers
        Processes side by side on this machine; 1 means this process. More than one start
        interpreters anew, so a script needs its ``if __name__ == "__main__"``.
    scheduler
        Address of a dask scheduler whose workers do it instead, such as ``tcp://10.0.0.5:8786``;
        hubwise of the same version must be installed there. No files are shared with them.
    fresh
        Whether to start over where the same work was broken off.
    progress
        Hears of every job that is done.
    """

    workers: int = 1
    scheduler: str | None = None
    fresh: bool = False
    progress: Progress | None = None

    def tell(self, done: int, total: int, what: str) -> None:
        """Tell whoever hears of it."""
        if self.progress is not None:
            self.progress(done, total, what)
