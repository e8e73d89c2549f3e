"""The command line: parse, call, show."""

import signal
import sys

from hubwise.cli.commands import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line; a polite kill ends like an interrupt, with nothing left behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    app()
