"""One-line diagrams: every bus in a place of its own, and no line drawn over another."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from hubwise.drawings import Layout, lay_out
from hubwise.scenario import load


def tree(parents: list[int]) -> list[tuple[int, int]]:
    return [(parent % k, k) for k, parent in enumerate(parents, 1)]


def segments(layout: Layout) -> list[tuple[int, set[tuple[int, int]]]]:
    """By parent: the grid points that a branch passes, its ends left out."""
    found = []
    for bus, parent in enumerate(layout.parent):
        if parent < 0:
            continue
        x, y, u, v = (
            layout.column[parent],
            layout.row[parent],
            layout.column[bus],
            layout.row[bus],
        )
        way = {(x, row) for row in range(min(y, v), max(y, v) + 1)}
        way |= {(column, v) for column in range(x, u + 1)}
        found.append((parent, way - {(x, y), (u, v)}))
    return found


@given(parents=st.lists(st.integers(0, 1000), max_size=60))
def test_every_bus_has_a_place_of_its_own(parents: list[int]) -> None:
    """No two buses stand on one place, and no branch runs over a bus that it does not end at."""
    layout = lay_out(len(parents) + 1, tree(parents), 0)
    places = list(zip(layout.column, layout.row, strict=True))
    assert len(set(places)) == len(places)
    assert not layout.closing
    for bus, parent in enumerate(layout.parent):
        assert bus == 0 or layout.column[bus] == layout.column[parent] + 1


@given(trunk=st.integers(2, 12), laterals=st.lists(st.integers(1, 5), max_size=8))
def test_laterals_of_a_trunk_cross_nothing(trunk: int, laterals: list[int]) -> None:
    """A trunk with laterals is drawn without a crossing, and none looks joined to another."""
    branches = list(pairwise(range(trunk)))
    buses = trunk
    for k, length in enumerate(laterals):
        start = k % trunk
        length = min(length, trunk - 1 - start)
        for each in range(length):
            branches.append((start if not each else buses - 1, buses))
            buses += 1
    layout = lay_out(buses, branches, 0)
    places = set(zip(layout.column, layout.row, strict=True))
    for (one, way), (other, also) in combinations(segments(layout), 2):
        assert one == other or not way & also
        assert not (way | also) & places


def test_the_published_feeder_is_compact() -> None:
    """The feeder of the published study takes three rows beside its trunk, of eighteen buses."""
    feeder = load("ieee33").situation.feeder
    row = {int(bus): k for k, bus in enumerate(feeder.bus)}
    ends = [(row[int(a)], row[int(b)]) for a, b in zip(feeder.from_bus, feeder.to_bus, strict=True)]
    layout = lay_out(len(row), ends, row[feeder.source_bus])
    assert max(layout.column) == 17
    assert len(set(layout.row)) == 4
    assert sorted(layout.row).count(0) == 18


@given(
    parents=st.lists(st.integers(0, 1000), min_size=3, max_size=30),
    more=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=5),
)
def test_what_closes_a_mesh_is_drawn_beside_the_tree(
    parents: list[int], more: list[tuple[int, int]]
) -> None:
    """A meshed feeder is a tree of shortest ways and the branches that are left."""
    buses = len(parents) + 1
    branches = [*tree(parents), *((a % buses, b % buses) for a, b in more)]
    layout = lay_out(buses, branches, 0)
    assert len(layout.closing) == len(more)
    assert layout.parent.count(-1) == 1


def test_what_no_branch_reaches_stands_apart() -> None:
    """A bus without a way from the source is drawn beneath, not left out."""
    layout = lay_out(4, [(0, 1)], 0)
    assert layout.row[2] == layout.row[3] > max(layout.row[:2])
    assert layout.column[2] != layout.column[3]
