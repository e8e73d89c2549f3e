"""Lines and transformers of pandapower in the zero sequence, as ``runpp_3ph`` has them."""

from __future__ import annotations

import cmath
import math

from hubwise.scenario.circuit import Zero
from hubwise.scenario.pandapower_rows import Line, Transformer

GROUPS = ("dyn", "ynyn")
"""Vector groups that are modelled, in small letters."""


def zero_of_line(line: Line, hertz: float) -> Zero | None:
    """A line in the zero sequence; nothing where it is not told, or impedes nothing."""
    if line.r0_ohm_per_km is None or line.x0_ohm_per_km is None or line.c0_nf_per_km is None:
        return None
    series = complex(line.r0_ohm_per_km, line.x0_ohm_per_km) * line.length_km / line.parallel
    charging = 2e-9 * math.pi * hertz * line.c0_nf_per_km * line.length_km * line.parallel
    if series == 0.0:
        return None
    return Zero(1.0 / series, 0.5j * charging, 0.5j * charging)


def zero_of_transformer(trafo: Transformer) -> Zero | None:
    """A transformer in the zero sequence; nothing where it is not told.

    Its T circuit is made a π circuit on the side of low voltage. A delta lets nothing pass, and
    joins its end of the star to earth.
    """
    if trafo.lacking() or str(trafo.vector_group).lower() not in GROUPS:
        return None
    # As pandapower: where the zero sequence is 0, it is that of the positive one.
    vk = trafo.vk0_percent or trafo.vk_percent
    vkr = trafo.vkr0_percent or trafo.vkr_percent
    per_ohm = trafo.vn_lv_kv**2 / trafo.sn_mva / trafo.parallel / 100.0
    leakage = per_ohm * complex(vkr, math.sqrt(max(vk**2 - vkr**2, 0.0)))
    assert trafo.mag0_percent is not None, "it lacks nothing"
    assert trafo.mag0_rx is not None, "it lacks nothing"
    assert trafo.si0_hv_partial is not None, "it lacks nothing"
    magnetising = cmath.rect(
        per_ohm * vk * trafo.mag0_percent / 100.0, math.atan2(1.0, trafo.mag0_rx)
    )
    high, low = trafo.si0_hv_partial * leakage, (1.0 - trafo.si0_hv_partial) * leakage
    around = high * low + low * magnetising + high * magnetising
    if around == 0.0:
        return None
    series, at_high, at_low = magnetising / around, low / around, high / around
    if str(trafo.vector_group).lower() == "dyn":
        return Zero(0.0, 0.0, series + at_low)
    return Zero(series, at_high, at_low)
