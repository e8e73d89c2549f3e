"""Networks of pandapower, as its ``to_json`` writes them, read without pandapower.

Source of what each element means: pandapower's documentation of its elements, version 3.5, and its
defaults in a power flow (transformers as T circuits; voltage angles calculated).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from hubwise.domain.errors import listed, ranges
from hubwise.domain.plain import is_number
from hubwise.scenario.circuit import Branch, Circuit, Zero, counted, named
from hubwise.scenario.messages import explain
from hubwise.scenario.pandapower_rows import (
    AsymmetricPower,
    Bus,
    Generator,
    Line,
    Load,
    Power,
    Shunt,
    Source,
    Switch,
    ThreeWindings,
    Transformer,
    Ward,
)
from hubwise.scenario.pandapower_transformers import (
    TAPS,
    note_taps,
    short_circuit,
    star_impedances,
    star_legs,
    tap_steps,
    two_windings,
    typed,
)
from hubwise.scenario.pandapower_zero import GROUPS, zero_of_line, zero_of_transformer
from hubwise.scenario.reading import Reader

OLDEST_FORMAT = 2

# Elements that would change the result and are not modelled, and what to do about them.
_REFUSED = {
    "impedance": "put a line or a transformer in its place",
    "xward": "its voltage control is not modelled; put a ward in its place",
    "motor": "put a load in its place",
    "dcline": "put a load and an sgen in its place",
    "tcsc": "take it out of service",
    "svc": "take it out of service, or put a shunt in its place",
    "ssc": "take it out of service, or put a shunt in its place",
    "vsc": "direct current is not modelled; put a load or an sgen in its place",
    "vsc_stacked": "direct current is not modelled; put a load or an sgen in its place",
    "vsc_bipolar": "direct current is not modelled; put a load or an sgen in its place",
}

# Tables of powers given per phase, and the sign of what they draw.
ASYMMETRIC = (("asymmetric_load", 1), ("asymmetric_sgen", -1))

Kind = TypeVar("Kind", bound=BaseModel)
Rows = dict[int, dict[str, Any]]


def is_pandapower(content: Mapping[str, object]) -> bool:
    """Whether a JSON file's content is a net of pandapower."""
    return content.get("_class") == "pandapowerNet"


def read_pandapower(content: Mapping[str, object], file: str, reader: Reader) -> Circuit | None:
    """The circuit of a net, or nothing where it has a mistake; each is noted.

    Parameters
    ----------
    content
        The file's JSON.
    file
        Its name, for problems.
    reader
        Takes the problems.
    """
    net = content.get("_object")
    version = str(net.get("format_version", "")) if isinstance(net, Mapping) else ""
    major = version.split(".")[0]
    if not isinstance(net, Mapping) or not major.isdecimal() or int(major) < OLDEST_FORMAT:
        wrong = f"is a net of format {version or 'unknown'}"
        right = "open it with a newer pandapower and write it again by pandapower.to_json"
        reader.wrong(file, "", "format_version", wrong, right)
        return None
    return _Net(net, file, reader, int(major)).circuit()


class _Net:
    """The tables of a net, and the reader that takes what is wrong with them."""

    def __init__(self, net: Mapping[str, object], file: str, reader: Reader, major: int) -> None:
        self.net, self.file, self.reader, self.major = net, file, reader, major
        self.before = len(reader.issues)

    def wrong(self, where: str, field: str, wrong: str, right: str) -> None:
        self.reader.wrong(self.file, where, field, wrong, right)

    def rows(self, table: str) -> Rows:
        """A table's rows by index, without the cells that are empty."""
        frame = self.net.get(table)
        text = frame.get("_object") if isinstance(frame, Mapping) else None
        try:
            raw: Any = json.loads(text) if isinstance(text, str) else text
            return {
                int(index): {
                    column: cell
                    for column, cell in zip(raw["columns"], cells, strict=True)
                    if cell is not None and cell != "nan"
                }
                for index, cells in zip(raw["index"], raw["data"], strict=True)
            }
        except (KeyError, TypeError, ValueError, RecursionError):
            if text is not None:
                right = "write the net again by pandapower.to_json"
                self.wrong(table, "", "is not a table of columns, index and data", right)
            return {}

    def checked(self, table: str, model: type[Kind]) -> dict[int, Kind]:
        """A table's good rows in service."""
        found = {}
        for index, row in self.rows(table).items():
            try:
                found[index] = model.model_validate(row)
            except ValidationError as error:
                for detail in error.errors():
                    key = str(detail["loc"][0]) if detail["loc"] else ""
                    self.wrong(f"{table} {index}", key, *explain(detail))
        return {i: row for i, row in found.items() if getattr(row, "in_service", True)}

    def circuit(self) -> Circuit | None:
        hertz = self.net.get("f_hz", 50.0)
        if not is_number(hertz) or not 0.0 < hertz < math.inf:
            self.wrong("", "f_hz", f"{hertz!r} is not a frequency", "give it in hertz, such as 50")
            return None
        buses = self.checked("bus", Bus)
        circuit = Circuit({index: bus.vn_kv for index, bus in buses.items()})
        self.known = set(self.rows("bus"))
        circuit.by_phase = any(self.checked(table, AsymmetricPower) for table, _ in ASYMMETRIC)
        self._refuse()
        opened = self._switches(circuit)
        self._powers(circuit)
        self._powers_by_phase(circuit)
        self._shunts(circuit)
        for index, source in self.at_buses("ext_grid", Source):
            if self.lives(circuit, f"ext_grid {index}", source.bus):
                circuit.feed(f"ext_grid {index}", source.bus, source.vm_pu)
        self._generators(circuit)
        circuit.branches += [
            *self._lines(circuit, opened["l"], hertz),
            *self._transformers(circuit, opened["t"]),
            *self._three_windings(circuit, opened["t3"]),
        ]
        if circuit.by_phase:
            self._check_by_phase(circuit)
        self._notes(circuit)
        return circuit if len(self.reader.issues) == self.before else None

    def at_buses(self, table: str, model: type[Kind]) -> Iterator[tuple[int, Any]]:
        """Good rows whose buses are in the net."""
        for index, row in self.checked(table, model).items():
            lost = [key for key in _ENDS if getattr(row, key, None) not in (None, *self.known)]
            for key in lost:
                wrong = f"bus {getattr(row, key)} is unknown"
                self.wrong(f"{table} {index}", key, wrong, f"buses are {ranges(self.known)}")
            if not lost:
                yield index, row

    def lives(self, circuit: Circuit, what: str, bus: int) -> bool:
        """Whether a bus is in service; if not, that is noted."""
        if bus not in circuit.bus_kv:
            circuit.notes.append(f"{what} is at bus {bus}, which is out of service: left out")
        return bus in circuit.bus_kv

    def _refuse(self) -> None:
        for table, right in _REFUSED.items():
            rows = self.rows(table)
            if live := [i for i, row in rows.items() if row.get("in_service", True)]:
                self.wrong(table, "", f"{counted(table, live)} in service: not modelled", right)

    def _switches(self, circuit: Circuit) -> dict[str, dict[int, set[int]]]:
        """Joins buses; returns the buses at which lines and transformers are open, by element."""
        opened: dict[str, dict[int, set[int]]] = {"l": {}, "t": {}, "t3": {}}
        for index, switch in self.checked("switch", Switch).items():
            if switch.et == "b" and switch.closed:
                self._couple(circuit, index, switch)
            elif switch.et in opened and not switch.closed:
                opened[switch.et].setdefault(switch.element, set()).add(switch.bus)
        return opened

    def _couple(self, circuit: Circuit, index: int, switch: Switch) -> None:
        ends = switch.bus, switch.element
        if not self.known.issuperset(ends):
            wrong = f"joins bus {ends[0]} and bus {ends[1]}"
            self.wrong(f"switch {index}", "", wrong, f"buses are {ranges(self.known)}")
        elif all(bus in circuit.bus_kv for bus in ends):
            if switch.z_ohm == 0.0:
                circuit.joined.append(ends)
            else:  # pandapower's default share of resistance, switch_rx_ratio = 2
                series = switch.z_ohm * complex(2.0, 1.0) / math.sqrt(5.0)
                zero = Zero(1.0 / series)
                circuit.branches.append(Branch(f"switch {index}", *ends, series, zero=zero))

    def _powers(self, circuit: Circuit) -> None:
        for table, model, sign in (("load", Load, 1), ("sgen", Power, -1), ("storage", Power, 1)):
            for index, row in self.at_buses(table, model):
                if self.lives(circuit, f"{table} {index}", row.bus):
                    constant, squared = row.parts()
                    scale = 1e3 * sign * row.scaling
                    circuit.draw(row.bus, scale * constant, scale * squared)

    def _powers_by_phase(self, circuit: Circuit) -> None:
        for table, sign in ASYMMETRIC:
            for index, row in self.at_buses(table, AsymmetricPower):
                if row.type != "wye":
                    right = "give wye, between phases and earth"
                    wrong = f"{row.type!r} is not modelled"
                    self.wrong(f"{table} {index}", "type", wrong, right)
                elif self.lives(circuit, f"{table} {index}", row.bus):
                    scale = 1e3 * sign * row.scaling
                    circuit.draw_by_phase(row.bus, [scale * part for part in row.by_phase()])

    def _generators(self, circuit: Circuit) -> None:
        """Generators at fixed power: reactive power as in the results that the file holds."""
        found, fixed = self.rows("res_gen"), []
        for index, gen in self.at_buses("gen", Generator):
            if not self.lives(circuit, f"gen {index}", gen.bus):
                continue
            if gen.slack:
                circuit.feed(f"gen {index}", gen.bus, gen.vm_pu)
                continue
            reactive = found.get(index, {}).get("q_mvar", 0.0)
            circuit.draw(gen.bus, -1e3 * complex(gen.p_mw * gen.scaling, reactive))
            fixed.append(f"gen {index} at {gen.p_mw * gen.scaling:g} MW, {reactive:g} Mvar")
        if fixed:
            circuit.notes.append(
                "generators do not hold their voltage here, and give fixed power (reactive power "
                f"as in the results that the file holds, else none): {listed(fixed)}"
            )

    def _shunts(self, circuit: Circuit) -> None:
        for index, shunt in self.at_buses("shunt", Shunt):
            if shunt.step_dependency_table:
                right = "give p_mw and q_mvar of the step"
                self.wrong(f"shunt {index}", "step_dependency_table", "is not read", right)
            elif self.lives(circuit, f"shunt {index}", shunt.bus):
                at_nominal = (circuit.bus_kv[shunt.bus] / (shunt.vn_kv or math.inf)) ** 2 or 1.0
                kva = 1e3 * shunt.step * complex(shunt.p_mw, shunt.q_mvar)
                circuit.shunt(shunt.bus, at_nominal * kva)
        for index, ward in self.at_buses("ward", Ward):
            if self.lives(circuit, f"ward {index}", ward.bus):
                circuit.draw(ward.bus, 1e3 * complex(ward.ps_mw, ward.qs_mvar))
                circuit.shunt(ward.bus, 1e3 * complex(ward.pz_mw, ward.qz_mvar))

    def _lines(
        self, circuit: Circuit, opened: Mapping[int, set[int]], hertz: float
    ) -> Iterator[Branch]:
        unlimited = []
        for index, line in self.at_buses("line", Line):
            opens = opened.get(index, set())
            dark = {line.from_bus, line.to_bus} - circuit.bus_kv.keys()
            if len(dark | opens) == 2 or not self._level(circuit, index, line, dark):
                continue
            per_km = line.length_km * line.parallel
            carried = math.inf if line.max_i_ka is None else 1e3 * line.max_i_ka
            unlimited += [index] if line.max_i_ka is None else []
            yield self._ends(
                circuit,
                Branch(
                    name=named("line", index, line.name),
                    near=line.from_bus,
                    far=line.to_bus,
                    series=complex(line.r_ohm_per_km, line.x_ohm_per_km)
                    * (line.length_km / line.parallel),
                    across=per_km
                    * complex(line.g_us_per_km * 1e-6, 2e-9 * math.pi * hertz * line.c_nf_per_km),
                    near_a=carried * line.df * line.parallel,
                    far_a=carried * line.df * line.parallel,
                    limit=line.max_loading_percent / 100.0,
                    zero=zero_of_line(line, hertz) if circuit.by_phase else None,
                ),
                opens | dark,
            )
        if unlimited:
            circuit.notes.append(f"no current limit is known of {counted('line', unlimited)}")

    def _level(self, circuit: Circuit, index: int, line: Line, dark: set[int]) -> bool:
        """Whether a line stays on one voltage level; if not, that is wrong."""
        if dark or circuit.bus_kv[line.from_bus] == circuit.bus_kv[line.to_bus]:
            return True
        levels = f"{circuit.bus_kv[line.from_bus]:g} and {circuit.bus_kv[line.to_bus]:g} kV"
        self.wrong(f"line {index}", "", f"joins levels of {levels}", "put a transformer there")
        return False

    def _ends(self, circuit: Circuit, branch: Branch, opens: set[int]) -> Branch:
        """The branch with its open ends; a bus out of service is put in the place of the other."""
        near, far = branch.near, branch.far
        return replace(
            branch,
            near=near if near in circuit.bus_kv else far,
            far=far if far in circuit.bus_kv else near,
            near_closed=near not in opens,
            far_closed=far not in opens,
        )

    def _transformers(self, circuit: Circuit, opened: Mapping[int, set[int]]) -> Iterator[Branch]:
        for index, row in self.at_buses("trafo", Transformer):
            trafo = typed(row, self.major)
            opens = opened.get(index, set())
            dark = {trafo.hv_bus, trafo.lv_bus} - circuit.bus_kv.keys()
            before = len(self.reader.issues)
            self._refuse_transformer(index, trafo)
            if len(self.reader.issues) > before:
                continue
            if dark or len(opens) == 2:
                if dark:
                    circuit.notes.append(f"trafo {index} has an end out of service: left out")
                continue
            note_taps(circuit, index, trafo)
            name = named("trafo", index, trafo.name)
            branch = two_windings(circuit, name, trafo, short_circuit(trafo))
            if circuit.by_phase:
                branch = replace(branch, zero=zero_of_transformer(trafo))
            yield self._ends(circuit, branch, opens)

    def _check_by_phase(self, circuit: Circuit) -> None:
        """What the zero sequence needs is given; what is not modelled per phase is not there."""
        lines, trafos = self.checked("line", Line), self.checked("trafo", Transformer)
        for table, lacking in (
            ("line", {index: line.lacking() for index, line in lines.items()}),
            ("trafo", {index: trafo.lacking() for index, trafo in trafos.items()}),
        ):
            if missing := sorted({key for keys in lacking.values() for key in keys}):
                of = counted(table, [index for index, keys in lacking.items() if keys])
                wrong = f"{listed(missing)} of {of} not given, where loads are given per phase"
                right = "give them, as pandapower.runpp_3ph needs them"
                self.wrong(table, missing[0], wrong, right)
        for index, trafo in trafos.items():
            if trafo.vector_group is not None and trafo.vector_group.lower() not in GROUPS:
                wrong = f"{trafo.vector_group!r} is not modelled where loads are given per phase"
                self.wrong(f"trafo {index}", "vector_group", wrong, "known are Dyn and YNyn")
        for index, line in lines.items():
            if line.r0_ohm_per_km == 0.0 and line.x0_ohm_per_km == 0.0:
                wrong = "has no impedance in the zero sequence"
                self.wrong(f"line {index}", "r0_ohm_per_km", wrong, "give it one")
        if three := list(self.checked("trafo3w", ThreeWindings)):
            wrong = f"{counted('trafo3w', three)} not modelled where loads are given per phase"
            self.wrong("trafo3w", "", wrong, "put transformers with two windings in its place")
        for branch in circuit.branches:
            if branch.near_closed != branch.far_closed and not math.isnan(branch.rating_kva):
                wrong = "is open at one end, which is not modelled where loads are given per phase"
                self.wrong(branch.name, "", wrong, "take it out of service, or close its switch")

    def _three_windings(self, circuit: Circuit, opened: Mapping[int, set[int]]) -> Iterator[Branch]:
        """Three transformers with two windings that meet at a bus of their own, as pandapower."""
        stars = []
        for index, trafo in self.at_buses("trafo3w", ThreeWindings):
            before = len(self.reader.issues)
            self._refuse_three_windings(index, trafo)
            if len(self.reader.issues) > before:
                continue
            if trafo.hv_bus not in circuit.bus_kv:
                circuit.notes.append(f"trafo3w {index} has an end out of service: left out")
                continue
            star = max(*circuit.bus_kv, *self.known) + 1
            circuit.bus_kv[star] = circuit.bus_kv[trafo.hv_bus]
            stars.append(f"trafo3w {index} at bus {star}")
            legs = star_legs(circuit, index, typed(trafo, self.major), star)
            yield from (
                self._ends(circuit, leg, opened.get(index, set()))
                for leg in legs
                if {leg.near, leg.far} <= circuit.bus_kv.keys()
            )
        if stars:
            words = "three windings meet at a bus of their own"
            circuit.notes.append(f"transformers with {words}: {listed(stars)}")

    def _refuse_three_windings(self, index: int, trafo: ThreeWindings) -> None:
        where = f"trafo3w {index}"
        if trafo.tap_dependency_table:
            right = "give tap_changer_type and tap_step_percent"
            self.wrong(where, "tap_dependency_table", "tables by tap are not read", right)
        if trafo.loss_side == "star":
            self.wrong(where, "loss_side", "'star' is not modelled", "give hv, mv or lv")
        if trafo.tap_changer_type not in (None, "None", *TAPS):
            wrong = f"{trafo.tap_changer_type!r} is not modelled"
            self.wrong(where, "tap_changer_type", wrong, f"known are {', '.join(TAPS)}")
        for side, (r, x) in star_impedances(trafo).items():
            if not np.isfinite(x) or (r, x) == (0.0, 0.0):
                wrong = f"has no impedance that there is between {side} and the star point"
                right = "give vkr_*_percent of at most vk_*_percent"
                self.wrong(where, f"vk_{side}_percent", wrong, right)

    def _refuse_transformer(self, index: int, trafo: Transformer) -> None:
        where = f"trafo {index}"
        if trafo.tap_dependency_table:
            right = "give tap_changer_type and tap_step_percent"
            self.wrong(where, "tap_dependency_table", "tables by tap are not read", right)
        if trafo.tap2_pos is not None:
            self.wrong(where, "tap2_pos", "a second tap changer is not modelled", "take it out")
        if (trafo.leakage_resistance_ratio_hv, trafo.leakage_reactance_ratio_hv) != (0.5, 0.5):
            wrong = "leakage is not shared equally by the windings"
            self.wrong(where, "leakage_resistance_ratio_hv", wrong, "give 0.5 or leave it out")
        if trafo.vkr_percent > trafo.vk_percent:
            wrong = f"{trafo.vkr_percent:g} is above vk_percent {trafo.vk_percent:g}"
            self.wrong(where, "vkr_percent", wrong, "give at most vk_percent")
        if trafo.tap_changer_type == "Ideal" and abs(tap_steps(trafo)) > 2.0:
            wrong = f"at {trafo.tap_pos:g} the tap turns by no angle that there is"
            self.wrong(where, "tap_step_percent", wrong, "give tap_step_degree")
        if trafo.tap_changer_type in ("Ratio", "Symmetrical") and abs(tap_steps(trafo)) > 0.9:
            wrong = f"at {trafo.tap_pos:g} the tap moves the voltage by {tap_steps(trafo):.0%}"
            self.wrong(where, "tap_pos", wrong, "give a position within the tap changer's range")
        if trafo.tap_changer_type not in (None, "None", *TAPS):
            wrong = f"{trafo.tap_changer_type!r} is not modelled"
            self.wrong(where, "tap_changer_type", wrong, f"known are {', '.join(TAPS)}")

    def _mixed(self, loads: Mapping[int, Load]) -> Iterator[int]:
        """Buses at which something of constant impedance stands beside what has another share."""
        others = [
            row.bus for table in ("sgen", "storage") for row in self.checked(table, Power).values()
        ]
        others += [ward.bus for ward in self.checked("ward", Ward).values()]
        for bus in sorted({load.bus for load in loads.values()}):
            shares = {_shares(load) for load in loads.values() if load.bus == bus}
            shares |= {(0.0,) * 4} if bus in others else set()
            if len(shares) > 1:
                yield bus

    def _notes(self, circuit: Circuit) -> None:
        loads = self.checked("load", Load)
        currents = [i for i, it in loads.items() if it.const_i_p_percent or it.const_i_q_percent]
        mixed = [bus for bus in self._mixed(loads) if bus in circuit.bus_kv]
        if mixed:
            circuit.notes.append(
                f"at bus {ranges(mixed)} each load keeps its own share of constant impedance; "
                "pandapower gives all that is there their mean"
            )
        if currents:
            circuit.notes.append(
                f"{counted('load', currents)} of constant current: taken as half of constant "
                "power and half of constant impedance, which is 0.13 % too much at 0.95 p.u."
            )
        if controllers := self.rows("controller"):
            words = f"{counted('controller', controllers)} not run: taps and powers stay as stored"
            circuit.notes.append(words)
        if storages := self.checked("storage", Power):
            circuit.notes.append(f"{counted('storage', storages)} taken as loads of their p_mw")


def _shares(load: Load) -> tuple[float, ...]:
    return tuple(value for key, value in load if key.startswith("const_"))


_ENDS = ("bus", "from_bus", "to_bus", "hv_bus", "mv_bus", "lv_bus")
