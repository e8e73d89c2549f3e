"""Work in a process of its own: begun when first asked, anew where it dies, killed when given up.

A busy thread beside the sockets would make every answer to a station wait.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

LOOKS_SECONDS = 1.0
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Elsewhere:
    """A process that does one thing after the other."""

    def __init__(self) -> None:
        """There is no process yet."""
        self._pool: ProcessPoolExecutor | None = None

    async def call(self, work: Callable[[Asked], Answer], asked: Asked) -> Answer:
        """What ``work``, a function of a module, makes of what is asked.

        Raises
        ------
        BrokenProcessPool
            Where the process died; the next call begins another.
        """
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, get_context("spawn"), _begin, (os.getpid(),))
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, asked)
        except (BrokenProcessPool, asyncio.CancelledError):
            self.stop()
            raise

    def stop(self) -> None:
        """End the process at once, whatever it does."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        for process in [*(pool._processes or {}).values()]:
            process.kill()
        pool.shutdown(wait=False, cancel_futures=True)


def _begin(parent: int) -> None:
    """Signals are the site's business; where it is gone, nobody asks any more."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOKS_SECONDS)
    os._exit(0)
