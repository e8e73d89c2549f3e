"""The process in which hubs are decided about: begun when first asked, and anew where it dies."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from hubwise.live.deciding import Decided, decided
from hubwise.live.outlook import Outlook

LOOKS_SECONDS = 1.0


class DecidingProcess:
    """Decisions elsewhere, so that no answer to a station waits for one."""

    def __init__(self) -> None:
        """There is no process yet."""
        self._pool: ProcessPoolExecutor | None = None

    async def decide(self, outlook: Outlook) -> Decided:
        """What every stay does.

        Raises
        ------
        BrokenProcessPool
            Where the process died; the next decision begins another.
        """
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, get_context("spawn"), _begin, (os.getpid(),))
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, decided, outlook)
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
