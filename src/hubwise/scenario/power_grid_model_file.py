"""Networks of power-grid-model: input data as its ``json_serialize`` writes them.

Source of what each component means: power-grid-model's documentation of its components. The library
itself reads the file and checks it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from power_grid_model import LoadGenType, WindingType
from power_grid_model.errors import PowerGridError  # type: ignore[attr-defined]
from power_grid_model.utils import json_deserialize  # type: ignore[attr-defined]
from power_grid_model.validation import validate_input_data

from hubwise.domain.errors import listed
from hubwise.scenario.circuit import Branch, Circuit, Zero, counted, named
from hubwise.scenario.reading import Reader

_READ = {
    "node",
    "line",
    "link",
    "generic_branch",
    "transformer",
    "sym_load",
    "sym_gen",
    "asym_load",
    "asym_gen",
    "shunt",
    "source",
}
_BY_PHASE = ("asym_load", "asym_gen")
# Windings that are modelled in the zero sequence, at both ends.
_EARTHED = (int(WindingType.wye_n), int(WindingType.wye_n))
_DELTA_EARTHED = (int(WindingType.delta), int(WindingType.wye_n))
# Measurements, for state estimation; faults, for short circuits.
_IDLE = ("sensor", "fault")
_REFUSED = {
    "three_winding_transformer": "put three transformers in its place",
    "asym_line": "put a line in its place, whose phases are alike",
    "voltage_regulator": "voltage control is not modelled; take it out",
}


def read_power_grid_model(text: str, file: str, reader: Reader, hertz: float) -> Circuit | None:
    """The circuit of a file, or nothing where it has a mistake; each is noted.

    Parameters
    ----------
    text
        The file's JSON.
    file
        Its name, for problems.
    reader
        Takes the problems.
    hertz
        System frequency, at which capacitances charge [Hz].
    """
    before = len(reader.issues)
    try:
        data: Any = json_deserialize(text)
    except (PowerGridError, ValueError) as error:
        right = "write it again by power_grid_model.utils.json_serialize"
        wrong = f"power-grid-model cannot read it ({str(error).splitlines()[0]})"
        reader.wrong(file, "", "", wrong, right)
        return None
    if not isinstance(data, dict) or "node" not in data:
        reader.wrong(file, "", "", "holds no nodes", "give one network, not a batch")
        return None
    by_phase = any(row["status"] == 1 for kind in _BY_PHASE for row in data.get(kind, ()))
    _validate(data, file, reader, symmetric=not by_phase)
    _refuse(data, file, reader)
    if by_phase:
        _refuse_by_phase(data, file, reader)
    if len(reader.issues) > before:
        return None
    return _circuit(data, hertz, by_phase=by_phase)


def _validate(data: Mapping[Any, Any], file: str, reader: Reader, *, symmetric: bool) -> None:
    for error in validate_input_data(dict(data), symmetric=symmetric) or []:
        where = f"{_word(error.component)} {listed(error.ids or [])}"
        field = error.field if isinstance(error.field, str) else listed(error.field or [])
        reader.wrong(file, where, field, str(error), "mend it, and validate the data again")


def _refuse(data: Mapping[Any, Any], file: str, reader: Reader) -> None:
    for component, table in ((_word(key), table) for key, table in data.items()):
        idle = any(word in component for word in _IDLE)
        if component in _READ or component == "transformer_tap_regulator" or idle:
            continue
        live = table["id"][table["status"] == 1] if "status" in table.dtype.names else table["id"]
        if len(live):
            right = _REFUSED.get(component, "take it out")
            wrong = f"{counted(component, live.tolist())}: not modelled"
            reader.wrong(file, component, "", wrong, right)
    for component in ("sym_load", "sym_gen", *_BY_PHASE):
        table = data.get(component, ())
        for row in table:
            if row["status"] == 1 and row["type"] != LoadGenType.const_power:
                wrong, right = "is not of constant power", "other loads are not modelled"
                reader.wrong(file, f"{component} {row['id']}", "type", wrong, right)


def _refuse_by_phase(data: Mapping[Any, Any], file: str, reader: Reader) -> None:
    """What is not modelled where loads are given per phase."""
    where = "where loads are given per phase"
    if generic := [int(row["id"]) for row in data.get("generic_branch", ())]:
        wrong = f"{counted('generic_branch', generic)}: has no zero sequence, {where}"
        reader.wrong(file, "generic_branch", "", wrong, "put lines or transformers in its place")
    for row in data.get("line", ()):
        if row["r0"] == row["x0"] == 0.0:
            wrong = "has no impedance in the zero sequence"
            reader.wrong(file, f"line {row['id']}", "r0", wrong, "give it one")
    for row in data.get("transformer", ()):
        place, groups = f"transformer {row['id']}", (row["winding_from"], row["winding_to"])
        if groups not in (_EARTHED, _DELTA_EARTHED):
            wrong = f"is not modelled {where}"
            right = "known are wye_n to wye_n and delta to wye_n"
            reader.wrong(file, place, "winding_from", wrong, right)
        if row["from_status"] != row["to_status"]:
            wrong, right = f"is open at one end, which is not modelled {where}", "open both"
            reader.wrong(file, place, "", wrong, right)
    for row in data.get("shunt", ()):
        if row["status"] == 1 and (row["g0"], row["b0"]) != (row["g1"], row["b1"]):
            wrong = "differs in the zero sequence, which is not modelled"
            reader.wrong(file, f"shunt {row['id']}", "g0", wrong, "give g1 and b1")


def _word(component: object) -> str:
    """A component's name; the library's enumerations are texts that print otherwise."""
    return str(getattr(component, "value", component))


def _circuit(data: Mapping[Any, Any], hertz: float, *, by_phase: bool) -> Circuit:
    circuit = Circuit({int(row["id"]): float(row["u_rated"]) / 1e3 for row in data["node"]})
    circuit.by_phase = by_phase
    for row in data.get("source", ()):
        if row["status"] == 1:
            circuit.feed(f"source {row['id']}", int(row["node"]), float(row["u_ref"]))
    for component, sign in (("sym_load", 1.0), ("sym_gen", -1.0)):
        for row in data.get(component, ()):
            if row["status"] == 1:
                kva = sign * complex(row["p_specified"], row["q_specified"]) / 1e3
                circuit.draw(int(row["node"]), kva)
    for component, sign in (("asym_load", 1.0), ("asym_gen", -1.0)):
        for row in data.get(component, ()):
            if row["status"] == 1:
                each = row["p_specified"] + 1j * row["q_specified"]
                circuit.draw_by_phase(int(row["node"]), [sign * kva / 1e3 for kva in each])
    for row in data.get("shunt", ()):
        if row["status"] == 1:
            kv = circuit.bus_kv[int(row["node"])]
            circuit.shunt(int(row["node"]), 1e3 * kv**2 * complex(row["g1"], -row["b1"]))
    circuit.joined += [
        (int(row["from_node"]), int(row["to_node"]))
        for row in data.get("link", ())
        if row["from_status"] == row["to_status"] == 1
    ]
    for component, make in (
        ("line", _line),
        ("generic_branch", _generic),
        ("transformer", _transformer),
    ):
        circuit.branches += [make(circuit, row, hertz) for row in data.get(component, ())]
    circuit.notes += _notes(data, circuit, hertz)
    return circuit


def _notes(data: Mapping[Any, Any], circuit: Circuit, hertz: float) -> Iterator[str]:
    yield "the source's bus is held at its voltage: its short-circuit power is taken as infinite"
    if any(row["c1"] for row in data.get("line", ())):
        yield f"lines charge at {hertz:g} Hz"
    if len(data.get("transformer_tap_regulator", ())):
        yield "tap regulators are not run: taps stay as stored"
    if unlimited := [b.name for b in circuit.branches if math.isinf(b.far_a)]:
        yield f"no current limit is known of {listed(unlimited)}"


def _known(value: Any, otherwise: float) -> float:
    """A number, or ``otherwise`` where none is given."""
    return otherwise if np.isnan(value) else float(value)


def _ends(row: Any) -> dict[str, Any]:
    return {
        "near": int(row["from_node"]),
        "far": int(row["to_node"]),
        "near_closed": row["from_status"] == 1,
        "far_closed": row["to_status"] == 1,
    }


def _line(circuit: Circuit, row: Any, hertz: float) -> Branch:
    susceptance = 2.0 * math.pi * hertz * float(row["c1"])
    carried = _known(row["i_n"], math.inf)
    return Branch(
        name=named("line", int(row["id"]), None),
        series=complex(row["r1"], row["x1"]),
        across=susceptance * complex(_known(row["tan1"], 0.0), 1.0),
        near_a=carried,
        far_a=carried,
        zero=_zero_of_line(row, hertz) if circuit.by_phase else None,
        **_ends(row),
    )


def _zero_of_line(row: Any, hertz: float) -> Zero:
    charging = 2.0 * math.pi * hertz * float(row["c0"]) * complex(_known(row["tan0"], 0.0), 1.0)
    return Zero(1.0 / complex(row["r0"], row["x0"]), charging / 2.0, charging / 2.0)


def _generic(circuit: Circuit, row: Any, _: float) -> Branch:
    kva = _known(row["sn"], math.inf) / 1e3
    ends = _ends(row)
    return Branch(
        name=named("generic_branch", int(row["id"]), None),
        series=complex(row["r1"], row["x1"]),
        across=complex(row["g1"], row["b1"]),
        ratio=_known(row["k"], 1.0),
        shift_degrees=math.degrees(_known(row["theta"], 0.0)),
        near_a=kva / math.sqrt(3.0) / circuit.bus_kv[ends["near"]],
        far_a=kva / math.sqrt(3.0) / circuit.bus_kv[ends["far"]],
        rating_kva=kva if math.isfinite(kva) else math.nan,
        **ends,
    )


def _transformer(circuit: Circuit, row: Any, _: float) -> Branch:
    """The transformer at its tap; what it draws without load is shared by both ends."""
    ends, kva = _ends(row), float(row["sn"]) / 1e3
    near_kv, far_kv = float(row["u1"]) / 1e3, float(row["u2"]) / 1e3
    position = _tap(row)
    step = position * float(row["tap_size"]) / 1e3
    high, low = (near_kv + step, far_kv) if row["tap_side"] == 0 else (near_kv, far_kv + step)
    per_ohm = low**2 / (kva / 1e3)
    z = complex(_at_tap(row, "pk") / float(row["sn"]), 0.0)
    z += 1j * math.sqrt(max(_at_tap(row, "uk") ** 2 - z.real**2, 0.0))
    g = float(row["p0"]) / float(row["sn"])
    b = -math.sqrt(max(float(row["i0"]) ** 2 - g**2, 0.0))
    nominal = circuit.bus_kv[ends["near"]] / circuit.bus_kv[ends["far"]]
    across = complex(g, b) / per_ohm
    return Branch(
        name=named("transformer", int(row["id"]), None),
        series=per_ohm * z,
        across=across,
        zero=_zero_of_transformer(row, per_ohm * z, across, high / low),
        ratio=high / low / nominal,
        shift_degrees=30.0 * int(row["clock"]),
        near_a=kva / math.sqrt(3.0) / near_kv,
        far_a=kva / math.sqrt(3.0) / far_kv,
        rating_kva=kva,
        **ends,
    )


def _zero_of_transformer(row: Any, series: complex, across: complex, ratio: float) -> Zero | None:
    """As the library has it: that of the positive sequence, behind what earths the star points."""
    groups = row["winding_from"], row["winding_to"]
    far = complex(_known(row["r_grounding_to"], 0.0), _known(row["x_grounding_to"], 0.0))
    near = complex(_known(row["r_grounding_from"], 0.0), _known(row["x_grounding_from"], 0.0))
    if groups == _DELTA_EARTHED:
        return Zero(0.0, 0.0, 1.0 / (1.0 / (1.0 / series + across) + 3.0 * far))
    if groups == _EARTHED:
        through = 1.0 / (series + 3.0 * (far + near / ratio**2))
        return Zero(through, across / 2.0, across / 2.0)
    return None


_NOTHING = -128  # what the library writes where a small whole number is not given


def _tap(row: Any) -> float:
    """Steps from the nominal tap, positive towards ``tap_max``."""
    nominal = 0 if row["tap_nom"] == _NOTHING else int(row["tap_nom"])
    position = nominal if row["tap_pos"] == _NOTHING else int(row["tap_pos"])
    towards = 1.0 if row["tap_max"] > row["tap_min"] else -1.0
    return towards * (position - nominal)


def _at_tap(row: Any, key: str) -> float:
    """Short-circuit voltage or losses at the tap, between their values at the ends of the range."""
    nominal = 0 if row["tap_nom"] == _NOTHING else int(row["tap_nom"])
    position = nominal if row["tap_pos"] == _NOTHING else int(row["tap_pos"])
    middle = float(row[key])
    low, high = _known(row[f"{key}_min"], middle), _known(row[f"{key}_max"], middle)
    taps = sorted([(int(row["tap_min"]), low), (nominal, middle), (int(row["tap_max"]), high)])
    return float(np.interp(position, [tap for tap, _ in taps], [value for _, value in taps]))
