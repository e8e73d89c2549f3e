"""Mutants of what must not be wrong unseen: small faults put in, one at a time, for tests to find.

Run by ``make mutants``, not with the tests. The faults are cosmic-ray's, and two of our own. Every
room draws some, by seed; each is put into a copy of the sources, and the room's tests run on it
until one fails. Mutants that change nothing anybody could see stand in ``mutants_explained.toml``,
with the reason. ``<`` for ``<=`` is not among them: on numbers with a fraction it changes nothing.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cosmic_ray.ast import Visitor, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from parso.python.tree import Keyword

from hubwise.compiled import digest

ROOT = Path(__file__).parent.parent
ENOUGH = 0.95

_PLAIN = """
AddNot NumberReplacer ReplaceAndWithOr ReplaceOrWithAnd ReplaceTrueWithFalse ReplaceFalseWithTrue
ReplaceBreakWithContinue ReplaceContinueWithBreak ReplaceUnaryOperator_Delete_USub
ReplaceUnaryOperator_Delete_Not ReplaceUnaryOperator_Delete_Invert ZeroIterationForLoop
"""
_SWAPPED = {
    "Binary": (("Add", "Sub"), ("Mul", "Div")),
    "Comparison": (("Lt", "GtE"), ("Gt", "LtE"), ("Eq", "NotEq"), ("Is", "IsNot")),
}
_OPPOSITE = {"min": "max", "minimum": "maximum", "argmin": "argmax", "any": "all"}
_OPPOSITE |= {right: left for left, right in _OPPOSITE.items()}


class Forget:
    """A sum, a product, a set of flags that forgets a part: ``x += y`` is left out."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        """Every augmented assignment."""
        if node.type == "expr_stmt" and str(getattr(node.children[1], "value", "="))[:-1]:
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, _: int) -> Any:
        """Do nothing there."""
        return Keyword("pass", node.start_pos, node.get_first_leaf().prefix)


class Opposite:
    """The larger for the smaller, and so on."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        """Every such name that is called."""
        if node.type == "name" and node.value in _OPPOSITE and node.get_next_leaf().value == "(":
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, _: int) -> Any:
        """Call its opposite."""
        node.value = _OPPOSITE[node.value]
        return node


@dataclass(frozen=True)
class Room:
    """Files under ``src/hubwise``, and the tests that guard them: those that end soonest first."""

    sources: tuple[str, ...]
    tests: tuple[str, ...]
    compiled: bool = True


ROOMS = {
    "bounds": Room(
        ("dispatch/bound.py", "pricing/bound.py", "pricing/family_bound"),
        ("dispatch/*bound.py", "pricing/*_bound.py", "dispatch/*past.py", "pricing/*past.py",
         "dispatch/*onward.py"),
    ),
    "ledger": Room(("ledger",), ("ledger",), compiled=False),
    "drivers": Room(("drivers",), ("drivers",), compiled=False),
    "dispatch": Room(
        ("dispatch/kernel.py", "dispatch/linear.py", "dispatch/objective.py"), ("dispatch",)
    ),
    "audit": Room(
        ("audit",),
        ("live/test_books_audit.py", "live/test_books_hunt.py", "audit", "grid/*phases.py"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One fault: in which file and line, what the line was, and what it becomes."""

    file: str
    line: int
    was: str
    becomes: str
    code: str


def operators() -> list[Any]:
    """Cosmic-ray's, where they make faults that somebody could make, and our own."""
    names = _PLAIN.split()
    for kind, pairs in _SWAPPED.items():
        both = [*pairs, *(pair[::-1] for pair in pairs)]
        names += [f"Replace{kind}Operator_{one}_{other}" for one, other in both]
    return [*(get_operator(f"core/{name}")() for name in names), Forget(), Opposite()]


class _Count(Visitor):  # type: ignore[misc]
    def __init__(self, operator: Any) -> None:
        self.operator, self.lines = operator, list[int]()

    def visit(self, node: Any) -> Any:
        self.lines += [start[0] for start, _ in self.operator.mutation_positions(node)]
        return node


def _places(package: Path, room: Room) -> Iterator[tuple[Path, Any, int, int]]:
    """Where something can be put wrong: file, by which operator, its how many-th place, line."""
    for source in room.sources:
        place = package / source
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            for operator in operators():
                found = _Count(operator)
                found.walk(get_ast(path.read_text("utf-8")))
                yield from ((path, operator, k, line) for k, line in enumerate(found.lines))


def _mutant(package: Path, path: Path, operator: Any, k: int, line: int) -> Mutant | None:
    """None for decorators, ``strict=True`` and ``*`` of signatures: no result depends on them."""
    code = path.read_text("utf-8")
    changed = mutate_code(code, operator, k)
    was, becomes = (text.splitlines()[line - 1].strip() for text in (code, changed))
    if was.startswith(("@", "*,")) or was == becomes.replace("strict=False", "strict=True"):
        return None
    return Mutant(path.relative_to(package).as_posix(), line, was, becomes, changed)


def draw(package: Path, room: Room, count: int, seed: str) -> tuple[int, list[Mutant]]:
    """How many mutants a room has, about, and some of them."""
    places = list(_places(package, room))
    random.Random(seed).shuffle(places)
    made = (_mutant(package, *place) for place in places)
    return len(places), list(itertools.islice((it for it in made if it is not None), count))


class Bench:
    """A copy of the sources, into which one mutant at a time is put."""

    def __init__(self, place: Path) -> None:
        """``place``: an empty folder."""
        self.place, self.package = place, place / "src" / "hubwise"
        shutil.copytree(ROOT / "src" / "hubwise", self.package)
        self.sound = digest(self.package)

    def fails(self, room: Room, limit: float | None = None) -> bool:
        """Whether the room's tests fail, crash, or take longer than ``limit`` seconds."""
        kernels = self.place / "kernels" / digest(self.package)
        own = {
            "PYTHONPATH": str(self.place / "src"), "PYTHONPYCACHEPREFIX": str(self.place / "bytes"),
            "CI": "1", "NUMBA_DISABLE_JIT": str(int(not room.compiled)),
            "NUMBA_CACHE_DIR": str(kernels),
        }  # fmt: skip
        asked = [str(file) for it in room.tests for file in sorted((ROOT / "tests").glob(it))]
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *asked]
        try:
            run = {"cwd": ROOT, "env": os.environ | own, "capture_output": True}
            code = subprocess.run(command, check=False, timeout=limit, **run).returncode
        except subprocess.TimeoutExpired:
            code = -1
        if kernels.name != self.sound:
            shutil.rmtree(kernels, ignore_errors=True)
        if code in (4, 5):
            raise SystemExit(f"no tests ran: {' '.join(command)}")
        return code != 0

    def kills(self, mutant: Mutant, room: Room, limit: float) -> bool:
        """Whether the room's tests find the mutant."""
        path = self.package / mutant.file
        sound, stat = path.read_text("utf-8"), path.stat()
        path.write_text(mutant.code, "utf-8")
        try:
            return self.fails(room, limit)
        finally:
            path.write_text(sound, "utf-8")
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def explained() -> set[tuple[str, ...]]:
    """Mutants that nobody could tell from what they come from."""
    text = Path(__file__).with_name("mutants_explained.toml").read_text("utf-8")
    return {
        tuple(it[key] for key in ("file", "was", "becomes")) for it in tomllib.loads(text)["mutant"]
    }


def try_room(bench: Bench, name: str, count: int, seed: int) -> tuple[int, int, int, int]:
    """Prints every survivor; mutants there are, and of those drawn: all, killed, explained."""
    room, known = ROOMS[name], explained()
    there, drawn = draw(bench.package, room, count, f"{seed} {name}")
    bench.fails(room)  # compiles
    began = time.monotonic()
    if bench.fails(room):
        raise SystemExit(f"{name}: tests fail without a mutant")
    limit = 30.0 + 5.0 * (time.monotonic() - began)
    killed = told = 0
    for k, mutant in enumerate(drawn, 1):
        print(f"{name}: {k} of {len(drawn)}", end="\r", file=sys.stderr, flush=True)
        if (mutant.file, mutant.was, mutant.becomes) in known:
            told += 1
        elif bench.kills(mutant, room, limit):
            killed += 1
        else:
            print(f"src/hubwise/{mutant.file}:{mutant.line}", flush=True)
            print(f"  - {mutant.was}\n  + {mutant.becomes}", flush=True)
    return there, len(drawn), killed, told


def main() -> int:
    """0 where of every room's mutants, those explained aside, enough are killed."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--count", type=int, default=40, help="mutants of each room")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--room", choices=ROOMS, action="append", help="one or more; all if none")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="hubwise-mutants-") as place:
        bench, names = Bench(Path(place)), given.room or ROOMS
        found = {name: try_room(bench, name, given.count, given.seed) for name in names}
    print(f"{'room':<10}{'mutants':>9}{'drawn':>7}{'killed':>8}{'explained':>11}{'share':>8}")
    shares = [killed / max(drawn - told, 1) for _, drawn, killed, told in found.values()]
    for (name, counts), share in zip(found.items(), shares, strict=True):
        print("{:<10}{:>9}{:>7}{:>8}{:>11}".format(name, *counts) + f"{share:>8.0%}")
    return int(min(shares) < ENOUGH)


if __name__ == "__main__":
    sys.exit(main())
