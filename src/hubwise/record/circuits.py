"""Circuits and phases in a plan folder: what flows through each, and its limit."""

from __future__ import annotations

import numpy as np
import polars as pl

from hubwise.domain import PHASES
from hubwise.domain.plain import JsonObject
from hubwise.ledger import line_flows
from hubwise.record.model import Record
from hubwise.record.tables import OPTIONAL_TABLES

NAME = "circuits"


def circuits_beside(plan: Record) -> tuple[JsonObject, pl.DataFrame] | None:
    """Figures and table of circuits and phases; nothing where no limit is told of."""
    situation = plan.scenario.situation
    hubs, lines = situation.hubs, situation.hubs.lines
    if not len(lines):
        return None
    flows = line_flows(hubs, situation.fleet, plan.schedule, plan.stations)
    names = {
        "hub": [hubs.name[h] for h in lines.hub],
        "circuit": [
            "" if c < 0 or hubs.circuits is None else hubs.circuits.name[c] for c in lines.circuit
        ],
        "phase": ["" if p == 0 else PHASES[p - 1] for p in lines.phase],
    }
    slots = flows.shape[1]
    columns: dict[str, object] = {
        name: [word for word in words for _ in range(slots)] for name, words in names.items()
    }
    columns |= {
        "slot": np.tile(np.arange(slots), len(lines)),
        "kw": flows.ravel(),
        "limit_kw": np.repeat(lines.limit_kw, slots),
    }
    said = [
        {
            **{name: words[k] for name, words in names.items()},
            "limit_kw": float(lines.limit_kw[k]),
            "peak_kw": float(np.abs(flows[k]).max(initial=0.0)),
        }
        for k in range(len(lines))
    ]
    return {"lines": said}, pl.DataFrame(columns, schema=OPTIONAL_TABLES[NAME])
