"""Where the buses of a feeder stand in a one-line diagram: the trunk first, laterals beside it.

Columns are branches away from the source. The longest way from the source is the trunk, on row 0;
what leaves it is laid on the nearest row that is free for all of its length, and so on. Two columns
stay free between laterals of a row, else they look joined.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

CLEARANCE = 2


@dataclass(frozen=True, slots=True)
class Layout:
    """Places on a grid of columns and rows.

    Parameters
    ----------
    column, row
        Of each bus, in the order of the buses; rows above the trunk are negative.
    parent
        The bus that each is reached from, as its place in the order; -1 of a source.
    closing
        Branches that close a mesh, as their places in the order: no way leads through them.
    """

    column: tuple[int, ...]
    row: tuple[int, ...]
    parent: tuple[int, ...]
    closing: tuple[int, ...]


def lay_out(buses: int, branches: Sequence[tuple[int, int]], source: int) -> Layout:
    """Lay out a feeder; a meshed one by a tree of shortest ways.

    Parameters
    ----------
    buses
        How many there are.
    branches
        Both ends of each, as places in the order of the buses.
    source
        The bus at the head.

    Notes
    -----
    Buses that no branch reaches stand in a row of their own, beneath all else.
    """
    parent, depth, closing = _tree(buses, branches, source)
    children: list[list[int]] = [[] for _ in range(buses)]
    for bus in sorted(depth, key=lambda bus: depth[bus]):
        if parent[bus] >= 0:
            children[parent[bus]].append(bus)
    board = _Board(children, _height(children, depth), depth)
    board.lay(source, 0)
    lowest = max(board.row.values(), default=0)
    for k, bus in enumerate(bus for bus in range(buses) if bus not in depth):
        board.row[bus], depth[bus] = lowest + 2, k
    places = range(buses)
    return Layout(
        tuple(depth[k] for k in places), tuple(board.row[k] for k in places), parent, closing
    )


def _tree(
    buses: int, branches: Sequence[tuple[int, int]], source: int
) -> tuple[tuple[int, ...], dict[int, int], tuple[int, ...]]:
    """Parents, depths of what is reached, and the branches that are left over."""
    near: list[list[tuple[int, int]]] = [[] for _ in range(buses)]
    for k, (one, other) in enumerate(branches):
        near[one].append((other, k))
        near[other].append((one, k))
    parent, depth, used = [-1] * buses, {source: 0}, set()
    waiting = deque([source])
    while waiting:
        here = waiting.popleft()
        for there, k in near[here]:
            if there not in depth:
                parent[there], depth[there] = here, depth[here] + 1
                used.add(k)
                waiting.append(there)
    return tuple(parent), depth, tuple(k for k in range(len(branches)) if k not in used)


def _height(children: list[list[int]], depth: dict[int, int]) -> list[int]:
    """How many buses the longest way on from each bus has."""
    height = [0] * len(children)
    for bus in sorted(depth, key=lambda bus: -depth[bus]):
        height[bus] = 1 + max((height[child] for child in children[bus]), default=0)
    return height


@dataclass
class _Board:
    """What is laid so far; ``taken``: columns of each row, and the bus whose line is there."""

    children: list[list[int]]
    height: list[int]
    depth: dict[int, int]
    row: dict[int, int] = field(default_factory=dict)
    taken: dict[int, dict[int, int]] = field(default_factory=dict)

    def lay(self, start: int, row: int) -> None:
        """Lay the longest way from a bus on a row, and what leaves it about it, far ends first."""
        way = list(self._way(start))
        for bus in way:
            self.row[bus] = row
            self._take(row, self.depth[bus], bus)
        for bus in reversed(way):
            for child in self.children[bus]:
                if child not in self.row:
                    self._leave(bus, child)

    def _leave(self, bus: int, child: int) -> None:
        """Lay what leaves ``bus`` by ``child`` on the nearest row that is free.

        Its way there crosses no other line where that can be had.
        """
        column, last = self.depth[bus], self.depth[bus] + self.height[child]
        free = [
            row for row in self._rows(bus) if not self._is_taken(row, column - 1, last + CLEARANCE)
        ]
        row = next((row for row in free if self._is_clear(bus, row)), free[0])
        for each in (*self._between(bus, row), row):
            self._take(each, column, bus)
        self.lay(child, row)

    def _rows(self, bus: int) -> list[int]:
        """All rows there are and one more at either end, the nearest first."""
        rows = range(min(self.taken) - 1, max(self.taken) + 2)
        return sorted((row for row in rows if row != self.row[bus]), key=self._away(bus))

    def _away(self, bus: int) -> Callable[[int], tuple[int, bool]]:
        return lambda row: (abs(row - self.row[bus]), row < self.row[bus])

    def _take(self, row: int, column: int, bus: int) -> None:
        self.taken.setdefault(row, {}).setdefault(column, bus)

    def _is_taken(self, row: int, first: int, last: int) -> bool:
        return any(first <= column <= last for column in self.taken.get(row, {}))

    def _is_clear(self, bus: int, row: int) -> bool:
        """Whether in the bus's column only its own lines lie before a row."""
        column = self.depth[bus]
        owners = (self.taken.get(each, {}).get(column, bus) for each in self._between(bus, row))
        return all(owner == bus for owner in owners)

    def _between(self, bus: int, row: int) -> range:
        here = self.row[bus]
        return range(here + 1, row) if row > here else range(row + 1, here)

    def _way(self, bus: int) -> Iterator[int]:
        """The longest way on from a bus."""
        while True:
            yield bus
            if not self.children[bus]:
                return
            bus = max(self.children[bus], key=lambda child: self.height[child])
