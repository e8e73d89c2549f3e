"""Colours: one per strategy, one per quantity; the colour-blind-safe set of Okabe and Ito."""

from __future__ import annotations

from collections.abc import Mapping

INK = "#1b2733"
MUTED = "#5d6b79"
GRID = "#e6eaee"
BASE = "#dde3e9"
LIMIT = "#c0392b"

STRATEGIES: Mapping[str, str] = {
    "uncoordinated": "#4a5560",
    "storage": "#e69f00",
    "passive": "#009e73",
    "passive-random": "#7a9a01",
    "passive-spread": "#00695c",
    "hubwise": "#0072b2",
}
OTHER_STRATEGY = "#cc79a7"

CHARGE = "#56b4e9"
DISCHARGE = "#cc79a7"
OTHERS = "#a9b4bf"
STATION = "#e8b64c"
SOLAR = "#f0e442"
INCOME = "#7fb5da"
OUTGO = "#b4bec8"


def of_strategy(strategy: str) -> str:
    """The colour of a strategy, the same in every figure and table."""
    return STRATEGIES.get(strategy, OTHER_STRATEGY)


def faint(colour: str, share: float) -> str:
    """The colour (``#rrggbb``) with ``share`` of its opacity, as CSS and plotly read it."""
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share:g})"
