"""A network as other programs write it, and what is left of it once its switches have decided.

Joined buses become one, a branch that is open at one end becomes what it draws at the other, and
what the source does not feed is left out. Nothing is left out without a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from hubwise.domain.errors import listed, ranges
from hubwise.domain.phases import Complex

UNLIMITED_A = float("inf")

PER_PHASE = (
    "The feeder is solved per phase: the source holds balanced voltages, and its short-circuit "
    "power is infinite in every sequence; what is not given per phase draws alike on all three."
)
"""What is assumed of every feeder that is given per phase."""

Quantity = TypeVar("Quantity", complex, Complex)


@dataclass(frozen=True, slots=True)
class Zero:
    """A branch in the zero sequence: a π circuit behind its ideal transformer [S].

    Parameters
    ----------
    series
        From end to end; 0 where nothing passes.
    near, far
        To earth at each end.
    """

    series: complex
    near: complex = 0.0
    far: complex = 0.0


@dataclass(frozen=True, slots=True)
class Branch:
    """A line or transformer between two buses.

    Parameters
    ----------
    name
        What to call it, such as ``line 3 (main street)``.
    near, far
        Bus numbers; an ideal transformer sits at ``near``.
    series
        Impedance on the side of ``far`` [ohm].
    across
        Admittance across it on the side of ``far``, half of it at each end [S].
    ratio, shift_degrees
        Ratio over that of the nominal voltages, and by how much ``near`` leads.
    near_a, far_a
        Current that it may carry at each end [A].
    limit
        Highest loading as a share of that.
    rating_kva
        Of a transformer; NaN of a line.
    near_closed, far_closed
        Whether it is connected there.
    zero
        In the zero sequence, where the network is given per phase.
    """

    name: str
    near: int
    far: int
    series: complex
    across: complex = 0.0
    ratio: float = 1.0
    shift_degrees: float = 0.0
    near_a: float = UNLIMITED_A
    far_a: float = UNLIMITED_A
    limit: float = 1.0
    rating_kva: float = float("nan")
    near_closed: bool = True
    far_closed: bool = True
    zero: Zero | None = None

    def open_admittance(self) -> complex:
        """What it draws at an end while the other is open, on the side of ``far`` [S]."""
        full = 1.0 / self.series + self.across / 2.0
        return full - 1.0 / self.series**2 / full


@dataclass(slots=True)
class Circuit:
    """A network's elements in service, buses by number.

    Parameters
    ----------
    bus_kv
        Nominal voltage of every bus [kV].
    joined
        Pairs of buses that a closed switch makes one.
    branches
        Lines and transformers.
    load_kva, squared_kva
        Loads at a bus: of constant power, and in proportion to the squared voltage at nominal.
    shunt_kva
        Power that shunts draw at nominal voltage, in proportion to its square.
    sources
        What holds a bus's voltage: its name, the bus and the voltage [p.u.].
    notes
        What was left out or simplified, for people.
    by_phase
        Whether the network is given per phase.
    uneven_kva
        What phases draw at a bus, each beyond a third of the sum; shape (3,).
    """

    bus_kv: dict[int, float]
    joined: list[tuple[int, int]] = field(default_factory=list)
    branches: list[Branch] = field(default_factory=list)
    load_kva: dict[int, complex] = field(default_factory=dict)
    squared_kva: dict[int, complex] = field(default_factory=dict)
    shunt_kva: dict[int, complex] = field(default_factory=dict)
    sources: list[tuple[str, int, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    by_phase: bool = False
    uneven_kva: dict[int, Complex] = field(default_factory=dict)

    def draw(self, bus: int, kva: complex, squared_kva: complex = 0.0) -> None:
        """Add a load, and what it draws in proportion to the squared voltage; generation < 0."""
        self.load_kva[bus] = self.load_kva.get(bus, 0.0) + kva
        self.squared_kva[bus] = self.squared_kva.get(bus, 0.0) + squared_kva

    def draw_by_phase(self, bus: int, kva: Sequence[complex]) -> None:
        """Add a load of constant power between each phase and earth; generation < 0."""
        each = np.array(kva, dtype=np.complex128)
        self.draw(bus, complex(each.sum()))
        self.uneven_kva[bus] = self.uneven_kva.get(bus, np.zeros(3, complex)) + each - each.mean()

    def feed(self, name: str, bus: int, voltage_pu: float) -> None:
        """Add a source."""
        self.sources.append((name, bus, voltage_pu))

    def shunt(self, bus: int, kva: complex) -> None:
        """Add what is drawn in proportion to the squared voltage."""
        self.shunt_kva[bus] = self.shunt_kva.get(bus, 0.0) + kva


@dataclass(frozen=True, slots=True)
class Network:
    """What a source feeds, ready to become a feeder.

    Parameters
    ----------
    source_bus, source_voltage_pu
        Head of the feeder, and the voltage held there.
    bus_kv, load_kva, squared_kva, shunt_kva, uneven_kva
        By bus number.
    branches
        All closed, between different buses.
    place
        The bus that each bus of the file has become part of.
    notes
        What was left out or simplified.
    by_phase
        Whether the network is given per phase.
    """

    source_bus: int
    source_voltage_pu: float
    bus_kv: Mapping[int, float]
    load_kva: Mapping[int, complex]
    squared_kva: Mapping[int, complex]
    shunt_kva: Mapping[int, complex]
    branches: tuple[Branch, ...]
    place: Mapping[int, int]
    notes: tuple[str, ...]
    by_phase: bool
    uneven_kva: Mapping[int, Complex]

    def head_kva(self) -> float:
        """Sum of the ratings of the transformers at the source; 0 where there is none."""
        at_head = [b for b in self.branches if self.source_bus in (b.near, b.far)]
        return float(np.nansum([b.rating_kva for b in at_head]))


def reduced(
    circuit: Circuit, source_bus: int | None = None
) -> tuple[Network | None, list[tuple[str, str]]]:
    """The network that a source feeds; else what is wrong, and what would be right.

    ``source_bus`` chooses among sources at several buses; the others are taken as off.
    """
    place = _merged(circuit.bus_kv, circuit.joined)
    wrong = [
        (f"switches join buses {ranges(group)} of different nominal voltages", "open one of them")
        for group in _groups(place).values()
        if len({circuit.bus_kv[bus] for bus in group}) > 1
    ]
    wrong += [
        (f"{branch.name} has no impedance", "give it one, or join its ends by a switch")
        for branch in circuit.branches
        if branch.series == 0
    ]
    head, unclear = _head(circuit, place, source_bus)
    wrong += unclear
    if wrong or head is None:
        return None, wrong
    here = [pu for _, bus, pu in circuit.sources if place[bus] == head]
    off = [f"{name} at bus {bus}" for name, bus, _ in circuit.sources if place[bus] != head]
    network = _fed(circuit, place, head, here[0])
    notes = list(network.notes)
    if len(here) > 1:
        notes.append(f"{len(here)} sources hold bus {head} at the same voltage: taken as one")
    if off:
        notes.append(f"source_bus chooses bus {head}; taken as off: {listed(off)}")
    return replace(network, notes=tuple(notes)), []


def _head(
    circuit: Circuit, place: Mapping[int, int], chosen: int | None
) -> tuple[int | None, list[tuple[str, str]]]:
    """The bus that the feeder begins at, and what keeps it from being clear."""
    heads: dict[int, list[tuple[str, int, float]]] = {}
    for source in circuit.sources:
        heads.setdefault(place[source[1]], []).append(source)
    buses = sorted({bus for _, bus, _ in circuit.sources})
    if not heads:
        return None, [("is fed at nowhere", "a feeder has one source in service")]
    if chosen is not None and place.get(chosen) not in heads:
        right = f"sources are at {ranges(buses)}"
        return None, [(f"source_bus {chosen} of [feeder] has no source", right)]
    if chosen is None and len(heads) > 1:
        right = "a feeder has one source in service: choose its bus, such as "
        return None, [
            (f"is fed at buses {ranges(buses)}", f"{right}source_bus = {buses[0]} in [feeder]")
        ]
    head = next(iter(heads)) if chosen is None else place[chosen]
    held = heads[head]
    if len({pu for _, _, pu in held}) > 1:
        said = listed(f"{name} holds bus {bus} at {pu:g} p.u." for name, bus, pu in held)
        return None, [(f"sources of one bus disagree: {said}", "give them one voltage")]
    return head, []


def _merged(buses: Iterable[int], joined: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Every bus with the lowest number among those that it is one with."""
    place = {bus: bus for bus in buses}

    def root(bus: int) -> int:
        while place[bus] != bus:
            bus = place[bus]
        return bus

    for one, other in joined:
        low, high = sorted((root(one), root(other)))
        place[high] = low
    return {bus: root(bus) for bus in place}


def _groups(place: Mapping[int, int]) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = {}
    for bus, root in place.items():
        groups.setdefault(root, []).append(bus)
    return groups


def _fed(circuit: Circuit, place: dict[int, int], head: int, voltage: float) -> Network:
    """What ``head`` feeds through closed branches."""
    notes = [*circuit.notes, *_phase_notes(circuit)]
    shunts = _summed(circuit.shunt_kva, place)
    closed = _closed(circuit, place, shunts)
    fed = _reached(head, closed)
    if dark := sorted(set(place.values()) - fed):
        lost = sum(abs(s) for bus, s in circuit.load_kva.items() if place[bus] in dark)
        notes.append(f"without supply and left out: bus {ranges(dark)}, {lost:.4g} kVA of load")
    return Network(
        source_bus=head,
        source_voltage_pu=voltage,
        bus_kv={bus: circuit.bus_kv[bus] for bus in sorted(fed)},
        load_kva={b: s for b, s in _summed(circuit.load_kva, place).items() if b in fed},
        squared_kva={b: s for b, s in _summed(circuit.squared_kva, place).items() if b in fed},
        shunt_kva={b: s for b, s in shunts.items() if b in fed},
        branches=tuple(branch for branch in closed if branch.near in fed),
        place={bus: root for bus, root in place.items() if root in fed},
        notes=tuple(notes),
        by_phase=circuit.by_phase,
        uneven_kva={b: s for b, s in _summed(circuit.uneven_kva, place).items() if b in fed},
    )


def _phase_notes(circuit: Circuit) -> Iterator[str]:
    """What is simplified where a network is given per phase."""
    if not circuit.by_phase:
        return
    yield PER_PHASE
    if any(circuit.shunt_kva.values()) or any(circuit.squared_kva.values()):
        yield "shunts and loads of constant impedance are taken as stars with an earthed point"
    if ends := [b.name for b in circuit.branches if b.near_closed != b.far_closed and b.across]:
        yield f"open at one end, and charging alike in every sequence: {listed(ends)}"


def _summed(at_bus: Mapping[int, Quantity], place: Mapping[int, int]) -> dict[int, Quantity]:
    sums: dict[int, Quantity] = {}
    for bus, value in at_bus.items():
        at = place[bus]
        sums[at] = sums[at] + value if at in sums else value
    return sums


def _closed(circuit: Circuit, place: Mapping[int, int], shunts: dict[int, complex]) -> list[Branch]:
    """Branches closed at both ends; what an end alone draws is added to ``shunts``."""
    closed = []
    for branch in circuit.branches:
        near, far = place[branch.near], place[branch.far]
        if branch.near_closed and branch.far_closed and near != far:
            closed.append(replace(branch, near=near, far=far))
        elif branch.near_closed and branch.far_closed:
            _add(shunts, far, branch.across, circuit.bus_kv[far])
        elif branch.far_closed:
            _add(shunts, far, branch.open_admittance(), circuit.bus_kv[far])
        elif branch.near_closed:
            kv = circuit.bus_kv[far] / branch.ratio  # of far, where near is at its nominal voltage
            _add(shunts, near, branch.open_admittance(), kv)
    return closed


def _add(shunts: dict[int, complex], bus: int, siemens: complex, kv: float) -> None:
    drawn = 1e3 * kv**2 * complex(siemens).conjugate()
    if drawn:
        shunts[bus] = shunts.get(bus, 0.0) + drawn


def _reached(head: int, branches: Iterable[Branch]) -> set[int]:
    beside: dict[int, set[int]] = {}
    for branch in branches:
        beside.setdefault(branch.near, set()).add(branch.far)
        beside.setdefault(branch.far, set()).add(branch.near)
    reached, waiting = {head}, [head]
    while waiting:
        fresh = beside.get(waiting.pop(), set()) - reached
        reached |= fresh
        waiting += fresh
    return reached


def named(kind: str, number: int, name: object) -> str:
    """What to call an element: ``line 3 (main street)``, or ``line 3``."""
    return f"{kind} {number} ({name})" if name else f"{kind} {number}"


def counted(kind: str, numbers: Iterable[int]) -> str:
    """Some elements of a kind: ``2 gen (0, 4)``."""
    known = list(numbers)
    return f"{len(known)} {kind} ({listed(known)})"
