"""Run the benches: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.runner import make_tables, names, run, say_of

WIDE = 180


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 when every target is met, 1 when one is missed or a bench failed."""
    options = _parse(arguments)
    console = Console()
    if options.list:
        for name in names():
            console.print(f"{name:15} {say_of(name)}", highlight=False, soft_wrap=True)
        return 0
    # Into a file or a pipe, a row stays a line.
    console = console if console.is_terminal else Console(width=WIDE)
    chosen = options.only or names()
    figures = run(chosen, quick=options.quick, console=console, place=options.out)
    for table in make_tables(figures):
        console.print(table)
    missed = sum(figure.met is False for figure in figures)
    held = sum(figure.target is not None for figure in figures)
    console.print(f"{held - missed} of {held} targets met; written to {options.out}")
    return 1 if missed else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("--list", action="store_true", help="name the benches and stop")
    parser.add_argument("--only", action="append", metavar="NAME", help="run this one; repeatable")
    parser.add_argument("--quick", action="store_true", help="smaller, fewer repeats: a first look")
    parser.add_argument("--out", type=Path, default=Path("out/bench.json"), metavar="FILE")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.only or []) - set(names())):
        parser.error(f"no bench {', '.join(unknown)}; there are {', '.join(names())}")
    return options


if __name__ == "__main__":
    raise SystemExit(main())
