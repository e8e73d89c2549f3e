"""Transformers of pandapower as branches: two windings, taps, and three windings as a star."""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from hubwise.scenario.circuit import Branch, Circuit, named
from hubwise.scenario.pandapower_rows import ThreeWindings, Transformer

TAPS_BY_TYPE = 3
"""The format since which a tap changer has a type; before, it follows from its steps."""

TAPS = ("Ratio", "Symmetrical", "Ideal")


Tapped = TypeVar("Tapped", Transformer, ThreeWindings)


def typed(trafo: Tapped, major: int) -> Tapped:
    """The transformer with the type of its tap changer, which formats before 3 do not have."""
    if major >= TAPS_BY_TYPE:
        return trafo
    percent, degree = trafo.tap_step_percent, trafo.tap_step_degree
    by_ratio = "Symmetrical" if degree == 90.0 else "Ratio"
    kind = by_ratio if percent else "Ideal" if degree else None
    return trafo.model_copy(update={"tap_changer_type": kind})


_SIDES = ("hv", "mv", "lv")


def star_impedances(trafo: ThreeWindings) -> dict[str, tuple[float, float]]:
    """Resistance and reactance of each leg of the star, per unit of that winding's rating.

    The three short-circuit voltages are between two windings each, on the smaller rating of both.
    """
    sn = np.array([trafo.sn_hv_mva, trafo.sn_mv_mva, trafo.sn_lv_mva])
    vk = np.array([trafo.vk_hv_percent, trafo.vk_mv_percent, trafo.vk_lv_percent])
    vkr = np.array([trafo.vkr_hv_percent, trafo.vkr_mv_percent, trafo.vkr_lv_percent])
    on_hv = sn[0] / np.minimum(sn, np.roll(sn, -1)) / 100.0
    with np.errstate(invalid="ignore"):
        between = {"r": vkr * on_hv, "x": np.sqrt((vk * on_hv) ** 2 - (vkr * on_hv) ** 2)}
    of_leg = {
        key: 0.5 * sn / sn[0] * (z + np.roll(z, 1) - np.roll(z, -1)) for key, z in between.items()
    }
    return {side: (of_leg["r"][k], of_leg["x"][k]) for k, side in enumerate(_SIDES)}


def star_legs(circuit: Circuit, index: int, trafo: ThreeWindings, star: int) -> Iterator[Branch]:
    """A branch for each winding whose bus is in service, from it to bus ``star``."""
    for side, (r, x) in star_impedances(trafo).items():
        bus = getattr(trafo, f"{side}_bus")
        if bus not in circuit.bus_kv:
            circuit.notes.append(f"trafo3w {index}: {side} is out of service and left out")
            continue
        leg = Transformer.model_construct(
            hv_bus=bus if side == "hv" else star,
            lv_bus=star if side == "hv" else bus,
            sn_mva=getattr(trafo, f"sn_{side}_mva"),
            vn_hv_kv=trafo.vn_hv_kv,
            vn_lv_kv=getattr(trafo, f"vn_{side}_kv"),
            shift_degree=0.0 if side == "hv" else getattr(trafo, f"shift_{side}_degree"),
            pfe_kw=trafo.pfe_kw if side == trafo.loss_side else 0.0,
            i0_percent=trafo.i0_percent if side == trafo.loss_side else 0.0,
            max_loading_percent=trafo.max_loading_percent,
            **(_tap_of_leg(trafo, side) if trafo.tap_side == side else {}),
        )
        name = named("trafo3w", index, trafo.name)
        branch = two_windings(circuit, f"{name}, {side}", leg, complex(r, x))
        # What a winding carries is told at its terminal, not at the star point.
        yield replace(branch, far_a=math.inf) if side == "hv" else replace(branch, near_a=math.inf)


def _tap_of_leg(trafo: ThreeWindings, side: str) -> dict[str, Any]:
    """The tap changer of a leg; one at the star point works the other way round."""
    own, other = ("hv", "lv") if side == "hv" else ("lv", "hv")
    step = cmath.rect(trafo.tap_step_percent, math.radians(trafo.tap_step_degree))
    away = 0.0 if trafo.tap_pos is None else trafo.tap_pos - trafo.tap_neutral
    turned = 100.0 * step / (100.0 + step * away) * -1.0 if trafo.tap_at_star_point else step
    return {
        "tap_side": other if trafo.tap_at_star_point else own,
        "tap_pos": trafo.tap_pos,
        "tap_neutral": trafo.tap_neutral,
        "tap_step_percent": abs(turned),
        "tap_step_degree": math.degrees(cmath.phase(turned)),
        "tap_changer_type": trafo.tap_changer_type,
    }


def note_taps(circuit: Circuit, index: int, trafo: Transformer) -> None:
    """Say where a tap position does nothing."""
    idle = trafo.tap_changer_type in (None, "None")
    if idle and trafo.tap_pos is not None and trafo.tap_pos != trafo.tap_neutral:
        circuit.notes.append(
            f"trafo {index}: tap position {trafo.tap_pos:g} is passed over, as pandapower does "
            "where tap_changer_type is none"
        )


def tap_steps(trafo: Transformer) -> float:
    """How far the tap is from neutral, as a share of the voltage."""
    away = 0.0 if trafo.tap_pos is None else trafo.tap_pos - trafo.tap_neutral
    return away * trafo.tap_step_percent / 100.0


def _tapped(trafo: Transformer) -> tuple[float, float, float]:
    """Rated voltages at the tap [kV], and by how much the high-voltage side leads [degrees]."""
    away = 0.0 if trafo.tap_pos is None else trafo.tap_pos - trafo.tap_neutral
    sign = {"hv": 1.0, "lv": -1.0}.get(trafo.tap_side or "", 0.0)
    high, low, shift = trafo.vn_hv_kv, trafo.vn_lv_kv, trafo.shift_degree
    if trafo.tap_changer_type == "Ideal":
        by_step = 2.0 * math.degrees(math.asin(max(-1.0, min(1.0, tap_steps(trafo) / 2.0))))
        return high, low, shift + sign * (away * trafo.tap_step_degree or by_step)
    if trafo.tap_changer_type in TAPS and sign:
        step = cmath.rect(tap_steps(trafo), math.radians(trafo.tap_step_degree))
        scale, turn = abs(1.0 + step), math.degrees(cmath.phase(1.0 + step))
        high, low = (high * scale, low) if sign > 0 else (high, low * scale)
        return high, low, shift + sign * turn
    return high, low, shift


def short_circuit(trafo: Transformer) -> complex:
    """Short-circuit impedance per unit of the transformer's rating."""
    r = trafo.vkr_percent / 100.0
    return complex(r, math.sqrt(max((trafo.vk_percent / 100.0) ** 2 - r**2, 0.0)))


def two_windings(circuit: Circuit, name: str, trafo: Transformer, share: complex) -> Branch:
    """The transformer's T circuit, made a π circuit on the low-voltage side.

    ``share`` is its impedance per unit of its rating.
    """
    high, low, shift = _tapped(trafo)
    per_ohm = low**2 / trafo.sn_mva / trafo.parallel
    z = per_ohm * share
    g = trafo.pfe_kw / 1e3 / trafo.sn_mva
    b = -math.sqrt(max((trafo.i0_percent / 100.0) ** 2 - g**2, 0.0))
    y = complex(g, b) / per_ohm
    nominal = circuit.bus_kv[trafo.hv_bus] / circuit.bus_kv[trafo.lv_bus]
    carried = 1e3 * trafo.sn_mva * trafo.parallel * trafo.df / math.sqrt(3.0)
    return Branch(
        name=name,
        near=trafo.hv_bus,
        far=trafo.lv_bus,
        series=z * (1.0 + z * y / 4.0),
        across=4.0 * y / (4.0 + z * y),
        ratio=high / low / nominal,
        shift_degrees=shift,
        near_a=carried / trafo.vn_hv_kv,
        far_a=carried / trafo.vn_lv_kv,
        limit=trafo.max_loading_percent / 100.0,
        rating_kva=1e3 * trafo.sn_mva * trafo.parallel,
    )
