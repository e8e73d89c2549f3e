"""Run every bench, print a table, write ``bench.json``."""

from __future__ import annotations

import argparse
import json
import pkgutil
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

import benchmarks
from benchmarks.figure import Figure


def names() -> list[str]:
    """Names of the benches in this folder, without ``bench_``."""
    modules = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(name.removeprefix("bench_") for name in modules if name.startswith("bench_"))


def run(chosen: Iterable[str], console: Console) -> list[Figure]:
    """Run the benches one after the other, each on an otherwise idle process."""
    figures: list[Figure] = []
    for name in chosen:
        console.print(f"running {name} ...")
        figures += import_module(f"benchmarks.bench_{name}").bench()
    return figures


def table(figures: Iterable[Figure]) -> Table:
    """The figures for people."""
    shown = Table("measured", "value", "unit", "target", "met")
    for figure in figures:
        met = {True: "yes", False: "NO", None: ""}[figure.met]
        shown.add_row(figure.name, f"{figure.value:.4g}", figure.unit, figure.target or "", met)
    return shown


def main() -> int:
    """Return 0 when every target is met, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("bench", nargs="*", help=f"of {', '.join(names())}; all when none is named")
    parser.add_argument("--out", type=Path, default=Path("out/bench.json"))
    options = parser.parse_args()
    if unknown := set(options.bench) - set(names()):
        parser.error(
            f"there is no bench {', '.join(sorted(unknown))}; there are {', '.join(names())}"
        )
    console = Console()
    figures = run(options.bench or names(), console)
    console.print(table(figures))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps([figure.as_record() for figure in figures], indent=2) + "\n")
    console.print(f"written to {options.out}")
    return 0 if all(figure.met is not False for figure in figures) else 1


if __name__ == "__main__":
    raise SystemExit(main())
