"""Other days than the plan's, billed and run through the feeder like it: what they would bring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from hubwise.audit.conduct import Conduct
from hubwise.audit.evidence import Columns, Evidence
from hubwise.audit.feeder import flow_again
from hubwise.audit.hubs import net_kw
from hubwise.audit.money import account, bills, profit
from hubwise.domain import Schedule, Tariff
from hubwise.domain.arrays import Array
from hubwise.grid import FeederState


@dataclass(frozen=True, slots=True)
class Day:
    """What a day comes to.

    Parameters
    ----------
    evidence
        The day in the shape of a plan.
    items
        The operator's line items [currency].
    participant_cost
        Participants' net cost [currency].
    state
        The feeder, by the second power flow.
    """

    evidence: Evidence
    items: Mapping[str, float]
    participant_cost: float
    state: FeederState

    @property
    def net_kw(self) -> Array:
        """Net draw of every hub; shape (hubs, slots)."""
        return net_kw(self.evidence)

    def figures(self) -> dict[str, float]:
        """The main figures, as `hubwise.record.Outcome` names them."""
        known = self.state.converged
        head = self.state.head_kw[known]
        peak, valley = head.max(initial=-np.inf), head.min(initial=np.inf)
        earned = profit(self.items)
        return {
            "operator_profit": earned,
            "operator_profit_without_incentive": earned - self.items["incentives"],
            "participant_cost": self.participant_cost,
            "peak_kw": float(peak),
            "valley_kw": float(valley),
            "peak_valley_kw": float(peak - valley),
            "transformer_peak_loading": float(
                self.state.transformer_loading[known].max(initial=-np.inf)
            ),
            "min_voltage_pu": float(self.state.voltage_pu[:, known].min(initial=np.inf)),
        }


def day_of(
    evidence: Evidence,
    conduct: Conduct,
    schedule: Schedule,
    *,
    tariff: Tariff | None = None,
    stations: Columns | None = None,
) -> Day:
    """The same situation with another schedule, and where given other prices and stations.

    Parameters
    ----------
    evidence, conduct
        The plan, and how the other day is run.
    schedule
        Of every session.
    tariff
        What the hubs post.
    stations
        Columns of ``hubs.parquet`` of shape (hubs, slots), in place of the plan's.
    """
    tables = {**evidence.folder.tables, "schedule": _rows(evidence, schedule)}
    other = replace(
        evidence,
        folder=replace(evidence.folder, tables=tables),
        tariff=evidence.tariff if tariff is None else tariff,
        schedule=schedule,
        hubs={**evidence.hubs, **(stations or {})},
    )
    other = replace(other, bills=evidence.bills | bills(other))
    situation = evidence.scenario.situation
    mine = evidence.fleet.participating
    return Day(
        evidence=other,
        items=account(other, conduct),
        participant_cost=float(other.bills["net_cost"][mine].sum()),
        state=flow_again(situation.feeder, situation.hubs.bus, net_kw(other)),
    )


def _rows(evidence: Evidence, schedule: Schedule) -> pl.DataFrame:
    """``schedule.parquet`` of another schedule."""
    table, stay = evidence.folder.tables["schedule"], evidence.stay
    columns: dict[str, Array] = {
        name: getattr(schedule, name)[stay] for name in ("charge_kw", "discharge_kw", "energy_kwh")
    }
    return table.with_columns(pl.Series(name, values) for name, values in columns.items())
