"""Find the benches, run them, show and write what they measured."""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import cast

from rich import box
from rich.console import Console
from rich.table import Table

import benchmarks
from benchmarks.figure import Figure
from benchmarks.machine import machine

PREFIX = "bench_"
Bench = Callable[[bool], Iterable[Figure]]


def names() -> list[str]:
    """Names of the benches in this folder, without ``bench_``."""
    modules = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(name.removeprefix(PREFIX) for name in modules if name.startswith(PREFIX))


def say_of(name: str) -> str:
    """The first line of a bench's docstring."""
    return (import_module(f"benchmarks.{PREFIX}{name}").__doc__ or "").splitlines()[0]


def run(chosen: Iterable[str], *, quick: bool, console: Console, place: Path) -> list[Figure]:
    """Run the benches one after the other; one that fails is a missed target, not the end.

    What is measured so far stands in ``place`` after each.
    """
    figures: list[Figure] = []
    for name in chosen:
        console.print(f"running {name} ...")
        began = perf_counter()
        figures += _run_one(name, quick, console)
        write(figures, place)
        console.print(f"  {perf_counter() - began:.0f} s")
    return figures


def _run_one(name: str, quick: bool, console: Console) -> list[Figure]:
    figures: list[Figure] = []
    try:
        for figure in cast(Bench, import_module(f"benchmarks.{PREFIX}{name}").bench)(quick):
            console.print(f"  {figure.name}: {figure.shown} {figure.unit}", highlight=False)
            figures.append(figure)
    except Exception as error:
        console.print_exception()
        how = f"failed: {type(error).__name__}: {error}"
        figures.append(Figure(f"{name}: ran to its end", float("nan"), "", how, ("at least", 1)))
    return figures


def make_tables(figures: Sequence[Figure]) -> Iterator[Table]:
    """The figures for people, in Markdown: what has no target, then what has one."""
    held = [figure for figure in figures if figure.target]
    beside = [figure for figure in figures if not figure.target]
    if beside:
        shown = Table("measured beside", "value", "unit", box=box.MARKDOWN)
        for figure in beside:
            shown.add_row(figure.name, figure.shown, figure.unit)
        yield shown
    shown = Table("measured", "value", "unit", "target", "met", box=box.MARKDOWN, title=machine())
    for figure in held:
        met = "yes" if figure.met else "**no**"
        shown.add_row(figure.name, figure.shown, figure.unit, figure.aim, met)
    yield shown


def write(figures: Iterable[Figure], place: Path) -> None:
    """Write ``bench.json``: a list of records."""
    place.parent.mkdir(parents=True, exist_ok=True)
    records = [figure.as_record() for figure in figures]
    place.write_text(json.dumps(records, indent=2, allow_nan=False) + "\n", encoding="utf-8")
